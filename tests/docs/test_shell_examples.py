"""The shell examples work as printed, but for the port and the place of the database."""

import json

import pytest

from tests.architecture.source import ROOT
from tests.docs.journeys import types_every_command_of
from tests.docs.markdown import DOCS, blocks, shell_blocks
from tests.docs.terminal import READY_WITHIN_S, Terminal
from tests.waiting import eventually

QUICKSTART = DOCS / "quickstart.md"


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """The quickstart, typed up to the point where an endpoint is there."""
    install, start, register, *_ = shell_blocks(QUICKSTART)
    terminal = Terminal(tmp_path_factory.mktemp("quickstart"))
    terminal.stand_in("make")

    terminal.type(install)
    with terminal.running(start):
        terminal.type(register)
        yield terminal


@types_every_command_of("docs/quickstart.md")
def test_the_quickstart_shows_runs_explains_and_steers(session):
    _, _, _, look, steer, browser = shell_blocks(QUICKSTART)

    looked = session.type(look)
    steered = session.type(steer)

    assert session.asked_of("make")[0] == ["setup"]
    assert "baseline-interval" in looked
    assert "ai-interval" in steered
    assert "looking closer" in steered
    assert "/sign-in?token=cl_" in session.type(browser)
    eventually(lambda: "ai-interval" in session.type("cronicorn runs"), within_s=15)


@types_every_command_of("docs/how-to/steer-by-hand.md")
def test_steering_by_hand_works_as_printed(session):
    closer, once, now, later, pause, resume, clear, look = shell_blocks(DOCS / "how-to/steer-by-hand.md")

    session.type_all([closer, once, now, later])
    steered = session.type(look)
    session.type_all([pause])
    paused = session.type(look)
    session.type_all([resume, clear])
    free = session.type(look)

    for reason in ("watching the release", "after the deployment", "maintenance"):
        assert reason in steered
        assert reason not in free
    assert "the shop moves" in paused
    assert "the shop moves" not in free


@types_every_command_of("docs/how-to/use-the-rest-api.md")
def test_the_rest_api_is_used_as_printed(session):
    twice, change, timeline, simulated, see, page, _, imagined = session.type_all(
        shell_blocks(DOCS / "how-to/use-the-rest-api.md")
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


@types_every_command_of("docs/how-to/use-the-command-line.md")
def test_the_command_line_acts_on_a_store_and_on_a_server_as_printed(session):
    session.environment |= {"CRONICORN_PROFILES_FILE": f"{session.folder}/profiles.json"}
    made, steered, there, live, looked, completed = session.type_all(
        shell_blocks(DOCS / "how-to/use-the-command-line.md")
    )

    assert "cron '0 6 * * *' in Europe/Berlin" in made
    assert "shop/stock: nothing speaks against it" in made
    assert "shop/report is deleted" in steered
    assert there.count("shop/stock") == 1
    assert "in the profile" in there
    assert "1 worker alive" in live
    assert "ok      workers: 1 alive" in looked
    assert "complete" in completed


@types_every_command_of("README.md")
def test_the_readme_works_as_printed(tmp_path, fresh_postgres_url):
    try_it, start, register, look, many = shell_blocks(ROOT / "README.md")
    terminal = Terminal(tmp_path, without_curl=True)
    terminal.stand_in("make")

    terminal.type(try_it)
    with terminal.running(start, forked=False):
        said = terminal.type(register)

        assert '"name":"health"' in said
        eventually(lambda: " 200 " in terminal.type("cronicorn runs"), within_s=15)
        looked = terminal.type(look)
        assert "first steps/health" in looked
        assert "baseline-interval" in looked
    assert terminal.asked_of("make") == [["demo"], ["test"], ["setup"]]

    share, api, scheduler, workers, verify = many.lines
    terminal.places = {"postgresql://cronicorn@db.example/cronicorn": fresh_postgres_url, "4": "1"}
    terminal.type(share)
    with terminal.running(api), terminal.running(scheduler, log="scheduler.log") as log:
        eventually(lambda: "scheduler_started" in log.read_text(), within_s=READY_WITHIN_S)
        assert " yes " in terminal.type(workers)
        terminal.type(verify)


def test_the_quickstart_begins_with_a_job_of_its_own(session):
    """Whoever comes from the README has no second job of one name then."""
    [_, _, register, *_], [_, _, first, *_] = shell_blocks(QUICKSTART), shell_blocks(ROOT / "README.md")

    session.type(first)

    assert "first steps/health" in session.type('cronicorn explain "first steps/health"')
    assert "quickstart" in register.text
    assert "quickstart/health" in session.type('cronicorn explain "quickstart/health"')


@types_every_command_of("docs/reference/planning-cases.md")
def test_the_lines_of_a_planning_case_are_answered_as_printed(tmp_path):
    page = DOCS / "reference" / "planning-cases.md"
    [asked] = shell_blocks(page)
    [printed] = [block.text for block in blocks(page) if block.language == "json"]

    said = Terminal(tmp_path).type(asked)

    assert [json.loads(line) for line in said.splitlines()] == [json.loads(printed)]


@types_every_command_of("docs/how-to/open-the-egress-guard.md")
def test_the_egress_guard_is_opened_as_printed(tmp_path):
    for_all, for_one = shell_blocks(DOCS / "how-to" / "open-the-egress-guard.md")
    terminal = Terminal(tmp_path)

    with terminal.running(for_all):
        opened = terminal.type(for_one)

    assert "CRONICORN_EGRESS_ALLOW=10.20.30.40/32,127.0.0.0/8\n" in terminal.settings_of(for_all)
    assert "Tenant 'shop' may call 10.20.30.0/24,db.internal beside what all may call.\n" in opened


@types_every_command_of("docs/how-to/run-many-workers.md")
def test_many_workers_start_as_printed(tmp_path, fresh_postgres_url):
    share, api, workers = shell_blocks(DOCS / "how-to" / "run-many-workers.md")
    terminal = Terminal(tmp_path)
    terminal.places = {
        "postgresql://cronicorn:PASSWORD@db.example:5432/cronicorn": fresh_postgres_url, "9464": "0",
    }  # fmt: skip
    terminal.type(share)

    with terminal.running(api), terminal.running(workers, log="workers.log") as log:
        eventually(lambda: log.read_text().count('"scheduler_started"') == 2, within_s=READY_WITHIN_S)

    assert log.read_text().count('"process_stopped"') == 2
    assert '"supervisor_stopped"' in log.read_text()
