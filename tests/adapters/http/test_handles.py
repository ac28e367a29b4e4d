"""A handle stays set up between calls, and still each call goes out, and comes back, as over a new one."""

import asyncio
import gc
import sys
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pycurl
import pytest

from cronicorn.adapters.http.dispatcher import CurlDispatcher
from cronicorn.adapters.http.exchange import Exchange
from cronicorn.domain.call import Method, Outcome, OutcomeKind
from tests.adapters.http.loopback import OK, Connection, Server, always, answering, call_of, dispatching, serving
from tests.adapters.http.name_server import naming
from tests.waiting import eventually_async


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of call."""

    path: str = "/echo?a=b"
    host: str = "127.0.0.1"
    scheme: str = "http"
    port: int | None = None
    """Another than the server's."""
    method: Method = Method.GET
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    bytes_max: int = 65_536
    timeout_s: float = 5.0
    redirects_max: int = 0


KINDS = {
    "get": Kind(),
    "get of a name": Kind(host="shop.test"),
    "get with credentials": Kind(headers={"Authorization": "Bearer s3cret", "X-A": "b"}),
    "get with a body": Kind(body=b"[1]"),
    "head": Kind(method=Method.HEAD),
    "head with credentials": Kind(method=Method.HEAD, headers={"Authorization": "Bearer s3cret"}),
    "post": Kind(method=Method.POST, headers={"Content-Type": "application/json", "Accept": "a/b"}, body=b'{"a": 1}'),
    "post of another body": Kind(method=Method.POST, headers={"Content-Type": "text/plain"}, body=b"a longer one"),
    "post of nothing": Kind(method=Method.POST),
    "put": Kind(method=Method.PUT, body=b"whole"),
    "patch of nothing": Kind(method=Method.PATCH),
    "delete": Kind(method=Method.DELETE, headers={"X-A": ""}),
    "delete with a body": Kind(method=Method.DELETE, body=b"which"),
    "redirected post": Kind(path="/moved", method=Method.POST, body=b"{}", redirects_max=1),
    "post over TLS": Kind(host="shop.test", scheme="https", method=Method.POST, body=b"[]"),
    "a certificate of another": Kind(scheme="https"),
    "cut": Kind(bytes_max=3),
    "broken": Kind(path="/broken"),
    "no status": Kind(path="/odd"),
    "closed": Kind(path="/closed"),
    "refused header": Kind(headers={"X-A": "a\nb"}),
    "nobody there": Kind(port=1),
    "refused address": Kind(host="127.0.0.2"),
}
HASTY = {
    "too late": Kind(path="/silent", timeout_s=0.05),
    "post too late": Kind(path="/silent", method=Method.POST, body=b"{}", timeout_s=0.05),
}
"""How far these get depends on the machine: they only come before others."""


async def answers(connection: Connection) -> None:
    """Answer as the path says, by default with the whole request."""
    while True:
        request = await connection.request()
        match request.split(b" ")[1].partition(b"?")[0]:
            case b"/silent":
                return await connection.ended()
            case b"/broken":
                return await connection.send(b"HTTP/1.1 200 OK\r\nX-Broken: yes\r\nContent-Length: 9\r\n\r\nabc")
            case b"/odd":
                return await connection.send(b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n")
            case b"/closed":
                return await connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end")
            case b"/moved":
                await connection.send(answering(b"", "Location: /echo", status="302 Found"))
            case _ if request.startswith(b"HEAD"):
                await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            case _:
                await connection.send(answering(request, "Content-Type: text/plain"))


class Scene:
    """The servers, and what was seen there and at home."""

    def __init__(self, plain: Server, secure: Server) -> None:
        self._servers = {"http": plain, "https": secure}

    async def seen(self, dispatcher: CurlDispatcher, kind: Kind) -> tuple[Outcome, list[bytes]]:
        """How a call of *kind* ends, whatever time it took, and the requests that arrived."""
        server = self._servers[kind.scheme]
        server.requests.clear()
        url = f"{kind.scheme}://{kind.host}:{kind.port or server.port}{kind.path}"
        call = call_of(
            url, method=kind.method, headers=dict(kind.headers),
            body=kind.body, bytes_max=kind.bytes_max, timeout_s=kind.timeout_s, redirects_max=kind.redirects_max,
        )  # fmt: skip
        outcome = await dispatcher.dispatch(call)
        return outcome._replace(duration=timedelta(0)), list(server.requests)


async def test_after_a_call_of_any_kind_one_of_any_kind_is_as_if_it_were_the_first(monkeypatch) -> None:
    made: list[pycurl.Curl] = []
    easy = pycurl.Curl

    def counted() -> pycurl.Curl:
        made.append(easy())
        return made[-1]

    async with (
        naming(lambda _: ["127.0.0.1"]) as names,
        serving(answers) as plain,
        serving(answers, tls=True) as secure,
    ):
        scene = Scene(plain, secure)
        alone = {}
        for name, kind in KINDS.items():
            async with dispatching(nameservers=(names.address,)) as dispatcher:
                alone[name] = await scene.seen(dispatcher, kind)
        monkeypatch.setattr("pycurl.Curl", counted)
        async with dispatching(nameservers=(names.address,)) as dispatcher:
            for before, kind in (KINDS | HASTY).items():
                for name, following in KINDS.items():
                    await scene.seen(dispatcher, kind)
                    assert await scene.seen(dispatcher, following) == alone[name], f"{name} after {before}"

    assert len(made) == 1
    assert {outcome.kind for outcome, _ in alone.values()} == {
        OutcomeKind.RESPONDED, OutcomeKind.BROKEN, OutcomeKind.REFUSED, OutcomeKind.TLS_FAILED,
        OutcomeKind.UNREACHABLE,
    }  # fmt: skip


async def test_handles_are_used_again_however_many_calls_are_in_progress_at_once(monkeypatch) -> None:
    made: list[pycurl.Curl] = []
    easy = pycurl.Curl

    def counted() -> pycurl.Curl:
        made.append(easy())
        return made[-1]

    monkeypatch.setattr("pycurl.Curl", counted)
    async with serving(answers) as server, dispatching() as dispatcher:
        for _ in range(3):
            await asyncio.gather(*(dispatcher.dispatch(call_of(server.url(f"/{n}"), timeout_s=20)) for n in range(200)))

    assert len(made) == 200


async def test_handles_that_a_crowd_of_calls_needed_go_when_it_is_over() -> None:
    def handles() -> int:
        return sum(isinstance(each, Exchange) for each in gc.get_objects())

    async with serving(answers) as server, dispatching() as dispatcher:
        await asyncio.gather(*(dispatcher.dispatch(call_of(server.url(f"/{n}"), timeout_s=20)) for n in range(50)))
        assert handles() == 50
        still_calling = asyncio.create_task(dispatcher.dispatch(call_of(server.url("/silent"), timeout_s=20)))

        await eventually_async(lambda: handles() == 1, within_s=15)
        still_calling.cancel()
        await asyncio.gather(still_calling, return_exceptions=True)


@pytest.mark.parametrize("path", ["/", "/silent"])
async def test_a_handle_at_rest_keeps_no_body_that_it_sent(path: str) -> None:
    body = b"x" * 2_000_000
    held = sys.getrefcount(body)

    async with serving(answers) as server, dispatching() as dispatcher:
        for _ in range(2):
            await dispatcher.dispatch(call_of(server.url(path), method=Method.POST, body=body, timeout_s=0.5))

            assert sys.getrefcount(body) == held


async def test_a_handle_at_rest_keeps_no_answer() -> None:
    async with serving(always(answering(b"x" * 50_000, "X-A: b"))) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url()))

        exchanges = [each for each in gc.get_objects() if isinstance(each, Exchange)]
        assert [(len(each.body), each.header_lines) for each in exchanges] == [(0, [])]
        assert len(outcome.body or "") == 50_000


async def test_what_made_the_calls_is_gone_after_closing() -> None:
    handles = set()
    async with serving(always(OK)) as server, dispatching() as dispatcher:
        for tenant_id in ("ada", "bob"):
            await dispatcher.dispatch(call_of(server.url(), tenant_id=tenant_id))
        handles |= {weakref.ref(each) for each in gc.get_objects() if isinstance(each, pycurl.Curl)}
        assert handles

    del dispatcher
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, Exchange)]
    assert not [each for each in handles if each() is not None]
