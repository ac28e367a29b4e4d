"""A server that is no Cronicorn, or none any more: it answers all that it is asked with the same bytes."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress


def answer(status: str, body: bytes | str = b"", *fields: str, asked: bool = True) -> list[bytes]:
    """An answer of HTTP; with the field that all answers of Cronicorn have, where it was *asked* of Cronicorn."""
    body = body.encode() if isinstance(body, str) else body
    head = [f"HTTP/1.1 {status}", "Connection: close", f"Content-Length: {len(body)}", *fields]
    return ["\r\n".join([*head, *(["X-Request-Id: abc"] if asked else []), "", ""]).encode() + body]


@asynccontextmanager
async def odd_server(parts: Iterable[bytes], *, pause_s: float = 0.0) -> AsyncIterator[str]:
    """The URL of a server whose every answer consists of *parts*, with a pause after each."""

    answering: set[asyncio.Task[None]] = set()

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        answering.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(pause_s)
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(answered, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in answering:
            task.cancel()
        await asyncio.wait(answering)
