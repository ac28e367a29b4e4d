"""What is open to one tenant is open to no other: not by memories of names, nor by connections that are kept."""

import pytest

from cronicorn.adapters.http.addresses import EgressPolicy
from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.errors import InvalidInputError, UnavailableError
from cronicorn.domain.provision.allowed import Allowed
from tests.adapters.http.loopback import OK, always, call_of, dispatching, serving
from tests.adapters.http.name_server import naming
from tests.waiting import eventually_awaited

NOTHING = EgressPolicy()
LOOPBACK = Allowed.parse("127.0.0.1")


async def outcomes(dispatcher, url, *tenants):
    return [(await dispatcher.dispatch(call_of(url, tenant_id=tenant))).kind for tenant in tenants]


async def test_a_range_is_open_to_the_tenant_it_was_opened_to_alone():
    async def allowed():
        return {"ada": LOOPBACK, "eve": Allowed.parse("10.0.0.0/8")}

    async with serving(always(OK)) as server, dispatching(policy=NOTHING, allowed=allowed) as dispatcher:
        found = await outcomes(dispatcher, server.url(), "ada", "eve", "bob", "ada")

    assert found == [OutcomeKind.RESPONDED, OutcomeKind.REFUSED, OutcomeKind.REFUSED, OutcomeKind.RESPONDED]
    assert len(server.requests) == 2


async def test_a_name_that_one_tenant_looked_up_opens_nothing_to_another():
    async def allowed():
        return {"ada": LOOPBACK}

    async with (
        naming(lambda _: ["127.0.0.1"]) as names,
        serving(always(OK)) as server,
        dispatching(policy=NOTHING, allowed=allowed, nameservers=(names.address,)) as dispatcher,
    ):
        found = await outcomes(dispatcher, server.url(host="inner.test"), "ada", "eve", "ada", "eve")

    assert found == [OutcomeKind.RESPONDED, OutcomeKind.REFUSED] * 2
    assert names.asked == ["inner.test"]  # It is remembered for all, and judged for each.
    assert server.opened == 1  # The connection that was kept served one tenant.


async def test_the_name_of_a_host_opens_private_addresses_under_that_name_alone():
    zone = {"db.internal": ["10.255.255.1"], "other.test": ["10.255.255.1"], "lo.internal": ["127.0.0.1"]}

    async def allowed():
        return {"ada": Allowed.parse("DB.internal., lo.internal")}

    async with (
        naming(lambda name: zone[name]) as names,
        serving(always(OK)) as server,
        dispatching(policy=NOTHING, allowed=allowed, nameservers=(names.address,)) as dispatcher,
    ):

        async def kind(host, tenant="ada"):
            call = call_of(server.url(host=host), tenant_id=tenant, timeout_s=0.3)
            return (await dispatcher.dispatch(call)).kind

        opened, others = await kind("db.internal"), await kind("db.internal", "eve")
        same_address, spelled, loopback = (
            await kind("other.test"),
            await kind("10.255.255.1"),
            await kind("lo.internal"),
        )

    assert opened in {OutcomeKind.UNREACHABLE, OutcomeKind.TIMED_OUT}  # It was tried: nobody is there.
    assert [others, same_address, spelled, loopback] == [OutcomeKind.REFUSED] * 4
    assert server.opened == 0


async def test_what_is_closed_again_is_closed_on_a_kept_connection_too(monkeypatch):
    monkeypatch.setattr("cronicorn.adapters.http.egress._READ_EVERY_S", 0.0)
    lists = [{"ada": LOOPBACK}]

    async def allowed():
        return lists[-1]

    async with serving(always(OK)) as server, dispatching(policy=NOTHING, allowed=allowed) as dispatcher:
        before = await outcomes(dispatcher, server.url(), "ada", "ada")
        lists.append({})

        async def is_closed():
            return await outcomes(dispatcher, server.url(), "ada") == [OutcomeKind.REFUSED]

        await eventually_awaited(is_closed)
        requests = len(server.requests)
        after = await outcomes(dispatcher, server.url(), "ada")

    assert before == [OutcomeKind.RESPONDED] * 2
    assert after == [OutcomeKind.REFUSED]
    assert len(server.requests) == requests
    assert server.opened == 1


async def test_nothing_is_called_while_the_lists_can_not_be_read(monkeypatch):
    monkeypatch.setattr("cronicorn.adapters.http.egress._BELIEVED_S", 0.0)
    monkeypatch.setattr("cronicorn.adapters.http.egress._READ_EVERY_S", 0.0)
    monkeypatch.setattr("cronicorn.adapters.http.egress._READ_AGAIN_S", 0.0)

    async def allowed():
        raise UnavailableError("The database is away.")

    async with serving(always(OK)) as server, dispatching(allowed=allowed) as dispatcher:
        with pytest.raises(UnavailableError, match="can't be read"):
            await dispatcher.dispatch(call_of(server.url()))

    assert server.opened == 0


async def test_lists_that_were_read_a_moment_ago_do_for_a_store_that_is_away(monkeypatch):
    monkeypatch.setattr("cronicorn.adapters.http.egress._READ_EVERY_S", 0.0)
    reads = [{"ada": LOOPBACK}]

    async def allowed():
        if reads:
            return reads.pop()
        raise UnavailableError("The database is away.")

    async with serving(always(OK)) as server, dispatching(policy=NOTHING, allowed=allowed) as dispatcher:
        found = await outcomes(dispatcher, server.url(), "ada", "ada", "eve")

    assert found == [OutcomeKind.RESPONDED, OutcomeKind.RESPONDED, OutcomeKind.REFUSED]


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("", ""),
        (" 10.1.2.3 , fd12::/16,, ", "10.1.2.3/32,fd12::/16"),
        ("DB.internal., db.internal,10.0.0.0/8", "10.0.0.0/8,db.internal"),
        ("a-b.c_d.example", "a-b.c_d.example"),
    ],
)
def test_a_list_is_read_and_written_in_one_way(text, again):
    assert str(Allowed.parse(text)) == again
    assert Allowed.parse(again) == Allowed.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1/8", "10.0.0.0/33", "*", "*.internal", "http://db.internal", "db.internal:80", "0x7f.1", "127.1",
        "a b",
        "-a", "bücher.example", "10.0.0.0-10.0.0.9", "fe80::1%lo", ",".join(f"10.0.{n}.0/24" for n in range(201)),
    ],
)  # fmt: skip
def test_what_is_neither_a_range_nor_a_name_is_refused(text):
    with pytest.raises(InvalidInputError):
        Allowed.parse(text)
