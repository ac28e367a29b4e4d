"""API keys: what one may do, until when and how often."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.key_ring import MemoryKeyRing
from cronicorn.control.admittance import Admittance
from cronicorn.control.keys import KeyDocument
from cronicorn.domain.errors import ForbiddenError, InvalidInputError, RateExceededError, UnauthenticatedError
from cronicorn.domain.permission import GRANTED, Permission, Role
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.domain.tenant import ApiKey
from tests.control.world import LOCAL, World, a_world


async def owned() -> tuple[World, Principal]:
    """A world with a tenant, and its owner."""
    world = a_world()
    made = await world.control.tenants.add(LOCAL, "acme")
    world.clock.move(seconds=1)
    return world, replace((await world.control.admittance.by_key(made.key)).principal, actor="the owner")


def a_key(**given: Any) -> KeyDocument:
    return KeyDocument.model_validate({"name": "ci", "role": "editor"} | given)


async def test_a_key_opens_what_its_role_and_scopes_allow() -> None:
    world, owner = await owned()

    made = await world.control.keys.create(owner, a_key(scopes=["runs:control"], agent=True))
    principal = (await world.control.admittance.by_key(made.text, "req_1")).principal

    assert principal.permissions == {Permission.RUNS_CONTROL, Permission.JOBS_READ}
    assert (principal.tenant_id, principal.actor_id) == (owner.tenant_id, made.key.id)
    assert (principal.kind, principal.request_id) == (ActorKind.AGENT, "req_1")


async def test_only_a_hash_and_a_prefix_of_a_key_are_kept() -> None:
    world, owner = await owned()

    made = await world.control.keys.create(owner, a_key())
    listed = await world.control.keys.list(owner)

    assert made.text not in repr(listed)
    assert listed[0] == made.key
    assert made.text.startswith(made.key.prefix)
    assert len(made.key.prefix) == 8


@pytest.mark.parametrize(
    "given",
    [
        {"role": "owner"},
        {"role": "owner", "scopes": ["members:write"]},
        {"role": "owner", "runsInstallation": True},
    ],
)
async def test_a_key_may_do_no_more_than_whoever_makes_it(given: dict[str, Any]) -> None:
    world, owner = await owned()
    lesser = replace(owner, permissions=GRANTED[Role.EDITOR] | {Permission.KEYS_WRITE})

    with pytest.raises(ForbiddenError, match="more than they may do themselves"):
        await world.control.keys.create(lesser, a_key(**given))


async def test_only_who_runs_the_installation_makes_a_key_that_does() -> None:
    world, owner = await owned()
    runner = replace(owner, permissions=owner.permissions | {Permission.TENANTS_WRITE})
    document = a_key(role="owner", runsInstallation=True)

    with pytest.raises(ForbiddenError):
        await world.control.keys.create(owner, document)
    made = await world.control.keys.create(runner, document)
    principal = (await world.control.admittance.by_key(made.text)).principal

    assert [each.name for each in await world.control.tenants.list(principal)] == ["acme"]


async def test_a_key_opens_nothing_once_it_has_expired() -> None:
    world, owner = await owned()
    expires_at = world.clock.now() + timedelta(hours=1)
    made = await world.control.keys.create(owner, a_key(expiresAt=expires_at.isoformat()))

    world.clock.move(minutes=59)
    await world.control.admittance.by_key(made.text)
    world.clock.move(minutes=1)

    with pytest.raises(UnauthenticatedError):
        await world.control.admittance.by_key(made.text)


async def test_a_key_opens_nothing_once_it_is_revoked() -> None:
    world, owner = await owned()
    made = await world.control.keys.create(owner, a_key())

    await world.control.keys.revoke(owner, made.key.id)

    with pytest.raises(UnauthenticatedError):
        await world.control.admittance.by_key(made.text)


async def test_a_revoked_key_that_the_settings_name_stays_revoked() -> None:
    world = a_world()
    await world.control.tenants.bootstrap("a-long-random-word")
    (key,) = world.stores.database.keys.values()
    await world.stores.issued_keys.revoke(key.tenant_id, key.id)

    await world.control.tenants.bootstrap("a-long-random-word")

    with pytest.raises(UnauthenticatedError):
        await world.control.admittance.by_key("a-long-random-word")


async def test_a_key_with_a_rate_is_counted_and_told_when_to_come_back() -> None:
    world, owner = await owned()
    made = await world.control.keys.create(owner, a_key(requestsPerMinute=2))

    standings = [(await world.control.admittance.by_key(made.text)).standing for _ in range(2)]
    with pytest.raises(RateExceededError) as refused:
        await world.control.admittance.by_key(made.text)
    world.clock.move(seconds=30)
    again = (await world.control.admittance.by_key(made.text)).standing

    assert [each.remaining for each in standings if each is not None] == [1, 0]
    assert refused.value.standing.retry_after == timedelta(seconds=30)
    assert again is not None


class AskedRing(MemoryKeyRing):
    """Remembers what it was asked for."""

    def __init__(self, database: MemoryDatabase) -> None:
        super().__init__(database)
        self.asked: list[str] = []

    async def find(self, key_hash: str) -> ApiKey | None:
        self.asked.append(key_hash)
        return await super().find(key_hash)


async def test_a_store_is_never_asked_for_a_key_itself_so_that_its_timing_tells_nothing_of_one() -> None:
    world, owner = await owned()
    made = await world.control.keys.create(owner, a_key())
    stores = world.stores
    ring = AskedRing(stores.database)
    admittance = Admittance(ring, stores.issued_keys, stores.signed_in, stores.rates, world.clock)

    near = f"{made.text[:-1]}{'0' if made.text[-1] != '0' else '1'}"
    await admittance.by_key(made.text)
    with pytest.raises(UnauthenticatedError):
        await admittance.by_key(near)

    assert ring.asked == [hashlib.sha256(text.encode()).hexdigest() for text in (made.text, near)]
    assert ring.asked[0][:8] != ring.asked[1][:8]  # What is nearly right is as far away as any other.


async def test_the_last_use_of_a_key_is_written_rarely() -> None:
    world, owner = await owned()
    made = await world.control.keys.create(owner, a_key())
    first = world.clock.now()

    for _ in range(3):
        await world.control.admittance.by_key(made.text)
        world.clock.move(minutes=4)
    early = (await world.control.keys.list(owner))[0].used_at
    await world.control.admittance.by_key(made.text)
    late = (await world.control.keys.list(owner))[0].used_at

    assert early == first
    assert late == first + timedelta(minutes=12)


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "x" * 256}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "a\x00b"}, "/name"),
        ({"role": None}, "/role"),
        ({"scopes": []}, "/scopes"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "/expiresAt"),
        ({"expiresAt": "2099-01-01T00:00:00Z"}, "/expiresAt"),
        ({"requestsPerMinute": 0}, "/requestsPerMinute"),
        ({"requestsPerMinute": 1_000_001}, "/requestsPerMinute"),
        ({"runsInstallation": True}, "/runsInstallation"),
    ],
)
async def test_what_no_key_can_be_is_told_by_field(given: dict[str, Any], pointer: str) -> None:
    world, owner = await owned()

    with pytest.raises(InvalidInputError) as refused:
        await world.control.keys.create(owner, a_key(**given))

    assert [fault.pointer for fault in refused.value.fields] == [pointer]
