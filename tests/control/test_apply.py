"""Applying a file."""

from datetime import timedelta
from typing import Any

import pytest

from cronicorn.control.difference import Applied, Deed
from cronicorn.control.document import EndpointPatch, IntervalHintDocument
from cronicorn.domain.compilation.draft import DraftStatus
from cronicorn.domain.endpoint import CatchUp, CatchUpMode, RetryPolicy
from cronicorn.domain.errors import ConflictError, InvalidInputError
from cronicorn.domain.masking import MASK
from cronicorn.domain.policy.text import policy_document
from tests.control.drafts_by_hand import SURGE
from tests.control.world import ALICE, BOB, World, a_world


def a_file(**fields: Any) -> dict[str, Any]:
    endpoint = {"name": "stock", "url": "https://shop.example/stock", "baselineIntervalMs": 60_000} | fields
    return {"jobs": [{"name": "shop", "description": "The shop", "endpoints": [endpoint]}]}


async def applied(world: World, document: object, *, dry_run: bool = False) -> Applied:
    return await world.control.files.apply(ALICE, document, dry_run=dry_run)


def deeds(outcome: Applied) -> list[Deed]:
    return [difference.deed for difference in outcome.differences]


async def test_a_file_is_applied_once() -> None:
    world = a_world()

    first = await applied(world, a_file())
    second = await applied(world, a_file())

    assert deeds(first) == [Deed.CREATED, Deed.CREATED]
    assert deeds(second) == [Deed.UNCHANGED, Deed.UNCHANGED]
    assert [(job.name, count) for job, count in await world.control.jobs.list(ALICE)] == [("shop", 1)]


async def test_a_change_is_told_field_by_field() -> None:
    world = a_world()
    await applied(world, a_file(headersJson={"X-Api-Key": "one"}, bodyJson={"a": 1}, method="POST"))
    document = a_file(headersJson={"X-Api-Key": "two"}, bodyJson={"a": True}, baselineIntervalMs=30_000, method="POST")

    outcome = await applied(world, document)

    changes = {change.field: (change.before, change.after) for change in outcome.differences[1].changes}
    assert changes == {
        "baselineIntervalMs": (60_000, 30_000),
        "headersJson": ({"X-Api-Key": MASK}, {"X-Api-Key": MASK}),
        "bodyJson": ({"a": 1}, {"a": True}),
    }


async def test_the_compile_mode_is_applied_also_as_yaml_reads_it() -> None:
    world = a_world()
    await applied(world, a_file(compile="auto"))

    outcome = await applied(world, a_file(compile=False))

    changes = {change.field: (change.before, change.after) for change in outcome.differences[1].changes}
    assert changes == {"compile": ("auto", "off")}
    assert deeds(await applied(world, a_file(compile="off"))) == [Deed.UNCHANGED, Deed.UNCHANGED]
    with pytest.raises(InvalidInputError, match="compile"):
        await applied(world, a_file(compile=True))


async def test_of_an_object_only_the_members_that_change_are_told() -> None:
    world = a_world()
    headers = {"X-Api-Key": "one", "X-Region": "eu"}
    await applied(world, a_file(retries={"retryCount": 2, "minBackoffMs": 1_000}, headersJson=headers))
    document = a_file(retries={"retryCount": 2, "minBackoffMs": 2_000}, headersJson=headers | {"X-Api-Key": "two"})

    outcome = await applied(world, document)

    changes = {change.field: (change.before, change.after) for change in outcome.differences[1].changes}
    assert changes == {
        "retries": ({"minBackoffMs": 1_000}, {"minBackoffMs": 2_000}),
        "headersJson": ({"X-Api-Key": MASK}, {"X-Api-Key": MASK}),
    }


async def test_an_anchor_is_told_only_when_the_file_gives_it() -> None:
    world = a_world()
    await applied(world, a_file())

    without = await applied(world, a_file(baselineIntervalMs=30_000, anchorAt=None))
    given = await applied(world, a_file(baselineIntervalMs=30_000, anchorAt="2026-01-01T00:00:07Z"))

    assert [change.field for change in without.differences[1].changes] == ["baselineIntervalMs"]
    assert [change.field for change in given.differences[1].changes] == ["anchorAt"]


async def test_a_null_anchor_changes_nothing_when_applied_again() -> None:
    world = a_world()
    await applied(world, a_file(anchorAt=None))
    world.clock.move(seconds=7)

    assert deeds(await applied(world, a_file(anchorAt=None))) == [Deed.UNCHANGED, Deed.UNCHANGED]


async def test_a_dry_run_tells_and_does_nothing() -> None:
    world = a_world()

    outcome = await applied(world, a_file(), dry_run=True)

    assert deeds(outcome) == [Deed.CREATED, Deed.CREATED]
    assert await world.control.jobs.list(ALICE) == []


async def test_what_a_file_leaves_out_is_the_default() -> None:
    world = a_world()
    await applied(world, a_file(timeoutMs=5_000, maxIntervalMs=90_000))

    await applied(world, a_file())

    ((job, _),) = await world.control.jobs.list(ALICE)
    (view,) = await world.control.endpoints.list(ALICE, job.id)
    assert (view.endpoint.request.timeout, view.endpoint.interval_max) == (timedelta(seconds=30), None)


async def test_what_a_file_leaves_out_of_an_object_is_the_default_too() -> None:
    world = a_world()
    retries = {"retryCount": 3, "minBackoffMs": 10_000, "maxDoublings": 2}
    await applied(world, a_file(retries=retries, catchUp={"mode": "all", "maxRuns": 5, "windowMs": 60_000}))

    await applied(world, a_file(retries={"retryCount": 3}, catchUp={"mode": "all"}))

    ((job, _),) = await world.control.jobs.list(ALICE)
    (view,) = await world.control.endpoints.list(ALICE, job.id)
    assert view.endpoint.retries == RetryPolicy(count=3)
    assert view.endpoint.catch_up == CatchUp(mode=CatchUpMode.ALL)


async def test_a_file_does_not_touch_hints_failures_or_the_phase() -> None:
    world = a_world()
    await applied(world, a_file())
    ((job, _),) = await world.control.jobs.list(ALICE)
    (view,) = await world.control.endpoints.list(ALICE, job.id)
    hint = IntervalHintDocument.model_validate({"intervalMs": 5_000})
    await world.control.hints.write_interval(ALICE, view.endpoint.id, hint)
    world.clock.move(seconds=1)

    await applied(world, a_file(description="New"))

    stored = await world.now_stored(view.endpoint)
    assert (len(stored.state.hints), stored.baseline.anchor_at) == (1, view.endpoint.baseline.anchor_at)


async def test_a_one_time_endpoint_can_be_applied_again_when_its_time_has_passed() -> None:
    world = a_world()
    document = a_file(baselineIntervalMs=None, onceAt="2026-01-01T00:01:00Z")
    await applied(world, document)
    world.clock.move(minutes=5)

    outcome = await applied(world, document)

    assert deeds(outcome) == [Deed.UNCHANGED, Deed.UNCHANGED]


async def test_everything_wrong_with_a_file_is_told_and_nothing_is_written() -> None:
    world = a_world()
    document = {
        "jobs": [
            {"name": "a", "endpoints": [{"name": "x", "url": "ftp://x", "dormant": True}, {"name": "x"}]},
            {"name": "a"},
            {"name": "b", "endpoints": [{"name": "y", "url": "https://y.example", "baselineIntervalMs": 5}]},
        ]
    }

    with pytest.raises(InvalidInputError) as refusal:
        await applied(world, document)

    assert {fault.pointer for fault in refusal.value.fields} == {
        "/jobs/0/endpoints/0/url", "/jobs/0/endpoints/1/name", "/jobs/0/endpoints/1/url", "/jobs/0/endpoints/1",
        "/jobs/1/name", "/jobs/2/endpoints/0/baselineIntervalMs",
    }  # fmt: skip
    assert await world.control.jobs.list(ALICE) == []


@pytest.mark.parametrize("document", [None, [], 1, "jobs", {}, {"jobs": {}}, {"jobs": [1]}, {"jobs": [{1: 2}]}])
async def test_what_is_no_file_is_refused(document: object) -> None:
    with pytest.raises(InvalidInputError):
        await applied(a_world(), document)


async def test_names_that_are_not_unique_are_refused() -> None:
    world = a_world()
    await world.job(name="shop")
    await world.job(name="shop")

    with pytest.raises(InvalidInputError, match="2 have this name"):
        await applied(world, a_file())


async def test_an_archived_namesake_is_passed_over() -> None:
    world = a_world()
    await applied(world, a_file())
    ((job, _),) = await world.control.jobs.list(ALICE)
    (view,) = await world.control.endpoints.list(ALICE, job.id)
    await world.control.endpoints.archive(ALICE, view.endpoint.id)

    outcome = await applied(world, a_file())

    assert deeds(outcome) == [Deed.UNCHANGED, Deed.CREATED]


async def test_tenants_do_not_share_names() -> None:
    world = a_world()
    await applied(world, a_file())

    outcome = await world.control.files.apply(BOB, a_file())

    assert deeds(outcome) == [Deed.CREATED, Deed.CREATED]


async def test_an_edit_by_another_door_is_put_right() -> None:
    world = a_world()
    await applied(world, a_file())
    ((job, _),) = await world.control.jobs.list(ALICE)
    (view,) = await world.control.endpoints.list(ALICE, job.id)
    await world.control.endpoints.edit(
        ALICE, view.endpoint.id, EndpointPatch.model_validate({"baselineCron": "0 * * * *"})
    )

    outcome = await applied(world, a_file())

    assert [change.field for change in outcome.differences[1].changes] == ["baselineCron", "baselineIntervalMs"]
    assert deeds(await applied(world, a_file())) == [Deed.UNCHANGED, Deed.UNCHANGED]


async def with_an_active_draft(world: World) -> tuple[str, str]:
    """The ids of the endpoint of `a_file` and of the draft that its policy came of."""
    await applied(world, a_file(description="Look more often while errors are high."))
    ((job, _),) = await world.control.jobs.list(ALICE)
    (view,) = await world.control.endpoints.list(ALICE, job.id)
    draft = (await world.control.drafts.make(ALICE, view.endpoint.id)).draft
    await world.control.drafts.activate(ALICE, view.endpoint.id, draft.id)
    return view.endpoint.id, draft.id


async def test_a_file_that_names_no_policy_leaves_the_one_that_came_of_a_draft() -> None:
    world = a_world()
    endpoint_id, draft_id = await with_an_active_draft(world)

    again = await applied(world, a_file(description="Look more often while errors are high."))
    await applied(world, a_file(description="Look more often while errors are high.", baselineIntervalMs=30_000))

    view = await world.control.drafts.get(ALICE, endpoint_id, draft_id)
    assert deeds(again) == [Deed.UNCHANGED, Deed.UNCHANGED]
    assert (view.draft.status, view.endpoint.policy) == (DraftStatus.ACTIVE, SURGE)
    assert view.endpoint.baseline.interval == timedelta(seconds=30)


async def test_a_file_removes_a_policy_that_came_of_a_draft_by_saying_so() -> None:
    world = a_world()
    endpoint_id, draft_id = await with_an_active_draft(world)

    tried = await applied(world, a_file(policy=None, description="Look more often."), dry_run=True)
    await applied(world, a_file(policy=None, description="Look more often."))

    view = await world.control.drafts.get(ALICE, endpoint_id, draft_id)
    (listed,) = await world.control.drafts.list(ALICE, endpoint_id)
    assert {change.field for change in tried.differences[1].changes} == {"policy", "description"}
    assert view.endpoint.policy is None
    assert (view.draft.status, listed.status) == (DraftStatus.SUPERSEDED, DraftStatus.SUPERSEDED)
    with pytest.raises(ConflictError, match="is superseded"):
        await world.control.drafts.activate(ALICE, endpoint_id, draft_id)


async def test_a_file_without_a_policy_still_removes_one_that_a_file_wrote() -> None:
    world = a_world()
    await applied(world, a_file(policy=policy_document(SURGE)))

    outcome = await applied(world, a_file())

    assert [change.field for change in outcome.differences[1].changes] == ["policy"]
