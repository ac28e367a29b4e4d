"""No byte goes to an address that is not open: only 127.0.0.1 is, so 127.0.0.2 and ::1 stand for all that is closed."""

import asyncio
import socket
from contextlib import AsyncExitStack

import pytest

from cronicorn.adapters.http.addresses import EgressPolicy
from cronicorn.domain.call import OutcomeKind
from tests.adapters.http.loopback import OK, always, answering, call_of, dispatching, serving
from tests.adapters.http.name_server import naming

HAS_IPV6 = socket.has_ipv6


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.2", "[::1]", "0.0.0.0", "[::]", "[::ffff:127.0.0.2]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
        "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
        "2130706434", "0x7f000002", "017700000002", "127.2", "0177.0.0.2", "0x7f.2",
        "１２７.０.０.２", "127。0。0。2", "127.0.0.2.", "169.254.169.254", "100.100.100.200", "168.63.129.16",
        "[fd00:ec2::254]",
        "10.0.0.1", "255.255.255.255", "224.0.0.1",
    ],
)  # fmt: skip
async def test_a_closed_address_is_refused_in_every_spelling(host: str) -> None:
    async with serving(always(OK), host="127.0.0.2") as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(host=host)))

    assert outcome.kind is OutcomeKind.REFUSED
    assert "not an ordinary internet address" in (outcome.error or "") or "metadata" in (outcome.error or "")
    assert server.opened == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1@127.0.0.2/", "http://user:s3cret@127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/",
        "http://127.0.0.1\\@127.0.0.2/", "http://127.0.0.1 /", "http://[::1%25lo]/", "",
    ],
)  # fmt: skip
async def test_a_url_that_is_not_plain_is_refused_without_repeating_it(url: str) -> None:
    async with dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(url))

    assert outcome.kind is OutcomeKind.REFUSED
    assert "s3cret" not in (outcome.error or "")


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "017700000001", "１２７.０.０.１"])
async def test_an_open_address_is_called_in_every_spelling(host: str) -> None:
    async with serving(always(OK)) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(host=host)))

    assert outcome.body == "ok"


async def test_a_mapped_address_is_called_when_the_address_it_means_is_open() -> None:
    async with serving(always(OK)) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(host="[::ffff:127.0.0.1]")))

    assert outcome.body == "ok"


async def test_of_several_addresses_only_the_open_ones_are_tried() -> None:
    zone = ["127.0.0.2", "::1", "169.254.169.254", "127.0.0.1", "10.0.0.1"]

    async with AsyncExitStack() as stack:
        names = await stack.enter_async_context(naming(lambda _: zone))
        server = await stack.enter_async_context(serving(always(OK)))
        dispatcher = await stack.enter_async_context(dispatching(nameservers=(names.address,)))
        outcome = await dispatcher.dispatch(call_of(server.url(host="mixed.test")))

    assert outcome.body == "ok"
    assert server.requests[0].split(b"\r\n")[1] == f"Host: mixed.test:{server.port}".encode()


async def test_a_name_whose_addresses_are_all_closed_is_refused_with_every_reason() -> None:
    async with naming(lambda _: ["127.0.0.2", "::1"]) as names, dispatching(nameservers=(names.address,)) as dispatcher:
        outcome = await dispatcher.dispatch(call_of("http://inner.test/?token=s3cret"))

    assert outcome.kind is OutcomeKind.REFUSED
    assert "127.0.0.2" in (outcome.error or "")
    assert "::1" in (outcome.error or "")
    assert "s3cret" not in (outcome.error or "")


async def test_a_name_that_moves_to_a_closed_address_is_refused() -> None:
    answers = [["127.0.0.1"], ["127.0.0.2"]]

    async with AsyncExitStack() as stack:
        names = await stack.enter_async_context(naming(lambda _: answers[min(len(names.asked) - 1, 1)], ttl_s=0))
        open_ = await stack.enter_async_context(serving(always(OK)))
        dispatcher = await stack.enter_async_context(dispatching(nameservers=(names.address,)))
        first = await dispatcher.dispatch(call_of(open_.url(host="rebind.test")))
        await _cache_expired(dispatcher)
        second = await dispatcher.dispatch(call_of(open_.url(host="rebind.test")))

    assert first.kind is OutcomeKind.RESPONDED
    assert second.kind is OutcomeKind.REFUSED
    assert len(open_.requests) == 1


async def test_the_next_address_is_tried_only_when_the_one_before_could_not_be_connected() -> None:
    policy = EgressPolicy.parse("127.0.0.0/8")

    async with AsyncExitStack() as stack:
        names = await stack.enter_async_context(naming(lambda _: ["127.0.0.3", "127.0.0.1"]))
        server = await stack.enter_async_context(serving(always(OK)))
        dispatcher = await stack.enter_async_context(dispatching(policy=policy, nameservers=(names.address,)))
        outcome = await dispatcher.dispatch(call_of(server.url(host="two.test")))

    assert outcome.body == "ok"


async def test_an_address_that_answers_badly_is_not_followed_by_another() -> None:
    async def rude(connection) -> None:
        await connection.request()

    policy = EgressPolicy.parse("127.0.0.0/8")

    async with AsyncExitStack() as stack:
        names = await stack.enter_async_context(naming(lambda _: ["127.0.0.1", "127.0.0.3"]))
        server = await stack.enter_async_context(serving(rude))
        dispatcher = await stack.enter_async_context(dispatching(policy=policy, nameservers=(names.address,)))
        outcome = await dispatcher.dispatch(call_of(server.url(host="two.test")))

    assert outcome.kind in {OutcomeKind.BROKEN, OutcomeKind.UNREACHABLE}
    assert len(server.requests) <= 1


async def test_a_closed_port_is_unreachable() -> None:
    async with dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of("http://127.0.0.1:1/?key=s3cret"))

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.UNREACHABLE, None)
    assert outcome.error == "No connection to 127.0.0.1:1 could be opened."


async def test_a_host_that_swallows_connections_is_unreachable_after_the_connect_limit() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        fillers = [await _filler(full.getsockname()) for _ in range(3)]

        async with dispatching() as dispatcher:
            patient = await dispatcher.dispatch(call_of(url, timeout_s=5))
            hasty = await dispatcher.dispatch(call_of(url, timeout_s=0.2))

        for filler in fillers:
            filler.close()

    assert patient.kind is OutcomeKind.UNREACHABLE
    assert 0.4 < patient.duration.total_seconds() < 2
    assert hasty.kind is OutcomeKind.TIMED_OUT


async def test_proxies_of_the_environment_are_ignored(monkeypatch) -> None:
    async with serving(always(answering(b"proxy"))) as proxy, serving(always(OK)) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        async with dispatching() as dispatcher:
            outcome = await dispatcher.dispatch(call_of(server.url()))

    assert outcome.body == "ok"
    assert proxy.opened == 0


async def _filler(address: tuple[str, int]) -> socket.socket:
    filler = socket.socket()
    filler.settimeout(0)
    filler.connect_ex(address)
    await asyncio.sleep(0)
    return filler


async def _cache_expired(dispatcher) -> None:
    dispatcher._resolver._cache.clear()
