"""The folder of schedules in a repository is changed, looked at, applied and undone as its page prints."""

import shutil

import pytest
import yaml

from cronicorn.control.file_schema import FILE_NAME, schema_text
from tests.cli.test_schema import EXAMPLES
from tests.docs.journeys import types_every_command_of
from tests.docs.markdown import DOCS, blocks, shell_blocks
from tests.docs.terminal import Terminal
from tests.docs.test_shell_examples import QUICKSTART

PAGE = DOCS / "how-to" / "keep-schedules-in-a-repository.md"
FOLDER = EXAMPLES / "schedules"
SOMEBODY = {
    f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "a"), ("EMAIL", "a@b"))
}


@pytest.fixture
def terminal(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "schedules")
    terminal = Terminal(tmp_path)
    terminal.environment |= SOMEBODY
    return terminal


@types_every_command_of("docs/how-to/keep-schedules-in-a-repository.md")
def test_a_folder_is_changed_looked_at_applied_and_undone_as_printed(terminal):
    begin, change, undo = shell_blocks(PAGE)
    [plan] = [block.text for block in blocks(PAGE) if block.language == "text"]

    terminal.type(begin)
    before = terminal.type("cronicorn export | grep -v anchorAt")
    changed = terminal.type(change)
    undone = terminal.type(undo)
    after = terminal.type("cronicorn export | grep -v anchorAt")

    assert changed.startswith(plan)
    assert changed.endswith("Done: 1 updated, 2 archived; 4 unchanged.\n")
    assert undone.endswith("Done: 2 restored, 1 updated; 4 unchanged.\n")
    assert after == before


def test_the_workflow_does_the_same_on_a_server_as_printed(terminal):
    _, start, *_ = shell_blocks(QUICKSTART)
    [workflow] = [yaml.safe_load(block.text) for block in blocks(PAGE) if block.language == "yaml"]
    install, *steps = [step["run"] for step in workflow["jobs"]["schedules"]["steps"] if "run" in step]
    terminal.environment |= {"CRONICORN_PROFILES_FILE": f"{terminal.folder}/profiles.json"}
    terminal.places["https://cronicorn.example.com"] = terminal.url

    with terminal.running(start):
        terminal.type("export SCHEDULES_KEY=let-me-in-for-a-minute")
        _, shown, applied = [terminal.type(step) for step in steps]
        again = terminal.type(steps[-1])

    assert install.startswith("pip install ")
    assert "Nothing was written." in shown
    assert "+ shop/stock" in applied
    assert "Nothing to do" in again


def test_the_schema_beside_the_files_is_the_one_that_is_printed():
    assert (FOLDER / FILE_NAME).read_text(encoding="utf-8") == schema_text()
