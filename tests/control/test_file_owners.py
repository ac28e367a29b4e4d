"""Whose the fields of jobs and endpoints are, and what becomes of an edit of them."""

from dataclasses import replace

import pytest

from cronicorn.control.document import EndpointPatch, IntervalHintDocument, JobPatch
from cronicorn.control.file_owners import FileOwner, edit_warnings
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import ForbiddenError
from cronicorn.domain.permission import Permission
from tests.control.test_apply import a_world
from tests.control.world import ALICE, BOB, World

STOCK = {
    "name": "stock", "url": "https://shop.example/stock", "baselineIntervalMs": 60_000, "headersJson": {"Accept": "x"},
    "retries": {"retryCount": 2},
}  # fmt: skip


async def applied(world: World, name: str = "shop", **fields: object) -> None:
    endpoint = STOCK | fields
    document = {"set": name, "jobs": [{"name": "shop", "description": "The shop", "endpoints": [endpoint]}]}
    await world.control.files.apply(ALICE, document)


async def only_endpoint(world: World) -> JobEndpoint:
    (job, _), *_ = await world.control.jobs.list(ALICE)
    (view,) = await world.control.endpoints.list(ALICE, job.id)
    return view.endpoint


async def edited(world: World, **fields: object) -> None:
    endpoint = await only_endpoint(world)
    await world.control.endpoints.edit(ALICE, endpoint.id, EndpointPatch.model_validate(fields))


async def owners(world: World) -> tuple[FileOwner, ...]:
    return await world.control.file_owners.of_endpoint(ALICE, await only_endpoint(world))


async def test_a_set_owns_the_fields_that_its_files_name_until_it_names_them_no_longer() -> None:
    world = a_world()
    await applied(world)
    first = await owners(world)
    await applied(world, headersJson=None)

    fields = ("baseline", "headersJson/accept", "name", "retries/retryCount", "url")
    assert first == (FileOwner(file_set="shop", made=True, fields=fields, edited=()),)
    assert [each.fields for each in await owners(world)] == [("baseline", "name", "retries/retryCount", "url")]


async def test_an_edit_of_a_field_that_a_set_owns_is_told_until_both_say_the_same_and_others_never_are() -> None:
    world = a_world()
    await applied(world)
    await edited(world, baselineCron="0 3 * * *", headersJson={"accept": "y"}, timeoutMs=5_000)
    document = IntervalHintDocument.model_validate({"intervalMs": 45_000, "ttlMinutes": 60, "reason": "watch it"})
    await world.control.hints.write_interval(ALICE, (await only_endpoint(world)).id, document)
    told = await owners(world)
    await edited(world, baselineIntervalMs=60_000, headersJson={"Accept": "x"})

    assert [each.edited for each in told] == [("baseline", "headersJson/accept")]
    assert [each.pointer for each in edit_warnings(told)] == ["/baseline", "/headersJson/accept"]
    assert "file set shop" in edit_warnings(told)[0].message
    assert [each.edited for each in await owners(world)] == [()]


async def test_of_several_sets_each_is_told_and_what_one_archived_itself_is_not_its_own_any_more() -> None:
    world = a_world()
    await applied(world)
    endpoint = {"name": "stock", "url": STOCK["url"], "timeoutMs": 5_000}
    more = {"set": "limits", "jobs": [{"name": "shop", "endpoints": [endpoint]}]}
    await world.control.files.apply(ALICE, more)
    both = await owners(world)
    await world.control.endpoints.delete(ALICE, (await only_endpoint(world)).id)
    await applied(world)
    await world.control.files.apply(ALICE, {"set": "shop", "jobs": [{"name": "shop", "endpoints": []}]}, prune=True)

    assert [(each.file_set, each.made) for each in both] == [("limits", False), ("shop", True)]
    assert both[0].fields == ("name", "timeoutMs", "url")
    assert await owners(world) == ()


async def test_a_job_is_owned_too_and_nothing_of_it_is_told_to_whoever_may_not_look_or_is_of_another_tenant() -> None:
    world = a_world()
    await applied(world)
    job = (await world.control.jobs.list(ALICE))[0][0]
    await world.control.jobs.edit(ALICE, job.id, JobPatch(description="mine"))
    job = await world.control.jobs.get(ALICE, job.id)

    (owner,) = await world.control.file_owners.of_job(ALICE, job)
    nobody = replace(ALICE, permissions=ALICE.permissions - {Permission.JOBS_READ})

    assert (owner.fields, owner.edited) == (("description", "name"), ("description",))
    assert await world.control.file_owners.of_job(BOB, job) == ()
    assert await world.control.file_owners.of_endpoint(BOB, await only_endpoint(world)) == ()
    with pytest.raises(ForbiddenError):
        await world.control.file_owners.of_endpoint(nobody, await only_endpoint(world))
