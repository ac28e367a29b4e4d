"""What a target server can take: a client that does next to nothing calls it."""

import asyncio
import time
from typing import cast
from urllib.parse import urlsplit

import uvloop

from benchmarks.target import Target
from benchmarks.world import CALLS_MAX


def capacity(target: Target, seconds: float) -> float:
    """Answers a second on CALLS_MAX connections, each of which asks again when it is answered."""
    return uvloop.run(_capacity(target.url, seconds))


async def _capacity(url: str, seconds: float) -> float:
    loop, place = asyncio.get_running_loop(), urlsplit(url)
    assert place.hostname is not None
    assert place.port is not None
    connections = [
        await loop.create_connection(lambda: _Asking(place.netloc), place.hostname, place.port)
        for _ in range(CALLS_MAX)
    ]
    start, before = time.perf_counter(), sum(asking.answers for _, asking in connections)
    await asyncio.sleep(seconds)
    answers = sum(asking.answers for _, asking in connections) - before
    elapsed = time.perf_counter() - start
    for transport, _ in connections:
        transport.abort()
    return answers / elapsed


class _Asking(asyncio.Protocol):
    """Takes whatever comes at once for one answer: they are short."""

    def __init__(self, host: str) -> None:
        self.answers = 0
        self._request = f"GET /capacity HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.answers += 1
        assert self._transport is not None
        self._transport.write(self._request)
