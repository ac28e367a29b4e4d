"""A TCP proxy that does to connections what networks do: delay, cut, go silent."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.servers.process import free_port

_CHUNK = 1 << 16


class Proxy:
    """Passes a port of the loopback on to another one, from a thread of its own. All methods may be called anywhere."""

    def __init__(self, upstream_port: int) -> None:
        self.port = free_port()
        self._upstream_port = upstream_port
        self._loop = asyncio.new_event_loop()
        self._latency_s = 0.0
        self._heard = asyncio.Event()
        self._heard.set()
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def delay(self, seconds: float) -> None:
        """From now on everything takes so much longer, each way."""
        self._do(lambda: setattr(self, "_latency_s", seconds))

    def abort(self) -> None:
        """Reset every open connection, on both sides. New ones are served."""
        self._do(self._cut)

    def black_hole(self) -> None:
        """Take connections and what comes over them, old and new, and deliver nothing, either way, until healed."""
        self._do(self._heard.clear)

    def heal(self, *, lose: bool = False) -> None:
        """Be a wire again. What was withheld arrives now, late; with *lose* its connections are reset instead."""
        if lose:
            self._do(self._cut)
        self._do(lambda: setattr(self, "_latency_s", 0.0))
        self._do(self._heard.set)

    def close(self) -> None:
        """Reset everything and listen no more."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, action: Callable[[], None]) -> None:
        async def done() -> None:
            action()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        links = list(self._links)
        self._cut()
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.get_running_loop().create_task(self._link(reader, writer))
        self._links.add(link)
        link.add_done_callback(self._links.discard)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        upstream: asyncio.StreamWriter | None = None
        try:
            await self._heard.wait()
            answers, upstream = await asyncio.open_connection("127.0.0.1", self._upstream_port)
            self._writers.add(upstream)
            await asyncio.gather(self._pump(reader, upstream), self._pump(answers, writer))
        except OSError:
            pass
        finally:
            for each in (writer, upstream):
                if each is not None:
                    self._writers.discard(each)
                    _reset(each)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if self._latency_s:
                await asyncio.sleep(self._latency_s)
            await self._heard.wait()
            writer.write(data)
            await writer.drain()
        await self._heard.wait()
        writer.write_eof()

    def _cut(self) -> None:
        for link in self._links:
            link.cancel()
        for writer in self._writers:
            _reset(writer)
        self._writers.clear()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy before *port* for the block."""
    proxy = Proxy(port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset, so that the other side does not take it for an orderly end."""
    peer: socket.socket | None = writer.get_extra_info("socket")
    if peer is not None and peer.fileno() >= 0:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
