"""Tenants and keys."""

from dataclasses import replace

import pytest

from cronicorn.control.identity import random_id, random_key
from cronicorn.control.keys import hash_of
from cronicorn.domain.errors import ConflictError, ForbiddenError, InvalidInputError, UnauthenticatedError
from cronicorn.domain.permission import GRANTED, Role
from tests.control.world import ALICE, LOCAL, a_world

KEY = "a-long-random-word"


async def test_a_new_tenants_key_opens_it() -> None:
    control = a_world().control

    added = await control.tenants.add(LOCAL, "acme")
    principal = (await control.admittance.by_key(added.key)).principal

    assert principal.tenant_id == added.tenant.id
    assert principal.actor == "an API key"


async def test_only_a_hash_of_a_key_is_kept() -> None:
    world = a_world()

    added = await world.control.tenants.add(LOCAL, "acme")

    (kept,) = world.stores.keys._database.keys.values()
    assert added.key not in repr(kept)
    assert len(kept.hash) == 64


async def test_who_does_not_run_the_installation_neither_sees_nor_adds_tenants() -> None:
    tenants = a_world().control.tenants
    owner = replace(ALICE, permissions=GRANTED[Role.OWNER])

    with pytest.raises(ForbiddenError):
        await tenants.add(owner, "acme")
    with pytest.raises(ForbiddenError):
        await tenants.list(owner)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 256])
async def test_a_tenant_needs_a_printable_name(name: str) -> None:
    with pytest.raises(InvalidInputError):
        await a_world().control.tenants.add(LOCAL, name)


async def test_a_tenants_name_is_its_own() -> None:
    tenants = a_world().control.tenants
    await tenants.add(LOCAL, "acme")

    with pytest.raises(ConflictError):
        await tenants.add(LOCAL, "acme")


@pytest.mark.parametrize("key", [None, "", "ck_unknown", "x" * 10_000, "ck_\x00", "schlüssel", "a b"])
async def test_an_unknown_key_opens_nothing(key: str | None) -> None:
    control = a_world().control
    await control.tenants.bootstrap(KEY)

    with pytest.raises(UnauthenticatedError):
        await control.admittance.by_key(key)


async def test_the_first_start_makes_a_key_and_shows_it_once() -> None:
    control = a_world().control

    shown = await control.tenants.bootstrap(None)
    again = await control.tenants.bootstrap(None)

    assert shown is not None
    assert shown.key.startswith("ck_")
    assert again is None
    assert (await control.admittance.by_key(shown.key)).principal.tenant_id == "tenant_2"


async def test_a_given_key_opens_the_first_tenant_and_is_never_shown() -> None:
    world = a_world()
    tenants = world.control.tenants

    assert await tenants.bootstrap(KEY) is None
    assert await tenants.bootstrap(KEY) is None
    assert await tenants.bootstrap("another-long-random-word") is None

    first = await world.control.admittance.by_key(KEY)
    second = await world.control.admittance.by_key("another-long-random-word")
    assert first.principal.tenant_id == second.principal.tenant_id
    assert len(await world.stores.keys.tenants()) == 1


@pytest.mark.parametrize("key", ["", "x" * 257, "a key with spaces in it", "a-key-with-a-\x00-in-it"])
async def test_a_weak_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidInputError):
        await a_world().control.tenants.bootstrap(key)


async def test_of_a_short_key_no_telling_part_is_kept() -> None:
    world = a_world()
    await world.control.tenants.bootstrap("secret")

    principal = (await world.control.admittance.by_key("secret")).principal
    known = await world.stores.keys.find(hash_of("secret"))

    assert principal.actor == "an API key"
    assert known is not None
    assert known.prefix == "s"


def test_no_two_identities_are_the_same() -> None:
    assert random_id("job") != random_id("job")
    assert random_key() != random_key()
    assert ":" not in random_id("ep")


@pytest.mark.parametrize("role", Role)
async def test_no_tenant_opens_addresses_to_itself(role: Role) -> None:
    world = a_world()
    member = replace(ALICE, permissions=GRANTED[role])

    with pytest.raises(ForbiddenError):
        await world.control.provisions.change(member, lambda before: before)
