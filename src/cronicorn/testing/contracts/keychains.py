"""The promises of `KeychainStore`."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import pytest

from cronicorn.domain.errors import ConflictError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.keychain.keychain import Keychain, Secret, SigningKey, first_key, unsigned
from cronicorn.domain.keychain.ports import KeychainStore
from cronicorn.testing.contracts.stores import OTHER_TENANT, TENANT, Stores, StoresContract

TENANTS_AT_ONCE = 12


class StoresWithKeychains(Stores, Protocol):
    """The stores of one database, keychains among them."""

    @property
    def keychains(self) -> KeychainStore: ...


def a_signing_key(prefix: str = "whsec_AAAAAA") -> SigningKey:
    """A key that says something in every field."""
    later = MIDNIGHT + timedelta(microseconds=1)
    return SigningKey(prefix=prefix, created_at=MIDNIGHT, rotated_at=later, until=later, sealed="v1.k.w.e")


def a_secret(name: str) -> Secret:
    """A secret that was set twice."""
    return Secret(name=name, created_at=MIDNIGHT, updated_at=MIDNIGHT + timedelta(microseconds=1), sealed="v1.k.w.e")


def _signed(keychain: Keychain) -> Keychain:
    return first_key(keychain, a_signing_key())


class KeychainsContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_keychain_that_was_never_written_is_empty(self, stores: StoresWithKeychains) -> None:
        assert await stores.keychains.get(TENANT) == Keychain(tenant_id=TENANT)
        assert (await stores.keychains.changed_since(0)).revision == 0

    async def test_what_was_kept_is_read_again_and_by_its_tenant_alone(self, stores: StoresWithKeychains) -> None:
        key = replace(a_signing_key("whsec_Plain"), rotated_at=None, until=None)
        secrets = tuple(a_secret(name) for name in ("Z", "a"))
        kept = await stores.keychains.change(
            TENANT, lambda keychain: replace(keychain, signing=(key, a_signing_key()), secrets=secrets)
        )

        assert kept.secrets == secrets
        assert kept.signing == (key, a_signing_key())
        assert await stores.keychains.get(TENANT) == kept
        assert await stores.keychains.get(OTHER_TENANT) == Keychain(tenant_id=OTHER_TENANT)

    async def test_each_write_has_a_revision_above_all_before_it(self, stores: StoresWithKeychains) -> None:
        store = stores.keychains
        first = await store.change(TENANT, _signed)
        second = await store.change(OTHER_TENANT, _signed)
        third = await store.change(TENANT, unsigned)

        assert 0 < first.revision < second.revision < third.revision
        for since, tenants in (
            (0, {TENANT, OTHER_TENANT}),
            (first.revision, {TENANT, OTHER_TENANT}),
            (second.revision, {TENANT}),
            (third.revision, set[str]()),
        ):
            changes = await store.changed_since(since)
            assert changes.revision == third.revision
            assert changes.tenant_ids == frozenset(tenants)

    async def test_what_an_edit_leaves_as_it_is_is_not_written(self, stores: StoresWithKeychains) -> None:
        kept = await stores.keychains.change(TENANT, _signed)

        assert await stores.keychains.change(TENANT, lambda keychain: keychain) == kept
        assert (await stores.keychains.changed_since(0)).revision == kept.revision

    async def test_an_edit_that_raises_writes_nothing(self, stores: StoresWithKeychains) -> None:
        kept = await stores.keychains.change(TENANT, _signed)

        with pytest.raises(ConflictError):
            await stores.keychains.change(TENANT, _signed)

        assert await stores.keychains.get(TENANT) == kept

    async def test_of_two_who_make_the_first_key_at_once_one_is_refused(self, stores: StoresWithKeychains) -> None:
        results = await asyncio.gather(
            *(stores.keychains.change(TENANT, _signed) for _ in range(4)), return_exceptions=True
        )

        assert sorted(type(result).__name__ for result in results) == [*["ConflictError"] * 3, "Keychain"]

    async def test_whoever_follows_the_changes_misses_none_that_are_made_at_once(
        self, stores: StoresWithKeychains
    ) -> None:
        store, tenants = stores.keychains, {f"t{number}" for number in range(TENANTS_AT_ONCE)}
        writes = asyncio.gather(*(store.change(tenant, _signed) for tenant in tenants))
        told: set[str] = set()
        revision, done = 0, False

        while not done:
            done = writes.done()  # One more look after the last write.
            changes = await store.changed_since(revision)
            revision = changes.revision
            told |= changes.tenant_ids or set()
            await asyncio.sleep(0)  # A store in memory lets nobody else in.

        assert told == tenants
        assert len({kept.revision for kept in await writes}) == len(tenants)
