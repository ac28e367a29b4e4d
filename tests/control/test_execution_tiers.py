"""What a tier lets its tenants have, at the doors that make and change endpoints."""

from datetime import timedelta
from typing import Any

import pytest

from cronicorn.control.document import EndpointPatch
from cronicorn.domain.errors import ConflictError, InvalidInputError
from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits
from tests.control.world import ALICE, BOB, a_world, peopled

FLOOR = timedelta(minutes=5)
TWO = TierLimits(other=ExecutionLimits(endpoints=2))
SPACED = TierLimits(other=ExecutionLimits(interval_min=FLOOR))


def _file(*names: str, **fields: Any) -> dict[str, Any]:
    endpoint = {"url": "https://shop.example/", "baselineCron": "*/10 * * * *"} | fields
    return {"jobs": [{"name": "shop", "endpoints": [endpoint | {"name": name} for name in names]}]}


async def test_a_tenant_gets_as_many_endpoints_as_its_tier_allows() -> None:
    world = a_world(TWO)
    first = await world.endpoint()
    await world.endpoint()

    with pytest.raises(ConflictError, match="allows 2 endpoints, and 2 are not archived: archive or delete"):
        await world.endpoint()

    await world.endpoint(BOB)
    await world.control.endpoints.archive(ALICE, first.id)
    await world.endpoint()
    with pytest.raises(ConflictError):
        await world.control.endpoints.archive(ALICE, first.id, archived=False)


async def test_a_file_beyond_the_tier_makes_nothing() -> None:
    world = peopled(a_world(TWO))

    with pytest.raises(ConflictError):
        await world.control.files.apply(ALICE, _file("one", "two", "three"))

    assert await world.control.jobs.list(ALICE) == []


async def test_an_endpoint_without_a_minimum_gets_that_of_the_tier() -> None:
    world = a_world(SPACED)

    endpoint = await world.endpoint(baselineIntervalMs=600_000)

    assert endpoint.interval_min == FLOOR


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"minIntervalMs": 1_000, "baselineIntervalMs": 600_000}, "/minIntervalMs"),
        ({"baselineIntervalMs": 1_000}, "/baselineIntervalMs"),
    ],
)
async def test_what_is_below_the_tier_is_refused(fields: dict[str, Any], pointer: str) -> None:
    world = a_world(SPACED)

    with pytest.raises(InvalidInputError, match="no less than 300000 ms") as refused:
        await world.endpoint(**fields)

    assert [fault.pointer for fault in refused.value.fields] == [pointer]


async def test_what_stood_below_before_is_raised_by_the_next_edit() -> None:
    world = a_world()
    endpoint = await world.endpoint(minIntervalMs=1_000)
    lower = a_world(SPACED)
    lower.stores.jobs._database.rows.update(world.stores.jobs._database.rows)
    lower.stores.jobs._database.jobs.update(world.stores.jobs._database.jobs)

    view = await lower.control.endpoints.edit(ALICE, endpoint.id, EndpointPatch.model_validate({"name": "other"}))

    assert view.endpoint.interval_min == FLOOR


async def test_applying_a_file_again_changes_nothing() -> None:
    world = peopled(a_world(SPACED))
    await world.control.files.apply(ALICE, _file("one"))

    again = await world.control.files.apply(ALICE, _file("one"))

    assert {difference.deed.value for difference in again.differences} == {"unchanged"}
