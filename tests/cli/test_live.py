"""What goes on, as it goes on: `top`, `tail` and `calendar`."""

import io
import json
import signal
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from cronicorn.cli.top_picture import picture, waiting
from cronicorn.cli.top_sight import look
from cronicorn.domain.fixtures import an_outcome
from tests.cli.command import started
from tests.cli.places import a_server, interface_to
from tests.control.world import a_world
from tests.waiting import eventually
from tests.wiring.target import target
from tests.wiring.up_process import service


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A server with an endpoint that succeeds every second, and one that is due at night."""
    folder = tmp_path_factory.mktemp("busy")
    with target() as called, service(folder) as running, running.client() as client:
        there = a_server(folder, str(client.base_url))
        there.done("job", "create", "shop")
        there.done("endpoint", "create", "shop/often", "--url", f"{called.url}/", "--every", "1s")
        there.done("endpoint", "create", "shop/nightly", "--url", f"{called.url}/", "--cron", "0 3 * * *")
        eventually(lambda: len(called.keys) >= 2)
        yield there


def test_top_shows_who_works_what_comes_and_what_ended(busy):
    shown = busy.done("top", "--once")
    document = busy.read("top", "--once")

    assert "1 worker alive  0 incidents" in shown
    assert "shop/often" in shown
    assert "success" in shown
    assert next(each["name"] for each in document["next"]) == "often"
    assert document["recent"]["failure24h"] == 0


def test_a_calendar_counts_what_comes_by_the_hour(busy):
    whole = busy.read("calendar")
    night = busy.done("calendar", "shop", "--tz", "Asia/Kolkata")
    far = busy("calendar", "--from", "2199-01-01T00:00:00Z")

    counts = {each["name"]: each["count"] for each in whole["endpoints"]}
    assert counts["nightly"] == 1
    assert counts["often"] >= 86_398
    assert sum(whole["counts"]) == sum(counts.values())
    assert (far.code, far.out) == (2, "")
    assert "T08:30:00+05:30" in night


def test_tail_follows_what_is_asked_for_until_it_is_interrupted(busy, tmp_path):
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        streams = {"stdout": out.fileno(), "stderr": err.fileno()}
        following = started(
            "tail", "--job", "shop", "--status", "success", "-n", "1", "--json", env=busy.env, **streams
        )
        nothing = started("tail", "--slower-than", "1h", "-n", "1", "--json", env=busy.env, **streams)
        eventually(lambda: len((tmp_path / "out").read_text().splitlines()) >= 3)
        for each in (following, nothing):
            each.send_signal(signal.SIGINT)
            assert each.wait(10) == 130
            _end(each)

    runs = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [each["slot"] for each in runs] == list(range(runs[0]["slot"], runs[0]["slot"] + len(runs)))
    assert {each["endpoint"] for each in runs} == {"shop/often"}


def test_tail_waits_for_a_server_that_is_away_and_goes_on(tmp_path):
    with target() as called:
        with service(tmp_path, DRAIN_GRACE="1s") as running, running.client() as client:
            there, url = a_server(tmp_path, str(client.base_url)), client.base_url
            there.done("job", "create", "shop")
            there.done("endpoint", "create", "shop/often", "--url", f"{called.url}/", "--every", "1s")
            with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
                tail = started("tail", "--json", env=there.env, stdout=out.fileno(), stderr=err.fileno())
            eventually((tmp_path / "out").read_text)
        eventually(lambda: "Waiting: " in (tmp_path / "err").read_text())
        before = len((tmp_path / "out").read_text().splitlines())
        with service(tmp_path, "again", PORT=str(url.port)):
            eventually(lambda: len((tmp_path / "out").read_text().splitlines()) > before, within_s=30)
        _end(tail)

    slots = [json.loads(line)["slot"] for line in (tmp_path / "out").read_text().splitlines()]
    assert slots == sorted(set(slots))


async def test_a_picture_fits_into_its_screen_and_says_what_is_left_out():
    world = a_world()
    job = await world.job()
    await world.endpoint(name="e0", jobId=job)
    for _ in range(15):
        world.clock.move(minutes=1)
        await world.run_due(an_outcome(duration=timedelta(seconds=2)))
    for number in range(1, 30):
        await world.endpoint(name=f"e{number}", jobId=job)
    sight = await look(interface_to(world))
    away = replace(sight, workers=[], ended=[])

    lines = _drawn(picture("memory:", sight), height=24)
    late = _drawn(waiting("memory:", away, "It is away."), height=12)

    assert len(lines) <= 24
    assert any("and" in line and "more" in line for line in lines)
    assert any("shop/e0" in line for line in lines)
    assert late[0].startswith("Waiting: It is away.")
    assert "0 workers alive" in late[1]


def _end(process):
    process.kill()
    process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _drawn(what, height):
    console = Console(width=100, height=height, file=io.StringIO(), force_terminal=True, no_color=True)
    options = console.options.update(height=height)
    return list("".join(each.text for each in console.render(what, options)).rstrip().split("\n"))
