"""Applying a file."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from cronicorn.adapters.memory.file_sets import MemoryFileSets
from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.control.difference import Applied, Deed
from cronicorn.control.document import EndpointDocument, EndpointPatch, IntervalHintDocument
from cronicorn.domain.compilation.draft import DraftStatus
from cronicorn.domain.endpoint import CatchUp, CatchUpMode, JobStatus, RetryPolicy
from cronicorn.domain.errors import ConflictError, InvalidInputError, UnavailableError
from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.masking import MASK
from cronicorn.domain.policy.text import policy_document
from tests.control.drafts_by_hand import SURGE
from tests.control.world import ALICE, BOB, World, peopled
from tests.control.world import a_world as an_empty_world


def a_world() -> World:
    return peopled(an_empty_world())


def a_file(**fields: Any) -> dict[str, Any]:
    endpoint = {"name": "stock", "url": "https://shop.example/stock", "baselineIntervalMs": 60_000} | fields
    return {"jobs": [{"name": "shop", "description": "The shop", "endpoints": [endpoint]}]}


async def applied(
    world: World, document: object, *, dry_run: bool = False, force: bool = False, prune: bool = False
) -> Applied:
    return await world.control.files.apply(ALICE, document, dry_run=dry_run, force=force, prune=prune)


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


async def test_an_archived_namesake_that_no_file_made_is_passed_over() -> None:
    world = a_world()
    job_id = await world.job(name="shop")
    made = await world.control.endpoints.create(
        ALICE, job_id, EndpointDocument.model_validate({"name": "stock", "url": "https://a.example", "dormant": True})
    )
    await world.control.endpoints.archive(ALICE, made.endpoint.id)

    outcome = await applied(world, a_file())

    assert deeds(outcome) == [Deed.UPDATED, Deed.CREATED]


async def test_tenants_do_not_share_names() -> None:
    world = a_world()
    await applied(world, a_file())

    outcome = await world.control.files.apply(BOB, a_file())

    assert deeds(outcome) == [Deed.CREATED, Deed.CREATED]


async def edited(world: World, **fields: Any) -> None:
    """Edit the endpoint of `a_file` as another door does."""
    ((job, _),) = await world.control.jobs.list(ALICE)
    (view,) = await world.control.endpoints.list(ALICE, job.id)
    await world.control.endpoints.edit(ALICE, view.endpoint.id, EndpointPatch.model_validate(fields))


async def test_a_field_that_the_file_names_and_that_was_edited_elsewhere_is_put_right_only_with_force() -> None:
    world = a_world()
    await applied(world, a_file(timeoutMs=5_000))
    await edited(world, baselineCron="0 * * * *", timeoutMs=9_000)

    shown = await applied(world, a_file(timeoutMs=5_000), dry_run=True)
    with pytest.raises(ConflictError) as refusal:
        await applied(world, a_file(timeoutMs=5_000))
    forced = await applied(world, a_file(timeoutMs=5_000), force=True)

    assert shown.conflicts == (
        "shop/stock: baseline was edited elsewhere since this set was applied",
        "shop/stock: timeoutMs was edited elsewhere since this set was applied",
    )
    assert str(refusal.value).startswith("\n".join(shown.conflicts))
    changes = {change.field for change in forced.differences[1].changes}
    assert changes == {"baselineCron", "baselineIntervalMs", "timeoutMs"}
    assert deeds(await applied(world, a_file(timeoutMs=5_000))) == [Deed.UNCHANGED, Deed.UNCHANGED]


async def test_what_the_file_does_not_name_is_nobodys_drift() -> None:
    world = a_world()
    await applied(world, a_file(retries={"retryCount": 2}, headersJson={"X-Region": "eu"}, signals={"health": False}))
    await edited(
        world,
        timeoutMs=9_000,
        retries={"minBackoffMs": 7_000},
        headersJson={"x-region": "eu", "X-Seen": "yes"},
        signals={"health": False, "eta": False},
    )

    document = a_file(retries={"retryCount": 4}, headersJson={"X-Region": "us"}, signals={"health": False})
    outcome = await applied(world, document)

    ((job, _),) = await world.control.jobs.list(ALICE)
    (view,) = await world.control.endpoints.list(ALICE, job.id)
    endpoint = view.endpoint
    assert {change.field for change in outcome.differences[1].changes} == {"retries", "headersJson"}
    assert endpoint.request.timeout == timedelta(seconds=9)
    assert (endpoint.retries.count, endpoint.retries.backoff_min) == (4, timedelta(seconds=7))
    assert dict(endpoint.request.headers) == {"X-Seen": "yes", "X-Region": "us"}
    assert {signal.value for signal in endpoint.signals.off} == {"health", "eta"}


async def test_a_field_named_no_longer_gets_its_default_unless_somebody_edited_it() -> None:
    world = a_world()
    whole = a_file(timeoutMs=5_000, maxIntervalMs=90_000, headersJson={"A": "1", "B": "2"}, retries={"retryCount": 2})
    await applied(world, whole)
    await edited(world, maxIntervalMs=120_000)

    outcome = await applied(world, a_file(headersJson={"A": "1"}))
    after = await applied(world, a_file(headersJson={"A": "1"}))

    ((job, _),) = await world.control.jobs.list(ALICE)
    (view,) = await world.control.endpoints.list(ALICE, job.id)
    endpoint = view.endpoint
    assert (endpoint.request.timeout, endpoint.retries) == (timedelta(seconds=30), RetryPolicy())
    assert dict(endpoint.request.headers) == {"A": "1"}
    assert endpoint.interval_max == timedelta(seconds=120)
    assert [warning.message.partition(" ")[0] for warning in outcome.warnings] == ["maxIntervalMs"]
    assert (after.changes, after.warnings) == (False, ())


async def test_what_was_set_before_any_file_came_needs_force_and_its_usual_values_do_not() -> None:
    world = a_world()
    job_id = await world.job(name="shop")
    document = {"name": "stock", "url": "https://shop.example/stock", "baselineIntervalMs": 30_000, "timeoutMs": 9_000}
    await world.control.endpoints.create(ALICE, job_id, EndpointDocument.model_validate(document))

    shown = await applied(world, a_file(timeoutMs=9_000, redirectsMax=3), dry_run=True)

    assert shown.conflicts == ("shop/stock: baseline was set elsewhere",)
    assert {change.field for change in shown.differences[1].changes} == {"baselineIntervalMs", "redirectsMax"}


async def test_two_sets_share_an_endpoint_field_by_field_and_quarrel_over_one() -> None:
    world = a_world()
    await applied(world, {"set": "team", **a_file()})
    theirs = {"name": "stock", "url": "https://shop.example/stock", "timeoutMs": 5_000}
    await applied(world, {"set": "platform", "jobs": [{"name": "shop", "endpoints": [theirs]}]})

    again = await applied(world, {"set": "team", **a_file()})
    quarrel = await applied(world, {"set": "team", **a_file(timeoutMs=6_000)}, dry_run=True)

    assert not again.changes
    assert quarrel.conflicts == ("shop/stock: timeoutMs is as the file set platform says",)


async def test_what_was_renamed_or_archived_elsewhere_is_not_made_a_second_time() -> None:
    world = a_world()
    await applied(world, a_file())
    await edited(world, name="inventory")

    renamed = await applied(world, a_file(), dry_run=True)
    await applied(world, a_file(), force=True)
    ((job, _),) = await world.control.jobs.list(ALICE)
    (view,) = await world.control.endpoints.list(ALICE, job.id)
    await world.control.endpoints.archive(ALICE, view.endpoint.id)
    archived = await applied(world, a_file(), dry_run=True)
    await world.control.jobs.move(ALICE, job.id, JobStatus.ARCHIVED)
    whole = await applied(world, a_file(), force=True)

    (back,) = await world.control.endpoints.list(ALICE, job.id)
    assert renamed.conflicts == ("shop/stock: name was edited elsewhere since this set was applied",)
    assert archived.conflicts == ("shop/stock: it was archived elsewhere",)
    assert deeds(whole) == [Deed.RESTORED, Deed.RESTORED]
    assert (back.endpoint.id, back.endpoint.name, back.endpoint.archived_at) == (view.endpoint.id, "stock", None)
    assert not (await applied(world, a_file())).changes


TWO = {
    "set": "shop",
    "jobs": [
        *a_file()["jobs"],
        {"name": "bank", "endpoints": [{"name": "rates", "url": "https://bank.example", "dormant": True}]},
    ],
}


async def test_pruning_archives_what_the_set_made_and_the_former_file_brings_it_back() -> None:
    world = a_world()
    await applied(world, TWO)
    other_id = await world.job(name="other")
    ((bank, _),) = [(job, count) for job, count in await world.control.jobs.list(ALICE) if job.name == "bank"]
    (rates,) = await world.control.endpoints.list(ALICE, bank.id)
    one = {"set": "shop", "jobs": TWO["jobs"][:1]}

    left = await applied(world, one)
    shown = await applied(world, one, prune=True, dry_run=True)
    pruned = await applied(world, one, prune=True)
    again = await applied(world, one, prune=True)
    undone = await applied(world, TWO)

    assert left.unlisted == ("bank/rates", "job bank")
    assert [(each.deed, each.name) for each in pruned.differences[2:]] == [
        (Deed.ARCHIVED, "bank/rates"), (Deed.ARCHIVED, "job bank"),
    ]  # fmt: skip
    assert shown == pruned
    assert not again.changes
    assert deeds(undone) == [Deed.UNCHANGED, Deed.UNCHANGED, Deed.RESTORED, Deed.RESTORED]
    (back,) = await world.control.endpoints.list(ALICE, bank.id)
    assert (back.endpoint.id, back.endpoint.archived_at) == (rates.endpoint.id, None)
    assert {job.id for job, _ in await world.control.jobs.list(ALICE)} >= {other_id, bank.id}


async def test_pruning_spares_what_others_made() -> None:
    world = a_world()
    await world.job(name="shop")
    await applied(world, TWO)
    ((bank, _),) = [(job, count) for job, count in await world.control.jobs.list(ALICE) if job.name == "bank"]
    by_hand = EndpointDocument.model_validate({"name": "mine", "url": "https://bank.example", "dormant": True})
    await world.control.endpoints.create(ALICE, bank.id, by_hand)

    pruned = await applied(world, {"set": "shop", "jobs": []}, prune=True)

    assert [each.name for each in pruned.differences] == ["bank/rates", "shop/stock"]
    assert [(job.name, count) for job, count in await world.control.jobs.list(ALICE)] == [("shop", 0), ("bank", 1)]


async def test_pruning_spares_what_somebody_has_brought_back() -> None:
    world = a_world()
    await applied(world, TWO)
    ((bank, _),) = [(job, count) for job, count in await world.control.jobs.list(ALICE) if job.name == "bank"]
    (rates,) = await world.control.endpoints.list(ALICE, bank.id)
    one = {"set": "shop", "jobs": TWO["jobs"][:1]}
    await applied(world, one, prune=True)
    await world.control.jobs.move(ALICE, bank.id, JobStatus.ACTIVE)
    await world.control.endpoints.archive(ALICE, rates.endpoint.id, archived=False)

    pruned = await applied(world, one, prune=True)

    assert not pruned.changes


async def test_pruning_spares_what_another_set_speaks_for() -> None:
    world = a_world()
    await applied(world, TWO)
    theirs = {"name": "rates", "url": "https://bank.example", "timeoutMs": 5_000}
    await applied(world, {"set": "platform", "jobs": [{"name": "bank", "endpoints": [theirs]}]})

    pruned = await applied(world, {"set": "shop", "jobs": TWO["jobs"][:1]}, prune=True)

    assert not pruned.changes
    assert ("bank", 1) in [(job.name, count) for job, count in await world.control.jobs.list(ALICE)]


async def test_a_name_that_was_given_to_another_endpoint_means_that_one() -> None:
    world = a_world()
    document = a_file()
    document["jobs"][0]["endpoints"].append({"name": "prices", "url": "https://shop.example/prices", "dormant": True})
    await applied(world, document)
    ((job, _),) = await world.control.jobs.list(ALICE)
    stock, prices = [view.endpoint for view in await world.control.endpoints.list(ALICE, job.id)]
    await world.control.endpoints.delete(ALICE, prices.id)
    await world.control.endpoints.edit(ALICE, stock.id, EndpointPatch.model_validate({"name": "prices"}))

    shown = await applied(world, document, dry_run=True)
    await applied(world, document, force=True)

    assert deeds(shown) == [Deed.UNCHANGED, Deed.CREATED, Deed.UPDATED]
    assert shown.conflicts == ("shop/prices: baseline was set elsewhere", "shop/prices: url was set elsewhere")
    assert not (await applied(world, document)).changes


async def test_pruning_needs_a_set_that_is_named() -> None:
    with pytest.raises(InvalidInputError, match="name the set"):
        await applied(a_world(), a_file(), prune=True)


async def test_when_the_last_write_fails_none_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    world = a_world()
    await applied(world, a_file())
    document = a_file(timeoutMs=5_000)
    document["jobs"][0]["endpoints"].append({"name": "new", "url": "https://shop.example/new", "dormant": True})
    document["jobs"].insert(0, {"name": "bank", "endpoints": []})
    before = await world.control.exporter.export(ALICE)

    async def away(*_: object) -> None:
        raise UnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(MemoryFileSets, "put", away)
        with pytest.raises(UnavailableError):
            await applied(world, document)
    between = await world.control.exporter.export(ALICE)
    outcome = await applied(world, document)

    assert between == before
    assert deeds(outcome) == [Deed.CREATED, Deed.UNCHANGED, Deed.UPDATED, Deed.CREATED]


async def test_a_file_is_planned_anew_when_something_changes_while_it_is_applied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = a_world()
    await applied(world, a_file())
    together, edits = MemoryStores.together, iter([{"timeoutMs": 9_000}])

    async def meddled(stores: MemoryStores, work: Callable[[MemoryStores], Awaitable[None]]) -> None:
        for fields in edits:
            await edited(world, **fields)
        await together(stores, work)

    monkeypatch.setattr(MemoryStores, "together", meddled)
    await applied(world, a_file(baselineIntervalMs=30_000))

    ((job, _),) = await world.control.jobs.list(ALICE)
    (view,) = await world.control.endpoints.list(ALICE, job.id)
    assert view.endpoint.request.timeout == timedelta(seconds=9)
    assert view.endpoint.baseline.interval == timedelta(seconds=30)


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
    await applied(world, a_file(policy=None, description="Look more often."), force=True)

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


async def test_a_file_is_applied_to_a_store_in_memory_that_keeps_runs_of_policies() -> None:
    world = a_world()
    await applied(world, a_file(policy=policy_document(SURGE), minIntervalMs=15_000, maxIntervalMs=600_000))
    world.clock.move(minutes=1)
    await world.run_due(an_outcome(body='{"err": 9}', body_is_json=True))

    outcome = await applied(world, a_file(policy=policy_document(SURGE), minIntervalMs=20_000))

    assert Deed.UPDATED in deeds(outcome)
