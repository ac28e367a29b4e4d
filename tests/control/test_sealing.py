"""A master key is made when the first secret is, and never beside secrets that another one sealed."""

from dataclasses import replace

import pytest

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.vault.aes_vault import AesVault
from cronicorn.adapters.vault.master_keys import GivenKeys, PassingKey
from cronicorn.control.identity import random_signing_key
from cronicorn.control.rewrapping import Rewrapping
from cronicorn.control.route_sealing import RouteSealing
from cronicorn.control.sealing import SealedPorts, Sealer
from cronicorn.control.signing_keys import SigningKeys
from cronicorn.domain.alert.alerting import AlertChannel, AlertRoute
from cronicorn.domain.alert.ports import AlertingBook
from cronicorn.domain.alert.rows import alerting_text
from cronicorn.domain.alert.targets import url_of
from cronicorn.domain.errors import ForbiddenError, MasterKeyError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.keychain.keychain import place_of_key
from cronicorn.domain.permission import EVERYTHING
from cronicorn.domain.tenant import ApiKey, Tenant
from tests.control.world import ALICE, LOCAL, SetClock

OLD, NEW = b"o" * 32, b"n" * 32
OWNER = replace(LOCAL, tenant_id=ALICE.tenant_id)


URL = "https://hooks.example/services/T0815/secret"


def sealer(stores, vault):
    return Sealer(SealedPorts(keychains=stores.keychains, alertings=stores.alertings), vault)


def signing_keys(stores, vault):
    return SigningKeys(stores.keychains, sealer(stores, vault), SetClock(), random_signing_key)


def rewrapping(stores, *keys):
    return Rewrapping(stores.keychains, stores.alertings, AesVault(GivenKeys(keys)))


def route_sealing(stores, vault):
    return RouteSealing(stores.alertings, sealer(stores, vault))


class Meddled(AlertingBook):
    """Somebody changes a route after each look at all of them."""

    def __init__(self, book):
        self._book = book

    async def all(self):
        found = await self._book.all()
        moved = replace(found["t1"].route("r1"), target="https://new.example/hook")
        await self.change("t1", lambda before: before.with_route(moved))
        return found

    async def get(self, tenant_id):
        return await self._book.get(tenant_id)

    async def change(self, tenant_id, edit, by=None):
        return await self._book.change(tenant_id, edit, by)


async def stores_with_tenant():
    stores = MemoryStores.open(SetClock())
    key = ApiKey(id="key", tenant_id="t1", prefix="ck", hash="hash", created_at=MIDNIGHT)
    await stores.keys.add_tenant(Tenant(id="t1", name="t1", created_at=MIDNIGHT), key)
    return stores


async def with_open_routes(stores):
    """Routes as earlier versions stored them."""
    slack = AlertRoute(id="r1", name="chat", channel=AlertChannel.SLACK, target=URL)
    mail = AlertRoute(id="r2", name="mail", channel=AlertChannel.EMAIL, target="ops@example.com")
    await stores.alertings.change("t1", lambda before: replace(before, routes=(slack, mail)))


async def test_the_first_secret_makes_the_master_key():
    stores, vault = MemoryStores.open(SetClock()), AesVault(PassingKey())

    made = await signing_keys(stores, vault).create(ALICE)

    [key] = await signing_keys(stores, vault).show(ALICE)
    assert vault.open(key.sealed, place_of_key("t1", key.prefix)).decode() == made.text


async def test_a_lost_master_key_is_not_replaced_behind_the_back_of_its_owner():
    stores = MemoryStores.open(SetClock())
    await signing_keys(stores, AesVault(PassingKey())).create(ALICE)
    kept = await stores.keychains.get("t1")

    with pytest.raises(MasterKeyError, match="CRONICORN_MASTER_KEY_FILE"):
        await signing_keys(stores, AesVault(PassingKey())).rotate(ALICE)

    assert await stores.keychains.get("t1") == kept


async def test_nor_is_one_that_sealed_nothing_but_where_alerts_go():
    stores = await stores_with_tenant()
    await with_open_routes(stores)
    await route_sealing(stores, AesVault(PassingKey())).seal_all(may_make_key=True)

    with pytest.raises(MasterKeyError, match="CRONICORN_MASTER_KEY_FILE"):
        await signing_keys(stores, AesVault(PassingKey())).create(ALICE)


async def test_urls_that_earlier_versions_stored_are_sealed_once_and_lead_where_they_led():
    stores, vault = await stores_with_tenant(), AesVault(PassingKey())
    await with_open_routes(stores)

    counts = [await route_sealing(stores, vault).seal_all(may_make_key=True) for _ in range(2)]

    alerting = await stores.alertings.get("t1")
    chat, mail = alerting.routes
    assert counts == [1, 0]
    assert chat.target == "https://hooks.example/…"
    assert "0815" not in alerting_text(alerting)
    assert url_of(chat, "t1", vault) == URL
    assert (mail.target, mail.sealed) == ("ops@example.com", None)
    with pytest.raises(MasterKeyError):
        url_of(replace(chat, id="r3"), "t1", vault)
    with pytest.raises(MasterKeyError):
        url_of(chat, "t2", vault)


async def test_where_other_machines_would_lack_it_no_master_key_is_made_for_them():
    stores, vault = await stores_with_tenant(), AesVault(PassingKey())
    await with_open_routes(stores)
    alerting = await stores.alertings.get("t1")

    with pytest.raises(MasterKeyError, match="the same for all processes"):
        await route_sealing(stores, vault).seal_all(may_make_key=False)

    assert not vault.ready
    assert await stores.alertings.get("t1") == alerting
    assert url_of(alerting.route("r1"), "t1", vault) == URL


async def test_a_route_that_was_changed_meanwhile_is_left_alone():
    stores, vault = await stores_with_tenant(), AesVault(PassingKey())
    await with_open_routes(stores)
    await RouteSealing(Meddled(stores.alertings), sealer(stores, vault)).seal_all(may_make_key=True)

    route = (await stores.alertings.get("t1")).route("r1")
    assert url_of(route, "t1", vault) == "https://new.example/hook"


async def test_rewrapping_lets_the_older_master_key_go():
    stores = await stores_with_tenant()
    await with_open_routes(stores)
    await signing_keys(stores, AesVault(GivenKeys((OLD,)))).create(ALICE)
    await route_sealing(stores, AesVault(GivenKeys((OLD,)))).seal_all(may_make_key=True)
    await signing_keys(stores, AesVault(GivenKeys((NEW, OLD)))).rotate(ALICE)

    assert await rewrapping(stores, NEW, OLD).rewrap(OWNER) == 2
    revision = (await stores.keychains.get("t1")).revision
    assert await rewrapping(stores, NEW, OLD).rewrap(OWNER) == 0

    new, kept = AesVault(GivenKeys((NEW,))), await stores.keychains.get("t1")
    assert all(new.open(key.sealed, place_of_key("t1", key.prefix)) for key in kept.signing)
    assert kept.revision == revision
    assert url_of((await stores.alertings.get("t1")).route("r1"), "t1", new) == URL


async def test_rewrapping_without_the_older_key_changes_nothing():
    stores = await stores_with_tenant()
    await with_open_routes(stores)
    await route_sealing(stores, AesVault(GivenKeys((OLD,)))).seal_all(may_make_key=True)
    alerting = await stores.alertings.get("t1")
    with pytest.raises(MasterKeyError):
        await rewrapping(stores, NEW).rewrap(OWNER)
    await signing_keys(stores, AesVault(GivenKeys((OLD,)))).create(ALICE)
    kept = await stores.keychains.get("t1")

    with pytest.raises(MasterKeyError):
        await rewrapping(stores, NEW).rewrap(OWNER)

    assert await stores.keychains.get("t1") == kept
    assert await stores.alertings.get("t1") == alerting


async def test_only_a_person_at_the_machine_changes_master_keys():
    stores = MemoryStores.open(SetClock())

    with pytest.raises(ForbiddenError, match="on the machine itself"):
        await rewrapping(stores, NEW).rewrap(replace(ALICE, permissions=EVERYTHING))
