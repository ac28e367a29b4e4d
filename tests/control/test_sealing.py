"""A master key is made when the first secret is, and never beside secrets that another one sealed."""

from dataclasses import replace

import pytest

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.vault.aes_vault import AesVault
from cronicorn.adapters.vault.master_keys import GivenKeys, PassingKey
from cronicorn.control.identity import random_signing_key
from cronicorn.control.rewrapping import Rewrapping
from cronicorn.control.sealing import Sealer
from cronicorn.control.signing_keys import SigningKeys
from cronicorn.domain.errors import ForbiddenError, MasterKeyError
from cronicorn.domain.keychain.keychain import place_of_key
from cronicorn.domain.permission import EVERYTHING
from tests.control.world import ALICE, LOCAL, SetClock

OLD, NEW = b"o" * 32, b"n" * 32
OWNER = replace(LOCAL, tenant_id=ALICE.tenant_id)


def signing_keys(store, vault):
    return SigningKeys(store, Sealer(store, vault), SetClock(), random_signing_key)


async def test_the_first_secret_makes_the_master_key():
    store, vault = MemoryStores.open(SetClock()).keychains, AesVault(PassingKey())

    made = await signing_keys(store, vault).create(ALICE)

    [key] = await signing_keys(store, vault).show(ALICE)
    assert vault.open(key.sealed, place_of_key("t1", key.prefix)).decode() == made.text


async def test_a_lost_master_key_is_not_replaced_behind_the_back_of_its_owner():
    store = MemoryStores.open(SetClock()).keychains
    await signing_keys(store, AesVault(PassingKey())).create(ALICE)
    kept = await store.get("t1")

    with pytest.raises(MasterKeyError, match="CRONICORN_MASTER_KEY_FILE"):
        await signing_keys(store, AesVault(PassingKey())).rotate(ALICE)

    assert await store.get("t1") == kept


async def test_rewrapping_lets_the_older_master_key_go():
    store = MemoryStores.open(SetClock()).keychains
    await signing_keys(store, AesVault(GivenKeys((OLD,)))).create(ALICE)
    await signing_keys(store, AesVault(GivenKeys((NEW, OLD)))).rotate(ALICE)
    rewrapping = Rewrapping(store, AesVault(GivenKeys((NEW, OLD))))

    assert await rewrapping.rewrap(OWNER) == 1
    revision = (await store.get("t1")).revision
    assert await rewrapping.rewrap(OWNER) == 0

    new = AesVault(GivenKeys((NEW,)))
    assert all(new.open(key.sealed, place_of_key("t1", key.prefix)) for key in (await store.get("t1")).signing)
    assert (await store.get("t1")).revision == revision


async def test_rewrapping_without_the_older_key_changes_nothing():
    store = MemoryStores.open(SetClock()).keychains
    await signing_keys(store, AesVault(GivenKeys((OLD,)))).create(ALICE)
    kept = await store.get("t1")

    with pytest.raises(MasterKeyError):
        await Rewrapping(store, AesVault(GivenKeys((NEW,)))).rewrap(OWNER)

    assert await store.get("t1") == kept


async def test_only_a_person_at_the_machine_changes_master_keys():
    store = MemoryStores.open(SetClock()).keychains

    with pytest.raises(ForbiddenError, match="on the machine itself"):
        await Rewrapping(store, AesVault(GivenKeys((NEW,)))).rewrap(replace(ALICE, permissions=EVERYTHING))
