"""Connections: kept when that is safe, never shared between tenants, and closed when a call is."""

import asyncio
import gc
import os
import selectors
from contextlib import suppress
from datetime import timedelta

import pytest
import uvloop

from cronicorn.adapters.http.limits import DispatcherLimits
from cronicorn.domain.call import Method, OutcomeKind
from tests.adapters.http.loopback import (
    OK,
    Connection,
    always,
    answering,
    call_of,
    dispatching,
    echo_path,
    once,
    serving,
    then_silent,
)
from tests.adapters.http.name_server import naming
from tests.waiting import eventually_async

PLANTED = answering(b"planted")


def descriptors() -> set[int]:
    """The open file descriptors of this process. (The one that lists them is closed by then.)"""
    return {fd for fd in map(int, os.listdir("/proc/self/fd")) if _is_open(fd)}  # noqa: PTH208


def _is_open(fd: int) -> bool:
    with suppress(OSError):
        os.fstat(fd)
        return True
    return False


async def test_a_connection_is_kept_for_the_next_call() -> None:
    async with serving(echo_path) as server, dispatching() as dispatcher:
        bodies = [(await dispatcher.dispatch(call_of(server.url(f"/{n}")))).body for n in range(5)]

    assert bodies == [f"/{n}" for n in range(5)]
    assert server.opened == 1


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_late_extra_answer_is_never_taken_for_the_answer_to_the_next_call(*, tls: bool) -> None:
    scheme = "https" if tls else "http"
    planted = []

    async def script(connection: Connection) -> None:
        while True:
            request = await connection.request()
            await connection.send(answering(request.split(b" ")[1]))
            await connection.pause(0.02)
            await connection.send(PLANTED)
            planted.append(request)

    async with (
        naming(lambda _: ["127.0.0.1"]) as names,
        serving(script, tls=tls) as server,
        dispatching(nameservers=(names.address,)) as dispatcher,
    ):
        bodies = []
        for n in range(4):
            outcome = await dispatcher.dispatch(call_of(server.url(f"/{n}", host="shop.test", scheme=scheme)))
            bodies.append(outcome.body)
            await eventually_async(lambda: len(planted) == len(bodies))

    assert bodies == [f"/{n}" for n in range(4)]
    assert server.opened == 4


async def test_an_extra_answer_at_once_is_never_taken_for_the_answer_to_the_next_call() -> None:
    async def script(connection: Connection) -> None:
        while True:
            request = await connection.request()
            await connection.send(answering(request.split(b" ")[1]) + PLANTED)

    async with serving(script) as server, dispatching() as dispatcher:
        bodies = [(await dispatcher.dispatch(call_of(server.url(f"/{n}")))).body for n in range(4)]

    assert bodies == [f"/{n}" for n in range(4)]


async def test_tenants_never_share_a_connection() -> None:
    async with serving(echo_path) as server, dispatching() as dispatcher:
        for tenant_id in ("ada", "bob", "ada", "bob", "eve"):
            await dispatcher.dispatch(call_of(server.url(), tenant_id=tenant_id))

    assert server.opened == 3


async def test_a_post_is_not_sent_again_when_a_kept_connection_dies_under_it() -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.send(OK)
        await connection.request()

    async with serving(script) as server, dispatching() as dispatcher:
        await dispatcher.dispatch(call_of(server.url("/first")))
        outcome = await dispatcher.dispatch(call_of(server.url("/pay"), method=Method.POST, body=b"{}"))
        await eventually_async(lambda: server.opened == 2)

    assert outcome.kind is OutcomeKind.BROKEN
    assert server.lines == ["GET /first", "POST /pay"]


async def test_a_get_is_sent_again_when_a_kept_connection_dies_under_it() -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.send(OK)
        if connection.number > 1:
            return await connection.ended()
        await connection.request()
        return None

    async with serving(script) as server, dispatching() as dispatcher:
        await dispatcher.dispatch(call_of(server.url()))
        outcome = await dispatcher.dispatch(call_of(server.url()))

    assert outcome.kind is OutcomeKind.RESPONDED
    assert len(server.requests) == 3


async def test_a_get_whose_answer_began_is_not_sent_again_and_the_next_has_a_fresh_connection() -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.send(OK)
        if connection.number > 1:
            return await connection.ended()
        await connection.request()
        return await connection.send(b"HTTP/1.1 200 OK\r\nContent-Le")

    async with serving(script) as server, dispatching() as dispatcher:
        kinds = [(await dispatcher.dispatch(call_of(server.url(f"/{n}")))).kind for n in range(3)]

    assert kinds == [OutcomeKind.RESPONDED, OutcomeKind.BROKEN, OutcomeKind.RESPONDED]
    assert server.lines == ["GET /0", "GET /1", "GET /2"]
    assert server.opened == 2


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_the_number_of_a_connection_that_was_closed_may_become_anyones(loop) -> None:
    async def scenario() -> None:
        async with serving(once(OK)) as server, serving(echo_path) as other, dispatching() as dispatcher:
            for n in range(20):
                await dispatcher.dispatch(call_of(server.url()))
                await eventually_async(lambda: server.open == 0)
                reader, writer = await asyncio.open_connection("127.0.0.1", other.port)
                writer.write(b"GET /ours HTTP/1.1\r\n\r\n")
                outcome = await dispatcher.dispatch(call_of(other.url(f"/{n}")))
                assert outcome.body == f"/{n}"
                assert (await reader.readuntil(b"/ours")).startswith(b"HTTP/1.1 200")
                writer.close()
                await writer.wait_closed()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario())


async def test_a_connection_that_the_server_closed_costs_nothing_while_it_lies_idle(monkeypatch) -> None:
    async with serving(once(OK)) as server, dispatching() as dispatcher:
        await dispatcher.dispatch(call_of(server.url()))
        await eventually_async(lambda: server.open == 0)
        select, news = selectors.DefaultSelector.select, []

        def counted(selector: selectors.DefaultSelector, timeout: float | None = None) -> object:
            found = select(selector, timeout)
            news.append(bool(found))
            return found

        monkeypatch.setattr(selectors.DefaultSelector, "select", counted)
        for _ in range(200):
            await asyncio.sleep(0)

        assert len(news) >= 200
        assert sum(news) < 20


async def test_a_connection_that_the_server_closed_is_not_used() -> None:
    async with serving(once(OK)) as server, dispatching() as dispatcher:
        for _ in range(3):
            outcome = await dispatcher.dispatch(call_of(server.url(), method=Method.POST, body=b"{}"))
            assert outcome.kind is OutcomeKind.RESPONDED
            await eventually_async(lambda: server.open == 0)

    assert server.opened == 3


async def test_a_cancelled_call_closes_its_connection() -> None:
    async with serving(then_silent(b"HTTP/1.1 200 OK\r\n\r\nbegun")) as server, dispatching() as dispatcher:
        task = asyncio.create_task(dispatcher.dispatch(call_of(server.url())))
        await eventually_async(lambda: server.sent)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await eventually_async(lambda: server.open == 0)


async def test_cancelling_hundreds_of_calls_leaks_no_descriptor() -> None:
    async with serving(then_silent(b"")) as server, dispatching() as dispatcher:
        await dispatcher.dispatch(call_of(server.url(), timeout_s=0.05))
        await eventually_async(lambda: server.open == 0)
        before = len(descriptors())
        tasks = [
            asyncio.create_task(dispatcher.dispatch(call_of(server.url(), tenant_id=str(n % 7)))) for n in range(300)
        ]
        await eventually_async(lambda: len(server.requests) == 301)
        during = len(descriptors())
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        await eventually_async(lambda: server.open == 0)

        assert all(isinstance(each, asyncio.CancelledError) for each in ended)
        assert during - before >= 600
        assert len(descriptors()) <= before


async def test_closing_ends_the_calls_in_progress_as_cancelled_and_leaves_nothing_open() -> None:
    before = len(descriptors())

    async with serving(then_silent(b"HTTP/1.1 200 OK\r\n\r\nbegun")) as server, dispatching() as dispatcher:
        task = asyncio.create_task(dispatcher.dispatch(call_of(server.url())))
        await eventually_async(lambda: server.sent)
        await dispatcher.aclose()
        outcome = await task
        late = await dispatcher.dispatch(call_of(server.url()))
        await eventually_async(lambda: server.open == 0)

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.CANCELLED, 200)
    assert late.kind is OutcomeKind.CANCELLED
    gc.collect()
    await eventually_async(lambda: len(descriptors()) <= before)


async def test_no_more_calls_run_at_once_than_there_is_room_for() -> None:
    limits = DispatcherLimits(calls=5, connections=5)
    seen = []

    async def script(connection: Connection) -> None:
        await connection.request()
        seen.append(server.open)
        await connection.pause(0.02)
        await connection.send(OK)

    async with serving(script) as server, dispatching(limits=limits) as dispatcher:
        outcomes = await asyncio.gather(*(dispatcher.dispatch(call_of(server.url(), timeout_s=1)) for _ in range(30)))

    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.RESPONDED}
    assert max(seen) <= 5


async def test_idle_connections_stay_below_their_limit() -> None:
    limits = DispatcherLimits(calls=10, connections=12)

    async with serving(echo_path) as server, dispatching(limits=limits) as dispatcher:
        for round_ in range(6):
            calls = [call_of(server.url(), tenant_id=f"{round_}-{n}") for n in range(10)]
            await asyncio.gather(*(dispatcher.dispatch(call) for call in calls))

        await eventually_async(lambda: server.open <= 12, within_s=2)


async def test_unused_connections_are_closed_after_a_few_seconds() -> None:
    async with serving(echo_path) as server, dispatching() as dispatcher:
        await dispatcher.dispatch(call_of(server.url()))

        await eventually_async(lambda: server.open == 0, within_s=8)


async def test_a_thousand_calls_at_once_each_get_their_own_answer() -> None:
    async with serving(echo_path) as server, dispatching() as dispatcher:
        calls = [call_of(server.url(f"/{n}"), tenant_id=str(n % 3), timeout_s=20) for n in range(1_000)]
        outcomes = await asyncio.gather(*(dispatcher.dispatch(call) for call in calls))

    assert [outcome.body for outcome in outcomes] == [f"/{n}" for n in range(1_000)]
    assert server.opened <= 600


async def test_random_cancellation_never_mixes_up_answers() -> None:
    async with serving(echo_path) as server, dispatching() as dispatcher:
        for n in range(300):
            task = asyncio.create_task(dispatcher.dispatch(call_of(server.url(f"/lost/{n}"))))
            for _ in range(n % 9):
                await asyncio.sleep(0)
            task.cancel()
            outcome = await dispatcher.dispatch(call_of(server.url(f"/{n}")))
            await asyncio.gather(task, return_exceptions=True)
            assert outcome.body == f"/{n}"


def test_it_works_on_uvloop() -> None:
    async def scenario() -> list[OutcomeKind]:
        async with serving(always(OK)) as server, serving(then_silent(b"")) as silent, dispatching() as dispatcher:
            answered = [await dispatcher.dispatch(call_of(server.url())) for _ in range(3)]
            waited = await dispatcher.dispatch(call_of(silent.url(), timeout_s=0.1))
            task = asyncio.create_task(dispatcher.dispatch(call_of(silent.url())))
            await eventually_async(lambda: silent.open)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await eventually_async(lambda: not silent.open)
            return [outcome.kind for outcome in (*answered, waited)]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        kinds = runner.run(scenario())

    assert kinds == [*[OutcomeKind.RESPONDED] * 3, OutcomeKind.TIMED_OUT]


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_of_many_calls_at_once_each_ends_at_its_own_limit(loop) -> None:
    limits_s = (5.0, 0.6, 0.2, 0.4)

    async def scenario() -> list[float]:
        ended = []
        async with serving(then_silent(b"")) as server, dispatching() as dispatcher:

            async def call(limit_s: float) -> None:
                outcome = await dispatcher.dispatch(call_of(server.url(), timeout_s=limit_s))
                assert outcome.kind is OutcomeKind.TIMED_OUT
                assert limit_s - 0.05 < outcome.duration.total_seconds() < limit_s + 2
                ended.append(limit_s)

            calling = [asyncio.create_task(call(limit_s)) for limit_s in limits_s]
            await asyncio.gather(*calling[1:])
            calling[0].cancel()
        return ended

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(scenario()) == [0.2, 0.4, 0.6]


def test_a_child_process_inherits_no_connection() -> None:
    async def scenario() -> None:
        async with serving(echo_path) as server, dispatching() as dispatcher:
            gc.collect()  # Or what another test left is closed meanwhile, and its number is that of the connection.
            before = descriptors()
            await dispatcher.dispatch(call_of(server.url()))
            opened = descriptors() - before
            assert opened
            assert not any(os.get_inheritable(fd) for fd in opened)

    asyncio.run(scenario())


def test_a_duration_is_what_the_call_took() -> None:
    async def scenario() -> timedelta:
        async with serving(echo_path) as server, dispatching() as dispatcher:
            return (await dispatcher.dispatch(call_of(server.url()))).duration

    assert timedelta() < asyncio.run(scenario()) < timedelta(seconds=2)
