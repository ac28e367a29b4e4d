import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cronicorn.control.provisions import allowed
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.history import RunQuery
from cronicorn.testing.dispatchers import ScriptedDispatcher
from cronicorn.wiring.embedded import embedded
from cronicorn.wiring.settings import Settings
from tests.waiting import eventually_async
from tests.wiring.target import target

EXAMPLE = Path(__file__).parents[2] / "examples" / "embedded.py"
URL = "http://app.internal/cleanup"


def a_file(**fields):
    return {"jobs": [{"name": "upkeep", "endpoints": [{"name": "cleanup", "url": URL, "dormant": True, **fields}]}]}


async def run_now(cronicorn):
    control, me = cronicorn.control, cronicorn.principal
    [(job, _)] = await control.jobs.list(me)
    [view] = await control.endpoints.list(me, job.id)
    await control.requests.run_now(me, view.endpoint.id)
    return view.endpoint.id


async def test_a_function_of_the_application_is_run_and_recorded(tmp_path):
    called = asyncio.Event()

    async def clean_up(call):
        called.set()
        return {"removed": 3}

    async with embedded(tmp_path / "jobs.db", {URL: clean_up}) as cronicorn:
        await cronicorn.control.files.apply(cronicorn.principal, a_file())
        endpoint_id = await run_now(cronicorn)
        await called.wait()

    async with embedded(tmp_path / "jobs.db", {URL: clean_up}) as cronicorn:
        page = await cronicorn.control.runs.list(cronicorn.principal, endpoint_id, RunQuery())

    [run] = page.runs
    assert (run.status, run.outcome.status_code) == ("success", 200)


async def test_leaving_the_block_waits_for_calls_in_progress(tmp_path):
    called, finished = asyncio.Event(), []

    async def clean_up(call):
        called.set()
        for _ in range(100):
            await asyncio.sleep(0)
        finished.append(True)

    async with embedded(tmp_path / "jobs.db", {URL: clean_up}) as cronicorn:
        await cronicorn.control.files.apply(cronicorn.principal, a_file())
        await run_now(cronicorn)
        await called.wait()

    assert finished == [True]


async def test_an_exception_in_the_block_does_not_wait(tmp_path):
    called = asyncio.Event()

    async def endless(call):
        called.set()
        await asyncio.Event().wait()

    async def application():
        async with embedded(tmp_path / "jobs.db", {URL: endless}) as cronicorn:
            await cronicorn.control.files.apply(cronicorn.principal, a_file())
            await run_now(cronicorn)
            await called.wait()
            raise KeyError

    with pytest.raises(KeyError):
        await application()


async def test_other_urls_go_to_the_dispatcher_that_was_given(tmp_path):
    elsewhere = ScriptedDispatcher()
    settings = replace(Settings.from_env({}), poll_interval=timedelta(milliseconds=50))

    async with embedded(tmp_path / "jobs.db", dispatcher=elsewhere, settings=settings) as cronicorn:
        await cronicorn.control.files.apply(cronicorn.principal, a_file(url="http://shop.example/"))
        await run_now(cronicorn)
        await eventually_async(lambda: elsewhere.calls)

    assert [call.url for call in elsewhere.calls] == ["http://shop.example/"]


async def test_over_http_a_tenant_may_call_what_was_opened_to_it_and_nothing_else(tmp_path):
    with target() as opened, target("127.0.0.2") as closed:
        async with embedded(tmp_path / "jobs.db") as cronicorn:
            control, me = cronicorn.control, cronicorn.principal
            await control.provisions.change(me, lambda before: replace(before, egress=allowed("127.0.0.1")))
            outcomes = []
            for url in (opened.url, closed.url):
                await control.files.apply(me, a_file(url=url))
                [(job, _)] = await control.jobs.list(me)
                [view] = await control.endpoints.list(me, job.id)
                outcomes.append(await control.trials.call(me, view.endpoint.id))

    assert [each.outcome.kind.value for each in outcomes] == ["responded", "refused"]
    assert closed.keys == []


async def test_a_file_that_cannot_be_used_is_unavailable(tmp_path):
    with pytest.raises(UnavailableError):
        async with embedded(tmp_path / "nowhere" / "jobs.db"):
            pass


def test_the_example_runs(tmp_path):
    ended = subprocess.run(
        [sys.executable, str(EXAMPLE), str(tmp_path / "jobs.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "07:00:00" in ended.stdout
    assert "ran 2 times" in ended.stdout


async def embed_and_break(file: Path, outlived: list[str]) -> None:
    def broken() -> None:
        raise RuntimeError("a bug in the loop")

    async with embedded(file) as running:
        running.scheduler._watch_clock = broken  # type: ignore[method-assign]
        running.scheduler.wake()
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 3)
        except TimeoutError:
            outlived.append("the block went on beside a dead scheduler")


async def test_a_scheduler_that_breaks_ends_the_block_with_its_error(tmp_path):
    outlived: list[str] = []

    with pytest.raises(RuntimeError, match="a bug in the loop"):
        await embed_and_break(tmp_path / "jobs.db", outlived)

    assert outlived == []
