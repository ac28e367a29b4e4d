"""What a process knows of keychains is right within seconds, and costs one look for all tenants."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.vault.aes_vault import AesVault
from cronicorn.adapters.vault.master_keys import PassingKey
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.keychain.keychain import (
    Secret,
    SigningKey,
    first_key,
    place_of_key,
    place_of_secret,
    unsigned,
    with_secret,
)
from cronicorn.domain.keychain.ports import KeychainChanges, KeychainStore
from cronicorn.domain.keychain.signing import signing_key_text
from cronicorn.scheduler import keychains as module
from cronicorn.scheduler.keychains import LOOK_EVERY, TRUSTED_FOR, Keychains
from tests.control.world import SetClock
from tests.waiting import eventually_async

TEXT = signing_key_text(b"s" * 32)


class CountedStore(KeychainStore):
    """A store that counts what is asked of it, and can be away or slow."""

    def __init__(self, store: KeychainStore) -> None:
        self.store = store
        self.looks = 0
        self.reads: list[str] = []
        self.away = False
        self.gate: asyncio.Event | None = None

    async def get(self, tenant_id):
        self._check()
        self.reads.append(tenant_id)
        kept = await self.store.get(tenant_id)
        if self.gate is not None:
            await self.gate.wait()
        return kept

    async def change(self, tenant_id, edit, by=None):
        return await self.store.change(tenant_id, edit, by)

    async def changed_since(self, revision) -> KeychainChanges:
        self._check()
        self.looks += 1
        return await self.store.changed_since(revision)

    def _check(self):
        if self.away:
            raise UnavailableError("The store is away.")


class Scene:
    def __init__(self):
        self.clock = SetClock()
        self.vault = AesVault(PassingKey())
        self.vault.make_key()
        self.store = CountedStore(MemoryStores.open(self.clock).keychains)
        self.keychains = Keychains(self.store, self.vault, self.clock)

    async def give_key(self, tenant_id="t1", prefix="p"):
        sealed = self.vault.seal(TEXT.encode(), place_of_key(tenant_id, prefix))
        key = SigningKey(prefix=prefix, created_at=self.clock.now(), sealed=sealed)
        await self.store.change(tenant_id, lambda keychain: first_key(keychain, key))

    async def give_secrets(self, tenant_id="t1", **texts):
        for name, text in texts.items():
            sealed = self.vault.seal(text.encode(), place_of_secret(tenant_id, name))
            now = self.clock.now()
            secret = Secret(name=name, created_at=now, updated_at=now, sealed=sealed)
            await self.store.change(tenant_id, partial(with_secret, secret=secret))

    async def take_key(self, tenant_id="t1"):
        await self.store.change(tenant_id, unsigned)

    async def signs(self, tenant_id="t1"):
        keychain = await self.keychains.of(tenant_id)
        return keychain is not None and bool(keychain.signing_secrets(self.clock.now()))

    def wait(self, length=LOOK_EVERY):
        self.clock.move(seconds=length.total_seconds())


async def test_where_nobody_has_a_key_no_tenant_is_asked_about():
    scene = Scene()

    for number in range(1_000):
        assert not await scene.signs(f"t{number}")

    assert (scene.store.looks, scene.store.reads) == (1, [])


async def test_a_tenant_is_read_once_and_a_key_opened_once():
    scene = Scene()
    await scene.give_key()
    known = [await scene.keychains.of("t1") for _ in range(100)]
    opened = {id(secret) for each in known if each for secret in each.signing_secrets(scene.clock.now())}

    assert [await scene.signs("t2") for _ in range(100)] == [False] * 100
    assert len(opened) == 1
    assert (scene.store.looks, scene.store.reads) == (1, ["t1", "t2"])


async def test_a_change_elsewhere_counts_with_the_next_look_and_others_are_not_read_again():
    scene = Scene()
    await scene.give_key("t2")
    assert [await scene.signs("t1"), await scene.signs("t2")] == [False, True]

    await scene.give_key("t1")
    scene.wait()
    assert [await scene.signs("t1"), await scene.signs("t2")] == [True, True]
    await scene.take_key("t1")
    scene.wait()
    assert [await scene.signs("t1"), await scene.signs("t2")] == [False, True]

    assert scene.store.reads.count("t2") == 1


async def test_many_calls_at_once_look_once():
    scene = Scene()
    await scene.give_key()

    assert await asyncio.gather(*(scene.signs() for _ in range(50))) == [True] * 50
    assert scene.store.looks == 1


async def test_a_look_that_one_waits_for_no_longer_goes_on_for_others():
    scene = Scene()
    impatient, patient = (asyncio.ensure_future(scene.signs()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()

    assert not await patient


async def test_a_keychain_that_changes_while_it_is_read_is_read_again():
    scene = Scene()
    await scene.give_key()
    await scene.keychains.of("t9")
    scene.store.gate = asyncio.Event()
    reading = asyncio.ensure_future(scene.signs())
    await eventually_async(lambda: "t1" in scene.store.reads)

    await scene.take_key()
    scene.wait()
    other = asyncio.ensure_future(scene.signs("t8"))
    await eventually_async(lambda: "t8" in scene.store.reads)
    scene.store.gate.set()

    assert not await reading
    assert not await other


async def test_a_store_that_is_away_for_a_moment_changes_nothing_and_then_nothing_is_known():
    scene = Scene()
    await scene.give_key()
    assert await scene.signs()
    scene.store.away = True

    scene.wait(TRUSTED_FOR - timedelta(seconds=1))
    assert await scene.signs()
    with pytest.raises(UnavailableError):
        await scene.signs("somebody else")
    scene.wait()
    with pytest.raises(UnavailableError):
        await scene.signs()

    scene.store.away = False
    assert await scene.signs()


async def test_nothing_is_known_before_the_first_look():
    scene = Scene()
    scene.store.away = True

    with pytest.raises(UnavailableError):
        await scene.signs()


async def test_only_so_many_tenants_are_remembered(monkeypatch):
    scene = Scene()
    monkeypatch.setattr(module, "KNOWN_MAX", 3)
    await scene.give_key()

    for _ in range(2):
        assert [await scene.signs(f"t{number}") for number in range(1, 7)] == [True, *[False] * 5]

    assert len(scene.keychains._known) <= 3
