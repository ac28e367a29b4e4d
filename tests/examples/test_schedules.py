"""The folder of schedules in a repository is changed, looked at, applied and undone as its page prints."""

import shutil

import pytest

from cronicorn.control.file_schema import FILE_NAME, schema_text
from tests.cli.test_schema import EXAMPLES
from tests.docs.markdown import DOCS, blocks
from tests.docs.test_shell_examples import Session, shell_blocks, typed

PAGE = DOCS / "how-to" / "keep-schedules-in-a-repository.md"
FOLDER = EXAMPLES / "schedules"
SOMEBODY = {
    f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "a"), ("EMAIL", "a@b"))
}


@pytest.fixture
def terminal(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "schedules")
    terminal = Session(tmp_path)
    terminal.environment |= SOMEBODY
    return terminal


def test_a_folder_is_changed_looked_at_applied_and_undone_as_printed(terminal):
    begin, change, undo = (typed(block) for block in shell_blocks(PAGE))
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


def test_the_schema_beside_the_files_is_the_one_that_is_printed():
    assert (FOLDER / FILE_NAME).read_text(encoding="utf-8") == schema_text()
