"""The promises of `EndpointCatalog` about how many endpoints a tenant may have."""

import asyncio
from dataclasses import replace

import pytest

from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.fixtures import MIDNIGHT, a_job, an_endpoint
from cronicorn.domain.settlement import Change, Stored
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.testing.contracts.stores import OTHER_TENANT, TENANT, Stores, StoresContract, plant, start


class EndpointRoomContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_no_endpoint_is_added_beyond_the_most(self, stores: Stores) -> None:
        await plant(stores, "ep1", "ep2")

        with pytest.raises(ConflictError, match="allows 2 endpoints"):
            await _add(stores, "ep3", endpoints_max=2)

        await _add(stores, "ep3", endpoints_max=3)
        assert len(await stores.endpoints.list(TENANT, "job1")) == 3

    async def test_archived_endpoints_and_those_of_others_take_no_room(self, stores: Stores) -> None:
        await plant(stores, "ep1", "ep2")
        await stores.jobs.add(a_job(id="job2", tenant_id=OTHER_TENANT))
        other = an_endpoint(id="other", job_id="job2", tenant_id=OTHER_TENANT)
        await stores.endpoints.add(other, start, 1)
        await stores.endpoints.change(TENANT, "ep1", _archive)

        await _add(stores, "ep3", endpoints_max=2)

        with pytest.raises(ConflictError):
            await stores.endpoints.change(TENANT, "ep1", _unarchive, 2)
        assert (await stores.endpoints.get(TENANT, "ep1"))[0].archived_at is not None
        await stores.endpoints.change(TENANT, "ep1", _unarchive, 3)

    async def test_an_edit_takes_no_room(self, stores: Stores) -> None:
        await plant(stores, "ep1", "ep2")

        await stores.endpoints.change(TENANT, "ep1", _archive, 0)
        await stores.endpoints.change(TENANT, "ep2", lambda endpoint, _job, _stored: Change(endpoint=endpoint), 0)

    async def test_of_many_at_once_only_as_many_as_there_is_room_for_are_added(self, stores: Stores) -> None:
        tenant = Tenant(id=TENANT, name="shop", created_at=MIDNIGHT)
        key = ApiKey(id="key1", tenant_id=TENANT, prefix="x", hash="hash", created_at=MIDNIGHT)
        await stores.keys.add_tenant(tenant, key)
        await stores.jobs.add(a_job())
        await stores.jobs.add(a_job(id="job2"))

        adding = [
            _add(stores, f"ep{number}", endpoints_max=5, job_id=f"job{number % 2 + 1}") for number in range(1, 21)
        ]
        outcomes = await asyncio.gather(*adding, return_exceptions=True)

        jobs = ("job1", "job2")
        there = [endpoint for job in jobs for endpoint in await stores.endpoints.list(TENANT, job)]
        assert len(there) == 5
        assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 15


async def _add(stores: Stores, endpoint_id: str, *, endpoints_max: int, job_id: str = "job1") -> None:
    endpoint = an_endpoint(id=endpoint_id, name=endpoint_id, job_id=job_id)
    await stores.endpoints.add(endpoint, start, endpoints_max)


def _archive(endpoint: JobEndpoint, _job: Job, stored: Stored) -> Change:
    return Change(endpoint=replace(endpoint, archived_at=stored.now))


def _unarchive(endpoint: JobEndpoint, _job: Job, _stored: Stored) -> Change:
    return Change(endpoint=replace(endpoint, archived_at=None))
