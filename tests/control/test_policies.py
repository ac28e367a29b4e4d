"""Trying a policy on what is on record, and asking why nothing else was done at an instant."""

import asyncio

import pytest

from cronicorn.control.policies import BACKTESTS_MAX, BacktestDocument, Policies, policy_to_try
from cronicorn.control.recorded_runs import PAGE, recorded_runs
from cronicorn.domain.errors import InvalidInputError, NotFoundError, QuotaExceededError, UnavailableError
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.replay.replayed import Conclusion
from tests.control.world import ALICE, BOB, World, a_world
from tests.domain.policy.history import HOUR, MINUTE

POLICY = {
    "version": 1,
    "fields": {"err": {"path": "$.err", "type": "number"}},
    "rules": [{"id": "burst", "when": "err > 5", "until": "err < 2", "action": {"interval": "30s"}}],
}
BURST = policy_of(POLICY)


def answering(err: float):
    return an_outcome(body=f'{{"err": {err}}}', body_is_json=True)


async def ran(world: World, *errors: float) -> None:
    """Run what is due each minute; it answers with so many errors."""
    for err in errors:
        world.clock.move(minutes=1)
        await world.run_due(answering(err))


async def test_a_policy_is_tried_on_what_is_on_record() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await ran(world, *[0] * 10, 9, 9, 0)

    backtest = await world.control.policies.backtest(ALICE, endpoint.id, BURST, HOUR)

    told = backtest.replayed
    assert (backtest.since, backtest.until) == (world.clock.now() - HOUR, world.clock.now())
    assert (told.recorded, told.old.calls, told.new.calls) == (13, 13, 15)
    assert (told.conclusion, told.episodes_count) == (Conclusion.DIFFERS, 1)


async def test_no_more_of_the_record_is_read_than_asked_for() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await ran(world, *[0] * 10)

    backtest = await world.control.policies.backtest(ALICE, endpoint.id, BURST, 3 * MINUTE)

    assert (backtest.replayed.recorded, backtest.replayed.conclusion) == (4, Conclusion.CANNOT_TELL)


async def test_a_backtest_changes_nothing_and_calls_nobody() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await ran(world, *[9] * 12)
    before = await world.now_stored(endpoint)

    await world.control.policies.backtest(ALICE, endpoint.id, BURST, HOUR)

    assert await world.now_stored(endpoint) == before
    assert world.dispatcher.calls == []


async def test_the_answers_of_siblings_that_a_policy_reads_are_replayed_too() -> None:
    world = a_world()
    job_id = await world.job()
    endpoint = await world.endpoint(jobId=job_id)
    await world.endpoint(jobId=job_id, name="health", baselineCron="30 * * * * *")
    policy = policy_of(
        POLICY | {"fields": {"err": {"from": "sibling:health", "path": "$.err", "type": "number"}}},
    )
    for number in range(24):
        world.clock.move(seconds=30)
        await world.run_due(answering(9 if number > 12 else 0))

    told = (await world.control.policies.backtest(ALICE, endpoint.id, policy, HOUR)).replayed

    assert (told.recorded, told.episodes_count, told.conclusion) == (12, 1, Conclusion.DIFFERS)


async def test_the_calls_of_siblings_to_the_same_host_count_in_its_peaks() -> None:
    world = a_world()
    job_id = await world.job()
    endpoint = await world.endpoint(jobId=job_id, url="https://shop.example/orders")
    await world.endpoint(jobId=job_id, name="health", url="https://SHOP.example:8443/", baselineCron="15 * * * * *")
    await world.endpoint(jobId=job_id, name="elsewhere", url="https://other.example/", baselineCron="30 * * * * *")
    await world.endpoint(url="https://shop.example/another-job", baselineCron="45 * * * * *")
    for err in (*[0] * 10, 9, 9, 0):
        for _ in range(4):
            world.clock.move(seconds=15)
            await world.run_due(answering(err))

    told = (await world.control.policies.backtest(ALICE, endpoint.id, BURST, HOUR)).replayed

    assert (told.old.minute_peak, told.new.minute_peak) == (1, 2)
    assert (told.old.host_minute_peak, told.new.host_minute_peak) == (2, 3)


async def test_others_have_their_turn_while_a_backtest_goes_on() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    await ran(world, *[0] * 10, *[9] * 90)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.ensure_future(others())
    await world.control.policies.backtest(ALICE, endpoint.id, BURST, 3 * HOUR)
    waiting.cancel()

    # 100 recorded runs and 190 calls are 290 steps, and turns lie between them.
    assert turns >= 289


async def test_a_tenant_has_one_backtest_at_a_time_and_a_process_a_few() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    policies = world.control.policies

    with policies._place(ALICE.tenant_id), pytest.raises(QuotaExceededError):
        await policies.backtest(ALICE, endpoint.id, BURST, HOUR)
    with pytest.raises(UnavailableError):
        await crowded(policies, endpoint.id)
    assert (await policies.backtest(ALICE, endpoint.id, BURST, HOUR)).replayed.recorded == 0


async def crowded(policies: Policies, endpoint_id: str) -> None:
    """Ask for a backtest while as many as there may be go on."""
    assert BACKTESTS_MAX == 2
    with policies._place("t8"), policies._place("t9"):
        await policies.backtest(ALICE, endpoint_id, BURST, HOUR)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"policy": POLICY, "overHours": 0}, "/overHours"),
        ({"policy": POLICY, "overHours": 10**30}, "/overHours"),
        ({"policy": {}}, "/policy/version"),
        ({"policy": {"version": 1, "rules": [{"id": "a"}]}}, "/policy/rules/0/when"),
    ],
)
def test_what_can_not_be_tried_is_refused_where_it_is_wrong(fields: dict[str, object], pointer: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        policy_to_try(BacktestDocument.model_validate(fields))

    assert pointer in [fault.pointer for fault in refusal.value.fields]


async def test_nobody_else_is_told() -> None:
    world = a_world()
    endpoint = await world.endpoint()

    with pytest.raises(NotFoundError):
        await world.control.policies.backtest(BOB, endpoint.id, Policy(), HOUR)


async def test_recorded_runs_of_several_endpoints_come_in_the_order_of_time_over_pages() -> None:
    world = a_world()
    job_id = await world.job()
    endpoints = [await world.endpoint(jobId=job_id, name=name, baselineCron=cron) for name, cron in _CRONS]
    for _ in range(2 * PAGE + 20):
        world.clock.move(seconds=30)
        await world.run_due()

    ids = [endpoint.id for endpoint in endpoints]
    runs = [run async for run in recorded_runs(world.stores.runs, "t1", ids, MIDNIGHT, world.clock.now())]

    assert len(runs) == 2 * PAGE + 20
    assert [run.started_at for run in runs] == sorted(run.started_at for run in runs)


_CRONS = (("full", "0 * * * * *"), ("half", "30 * * * * *"))
