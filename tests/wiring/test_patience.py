"""What strangers can't make of the API: a place to stay, or a heap of what they send."""

import asyncio
import logging
import resource
from contextlib import AsyncExitStack, suppress

import pytest

from cronicorn.wiring.api_server import HEAD_BYTES_MAX
from cronicorn.wiring.patience import Patience, Refusals
from tests.waiting import eventually_async
from tests.wiring.api_socket import connected, listening

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = b"GET / HTTP/1.1\r\nHos"
MIB = 1_048_576
HASTY = Patience(head_s=0.3, idle_s=30, answer_s=0.5)


class App:
    """Answers each request with *body* once *gate* is open; reads the request's body only when told."""

    def __init__(self, body: bytes = b"ok", *, is_open: bool = True) -> None:
        self.body = body
        self.gate = asyncio.Event()
        self.in_progress = 0
        self.in_progress_max = 0
        self.answered = 0
        if is_open:
            self.gate.set()

    async def __call__(self, scope, receive, send) -> None:
        self.in_progress += 1
        self.in_progress_max = max(self.in_progress_max, self.in_progress)
        await self.gate.wait()
        headers = [(b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})
        self.in_progress -= 1
        self.answered += 1


async def test_a_head_that_is_too_long_is_refused() -> None:
    app = App()
    async with listening(app) as (_, port), connected(port) as client:
        await client.send(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * HEAD_BYTES_MAX)

        answer = await client.ended()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert app.answered == 0


async def test_a_head_without_end_is_not_read_to_its_end() -> None:
    async with listening(App()) as (_, port), connected(port) as client:
        await client.send(b"GET / HTTP/1.1\r\n")

        async def send_on() -> None:
            for _ in range(256):
                await client.send(b"X: " + b"a" * MIB + b"\r\n")

        with pytest.raises(ConnectionError):
            await send_on()


async def test_pipelined_requests_are_answered_one_at_a_time() -> None:
    app = App()
    async with listening(app) as (_, port), connected(port) as client:
        await client.send(GET * 1_000)

        answers = [await client.answer() for _ in range(1_000)]

    assert all(answer.endswith(b"ok") for answer in answers)
    assert app.in_progress_max == 1


async def test_pipelined_requests_are_not_read_ahead() -> None:
    app, sent = App(is_open=False), 0
    async with listening(app) as (_, port), connected(port) as client:
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                for _ in range(64):
                    await client.send(GET * (MIB // len(GET)))
                    sent += 1
        app.gate.set()
        answer = await client.answer()

    assert sent < 32
    assert answer.endswith(b"ok")
    assert app.in_progress_max == 1


@pytest.mark.parametrize("said", [b"", HALF], ids=["nothing", "half a head"])
async def test_a_connection_without_a_whole_head_is_closed(said: bytes) -> None:
    async with listening(App(), HASTY) as (_, port), connected(port) as client:
        await client.send(said)

        assert await client.ended() == b""


@pytest.mark.parametrize(("first", "then"), [(GET + HALF, b""), (GET, HALF)], ids=["together", "later"])
async def test_half_of_a_second_request_is_waited_for_only_as_long(first: bytes, then: bytes) -> None:
    async with listening(App(), HASTY) as (_, port), connected(port) as client:
        await client.send(first)
        answer = await client.answer()
        await client.send(then)

        assert answer.endswith(b"ok")
        assert await client.ended() == b""


@pytest.mark.parametrize(
    "before",
    [b"GET / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n"],
    ids=["head", "body that nobody reads"],
)
async def test_a_byte_now_and_then_wins_no_time(before: bytes) -> None:
    async with listening(App(), HASTY) as (server, port), connected(port) as client:
        await client.send(before)
        dripping = asyncio.ensure_future(_drip_for_ever(client))

        await eventually_async(lambda: not server.server_state.connections, within_s=3)
        dripping.cancel()


async def _drip_for_ever(client) -> None:
    with suppress(ConnectionError):
        while True:
            await client.send(b"a")
            with suppress(TimeoutError):
                await client.ended(within_s=0.05)


async def test_a_request_in_progress_may_take_longer_than_its_head() -> None:
    app = App(is_open=False)
    async with listening(app, HASTY) as (_, port), connected(port) as client:
        await client.send(GET)
        with suppress(TimeoutError):
            await client.ended(within_s=HASTY.head_s * 3)
        app.gate.set()

        assert (await client.answer()).endswith(b"ok")


async def test_an_idle_connection_is_closed() -> None:
    async with listening(App(), Patience(idle_s=1)) as (_, port), connected(port) as client:
        await client.send(GET)
        answer = await client.answer()

        assert answer.endswith(b"ok")
        assert await client.ended() == b""


@pytest.mark.parametrize("request_", [GET, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")])
async def test_an_answer_that_is_not_taken_is_given_up(request_: bytes) -> None:
    app = App(b"a" * (64 * MIB))
    async with listening(app, HASTY) as (server, port), connected(port) as client:
        client.stop_reading()
        await client.send(request_)
        await eventually_async(lambda: app.answered)

        await eventually_async(lambda: not server.server_state.connections, within_s=3)


async def test_connections_beyond_the_limit_are_closed_at_once_and_told_of_once(caplog) -> None:
    caplog.set_level(logging.WARNING)
    async with listening(App(), Patience(connections_max=2)) as (server, port), AsyncExitStack() as stack:
        first, _ = [await stack.enter_async_context(connected(port)) for _ in range(2)]
        await eventually_async(lambda: len(server.server_state.connections) == 2)

        for _ in range(5):
            async with connected(port) as refused:
                assert await refused.ended() == b""
        first.writer.close()
        await eventually_async(lambda: len(server.server_state.connections) == 1)
        async with connected(port) as client:
            await client.send(GET)
            answer = await client.answer()

    assert answer.endswith(b"ok")
    told = [record for record in caplog.records if record.getMessage() == "connections_refused"]
    assert [(record.refused, record.connections_max) for record in told] == [(1, 2)]


def test_refusals_are_told_of_once_a_minute_and_none_is_left_out(caplog) -> None:
    refusals = Refusals()

    for second in range(0, 121, 20):
        refusals.count(second, 2)

    assert [vars(record)["refused"] for record in caplog.records] == [1, 3, 3]


async def test_what_is_not_http_in_a_body_ends_the_connection_quietly(caplog) -> None:
    app = App(is_open=False)
    async with listening(app) as (_, port), connected(port) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
        answer = await client.ended()
        app.gate.set()
        await eventually_async(lambda: app.answered)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert caplog.records == []


async def test_an_offered_upgrade_is_ignored(caplog) -> None:
    offer = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    async with listening(App()) as (_, port), connected(port) as client:
        await client.send(offer)
        answer = await client.answer()

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert caplog.records == []


def test_clients_leave_three_quarters_of_the_descriptors_to_others() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (800, hard))
        few = Patience.for_this_process().connections_max
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert few == 200
    assert Patience().connections_max == 1_000
