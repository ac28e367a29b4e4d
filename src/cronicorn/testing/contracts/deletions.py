"""The promises of `EndpointCatalog` about endpoints that are deleted."""

import pytest

from cronicorn.domain.errors import NotFoundError, PreconditionFailedError
from cronicorn.domain.history import RunQuery
from cronicorn.domain.unchanged import Unchanged, version_of_endpoint
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    TENANT,
    Stores,
    StoresContract,
    endpoint_of,
    next_due_at,
    plant,
    run_once,
)


class EndpointDeletionContract(StoresContract):
    """Part of `EndpointCatalogContract`."""

    async def test_a_deleted_endpoint_is_gone_with_its_runs(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        run = await run_once(stores, clock)

        await stores.endpoints.delete(TENANT, "ep1")

        with pytest.raises(NotFoundError):
            await stores.endpoints.get(TENANT, "ep1")
        with pytest.raises(NotFoundError):
            await stores.runs.get(TENANT, run.id)
        with pytest.raises(NotFoundError):
            await stores.endpoints.delete(TENANT, "ep1")
        assert await next_due_at(stores.job_store) is None

    async def test_an_endpoint_that_has_changed_is_not_deleted_for_another_version(self, stores: Stores) -> None:
        await plant(stores)
        version = version_of_endpoint(await endpoint_of(stores))

        with pytest.raises(PreconditionFailedError):
            await stores.endpoints.delete(TENANT, "ep1", unchanged=Unchanged(versions=frozenset({"another"})))
        await stores.endpoints.get(TENANT, "ep1")
        await stores.endpoints.delete(TENANT, "ep1", unchanged=Unchanged(versions=frozenset({version})))

        with pytest.raises(NotFoundError):
            await stores.endpoints.get(TENANT, "ep1")

    async def test_an_endpoint_that_takes_a_deleted_ones_id_begins_without_a_past(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        await run_once(stores, clock)
        await stores.endpoints.delete(TENANT, "ep1")

        await plant(stores)

        assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 0
        await run_once(stores, clock)
