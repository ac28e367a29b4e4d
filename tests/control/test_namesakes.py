"""Endpoints of one job with the same name: allowed, and noticed."""

from typing import Any

from cronicorn.control import namesakes
from cronicorn.control.document import EndpointDocument, EndpointPatch, JobDocument
from cronicorn.domain.endpoint import Job, JobEndpoint, JobStatus
from tests.control.world import ALICE, World, a_world


async def created(world: World, job_id: str, **fields: Any) -> list[str]:
    """Where the warnings about a new endpoint point."""
    fields = {"name": "stock", "url": "https://shop.example/stock", "dormant": True} | fields
    view = await world.control.endpoints.create(ALICE, job_id, EndpointDocument.model_validate(fields))
    return [warning.pointer for warning in view.warnings]


async def read(world: World, endpoint: JobEndpoint) -> list[str]:
    """Where the warnings about a stored endpoint point."""
    return [warning.pointer for warning in (await world.control.endpoints.get(ALICE, endpoint.id)).warnings]


async def edited(world: World, endpoint: JobEndpoint, **fields: Any) -> list[str]:
    view = await world.control.endpoints.edit(ALICE, endpoint.id, EndpointPatch.model_validate(fields))
    return [warning.pointer for warning in view.warnings]


async def test_a_second_endpoint_of_a_name_is_made_with_a_warning() -> None:
    world = a_world()
    job = await world.job()

    first = await created(world, job)
    second = await created(world, job)

    assert (first, second) == ([], ["/name"])


async def test_a_second_job_of_a_name_is_told_of_unless_one_is_archived_or_there_are_too_many(monkeypatch) -> None:
    world = a_world()
    first, second = [await world.control.jobs.create(ALICE, JobDocument(name="shop")) for _ in range(2)]

    async def told(job: Job) -> list[str]:
        return [warning.pointer for warning in await world.control.jobs.warnings(ALICE, job)]

    both = [await told(job) for job in (first, second)]
    monkeypatch.setattr(namesakes, "COMPARED_MAX", 1)
    many = await told(second)
    monkeypatch.undo()
    archived = await world.control.jobs.move(ALICE, first.id, JobStatus.ARCHIVED)
    after = [await told(job) for job in (archived, second)]

    assert (both, many, after) == ([["/name"], ["/name"]], [], [[], []])


async def test_both_of_them_carry_the_warning_until_one_is_renamed() -> None:
    world = a_world()
    first = await world.endpoint()
    second = await world.endpoint(jobId=first.job_id)

    before = [await read(world, endpoint) for endpoint in (first, second)]
    kept = await edited(world, first, description="The first")
    renamed = await edited(world, first, name="other")
    after = [await read(world, endpoint) for endpoint in (first, second)]

    assert (before, kept, renamed, after) == ([["/name"], ["/name"]], ["/name"], [], [[], []])


async def test_an_endpoint_that_takes_the_name_of_another_is_warned_of() -> None:
    world = a_world()
    first = await world.endpoint()
    second = await world.endpoint(jobId=first.job_id, name="other")

    assert await edited(world, second, name="stock") == ["/name"]


async def test_archived_namesakes_and_those_of_other_jobs_do_not_count() -> None:
    world = a_world()
    first = await world.endpoint()
    await world.endpoint()
    await world.control.endpoints.archive(ALICE, first.id)

    second = await created(world, first.job_id)

    assert second == []
    assert await read(world, first) == []


async def test_in_a_large_job_no_names_are_compared(monkeypatch) -> None:
    monkeypatch.setattr(namesakes, "COMPARED_MAX", 1)
    world = a_world()
    job = await world.job()

    noticed = [await created(world, job) for _ in range(4)]

    assert noticed == [[], ["/name"], [], []]
