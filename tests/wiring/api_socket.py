"""The API's HTTP server on a real socket, in the event loop of a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from cronicorn.wiring.api_server import ApiServer, api_server
from cronicorn.wiring.listening import listen
from cronicorn.wiring.patience import Patience


@asynccontextmanager
async def listening(app, patience: Patience | None = None) -> AsyncIterator[tuple[ApiServer, int]]:
    """The server of *app*, and its port."""
    server = api_server(app, grace=timedelta(seconds=1), patience=patience or Patience())
    with listen("127.0.0.1", 0) as socket:
        port = socket.getsockname()[1]
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup(sockets=[socket])
        try:
            yield server, port
        finally:
            await server.shutdown(sockets=[socket])


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def stop_reading(self) -> None:
        """Take nothing more of what the server sends."""
        transport = self.writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()

    async def answer(self) -> bytes:
        """The next answer, headers included; what there is of it when the connection ends."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
            return head + await self.reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            return error.partial
        except ConnectionError:
            return b""

    async def ended(self, within_s: float = 5.0) -> bytes:
        """What came until the server hung up. Raises TimeoutError when it does not."""
        left = b""
        with suppress(ConnectionError):
            async with asyncio.timeout(within_s):
                left = await self.reader.read()
        return left


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    """A connection inside the block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
