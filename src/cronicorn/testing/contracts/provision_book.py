"""The promises of `ProvisionBook`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.access.audit_entry import AuditQuery
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.permission import Operation
from cronicorn.domain.provision.allowed import Allowed
from cronicorn.domain.provision.provision import NO_PROVISION, Provision
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.testing.contracts.access import doing
from cronicorn.testing.contracts.stores import Stores, StoresContract

DAY = timedelta(days=1)
INNER = Provision(egress=Allowed.parse("10.1.0.0/16, fd12::1, db.internal"))


async def _move_in(stores: Stores, *names: str) -> None:
    for name in names:
        key = ApiKey(id=f"key-{name}", tenant_id=name, prefix="ck", hash=f"hash-{name}", created_at=MIDNIGHT)
        await stores.keys.add_tenant(Tenant(id=name, name=name, created_at=MIDNIGHT), key)


class ProvisionBookContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_nothing_is_set_at_first(self, stores: Stores) -> None:
        await _move_in(stores, "shop")

        assert await stores.provisions.provisions() == {}

    async def test_what_is_set_for_one_tenant_is_set_for_no_other(self, stores: Stores) -> None:
        await _move_in(stores, "shop", "bank")

        await stores.provisions.provide("shop", lambda _: INNER)

        assert await stores.provisions.provisions() == {"shop": INNER}

    async def test_what_is_set_takes_the_place_of_what_was(self, stores: Stores) -> None:
        await _move_in(stores, "shop")
        await stores.provisions.provide("shop", lambda _: INNER)

        await stores.provisions.provide("shop", lambda _: NO_PROVISION)

        assert await stores.provisions.provisions() == {"shop": NO_PROVISION}

    async def test_nothing_can_be_set_for_a_tenant_that_is_not_there(self, stores: Stores) -> None:
        with pytest.raises(NotFoundError):
            await stores.provisions.provide("nobody", lambda _: INNER)

        assert await stores.provisions.provisions() == {}

    async def test_an_edit_sees_what_holds_and_is_audited(self, stores: Stores) -> None:
        await _move_in(stores, "shop")
        await stores.provisions.provide("shop", lambda _: INNER)

        after = await stores.provisions.provide(
            "shop", lambda before: replace(before, runs_kept=DAY), doing(Operation.PROVISION_CHANGE, "shop")
        )

        assert after == replace(INNER, runs_kept=DAY)
        assert await stores.provisions.provisions() == {"shop": after}
        (entry,) = await stores.audit_log.list("shop", AuditQuery(limit=9))
        assert (entry.object_kind, entry.object_id, entry.action) == ("tenant", "shop", "provision.change")
        assert (entry.before, entry.after) == ({}, {"runs_kept_us": DAY // MICROSECOND})

    async def test_an_edit_that_raises_changes_nothing(self, stores: Stores) -> None:
        await _move_in(stores, "shop")
        await stores.provisions.provide("shop", lambda _: INNER)

        def refuse(_: Provision) -> Provision:
            raise ConflictError("No.")

        with pytest.raises(ConflictError):
            await stores.provisions.provide("shop", refuse)

        assert await stores.provisions.provisions() == {"shop": INNER}
