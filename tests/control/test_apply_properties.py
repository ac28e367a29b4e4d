"""Whatever files are applied one after the other: the last one counts, and what it does not name is left alone."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cronicorn.control.document import EndpointPatch
from cronicorn.control.field_ownership import endpoint_values
from cronicorn.domain.endpoint import JobEndpoint
from tests.control.test_apply import a_world
from tests.control.world import ALICE, World

LENGTHS = st.sampled_from([5_000, 9_000, 20_000])
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "timeoutMs": LENGTHS,
    "description": st.sampled_from(["one", "two"]),
    "retries": st.fixed_dictionaries({}, optional={"retryCount": st.integers(1, 3), "minBackoffMs": LENGTHS}),
    "headersJson": st.dictionaries(st.sampled_from(["X-A", "X-B", "x-c"]), st.sampled_from(["1", "2"])),
    "signals": st.dictionaries(st.sampled_from(["health", "eta"]), st.booleans()),
    "keepBodies": st.sampled_from(["none", "failures"]),
    "flow": st.fixed_dictionaries({"rate": st.integers(1, 3)}),
}
WHENS: list[dict[str, Any]] = [{"baselineIntervalMs": 60_000}, {"baselineCron": "0 * * * *"}, {"dormant": True}]
FIELDS = st.builds(
    lambda when, rest: {**when, **rest}, st.sampled_from(WHENS), st.fixed_dictionaries({}, optional=OPTIONAL)
)
FILES = st.dictionaries(st.sampled_from(["a", "b"]), FIELDS, max_size=2)
EDITS = st.fixed_dictionaries({}, optional=OPTIONAL)


def as_file(endpoints: dict[str, dict[str, Any]]) -> dict[str, Any]:
    listed = [{"name": name, "url": f"https://{name}.example"} | fields for name, fields in endpoints.items()]
    return {"set": "one", "jobs": [{"name": "shop", "endpoints": listed}]}


async def stored(world: World) -> dict[str, JobEndpoint]:
    return {
        view.endpoint.name: view.endpoint
        for job, _ in await world.control.jobs.list(ALICE)
        for view in await world.control.endpoints.list(ALICE, job.id)
        if view.endpoint.archived_at is None
    }


def values(endpoints: dict[str, JobEndpoint]) -> dict[str, dict[str, object]]:
    """What they are, but for the phase of an interval, which begins with it."""
    return {
        name: {field: value for field, value in endpoint_values(endpoint).items() if field != "anchorAt"}
        for name, endpoint in endpoints.items()
    }


@settings(max_examples=40, deadline=None)
@given(first=FILES, others=st.lists(FILES, max_size=2))
async def test_applying_the_former_file_again_is_an_undo(first: Any, others: list[Any]) -> None:
    world = a_world()
    await world.control.files.apply(ALICE, as_file(first), prune=True)
    before, ids = values(await stored(world)), {e.name: e.id for e in (await stored(world)).values()}

    for other in others:
        await world.control.files.apply(ALICE, as_file(other), prune=True)
        assert not (await world.control.files.apply(ALICE, as_file(other), dry_run=True, prune=True)).changes
    await world.control.files.apply(ALICE, as_file(first), prune=True)

    after = await stored(world)
    assert values(after) == before
    assert {name: endpoint.id for name, endpoint in after.items()} == ids


@settings(max_examples=40, deadline=None)
@given(first=FIELDS, edit=EDITS, then=FIELDS)
async def test_what_is_edited_elsewhere_is_overwritten_by_force_alone(first: Any, edit: Any, then: Any) -> None:
    world = a_world()
    await world.control.files.apply(ALICE, as_file({"a": first}))
    endpoint = (await stored(world))["a"]
    await world.control.endpoints.edit(ALICE, endpoint.id, EndpointPatch.model_validate(edit))
    edited = values(await stored(world))["a"]

    shown = await world.control.files.apply(ALICE, as_file({"a": then}), dry_run=True)
    await world.control.files.apply(ALICE, as_file({"a": then}), force=True)

    after, fresh = values(await stored(world))["a"], a_world()
    await fresh.control.files.apply(ALICE, as_file({"a": first}))
    made = values(await stored(fresh))["a"]
    touched = {field for field in edited | made if edited.get(field) != made.get(field)}
    overwritten = {field for field in touched if after.get(field) != edited.get(field)}
    told = {conflict.partition(": ")[2].partition(" ")[0] for conflict in shown.conflicts}
    assert overwritten <= told <= touched
