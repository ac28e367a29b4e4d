"""The promises of `FileSetBook`, and of writing through many ports at once."""

import asyncio
from dataclasses import replace

import pytest

from cronicorn.domain.errors import ConflictError, NotFoundError, PreconditionFailedError
from cronicorn.domain.filing.file_set import EndpointName, FileSet, Managed, ManagedPart
from cronicorn.domain.fixtures import MIDNIGHT, a_job, an_endpoint
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.testing.contracts.stores import OTHER_TENANT, TENANT, Stores, StoresContract, endpoint_of, plant, start

ODD = "ünïcode 🙂 /\\ \"'"
FULL = FileSet(
    jobs={ODD: Managed(id="job1", made=True, removed=True, fields={"description": "ab"})},
    endpoints={EndpointName(ODD, "stock"): Managed(id="ep1", made=False, fields={"headersJson/x": "cd", ODD: ""})},
    alerts={"alert rules": ManagedPart(fingerprint="ef"), ODD: ManagedPart(fingerprint="gh", made=ODD)},
)


class FileSetBookContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_set_is_kept_whole_and_apart_from_others(self, stores: Stores) -> None:
        await _with_tenants(stores)

        await stores.file_sets.put(TENANT, ODD, FULL)
        await stores.file_sets.put(TENANT, "empty", FileSet())
        await stores.file_sets.put(OTHER_TENANT, ODD, FileSet())

        kept = await stores.file_sets.all(TENANT)
        assert kept == {ODD: _in_revision(FULL, 1), "empty": FileSet(revision=1)}
        assert await stores.file_sets.all("nobody") == {}

    async def test_only_whoever_read_the_last_revision_may_write_the_next(self, stores: Stores) -> None:
        await _with_tenants(stores)
        await stores.file_sets.put(TENANT, "shop", FileSet())

        for revision in (0, 2):
            with pytest.raises(PreconditionFailedError):
                await stores.file_sets.put(TENANT, "shop", _in_revision(FULL, revision))
        await stores.file_sets.put(TENANT, "shop", _in_revision(FULL, 1))

        assert await stores.file_sets.all(TENANT) == {"shop": _in_revision(FULL, 2)}

    async def test_of_many_who_write_at_once_one_wins(self, stores: Stores) -> None:
        await _with_tenants(stores)

        told = await asyncio.gather(
            *(stores.file_sets.put(TENANT, "shop", FileSet()) for _ in range(8)), return_exceptions=True
        )

        assert sum(isinstance(each, PreconditionFailedError) for each in told) == 7
        assert await stores.file_sets.all(TENANT) == {"shop": FileSet(revision=1)}

    async def test_what_sets_say_of_one_thing_is_found_by_its_id_among_all(self, stores: Stores) -> None:
        await _with_tenants(stores)
        other = Managed(id="ep1", made=True, fields={"url": "ij"})
        for tenant_id, name, managed in (
            (TENANT, ODD, FULL),
            (TENANT, "shop", FileSet(endpoints={EndpointName("shop", "stock"): other})),
            (TENANT, "name", FileSet(jobs={'{"job":"ep1","id":"ep1"': Managed(id="ep12", made=True)})),
            (TENANT, "odd", FileSet(jobs={"ep1": Managed(id=ODD, made=True), ODD: Managed(id="ep11", made=True)})),
            (OTHER_TENANT, "theirs", FileSet(endpoints={EndpointName("shop", "stock"): other})),
        ):
            await stores.file_sets.put(tenant_id, name, managed)

        found = {thing: await stores.file_sets.about(TENANT, thing) for thing in ("ep1", "job1", ODD, "ep", "", "shop")}

        assert found == {
            "ep1": {ODD: FULL.endpoints[EndpointName(ODD, "stock")], "shop": other},
            "job1": {ODD: FULL.jobs[ODD]},
            ODD: {"odd": Managed(id=ODD, made=True)},
            "ep": {}, "": {}, "shop": {},
        }  # fmt: skip

    async def test_there_is_no_set_of_a_tenant_that_is_not_there(self, stores: Stores) -> None:
        with pytest.raises(NotFoundError):
            await stores.file_sets.put("nobody", "shop", FileSet())

    async def test_what_is_written_together_is_seen_inside_at_once_and_stays(self, stores: Stores) -> None:
        await _with_tenants(stores)

        async def work(joined: Stores) -> str:
            await plant(joined, "ep1")
            with pytest.raises(ConflictError):  # One piece that fails takes only itself back.
                await joined.endpoints.add(an_endpoint(id="ep1"), start)
            await joined.file_sets.put(TENANT, "shop", FULL)
            return (await endpoint_of(joined)).id

        assert await stores.together(work) == "ep1"

        assert (await endpoint_of(stores)).id == "ep1"
        assert await stores.file_sets.all(TENANT) == {"shop": _in_revision(FULL, 1)}
        assert len(await stores.jobs.list(TENANT)) == 1

    async def test_of_what_is_written_together_nothing_stays_when_the_last_piece_fails(self, stores: Stores) -> None:
        await _with_tenants(stores)

        async def work(joined: Stores) -> None:
            await plant(joined, "ep1")
            await joined.file_sets.put(TENANT, "shop", FULL)
            await joined.file_sets.put(TENANT, "shop", FULL)

        with pytest.raises(PreconditionFailedError):
            await stores.together(work)

        assert await stores.jobs.list(TENANT) == []
        assert await stores.file_sets.all(TENANT) == {}
        await plant(stores, "ep1")
        assert (await endpoint_of(stores)).id == "ep1"

    async def test_whoever_is_cancelled_in_the_middle_leaves_nothing_and_lets_others_write(
        self, stores: Stores
    ) -> None:
        await _with_tenants(stores)
        written, never = asyncio.Event(), asyncio.Event()

        async def work(joined: Stores) -> None:
            await joined.jobs.add(a_job())
            written.set()
            await never.wait()

        task = asyncio.ensure_future(stores.together(work))
        await written.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await plant(stores, "ep1")
        assert [job.id for job, _ in await stores.jobs.list(TENANT)] == ["job1"]

    async def test_many_who_write_together_come_one_after_the_other(self, stores: Stores) -> None:
        await _with_tenants(stores)

        async def work(joined: Stores) -> None:
            known = (await joined.file_sets.all(TENANT)).get("shop", FileSet())
            await joined.jobs.add(a_job(id=f"job{known.revision}"))
            await joined.file_sets.put(TENANT, "shop", known)

        told = await asyncio.gather(*(stores.together(work) for _ in range(4)), return_exceptions=True)

        won = sum(each is None for each in told)
        assert won >= 1
        assert all(each is None or isinstance(each, ConflictError) for each in told)
        assert len(await stores.jobs.list(TENANT)) == won
        assert (await stores.file_sets.all(TENANT))["shop"].revision == won


def _in_revision(managed: FileSet, revision: int) -> FileSet:
    return replace(managed, revision=revision)


async def _with_tenants(stores: Stores) -> None:
    for tenant_id in (TENANT, OTHER_TENANT):
        key = ApiKey(id=f"k{tenant_id}", tenant_id=tenant_id, prefix="ck_", hash=tenant_id, created_at=MIDNIGHT)
        await stores.keys.add_tenant(Tenant(id=tenant_id, name=tenant_id, created_at=MIDNIGHT), key)
