"""What a parent of several scheduler processes decides."""

import asyncio
from datetime import timedelta

import pytest

from cronicorn.domain.errors import InvalidInputError
from cronicorn.scheduler.settings import ENDING_MAX
from cronicorn.sim.virtual_time import run_virtually
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stopping import CLOSING_MAX, StopRequests
from cronicorn.wiring.supervisor import Worker, _until_stopped, backoff, environment_of, exit_code_of, supervise
from tests.waiting import eventually_async


def test_who_keeps_dying_is_replaced_after_longer_and_longer_pauses():
    pauses = [backoff(deaths).total_seconds() for deaths in range(8)]

    assert pauses == [0, 1, 2, 4, 8, 16, 30, 30]
    assert backoff(1_000) == timedelta(seconds=30)


def test_each_process_is_watched_on_a_port_of_its_own():
    fixed, free, none = (Settings.from_env({"CRONICORN_METRICS_PORT": port}) for port in ("9464", "0", ""))
    environ = {"PATH": "/bin", "CRONICORN_METRICS_PORT": "x"}

    assert [environment_of(fixed, environ, number)["CRONICORN_METRICS_PORT"] for number in (1, 2)] == ["9464", "9465"]
    assert environment_of(free, environ, 2) == environment_of(none, environ, 2) == environ


async def test_ports_beyond_the_last_one_are_refused_at_the_start(tmp_path):
    environ = {"CRONICORN_METRICS_PORT": "65535", "CRONICORN_DATABASE_URL": f"sqlite:{tmp_path}/store.db"}

    with pytest.raises(InvalidInputError, match="beyond 65535"):
        await supervise(Settings.from_env(environ), 2, environ)


def a_worker(script):
    return Worker(number=1, environment={}, command=("/bin/sh", "-c", script))


async def test_a_process_that_was_told_to_stop_is_not_replaced(caplog):

    worker = a_worker("head -c 1 > /dev/null")
    keeping = asyncio.create_task(worker.keep())
    await eventually_async(lambda: worker.process is not None)

    worker.order(b"d")

    await asyncio.wait_for(keeping, 10)
    assert worker.exit_code == 0
    assert worker.deaths == 0
    assert "worker_process_died" not in caplog.text


async def test_a_process_that_dies_young_counts_its_deaths(caplog):

    worker = a_worker("exit 3")
    keeping = asyncio.create_task(worker.keep())
    await eventually_async(lambda: worker.deaths == 1)
    worker.stopping.set()

    await asyncio.wait_for(keeping, 10)
    [died] = [record for record in caplog.records if record.message == "worker_process_died"]
    assert vars(died)["exit_code"] == 3
    assert vars(died)["again_in_s"] == 1


@pytest.mark.parametrize("insisted", [False, True])
def test_a_process_gets_as_long_to_stop_as_its_scheduler_and_its_store_may_take(caplog, insisted):
    grace = timedelta(seconds=30)
    takes = ENDING_MAX + CLOSING_MAX - timedelta(seconds=0.1) + (timedelta(0) if insisted else grace)

    async def main(_clock):
        requests = StopRequests()
        requests.ask()
        if insisted:
            requests.insist()
        keeping = asyncio.create_task(asyncio.sleep(takes.total_seconds()))
        await _until_stopped([a_worker("exit 0")], [keeping], requests, grace)

    run_virtually(main)

    assert "worker_processes_killed" not in caplog.text


async def test_asking_again_is_no_insisting():
    requests = StopRequests()

    requests.ask()
    requests.ask()

    assert requests.drain.is_set()
    assert not requests.now.is_set()
    requests.on_signal(15)
    assert requests.now.is_set()
    assert requests.exit_code == 143


async def test_a_signal_beside_an_order_of_the_parent_is_no_second_one():
    requests = StopRequests(led=True)

    requests.ask()
    requests.on_signal(15)

    assert not requests.now.is_set()
    requests.insist()
    assert requests.now.is_set()


@pytest.mark.parametrize(("codes", "code"), [([0, 0], 0), ([0, -15], 0), ([0, -9], 1), ([7, 0], 1), ([143, 0], 1)])
def test_the_exit_code_says_whether_all_processes_stopped_in_order(codes, code):
    assert exit_code_of(codes) == code


async def test_a_process_that_can_not_be_started_is_tried_again():
    worker = Worker(number=1, environment={}, command=("/nowhere/to/be/found",))
    keeping = asyncio.create_task(worker.keep())

    await eventually_async(lambda: worker.deaths == 1)
    worker.stopping.set()

    await asyncio.wait_for(keeping, 10)
