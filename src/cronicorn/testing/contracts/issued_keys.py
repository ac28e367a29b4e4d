"""The promises of `IssuedKeys` and of `RateCounter`."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.instant import ZERO
from cronicorn.domain.permission import Permission, Role
from cronicorn.domain.rate import Rate
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, TENANT, Stores, StoresContract

RATE = Rate(limit=3, period=MINUTE)


def a_key(name: str = "ci", *, tenant_id: str = TENANT) -> ApiKey:
    """A key that differs from a tenant's first one in everything."""
    return ApiKey(
        id=f"key-{name}", tenant_id=tenant_id, prefix="ck_1", hash=f"hash-{name}", created_at=MIDNIGHT, name=name,
        role=Role.OPERATOR, scopes=frozenset({Permission.JOBS_READ, Permission.RUNS_CONTROL}), runs_installation=True,
        agent=True, rate=60, expires_at=MIDNIGHT + MINUTE, used_at=MIDNIGHT + 2 * MINUTE,
    )  # fmt: skip


async def settle_in(stores: Stores, *tenant_ids: str) -> None:
    """Add tenants, each with a first key."""
    for tenant_id in tenant_ids or (TENANT,):
        tenant = Tenant(id=tenant_id, name=tenant_id, created_at=MIDNIGHT)
        first = ApiKey(
            id=f"first-{tenant_id}", tenant_id=tenant_id, prefix="", hash=f"first-{tenant_id}", created_at=MIDNIGHT
        )
        await stores.keys.add_tenant(tenant, replace(first, created_at=MIDNIGHT - MINUTE))


class IssuedKeysContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_key_is_found_and_listed_as_it_was_issued(self, stores: Stores) -> None:
        await settle_in(stores)

        await stores.issued_keys.issue(a_key(), 2)

        assert await stores.keys.find("hash-ci") == a_key()
        assert (await stores.issued_keys.list(TENANT, limit=1)) == [a_key()]

    async def test_keys_are_listed_newest_first_in_pages(self, stores: Stores) -> None:
        await settle_in(stores)
        for number in range(3):
            await stores.issued_keys.issue(replace(a_key(f"{number}"), created_at=MIDNIGHT + number * MINUTE), 10)

        pages = [await stores.issued_keys.list(TENANT, limit=2, offset=offset) for offset in (0, 2, 4)]

        assert [[key.id for key in page] for page in pages] == [["key-2", "key-1"], ["key-0", "first-t1"], []]

    async def test_a_key_of_nobody_and_a_taken_one_are_refused(self, stores: Stores) -> None:
        await settle_in(stores)
        await stores.issued_keys.issue(a_key(), 10)

        with pytest.raises(NotFoundError):
            await stores.issued_keys.issue(a_key("other", tenant_id="nobody"), 10)
        for taken in (replace(a_key(), id="another"), replace(a_key(), hash="another")):
            with pytest.raises(ConflictError):
                await stores.issued_keys.issue(taken, 10)

        assert len(await stores.issued_keys.list(TENANT, limit=10)) == 2

    async def test_a_tenant_has_so_many_keys_at_most_and_revoked_ones_do_not_count(self, stores: Stores) -> None:
        await settle_in(stores, TENANT, "t2")
        await stores.issued_keys.issue(a_key("one"), 2)

        with pytest.raises(ConflictError):
            await stores.issued_keys.issue(a_key("two"), 2)
        await stores.issued_keys.revoke(TENANT, "key-one")
        await stores.issued_keys.issue(a_key("two"), 2)

        assert await stores.keys.find("hash-two") is not None

    async def test_keys_that_are_issued_at_once_stay_within_the_limit(self, stores: Stores) -> None:
        await settle_in(stores)

        outcomes = await asyncio.gather(
            *(stores.issued_keys.issue(a_key(f"{number}"), 4) for number in range(8)), return_exceptions=True
        )

        assert sum(outcome is None for outcome in outcomes) == 3
        assert all(outcome is None or isinstance(outcome, ConflictError) for outcome in outcomes)

    async def test_a_revoked_key_is_known_to_be_and_stays_so(self, stores: Stores, clock: VirtualClock) -> None:
        await settle_in(stores)
        await stores.issued_keys.issue(a_key(), 10)

        at = clock.now()
        revoked = await stores.issued_keys.revoke(TENANT, "key-ci")
        clock.advance(MINUTE)
        again = await stores.issued_keys.revoke(TENANT, "key-ci")

        assert revoked == again == await stores.keys.find("hash-ci") == replace(a_key(), revoked_at=at)

    async def test_the_key_of_another_tenant_is_neither_listed_nor_revoked(self, stores: Stores) -> None:
        await settle_in(stores, TENANT, "t2")
        await stores.issued_keys.issue(a_key(), 10)

        with pytest.raises(NotFoundError):
            await stores.issued_keys.revoke("t2", "key-ci")

        assert [key.id for key in await stores.issued_keys.list("t2", limit=10)] == ["first-t2"]
        assert await stores.keys.find("hash-ci") == a_key()

    async def test_the_latest_use_is_remembered(self, stores: Stores) -> None:
        await settle_in(stores)
        await stores.issued_keys.issue(replace(a_key(), used_at=None), 10)

        for minutes in (5, 4):
            await stores.issued_keys.used("hash-ci", MIDNIGHT + minutes * MINUTE)
        await stores.issued_keys.used("hash-none", MIDNIGHT)

        assert await stores.keys.find("hash-ci") == replace(a_key(), used_at=MIDNIGHT + 5 * MINUTE)

    async def test_a_limit_is_spent_and_comes_back_step_by_step(self, stores: Stores, clock: VirtualClock) -> None:
        spent = [await stores.rates.take("ada", RATE) for _ in range(4)]
        clock.advance(timedelta(seconds=20))
        later = [await stores.rates.take("ada", RATE) for _ in range(2)]

        assert [each.allowed for each in (*spent, *later)] == [True, True, True, False, True, False]
        assert [each.remaining for each in spent] == [2, 1, 0, 0]
        assert [each.resets_in for each in spent] == [timedelta(seconds=each) for each in (20, 40, 60, 60)]
        assert [each.retry_after for each in spent] == [ZERO, ZERO, timedelta(seconds=20), timedelta(seconds=20)]

    async def test_a_clock_that_is_set_back_keeps_nobody_out_until_it_is_as_late_again(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        for _ in range(3):
            await stores.rates.take("ada", RATE)
        clock.advance(timedelta(hours=-1))

        standings = [await stores.rates.take("ada", RATE) for _ in range(4)]

        assert [each.remaining for each in standings] == [2, 1, 0, 0]
        assert [each.allowed for each in standings] == [True, True, True, False]

    async def test_names_are_counted_apart_and_can_be_forgotten(self, stores: Stores) -> None:
        for _ in range(3):
            await stores.rates.take("ada", RATE)

        assert (await stores.rates.take("bob", RATE)).remaining == 2
        await stores.rates.forget("ada")
        await stores.rates.forget("nobody")
        assert (await stores.rates.take("ada", RATE)).remaining == 2

    async def test_what_is_counted_at_once_stays_within_the_limit(self, stores: Stores, clock: VirtualClock) -> None:
        await stores.rates.take("passed", Rate(limit=1, period=MINUTE))
        clock.advance(2 * MINUTE)

        standings = await asyncio.gather(*(stores.rates.take("ada", RATE) for _ in range(12)))

        assert sum(standing.allowed for standing in standings) == 3
        assert all(standing.retry_after > ZERO for standing in standings if not standing.allowed)
