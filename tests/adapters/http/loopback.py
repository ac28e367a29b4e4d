"""Servers on 127.0.0.1 that do exactly what a test tells them, byte by byte, and a dispatcher that may call them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

from cronicorn.adapters.http.addresses import EgressPolicy
from cronicorn.adapters.http.dispatcher import CurlDispatcher
from cronicorn.adapters.http.egress import Egress, ReadAllowed
from cronicorn.adapters.http.limits import DispatcherLimits
from cronicorn.adapters.http.resolver import Resolver, ResolverLimits
from cronicorn.adapters.http.transfer import Trust
from cronicorn.domain.call import Call, Method

CERTIFICATES = Path(__file__).parent / "certificates"
OPEN = EgressPolicy.parse("127.0.0.1/32")
LIMITS = DispatcherLimits(connect_s=0.5, calls=400, connections=500)
TRUST = Trust(ca_file=str(CERTIFICATES / "authority.pem"))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answering(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class Connection:
    """The server's end of one connection."""

    def __init__(self, server: "Server", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self.writer = writer
        self.number = server.opened

    async def request(self) -> bytes:
        """The next request, body included."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        request = head + await self._reader.readexactly(length)
        self._server.requests.append(request)
        return request

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        self._server.sent += len(data)
        await self.writer.drain()

    async def ended(self) -> None:
        """Wait until the other side has closed."""
        while await self._reader.read(65_536):
            pass

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def reset(self) -> None:
        """Close with a TCP reset."""
        self.writer.transport.abort()


Script = Callable[[Connection], Awaitable[None]]


class Server:
    """Follows one script on every connection."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests: list[bytes] = []
        self.opened = 0
        self.open = 0
        self.sent = 0
        self.port = 0

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    @property
    def lines(self) -> list[str]:
        """The request lines that came in, without the version."""
        return [request.split(b"\r\n")[0].decode().rsplit(" ", 1)[0] for request in self.requests]

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.open += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
                await self._script(Connection(self, reader, writer))
        finally:
            self.open -= 1
            writer.close()
            with suppress(OSError, ssl.SSLError):
                await writer.wait_closed()


@asynccontextmanager
async def serving(script: Script, *, tls: bool = False, host: str = "127.0.0.1") -> AsyncIterator[Server]:
    server = Server(script)
    context = _tls_context() if tls else None
    listener = await asyncio.start_server(server.accept, host, 0, ssl=context, backlog=2_048)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await server.stop()
        await listener.wait_closed()


@asynccontextmanager
async def dispatching(
    *,
    policy: EgressPolicy = OPEN,
    limits: DispatcherLimits = LIMITS,
    nameservers: tuple[str, ...] = (),
    names: ResolverLimits | None = None,
    trust: Trust = TRUST,
    allowed: ReadAllowed | None = None,
) -> AsyncIterator[CurlDispatcher]:
    resolver = Resolver(nameservers=nameservers, limits=names)
    dispatcher = CurlDispatcher(egress=Egress(policy, allowed), resolver=resolver, limits=limits, trust=trust)
    try:
        yield dispatcher
    finally:
        await dispatcher.aclose()


def call_of(
    url: str,
    *,
    tenant_id: str = "ada",
    method: Method = Method.GET,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    timeout_s: float = 5.0,
    bytes_max: int = 65_536,
    redirects_max: int = 0,
) -> Call:
    return Call(
        tenant_id=tenant_id,
        url=url,
        method=method,
        headers={} if headers is None else headers,
        body=body,
        timeout=timedelta(seconds=timeout_s),
        response_bytes_max=bytes_max,
        redirects_max=redirects_max,
    )


def always(data: bytes) -> Script:
    """Answer every request with *data*."""

    async def script(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.send(data)

    return script


def once(data: bytes) -> Script:
    """Answer one request with *data*, then close."""

    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.send(data)

    return script


def then_silent(data: bytes) -> Script:
    """Answer with *data* and leave the connection open."""

    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.send(data)
        await connection.ended()

    return script


def endless(start: bytes, piece: bytes, *, pause_s: float | None = None) -> Script:
    """Answer with *start* and then *piece* for ever."""

    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.send(start)
        while True:
            await connection.send(piece)
            if pause_s is not None:
                await asyncio.sleep(pause_s)

    return script


async def echo_path(connection: Connection) -> None:
    """Answer each request with its own path, so that a mixed-up answer shows."""
    while True:
        request = await connection.request()
        await connection.send(answering(request.split(b" ")[1]))


def _tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "shop_test.pem")
    return context
