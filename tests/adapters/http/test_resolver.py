"""Names are resolved beside the loop, remembered for a while, and never in the way of other tenants."""

import asyncio
from ipaddress import ip_address

import pytest

from cronicorn.adapters.http.resolver import Resolution, Resolver, ResolverLimits
from cronicorn.domain.call import OutcomeKind
from tests.adapters.http.loopback import OK, always, call_of, dispatching, serving
from tests.adapters.http.name_server import NO_SUCH_NAME, SERVER_FAILURE, NameServer, Zone, naming
from tests.waiting import eventually_async

QUICK = ResolverLimits(lookup_s=0.3, lookups_per_tenant=2, waiting_per_tenant=4, cached=3)


async def resolve(zone: Zone, *names: str, limits: ResolverLimits = QUICK) -> tuple[list[Resolution], NameServer]:
    async with naming(zone) as server:
        resolver = Resolver(nameservers=(server.address,), limits=limits)
        found = [await resolver.resolve("ada", name) for name in names]
        await resolver.aclose()
    return found, server


async def test_both_kinds_of_address_are_found() -> None:
    (found,), _ = await resolve(lambda _: ["192.0.2.1", "2001:db8::1"], "both.test")

    assert set(found.addresses) == {ip_address("192.0.2.1"), ip_address("2001:db8::1")}


async def test_what_was_found_is_remembered() -> None:
    found, server = await resolve(lambda _: ["192.0.2.1"], "a.test", "a.test", "a.test")

    assert {resolution.addresses for resolution in found} == {(ip_address("192.0.2.1"),)}
    assert server.asked == ["a.test"]


@pytest.mark.parametrize("code", [NO_SUCH_NAME, SERVER_FAILURE])
async def test_what_was_not_found_is_remembered_too(code: int) -> None:
    found, server = await resolve(lambda _: code, "none.test", "none.test")

    assert all(resolution.failure and not resolution.addresses for resolution in found)
    assert len(server.asked) <= 3  # A server failure is tried again by the client, once.


async def test_a_name_without_addresses_is_a_failure() -> None:
    (found,), _ = await resolve(lambda _: [], "empty.test")

    assert found.failure


async def test_the_memory_is_bounded() -> None:
    async with naming(lambda _: ["192.0.2.1"]) as server:
        resolver = Resolver(nameservers=(server.address,), limits=QUICK)
        for n in range(9):
            await resolver.resolve("ada", f"{n}.test")
        await resolver.aclose()

    assert len(resolver) == QUICK.cached


async def test_the_library_beneath_starts_afresh_now_and_then() -> None:
    limits = ResolverLimits(cached=1, per_channel=2)

    _, server = await resolve(lambda _: ["192.0.2.1"], *"abcdefgh", "a", limits=limits)

    assert server.asked == [*"abcdefgh", "a"]


async def test_localhost_needs_no_name_server() -> None:
    (found,), server = await resolve(lambda _: None, "localhost")

    assert found.addresses
    assert all(address.is_loopback for address in found.addresses)
    assert server.asked == []


@pytest.mark.parametrize("name", ["short", "a.b"])
async def test_search_domains_are_not_applied(name: str) -> None:
    _, server = await resolve(lambda _: NO_SUCH_NAME, name)

    assert set(server.asked) == {name}


async def test_a_silent_name_server_ends_in_time() -> None:
    async with naming(lambda _: None) as server, dispatching(nameservers=(server.address,), names=QUICK) as dispatcher:
        unresolved = await dispatcher.dispatch(call_of("http://dead.test/"))
        timed_out = await dispatcher.dispatch(call_of("http://dead-too.test/", timeout_s=0.05))

    assert unresolved.kind is OutcomeKind.UNRESOLVED
    assert unresolved.duration.total_seconds() < 1.5
    assert timed_out.kind is OutcomeKind.TIMED_OUT


async def test_one_tenants_dead_names_do_not_hold_up_another_tenant() -> None:
    def zone(name: str) -> list[str] | None:
        return ["127.0.0.1"] if name == "alive.test" else None

    async with (
        naming(zone) as names,
        serving(always(OK)) as server,
        dispatching(nameservers=(names.address,)) as dispatcher,
    ):
        stuck = [
            asyncio.create_task(dispatcher.dispatch(call_of(f"http://{n}.dead.test/", tenant_id="eve")))
            for n in range(200)
        ]
        await eventually_async(lambda: len(names.asked) >= 8)
        outcome = await dispatcher.dispatch(call_of(server.url(host="alive.test"), tenant_id="ada"))
        asked = len(set(names.asked))
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)

    assert outcome.body == "ok"
    assert outcome.duration.total_seconds() < 1
    assert asked <= 8 + 1


async def test_too_many_waiting_names_of_one_tenant_fail_at_once() -> None:
    async with naming(lambda _: None) as names, dispatching(nameservers=(names.address,), names=QUICK) as dispatcher:
        calls = [dispatcher.dispatch(call_of(f"http://{n}.dead.test/")) for n in range(20)]
        outcomes = await asyncio.gather(*calls)

    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.UNRESOLVED}
    assert sum("too many" in (outcome.error or "") for outcome in outcomes) == 16


async def test_calls_at_once_to_one_name_ask_once() -> None:
    async with (
        naming(lambda _: ["127.0.0.1"]) as names,
        serving(always(OK)) as server,
        dispatching(nameservers=(names.address,)) as dispatcher,
    ):
        calls = [dispatcher.dispatch(call_of(server.url(host="one.test"))) for _ in range(20)]
        outcomes = await asyncio.gather(*calls)

    assert {outcome.body for outcome in outcomes} == {"ok"}
    assert names.asked == ["one.test"]


async def test_a_cancelled_call_leaves_the_look_up_to_others() -> None:
    async with naming(lambda _: None) as names:
        resolver = Resolver(nameservers=(names.address,), limits=QUICK)
        first = asyncio.create_task(resolver.resolve("ada", "slow.test"))
        second = asyncio.create_task(resolver.resolve("ada", "slow.test"))
        await eventually_async(lambda: names.asked)
        first.cancel()

        assert (await second).failure
        assert first.cancelled()
        await resolver.aclose()


async def test_closing_tells_those_who_wait() -> None:
    async with naming(lambda _: None) as names, dispatching(nameservers=(names.address,)) as dispatcher:
        task = asyncio.create_task(dispatcher.dispatch(call_of("http://slow.test/")))
        await eventually_async(lambda: names.asked)
        await dispatcher.aclose()

        assert "stopping" in ((await task).error or "")
