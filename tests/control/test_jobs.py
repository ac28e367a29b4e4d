"""Jobs."""

import pytest

from cronicorn.control.document import JobDocument, JobPatch
from cronicorn.domain.endpoint import JobStatus
from cronicorn.domain.errors import InvalidInputError, NotFoundError
from tests.control.world import ALICE, BOB, a_world


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": " "}, "/name"),
        ({"name": "x" * 256}, "/name"),
        ({"name": "a", "description": "x" * 1_001}, "/description"),
        ({"name": "a\x00"}, "/name"),
    ],
)
async def test_a_job_that_cant_be_named_is_refused(fields: dict[str, str], pointer: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        await a_world().control.jobs.create(ALICE, JobDocument.model_validate(fields))

    assert [fault.pointer for fault in refusal.value.fields] == [pointer]


async def test_a_patch_changes_what_it_gives() -> None:
    world = a_world()
    job = await world.control.jobs.create(ALICE, JobDocument.model_validate({"name": "a", "description": "b"}))

    renamed = await world.control.jobs.edit(ALICE, job.id, JobPatch.model_validate({"name": "c"}))
    cleared = await world.control.jobs.edit(ALICE, job.id, JobPatch.model_validate({"description": None}))

    assert (renamed.name, renamed.description) == ("c", "b")
    assert (cleared.name, cleared.description) == ("c", None)


async def test_an_archived_job_comes_back_whole() -> None:
    world = a_world()
    job_id = await world.job()

    archived = await world.control.jobs.move(ALICE, job_id, JobStatus.ARCHIVED)
    back = await world.control.jobs.move(ALICE, job_id, JobStatus.ACTIVE)

    assert archived.archived_at == world.clock.now()
    assert (back.status, back.archived_at) == (JobStatus.ACTIVE, None)


async def test_an_archived_job_cant_be_paused() -> None:
    world = a_world()
    job_id = await world.job()
    await world.control.jobs.move(ALICE, job_id, JobStatus.ARCHIVED)

    with pytest.raises(InvalidInputError, match="archived"):
        await world.control.jobs.move(ALICE, job_id, JobStatus.PAUSED)


async def test_pausing_a_job_does_not_bring_back_its_archived_endpoints() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await world.control.endpoints.archive(ALICE, endpoint.id)

    await world.control.jobs.move(ALICE, endpoint.job_id, JobStatus.PAUSED)
    await world.control.jobs.move(ALICE, endpoint.job_id, JobStatus.ACTIVE)

    stored = await world.now_stored(endpoint)
    assert stored.archived_at is not None
    assert await world.next_run_at(endpoint) is None


async def test_a_tenant_sees_only_its_own_jobs() -> None:
    world = a_world()
    job_id = await world.job(ALICE)

    assert await world.control.jobs.list(BOB) == []
    for asking in (
        world.control.jobs.get(BOB, job_id),
        world.control.jobs.edit(BOB, job_id, JobPatch()),
        world.control.jobs.move(BOB, job_id, JobStatus.ARCHIVED),
    ):
        with pytest.raises(NotFoundError):
            await asking
