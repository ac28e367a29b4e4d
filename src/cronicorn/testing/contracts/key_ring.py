"""The promises of `KeyRing`."""

from dataclasses import replace

import pytest

from cronicorn.domain.calendar import Period
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.quota.allowance import TOKENS_MAX
from cronicorn.domain.quota.terms import Terms
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.testing.contracts.stores import MINUTE, Stores, StoresContract


def _tenant(name: str, *, age: int = 0) -> Tenant:
    return Tenant(id=f"id-{name}", name=name, created_at=MIDNIGHT - age * MINUTE)


def _key(tenant: Tenant, secret: str) -> ApiKey:
    return ApiKey(
        id=f"key-{secret}", tenant_id=tenant.id, prefix=secret[:3], hash=f"hash-{secret}", created_at=MIDNIGHT
    )


class KeyRingContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_tenant_is_stored_with_its_first_key(self, stores: Stores) -> None:
        tenant = _tenant("shop")

        await stores.keys.add_tenant(tenant, _key(tenant, "one"))

        assert await stores.keys.tenants() == [tenant]
        assert await stores.keys.find("hash-one") == _key(tenant, "one")

    async def test_tenants_are_listed_oldest_first(self, stores: Stores) -> None:
        for name, age in (("young", 1), ("old", 2)):
            await stores.keys.add_tenant(_tenant(name, age=age), _key(_tenant(name), name))

        assert [tenant.name for tenant in await stores.keys.tenants()] == ["old", "young"]

    async def test_a_taken_name_or_key_is_refused_and_nothing_is_stored(self, stores: Stores) -> None:
        shop, other = _tenant("shop"), _tenant("other")
        namesake = Tenant(id="another", name="shop", created_at=MIDNIGHT)
        await stores.keys.add_tenant(shop, _key(shop, "one"))

        with pytest.raises(ConflictError):
            await stores.keys.add_tenant(namesake, _key(namesake, "two"))
        with pytest.raises(ConflictError):
            await stores.keys.add_tenant(other, _key(other, "one"))

        assert await stores.keys.tenants() == [shop]
        assert await stores.keys.find("hash-two") is None
        assert await stores.keys.find("hash-one") == _key(shop, "one")

    async def test_a_further_key_is_found_beside_the_first(self, stores: Stores) -> None:
        shop = _tenant("shop")
        await stores.keys.add_tenant(shop, _key(shop, "one"))

        await stores.keys.add_key(_key(shop, "two"))

        assert await stores.keys.find("hash-one") == _key(shop, "one")
        assert await stores.keys.find("hash-two") == _key(shop, "two")

    async def test_the_same_key_stored_again_changes_nothing(self, stores: Stores) -> None:
        shop = _tenant("shop")
        await stores.keys.add_tenant(shop, _key(shop, "one"))
        again = ApiKey(id="other", tenant_id=shop.id, prefix="x", hash="hash-one", created_at=MIDNIGHT + MINUTE)

        await stores.keys.add_key(again)

        assert await stores.keys.find("hash-one") == _key(shop, "one")

    async def test_the_key_of_another_tenant_is_refused(self, stores: Stores) -> None:
        shop, other = _tenant("shop"), _tenant("other")
        await stores.keys.add_tenant(shop, _key(shop, "one"))
        await stores.keys.add_tenant(other, _key(other, "two"))

        with pytest.raises(ConflictError):
            await stores.keys.add_key(_key(other, "one"))

    async def test_a_key_for_a_tenant_that_is_not_there_is_refused(self, stores: Stores) -> None:
        with pytest.raises(NotFoundError):
            await stores.keys.add_key(_key(_tenant("nobody"), "one"))

    async def test_an_unknown_key_is_not_found(self, stores: Stores) -> None:
        assert await stores.keys.find("hash-none") is None

    async def test_nothing_is_agreed_with_a_tenant_at_first(self, stores: Stores) -> None:
        await stores.keys.add_tenant(_tenant("shop"), _key(_tenant("shop"), "one"))

        assert await stores.terms.terms("id-shop") == await stores.terms.terms("nobody") == Terms()

    async def test_what_is_agreed_with_a_tenant_takes_the_place_of_what_was(self, stores: Stores) -> None:
        shop, other, terms = _tenant("shop"), _tenant("other", age=1), Terms(limit=TOKENS_MAX, period=Period.MONTH)
        for each in (shop, other):
            await stores.keys.add_tenant(each, _key(each, each.name))
        await stores.terms.agree(shop.id, lambda _: Terms(tier="pro-tier", zone="Europe/Berlin"))

        await stores.terms.agree(shop.id, lambda _: terms)

        assert await stores.terms.terms(shop.id) == terms
        assert await stores.keys.tenants() == [other, replace(shop, terms=terms)]

    async def test_nothing_can_be_agreed_with_a_tenant_that_is_not_there(self, stores: Stores) -> None:
        with pytest.raises(NotFoundError):
            await stores.terms.agree("nobody", lambda _: Terms(limit=1))
