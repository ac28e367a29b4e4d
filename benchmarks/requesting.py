"""A client of an HTTP API that costs little: each connection asks again once it has the whole answer."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

_WARM_UP = 0.2
"""Of the time that is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What is asked for."""

    url: str
    """Of the server."""
    head: str
    """Method and path."""
    body: Callable[[int], bytes] = lambda _: b""
    """Of each request, by its number."""
    key: str = ""
    status: int = 200
    """Which every answer must have."""

    def message(self, number: int) -> bytes:
        """The whole request."""
        body, host = self.body(number), urlsplit(self.url).netloc
        lines = f"{self.head} HTTP/1.1\r\nHost: {host}\r\nX-Api-Key: {self.key}\r\nContent-Type: application/json\r\n"
        return f"{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def rate(requests: Requests, *, connections: int, seconds: float) -> float:
    """Answers a second, once each connection has had one and the server a moment to warm up."""
    place, numbers = urlsplit(requests.url), iter(range(10**9))
    streams = [await asyncio.open_connection(place.hostname, place.port) for _ in range(connections)]

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, until: float) -> int:
        answers = 0
        while not answers or time.perf_counter() < until:
            writer.write(requests.message(next(numbers)))
            await _answer(reader, requests.status)
            answers += 1
        return answers

    async def ask_for(length_s: float) -> int:
        until = time.perf_counter() + length_s
        return sum(await asyncio.gather(*(ask(*stream, until) for stream in streams)))

    await ask_for(0.0)
    await ask_for(seconds * _WARM_UP)
    start = time.perf_counter()
    answers = await ask_for(seconds)
    elapsed = time.perf_counter() - start
    for _, writer in streams:
        writer.close()
    return answers / elapsed


async def latencies(requests: Requests, *, count: int) -> list[float]:
    """Milliseconds to the whole answer of *count* requests on one connection, one after the other, and some before."""
    place = urlsplit(requests.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    found: list[float] = []
    for number in range(count + max(count // 10, 1)):
        begun = time.perf_counter()
        writer.write(requests.message(number))
        await _answer(reader, requests.status)
        found.append((time.perf_counter() - begun) * 1_000)
    writer.close()
    return found[-count:]


async def _answer(reader: asyncio.StreamReader, status: int) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    body = await reader.readexactly(int(head.partition("content-length:")[2].partition("\r")[0]))
    assert head.split(" ", 2)[1] == str(status), body[:1_000]
