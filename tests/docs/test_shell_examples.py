"""The shell examples work as printed, but for the port and the place of the database."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.cli.command import _forker
from tests.docs.forked_command import LINK
from tests.docs.markdown import DOCS, Block, blocks
from tests.waiting import eventually

PRINTED = "http://127.0.0.1:3333"
QUICKSTART = DOCS / "quickstart.md"
CURL, FORKED = (Path(__file__).with_name(name) for name in ("curl.py", "forked_command.py"))
READY_WITHIN_S = 60.0


class Session:
    """A reader's terminal: the commands of pages, one after the other, against one running Cronicorn."""

    def __init__(self, folder: Path, *, without_curl: bool = False) -> None:
        self.folder = folder
        tools = _command(folder / "tools", "curl", CURL)
        _command(folder / "forked", "cronicorn", FORKED)
        bins = str(Path(sys.executable).parent)
        path = [bins, str(tools), os.environ["PATH"]] if without_curl else [bins, os.environ["PATH"], str(tools)]
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.path = os.pathsep.join(path)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CRONICORN_")}
        self.environment = kept | {
            "PATH": self.path,
            "CRONICORN_PORT": self.url.rpartition(":")[2],
            "CRONICORN_DATABASE_URL": f"sqlite:{folder}/store.db",
        }

    @contextmanager
    def running(self, start: Block, log_name: str = "up.log"):
        """Cronicorn, started as *start* says."""
        with (self.folder / log_name).open("wb") as log:
            command = [
                "bash",
                "-ec",
                re.sub(r"^(?=cronicorn (?:up|api|scheduler))", "exec ", typed(start), flags=re.MULTILINE),
            ]
            process = subprocess.Popen(command, cwd=self.folder, env=self.environment | {"PATH": self.path}, stderr=log)
            try:
                eventually(lambda: process.poll() is not None or self.ready(), within_s=READY_WITHIN_S)
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=30)

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def type(self, text: str) -> str:
        """Run *text* in what the commands before it exported, and say what it printed."""
        link = _forker(())
        known = {"PATH": f"{self.folder}/forked{os.pathsep}{self.path}", LINK: str(link.fileno())}
        marker = "-- exported --"
        script = f"{text}\necho '{marker}'\nenv -0".replace(PRINTED, self.url)
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment | known,
            pass_fds=[link.fileno()],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, f"{text}\n{ended.stdout}{ended.stderr}"
        said, _, exported = ended.stdout.partition(f"{marker}\n")
        self.environment = dict(line.split("=", 1) for line in exported.split("\0") if line)
        return said


def _command(folder: Path, name: str, program: Path) -> Path:
    """A folder with a command *name* that is *program*: a `curl` for machines that have none, a quick `cronicorn`."""
    folder.mkdir()
    command = folder / name
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{program}" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return folder


def shell_blocks(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "shell"]


def typed(block: Block) -> str:
    """The commands of *block* without the installation, which has been done."""
    return "\n".join(line for line in block.text.splitlines() if not line.startswith(("make ", "export PATH=")))


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """The quickstart, typed up to the point where an endpoint is there."""
    install, start, register, *_ = shell_blocks(QUICKSTART)
    terminal = Session(tmp_path_factory.mktemp("quickstart"))

    assert typed(install) == ""
    with terminal.running(start):
        terminal.type(typed(register))
        yield terminal


def test_the_quickstart_shows_runs_explains_and_steers(session):
    _, _, _, look, steer, browser = shell_blocks(QUICKSTART)

    looked = session.type(typed(look))
    steered = session.type(typed(steer))

    assert "baseline-interval" in looked
    assert "ai-interval" in steered
    assert "looking closer" in steered
    assert "/sign-in?token=cl_" in session.type(typed(browser))
    eventually(lambda: "ai-interval" in session.type("cronicorn runs"), within_s=15)


def test_steering_by_hand_works_as_printed(session):
    for block in shell_blocks(DOCS / "how-to" / "steer-by-hand.md"):
        session.type(typed(block))


def test_the_rest_api_is_used_as_printed(session):
    twice, change, timeline, simulated, see, page, _, imagined = (
        session.type(typed(block)) for block in shell_blocks(DOCS / "how-to/use-the-rest-api.md")
    )

    first, second = twice.splitlines()
    assert first == second
    assert json.loads(first)["name"] == "nightly"
    assert json.loads(change)["policy"]["rules"] == []
    assert "waiting" in {slot["state"] for slot in json.loads(timeline)["slots"]}
    assert json.loads(simulated)["callsCount"] > 0
    assert '"filteredMetrics"' in see
    assert '"summary"' in see
    assert json.loads(page)["total"] >= len(json.loads(page)["runs"])
    assert json.loads(imagined)["name"] == "weekly"


def test_the_command_line_acts_on_a_store_and_on_a_server_as_printed(session):
    session.environment |= {"CRONICORN_PROFILES_FILE": f"{session.folder}/profiles.json"}
    made, steered, there, live, looked, completed = (
        session.type(typed(block)) for block in shell_blocks(DOCS / "how-to/use-the-command-line.md")
    )

    assert "cron '0 6 * * *' in Europe/Berlin" in made
    assert "shop/stock: nothing speaks against it" in made
    assert "shop/report is deleted" in steered
    assert there.count("shop/stock") == 1
    assert "in the profile" in there
    assert "1 worker alive" in live
    assert "ok      workers: 1 alive" in looked
    assert "complete" in completed


def test_the_readme_works_as_printed(tmp_path):
    _, start, register, look, *_ = shell_blocks(ROOT / "README.md")
    terminal = Session(tmp_path, without_curl=True)

    with terminal.running(start):
        said = terminal.type(typed(register))

        assert '"name":"health"' in said
        eventually(lambda: " 200 " in terminal.type("cronicorn runs"), within_s=15)
        looked = terminal.type(typed(look))
        assert "first steps/health" in looked
        assert "baseline-interval" in looked


def test_the_quickstart_begins_with_a_job_of_its_own(session):
    """Whoever comes from the README has no second job of one name then."""
    [_, _, register, *_], [_, _, first, *_] = shell_blocks(QUICKSTART), shell_blocks(ROOT / "README.md")

    session.type(typed(first))

    assert "first steps/health" in session.type('cronicorn explain "first steps/health"')
    assert "quickstart" in register.text
    assert "quickstart/health" in session.type('cronicorn explain "quickstart/health"')


def test_the_lines_of_a_planning_case_are_answered_as_printed(tmp_path):
    page = DOCS / "reference" / "planning-cases.md"
    [asked] = shell_blocks(page)
    [printed] = [block.text for block in blocks(page) if block.language == "json"]

    said = Session(tmp_path).type(typed(asked))

    assert [json.loads(line) for line in said.splitlines()] == [json.loads(printed)]


@pytest.mark.parametrize("name", ["apply-a-file.md", "come-from-another-scheduler.md"])
def test_a_file_is_applied_once(name, tmp_path):
    page = DOCS / "how-to" / name
    file, *_ = [block.text for block in blocks(page) if block.language == "yaml"]
    apply, *_ = shell_blocks(page)
    terminal = Session(tmp_path)
    (tmp_path / "shop.yaml").write_text(file, encoding="utf-8")

    first, second = (terminal.type(typed(apply)) for _ in range(2))

    assert "nightly report" in first
    assert first != second
    assert "nightly report" not in second


def test_the_egress_example_is_a_valid_setting(tmp_path):
    for_all, for_one = shell_blocks(DOCS / "how-to" / "open-the-egress-guard.md")
    terminal = Session(tmp_path)

    said = terminal.type(typed(for_all).replace("cronicorn up", "cronicorn settings"))
    opened = terminal.type(typed(for_one))

    assert "CRONICORN_EGRESS_ALLOW=10.20.30.40/32,127.0.0.0/8\n" in said
    assert "Tenant 'shop' may call 10.20.30.0/24,db.internal beside what all may call.\n" in opened


def test_many_workers_start_as_printed(tmp_path, fresh_postgres_url):
    export, api, workers = shell_blocks(DOCS / "how-to" / "run-many-workers.md")
    terminal = Session(tmp_path)
    terminal.type(re.sub(r"postgresql://\S+", fresh_postgres_url, typed(export)))
    free_ports = replace(workers, text=workers.text.replace("9464", "0"))

    with terminal.running(api), terminal.running(free_ports, "workers.log"):
        log = tmp_path / "workers.log"
        eventually(lambda: log.read_text().count('"scheduler_started"') == 2, within_s=READY_WITHIN_S)

    assert log.read_text().count('"process_stopped"') == 2
    assert '"supervisor_stopped"' in log.read_text()
