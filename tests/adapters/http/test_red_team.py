"""The address guard under attack: not one of hundreds of URLs reaches a closed address, by itself or by a redirect.

A server waits on 127.0.0.2 and ::1, which stand for all that is closed; 127.0.0.1 is open.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from cronicorn.adapters.http.addresses import EgressPolicy
from cronicorn.adapters.http.dispatcher import CurlDispatcher
from cronicorn.adapters.http.resolver import ResolverLimits
from cronicorn.adapters.http.url import target_of
from cronicorn.domain.call import Outcome, OutcomeKind
from tests.adapters.http.attacks import (
    CLOSED_V4,
    CLOSED_V6,
    CRAFTED,
    LEGITIMATE,
    LOCAL_NAMES,
    SPELLINGS,
    spelled,
)
from tests.adapters.http.loopback import OK, Connection, Server, always, answering, call_of, dispatching, serving
from tests.adapters.http.name_server import naming

CLOSED = (*CLOSED_V4, *CLOSED_V6)
NO_MEMORY = ResolverLimits(ttl_min_s=0.0)
NOT_SENT = {OutcomeKind.REFUSED, OutcomeKind.UNRESOLVED}


@asynccontextmanager
async def trap() -> AsyncIterator[Server]:
    """A server at closed addresses that counts whoever connects."""
    server = Server(always(answering(b"caught")))
    first = await asyncio.start_server(server.accept, "127.0.0.2", 0)
    server.port = first.sockets[0].getsockname()[1]
    second = await asyncio.start_server(server.accept, "::1", server.port)
    try:
        yield server
    finally:
        for listener in (first, second):
            listener.close()
        await server.stop()


def urls(port: int) -> list[str]:
    return [url.replace("{port}", str(port)) for url in (*spelled(), *CRAFTED)]


async def dispatched(
    dispatcher: CurlDispatcher, urls: Iterable[str], redirects_max: int = 0
) -> list[tuple[str, Outcome]]:
    return [(url, await dispatcher.dispatch(call_of(url, timeout_s=2, redirects_max=redirects_max))) for url in urls]


def misses(outcomes: Sequence[tuple[str, Outcome]]) -> list[tuple[str, str]]:
    return [(url, outcome.kind.value) for url, outcome in outcomes if outcome.kind not in NOT_SENT]


async def test_no_url_of_the_table_is_called() -> None:
    async with trap() as server, naming(lambda _: 3) as names, dispatching(nameservers=(names.address,)) as dispatcher:
        outcomes = await dispatched(dispatcher, urls(server.port))

    assert len(set(urls(server.port))) >= 600
    assert misses(outcomes) == []
    assert server.opened == 0


async def test_no_redirect_to_a_url_of_the_table_is_followed() -> None:
    async with trap() as server:
        table = [url for url in urls(server.port) if target_is_absolute(url)]

        async def redirect(connection: Connection) -> None:
            while True:
                number = int((await connection.request()).split(b" ")[1][1:])
                await connection.send(_to(table[number]))

        async with (
            naming(lambda _: 3) as names,
            serving(redirect) as origin,
            dispatching(nameservers=(names.address,)) as dispatcher,
        ):
            starts = [origin.url(f"/{number}") for number in range(len(table))]
            outcomes = await dispatched(dispatcher, starts, redirects_max=3)

    assert len(table) >= 500
    assert [(table[int(url.rsplit("/", 1)[1])], kind) for url, kind in misses(outcomes)] == []
    assert server.opened == 0


async def test_a_location_without_a_scheme_or_host_stays_with_the_server_that_sent_it() -> None:
    for location in ("//127.0.0.2:{port}/", "http:127.0.0.2/", "http:/127.0.0.2/", "/\\127.0.0.2/", "\\\\127.0.0.2\\"):
        async with (
            trap() as server,
            serving(always(_to(location.replace("{port}", str(server.port))))) as origin,
            dispatching() as dispatcher,
        ):
            outcome = await dispatcher.dispatch(call_of(origin.url(), redirects_max=2))

        assert outcome.kind in {OutcomeKind.REFUSED, OutcomeKind.BROKEN}, location
        assert server.opened == 0


async def test_the_trap_would_be_sprung() -> None:
    """What the guard refuses would be reached without it, in each spelling that a machine can connect to."""
    everything = EgressPolicy.parse("127.0.0.0/8,::1")
    loopback = [spelling(ip_address("127.0.0.2")) for spelling in SPELLINGS.values()]  # type: ignore[arg-type]

    async with trap() as server, dispatching(policy=everything) as dispatcher:
        at = [f"http://{host}:{server.port}/" for host in (*loopback, "[::1]")]
        outcomes = await dispatched(dispatcher, at)

    assert sum(outcome.body == "caught" for _, outcome in outcomes) >= 20


@pytest.mark.parametrize("chain", [0, 1, 12], ids=["at once", "by an alias", "by twelve aliases"])
async def test_no_name_that_means_a_closed_address_is_called(chain: int) -> None:
    def zone(name: str) -> list[str]:
        number, left = map(int, name.removesuffix(".test").split("-"))
        return [f"{number}-{left - 1}.test"] if left else [CLOSED[number]]

    async with trap() as server, naming(zone) as names, dispatching(nameservers=(names.address,)) as dispatcher:
        at = [f"http://{number}-{chain}.test:{server.port}/" for number in range(len(CLOSED))]
        outcomes = await dispatched(dispatcher, at)

    assert {outcome.kind for _, outcome in outcomes} == {OutcomeKind.REFUSED}
    assert server.opened == 0


@pytest.mark.parametrize("name", LOCAL_NAMES)
async def test_no_name_of_this_machine_is_called(name: str) -> None:
    async with trap() as server, naming(lambda _: 3) as names, dispatching(nameservers=(names.address,)) as dispatcher:
        outcome = await dispatcher.dispatch(call_of(f"http://{name}:{server.port}/"))

    assert outcome.kind in {*NOT_SENT, OutcomeKind.UNREACHABLE}  # 127.0.0.1 itself is open here, and nobody listens.
    assert server.opened == 0


async def test_a_name_with_open_and_closed_addresses_never_leads_to_the_closed_ones() -> None:
    both = [*CLOSED, "127.0.0.1"]

    async with (
        trap() as server,
        naming(lambda _: both) as names,
        serving(always(OK)) as open_,
        dispatching(nameservers=(names.address,)) as dispatcher,
    ):
        reached = await dispatcher.dispatch(call_of(open_.url(host="both.test")))
        fallen = await dispatcher.dispatch(call_of(f"http://both.test:{server.port}/"))

    assert reached.body == "ok"
    assert fallen.kind is OutcomeKind.UNREACHABLE  # Nobody listens there at the open address: no other one is tried.
    assert server.opened == 0


async def test_a_name_that_moves_with_every_look_up_never_leads_to_a_closed_address() -> None:
    def zone(name: str) -> list[str]:
        return ["127.0.0.1"] if len(names.asked) % 2 else ["127.0.0.2", "::1"]

    async with trap() as server, naming(zone, ttl_s=0) as names:
        listener = await asyncio.start_server(Server(always(OK)).accept, "127.0.0.1", server.port)
        async with dispatching(nameservers=(names.address,), names=NO_MEMORY) as dispatcher:
            outcomes = await dispatched(dispatcher, [f"http://moves.test:{server.port}/"] * 40)
        listener.close()

    kinds = [outcome.kind for _, outcome in outcomes]
    assert set(kinds) == {OutcomeKind.RESPONDED, OutcomeKind.REFUSED}
    assert {outcome.body for _, outcome in outcomes} == {"ok", None}
    assert server.opened == 0


@pytest.mark.parametrize("value", ["http://127.0.0.2:{port}", "socks5h://127.0.0.2:{port}", "127.0.0.2:{port}"])
async def test_no_proxy_of_the_environment_is_asked(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with trap() as server, serving(always(OK)) as open_:
        for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "ftp_proxy"):
            monkeypatch.setenv(name, value.replace("{port}", str(server.port)))
        monkeypatch.setenv("no_proxy", "")
        async with dispatching() as dispatcher:
            outcome = await dispatcher.dispatch(call_of(open_.url()))

    assert outcome.body == "ok"
    assert server.opened == 0


@pytest.mark.parametrize("url", LEGITIMATE)
def test_a_legitimate_url_is_read_and_its_address_is_open(url: str) -> None:
    address = target_of(url).site.address

    assert address is None or EgressPolicy().refusal(address) is None


async def test_legitimate_names_are_called() -> None:
    named = [url for url in LEGITIMATE if target_of(url).site.address is None]

    async with (
        naming(lambda _: ["127.0.0.1"]) as names,
        serving(always(OK)) as open_,
        dispatching(nameservers=(names.address,)) as dispatcher,
    ):
        sites = [target_of(url) for url in named]
        outcomes = await dispatched(dispatcher, [f"http://{each.site.host}:{open_.port}{each.path}" for each in sites])

    assert [url for url, outcome in outcomes if outcome.body != "ok"] == []
    assert len(named) >= 30


def target_is_absolute(url: str) -> bool:
    """Whether *url* can stand in a Location header and names a place of its own, however it is read."""
    return re.search("://[^/?#]", url) is not None and url.isprintable() and url == url.strip() and url.isascii()


def _to(location: str) -> bytes:
    return answering(b"", f"Location: {location}", status="302 Found")
