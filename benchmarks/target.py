"""A target server: its own process, keep-alive, one JSON answer at a time, and a count of what it answered."""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import cast

import uvloop

from cronicorn.wiring.descriptors import raise_descriptor_limit

BODY = json.dumps(
    {"status": "ok", "orders_per_minute": 42, "queue_depth": 7, "note": "a small answer, as most are"}
).encode()


@dataclass(frozen=True, slots=True)
class Target:
    """A running target server."""

    url: str
    _control: Connection

    def answer(self, body: bytes) -> None:
        """Answer *body* from now on."""
        self._control.send(body)
        self._control.recv()

    def arrivals(self) -> list[tuple[str, float]]:
        """Path and wall-clock arrival (seconds since 1970) of each request since the last call."""
        self._control.send(None)
        found: list[tuple[str, float]] = self._control.recv()
        return found


@contextmanager
def target_server(body: bytes = BODY, *, answers_after_s: float = 0.0) -> Iterator[Target]:
    """A target in a process of its own that answers *body* at first, gone at the end of the block."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_serve, args=(theirs, body, answers_after_s), daemon=True)
    process.start()
    theirs.close()
    try:
        port = ours.recv()
        yield Target(f"http://127.0.0.1:{port}", ours)
    finally:
        process.terminate()
        process.join()


@dataclass(slots=True)
class _State:
    """What all connections share."""

    answer: bytes
    answers_after_s: float
    arrivals: list[tuple[str, float]] = field(default_factory=list)


class _Answerer(asyncio.Protocol):
    """Answers every request of a connection; good enough for clients that send one head at a time without a body."""

    def __init__(self, state: _State) -> None:
        self._state = state
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
            self._state.arrivals.append((head.split(b" ", 2)[1].decode(), time.time()))
            assert self._transport is not None
            if self._state.answers_after_s:
                asyncio.get_running_loop().call_later(
                    self._state.answers_after_s, self._transport.write, self._state.answer
                )
            else:
                self._transport.write(self._state.answer)


def _serve(control: Connection, body: bytes, answers_after_s: float) -> None:
    raise_descriptor_limit()
    uvloop.run(_serve_until_closed(control, _State(_whole(body), answers_after_s)))


async def _serve_until_closed(control: Connection, state: _State) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Answerer(state), "127.0.0.1", 0, backlog=4_096)
    control.send(server.sockets[0].getsockname()[1])
    await asyncio.to_thread(_obey, control, state)


def _whole(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _obey(control: Connection, state: _State) -> None:
    """Take another body, or hand over the arrivals; end when the other side is gone. In a thread: a pipe blocks."""
    while True:
        try:
            body = control.recv()
        except EOFError:
            return
        if body is not None:
            state.answer = _whole(body)
        number = len(state.arrivals) if body is None else 0
        control.send(state.arrivals[:number])
        del state.arrivals[:number]
