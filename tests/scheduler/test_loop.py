"""The loop in virtual time: on time, never early, one bad endpoint never hurts another."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import cycle

from cronicorn.domain import Baseline, OutcomeKind, Overlap, Request, RetryPolicy, RunStatus, SlotState, Source
from cronicorn.domain.fixtures import an_interval_hint
from cronicorn.domain.policy.reading import policy_of
from cronicorn.sim.virtual_time import START, run_virtually
from cronicorn.testing.dispatchers import Reply, ScriptedDispatcher
from tests.scheduler.world import SECOND, a_world, lateness

EVERY_SECOND = Baseline(interval=SECOND, anchor_at=START)
EVERY_MINUTE = Baseline(interval=60 * SECOND, anchor_at=START)
DAILY = Baseline(interval=timedelta(days=1), anchor_at=START)


def test_a_thousand_calls_of_a_one_second_endpoint_take_a_thousand_seconds():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, _n: Reply(latency=timedelta(milliseconds=30))))
        await world.add(baseline=EVERY_SECOND, interval_min=SECOND)
        async with world.worker():
            await asyncio.sleep(1_000.5)
        return await world.runs()

    runs = run_virtually(main)

    assert len(runs) == 1_000
    assert [run.due_at - START for run in runs] == [n * SECOND for n in range(1, 1_001)]
    assert min(lateness(runs)) >= timedelta(0)
    assert max(lateness(runs)) <= timedelta(milliseconds=10)


def test_no_more_calls_run_at_once_than_the_settings_allow():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, _n: Reply(latency=10 * SECOND)))
        for number in range(30):
            await world.add(id=f"ep{number}", name=f"e{number}", baseline=EVERY_MINUTE)
        async with world.worker(calls_max=7):
            await asyncio.sleep(119)
        return world.dispatcher

    dispatcher = run_virtually(main)

    assert dispatcher.in_progress_max == 7
    assert len(dispatcher.calls) == 30


def test_an_endpoint_that_breaks_us_backs_off_alone():
    def script(call, _number):
        if call.url.endswith("/bad"):
            raise RuntimeError("a bug")
        return Reply()

    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(script))
        request = (await world.add(id="good", name="good", baseline=EVERY_SECOND)).request
        bad = type(request)(url="http://127.0.0.1/bad")
        await world.add(id="bad", name="bad", baseline=EVERY_SECOND, request=bad)
        async with world.worker():
            await asyncio.sleep(100.5)
        return await world.runs("good"), await world.runs("bad")

    good, bad = run_virtually(main)

    assert len(good) == 100
    assert {run.outcome.kind for run in bad} == {OutcomeKind.CRASHED}
    assert 6 <= len(bad) <= 8


def test_a_call_longer_than_its_lease_is_kept_and_runs_once():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, _n: Reply(latency=200 * SECOND)))
        await world.add(baseline=Baseline(interval=timedelta(hours=1), anchor_at=START))
        async with world.worker(), world.worker(worker_id="w2"):
            await asyncio.sleep(3_600 + 300)
        return await world.runs(), world.dispatcher

    runs, dispatcher = run_virtually(main)

    assert [run.status for run in runs] == [RunStatus.SUCCESS]
    assert len(dispatcher.calls) == 1


def test_a_wake_brings_a_new_hint_into_effect_at_once():
    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=Baseline(interval=timedelta(hours=1), anchor_at=START))
        async with world.worker(poll_interval=timedelta(minutes=30)) as scheduler:
            await asyncio.sleep(100)
            await world.hint("ep1", an_interval_hint(120 * SECOND, now=clock.now()))
            scheduler.wake()
            await asyncio.sleep(200)
        return await world.runs()

    runs = run_virtually(main)

    assert [(run.due_at - START).total_seconds() for run in runs] == [120, 240]
    assert {run.source for run in runs} == {Source.AI_INTERVAL}


def test_a_hint_written_during_a_call_counts_for_the_next_plan():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, _n: Reply(latency=10 * SECOND)))
        await world.add(baseline=Baseline(interval=timedelta(hours=1), anchor_at=START))
        async with world.worker():
            await asyncio.sleep(3_605)
            await world.hint("ep1", an_interval_hint(60 * SECOND, now=clock.now()))
            await asyncio.sleep(60)
        return await world.runs()

    runs = run_virtually(main)

    assert [(run.due_at - START).total_seconds() for run in runs] == [3_600, 3_660]


def test_a_manual_run_has_a_slot_of_its_own_and_never_shifts_the_cadence():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, _n: Reply(latency=5 * SECOND, status_code=500)))
        await world.add(baseline=EVERY_MINUTE)
        async with world.worker() as scheduler:
            await asyncio.sleep(20)
            before = await world.endpoint()
            await world.run_now("ep1")
            scheduler.wake()
            await asyncio.sleep(10)
            after = await world.endpoint()
        return before, after, await world.runs()

    before, after, runs = run_virtually(main)

    assert [run.source for run in runs] == [Source.MANUAL]
    assert runs[0].slot != before.state.slot
    assert after.state.plan == before.state.plan
    assert after.state.failure_count == 0


def test_a_hint_written_during_a_manual_run_takes_effect():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, _n: Reply(latency=5 * SECOND)))
        await world.add(baseline=Baseline(interval=timedelta(hours=1), anchor_at=START))
        async with world.worker() as scheduler:
            await asyncio.sleep(20)
            await world.run_now("ep1")
            scheduler.wake()
            await asyncio.sleep(1)
            await world.hint("ep1", an_interval_hint(60 * SECOND, now=clock.now()))
            await asyncio.sleep(60)
        return await world.runs()

    runs = run_virtually(main)

    assert [run.source for run in runs] == [Source.MANUAL, Source.AI_INTERVAL]


def test_a_cancelled_run_stops_and_is_recorded_as_such():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, _n: Reply(latency=50 * SECOND)))
        await world.add(baseline=EVERY_MINUTE)
        async with world.worker():
            await asyncio.sleep(65)
            cancelled = await world.stores.run_control.cancel("t1", "ep1", 1)
            await asyncio.sleep(15)
        return cancelled, await world.runs()

    cancelled, runs = run_virtually(main)

    assert cancelled
    assert [run.status for run in runs] == [RunStatus.CANCELLED]
    assert runs[0].finished_at - START < 80 * SECOND


def test_overlap_cancel_other_gives_way_to_the_next_instant():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, n: Reply(latency=(90 if n == 0 else 1) * SECOND)))
        await world.add(baseline=EVERY_MINUTE, overlap=Overlap.CANCEL_OTHER)
        async with world.worker():
            await asyncio.sleep(150)
        return await world.runs()

    runs = run_virtually(main)

    assert [run.status for run in runs] == [RunStatus.CANCELLED, RunStatus.SUCCESS]
    assert runs[1].nominal_at == START + 120 * SECOND
    assert runs[1].started_at - START < 121 * SECOND


def test_overlap_skip_records_the_instants_that_passed_during_a_call():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, n: Reply(latency=(150 if n == 0 else 1) * SECOND)))
        await world.add(baseline=EVERY_MINUTE)
        async with world.worker():
            await asyncio.sleep(250)
        return await world.runs(), await world.skips()

    runs, skips = run_virtually(main)

    assert [(run.due_at - START).total_seconds() for run in runs] == [60, 240]
    assert [(skip.state, skip.count) for skip in skips] == [(SlotState.SKIPPED_OVERLAP, 2)]


def test_retries_are_attempts_of_one_slot():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, n: Reply(status_code=500 if n < 2 else 200)))
        retries = RetryPolicy(count=3, backoff_min=2 * SECOND)
        await world.add(baseline=Baseline(interval=timedelta(hours=1), anchor_at=START), retries=retries)
        async with world.worker():
            await asyncio.sleep(3_700)
        return await world.runs(), world.dispatcher

    runs, dispatcher = run_virtually(main)

    assert [(run.slot, run.attempt, run.status.value) for run in runs] == [
        (1, 1, "failed"), (1, 2, "failed"), (1, 3, "success"),
    ]  # fmt: skip
    assert len({call.headers["Idempotency-Key"] for call in dispatcher.calls}) == 1


def test_a_hints_run_that_meets_a_nominal_instant_stands_for_it():
    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=EVERY_MINUTE)
        await world.hint("ep1", an_interval_hint(30 * SECOND, now=clock.now()))
        async with world.worker():
            await asyncio.sleep(185)
        return await world.runs(), await world.skips()

    runs, skips = run_virtually(main)

    assert [(run.due_at - START).total_seconds() for run in runs] == [30, 60, 90, 120, 150, 180]
    assert [run.nominal_at is not None for run in runs] == [False, True] * 3
    assert skips == []


def test_a_maximum_of_a_millisecond_drives_no_endpoint_faster_than_once_a_second():
    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=EVERY_MINUTE, interval_max=timedelta(milliseconds=1))
        async with world.worker():
            await asyncio.sleep(60.5)
        return await world.runs()

    runs = run_virtually(main)

    assert 55 <= len(runs) <= 61


def test_a_bug_in_steering_costs_the_steering_of_an_answer_and_no_run(caplog):
    policy = policy_of({
        "version": 1,
        "fields": {"err": {"path": "$.err", "type": "number"}},
        "rules": [{"id": "tight", "when": "err > 5", "action": {"interval": "30s"}}],
    })  # fmt: skip
    [rule] = policy.rules
    broken = replace(policy, rules=(replace(rule, when=replace(rule.when, verdict=lambda values: 1 / 0 > 1)),))

    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=EVERY_MINUTE, policy=broken)
        async with world.worker():
            await asyncio.sleep(200)
        return await world.runs()

    runs = run_virtually(main)

    assert [(run.attempt, run.steering) for run in runs] == [(1, None)] * 3
    assert sum(record.message == "steering_crashed" for record in caplog.records) == 3


def test_answers_that_no_longer_speak_to_a_rule_are_told_once(caplog):
    policy = policy_of({
        "version": 1,
        "fields": {"err": {"path": "$.err", "type": "number"}},
        "rules": [{"id": "tight", "when": "err > 5", "action": {"interval": "30s"}}],
    })  # fmt: skip

    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=EVERY_MINUTE, policy=policy)
        async with world.worker():
            await asyncio.sleep(400)

    run_virtually(main)

    assert [record.rule for record in caplog.records if record.message == "policy_drifted"] == ["tight"]


def test_the_endpoint_that_is_frozen_is_told_and_who_made_it_so(caplog):
    fields = {"err": {"path": "$.err", "type": "number"}}
    then = {"interval": "10s", "ttl": "30s", "sibling": "worker"}
    rules = [{"id": "busy", "when": "err > 5", "action": then}]
    policy = policy_of({"version": 1, "fields": fields, "rules": rules})
    bounded = policy_of({"version": 1, "fields": fields, "rules": [], "limits": {"flips_per_hour": 2}})

    errors = cycle((1, 9))

    def script(call, _number):
        return Reply(body=f'{{"err": {0 if call.url.endswith("/worker") else next(errors)}}}')

    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(script))
        await world.add(id="ep1", name="api", baseline=EVERY_MINUTE, policy=policy)
        request = Request(url="http://127.0.0.1/worker")
        await world.add(id="ep2", name="worker", baseline=DAILY, request=request, policy=bounded)
        async with world.worker():
            await asyncio.sleep(600)

    run_virtually(main)

    told = [record for record in caplog.records if record.message == "steering_frozen"]
    assert [(record.endpoint, record.because_of) for record in told] == [("ep2", "ep1")]
