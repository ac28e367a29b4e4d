"""What a patch makes of an endpoint."""

from datetime import timedelta
from typing import Any

import pytest

from cronicorn.control.document import EndpointPatch
from cronicorn.domain.endpoint import BaselineKind, CatchUpMode, JobEndpoint, JobStatus
from cronicorn.domain.errors import InvalidInputError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.masking import MASK
from tests.control.world import ALICE, BOB, World, a_world

MINUTE = timedelta(minutes=1)


async def patched(world: World, endpoint: JobEndpoint, **fields: Any) -> JobEndpoint:
    patch = EndpointPatch.model_validate(fields)
    return (await world.control.endpoints.edit(ALICE, endpoint.id, patch)).endpoint


async def test_a_new_interval_is_anchored_where_it_was_created() -> None:
    world = a_world()
    world.clock.move(seconds=7.0005)

    endpoint = await world.endpoint()

    assert endpoint.baseline.anchor_at == MIDNIGHT + timedelta(seconds=7)
    assert endpoint.state.plan is not None
    assert endpoint.state.plan.next_run_at == MIDNIGHT + timedelta(seconds=67)


async def test_an_anchor_can_be_given() -> None:
    world = a_world()

    endpoint = await world.endpoint(anchorAt="2025-12-31T23:59:30Z")

    assert await world.next_run_at(endpoint) == MIDNIGHT + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("fields", "anchored_s"),
    [
        ({"baselineIntervalMs": 90_000}, 20),
        ({"baselineIntervalMs": 60_000}, 0),
        ({"name": "other"}, 0),
        ({"anchorAt": None}, 20),
        ({"baselineIntervalMs": 90_000, "anchorAt": "2026-01-01T00:00:05Z"}, 5),
    ],
)
async def test_only_a_new_interval_moves_the_anchor(fields: dict[str, Any], anchored_s: int) -> None:
    world = a_world()
    endpoint = await world.endpoint()
    world.clock.move(seconds=20)

    endpoint = await patched(world, endpoint, **fields)

    assert endpoint.baseline.anchor_at == MIDNIGHT + timedelta(seconds=anchored_s)


async def test_one_kind_of_baseline_replaces_another() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    cron = await patched(world, endpoint, baselineCron="*/5 * * * *")
    dormant = await patched(world, endpoint, dormant=True)
    once = await patched(world, endpoint, onceAt="2026-02-01T00:00:00Z")
    interval = await patched(world, endpoint, baselineIntervalMs=5_000)

    kinds = [changed.baseline.kind for changed in (cron, dormant, once, interval)]
    assert kinds == [BaselineKind.CRON, BaselineKind.DORMANT, BaselineKind.ONCE, BaselineKind.INTERVAL]
    assert (cron.baseline.interval, cron.baseline.anchor_at) == (None, None)
    assert (interval.baseline.cron, interval.baseline.once_at, interval.baseline.dormant) == (None, None, False)


async def test_null_takes_a_field_back_to_its_default() -> None:
    world = a_world()
    endpoint = await world.endpoint(
        description="d", minIntervalMs=1_000, maxIntervalMs=90_000, headersJson={"A": "b"}, bodyJson={"a": 1},
        timeoutMs=1_500, successStatuses=["404"], catchUp={"mode": "all", "maxRuns": 5}, retries={"retryCount": 3},
        timezone="Europe/Berlin", windowMs=5_000, overlap="buffer_one", method="POST",
    )  # fmt: skip
    plain = await world.endpoint(method="POST")

    cleared = await patched(
        world, endpoint, description=None, minIntervalMs=None, maxIntervalMs=None, headersJson=None, bodyJson=None,
        timeoutMs=None, successStatuses=None, catchUp=None, retries=None, timezone=None, windowMs=None, overlap=None,
    )  # fmt: skip

    for name in ("request", "baseline", "interval_min", "interval_max", "catch_up", "overlap", "retries", "success"):
        assert getattr(cleared, name) == getattr(plain, name)


async def test_a_part_of_a_policy_can_be_changed_alone() -> None:
    world = a_world()
    endpoint = await world.endpoint(catchUp={"mode": "all", "maxRuns": 5, "windowMs": 9_000})

    endpoint = await patched(world, endpoint, catchUp={"maxRuns": 6})

    assert (endpoint.catch_up.mode, endpoint.catch_up.runs_max) == (CatchUpMode.ALL, 6)
    assert endpoint.catch_up.window == timedelta(seconds=9)


@pytest.mark.parametrize("name", ["name", "url"])
async def test_what_is_required_cant_be_cleared(name: str) -> None:
    world = a_world()
    endpoint = await world.endpoint()

    with pytest.raises(InvalidInputError, match=f"/{name}"):
        await patched(world, endpoint, **{name: None})


async def test_the_last_baseline_cant_be_cleared() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    with pytest.raises(InvalidInputError, match="Say when to run"):
        await patched(world, endpoint, baselineIntervalMs=None)


async def test_a_mask_that_is_sent_back_does_not_replace_the_credential() -> None:
    world = a_world()
    endpoint = await world.endpoint(headersJson={"Authorization": "Bearer abc", "X-Region": "eu"})

    endpoint = await patched(world, endpoint, headersJson={"Authorization": MASK, "X-Region": "us"})

    assert endpoint.request.headers == (("Authorization", "Bearer abc"), ("X-Region", "us"))


async def test_a_patch_that_changes_nothing_leaves_the_version() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    same = await patched(world, endpoint, name="stock", baselineIntervalMs=60_000)
    other = await patched(world, endpoint, name="other")

    assert (same.version, other.version) == (1, 2)


async def test_an_endpoint_is_found_only_in_its_own_job() -> None:
    world = a_world()
    endpoint, other_job = await world.endpoint(), await world.job()
    endpoints = world.control.endpoints

    for asking in (
        endpoints.get(ALICE, endpoint.id, other_job),
        endpoints.edit(ALICE, endpoint.id, EndpointPatch(), other_job),
        endpoints.archive(ALICE, endpoint.id, other_job),
        endpoints.delete(ALICE, endpoint.id, other_job),
        endpoints.get(BOB, endpoint.id),
    ):
        with pytest.raises(NotFoundError):
            await asking


async def test_an_archived_endpoint_is_not_planned_until_it_comes_back() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    await world.control.endpoints.archive(ALICE, endpoint.id)
    while_archived = await world.next_run_at(endpoint)
    world.clock.move(seconds=90)
    await world.control.endpoints.archive(ALICE, endpoint.id, archived=False)

    assert while_archived is None
    assert await world.next_run_at(endpoint) == MIDNIGHT + 2 * MINUTE


async def test_an_endpoint_of_a_paused_job_waits_and_one_of_an_archived_job_is_refused() -> None:
    world = a_world()
    job_id = await world.job()

    await world.control.jobs.move(ALICE, job_id, JobStatus.PAUSED)
    endpoint = await world.endpoint(jobId=job_id)
    await world.control.jobs.move(ALICE, job_id, JobStatus.ARCHIVED)

    assert await world.next_run_at(endpoint) is None
    with pytest.raises(InvalidInputError, match="archived"):
        await world.endpoint(jobId=job_id)
