"""Slots that a limit keeps from running: every instant ends once, the plan goes on, and nothing spins."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.editing import asked_to_run, hinted
from cronicorn.domain.endpoint import Baseline, CatchUp, CatchUpMode, Overlap, RetryPolicy
from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits, month_of
from cronicorn.domain.fixtures import (
    MIDNIGHT,
    a_defer,
    a_one_shot,
    a_pause,
    an_endpoint,
    an_interval_hint,
    an_outcome,
    at,
)
from cronicorn.domain.settlement import Change
from cronicorn.domain.slot import SlotState
from tests.domain.history import CRON, History, check_books

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
USED_UP = "used up"


def _endpoint(chance: random.Random):
    window = chance.choice([timedelta(0), 20 * SECOND])
    baselines = [
        Baseline(interval=MINUTE, anchor_at=MIDNIGHT, window=window),
        Baseline(cron="*/5 * * * *", window=window),
        Baseline(once_at=MIDNIGHT + 10 * MINUTE),
    ]
    return an_endpoint(
        baseline=chance.choice(baselines),
        overlap=chance.choice(list(Overlap)),
        catch_up=CatchUp(mode=chance.choice(list(CatchUpMode)), window=chance.choice([None, 7 * MINUTE])),
        retries=RetryPolicy(count=chance.choice([0, 2])),
        interval_min=chance.choice([None, 90 * SECOND]),
    )


def _hint(past: History, chance: random.Random) -> None:
    soon = past.now + chance.randint(1, 300) * SECOND
    hint = chance.choice(
        [
            an_interval_hint(chance.choice([30 * SECOND, 7 * MINUTE]), now=past.now, ttl=20 * MINUTE),
            a_one_shot(soon, now=past.now),
            a_defer(soon, now=past.now),
            a_pause(soon, now=past.now),
        ]
    )
    past.edit(lambda endpoint, stored: hinted(endpoint, hint, stored, CRON))


@pytest.mark.parametrize("seed", range(150))
def test_every_instant_ends_once_whenever_the_limit_is_reached(seed: int) -> None:
    chance = random.Random(seed)
    past = History(_endpoint(chance))

    for _ in range(60):
        past.over_limit = chance.choice([None, USED_UP])
        if chance.random() < 0.2:
            _hint(past, chance)
        if chance.random() < 0.1 and past.lease is None:
            past.edit(lambda endpoint, stored: Change(endpoint=asked_to_run(endpoint, stored).endpoint))
        due_in = past.due_in()
        past.wait(chance.choice([due_in or MINUTE, chance.randint(0, 900) * SECOND]))
        if past.claim():
            lasting = chance.choice([timedelta(0), 200 * SECOND])
            past.run(lasting=lasting, outcome=an_outcome(chance.choice([200, 500])))
        check_books(past)


@pytest.mark.parametrize("hint", [None, an_interval_hint(10 * SECOND), a_one_shot(MIDNIGHT + 5 * SECOND)])
def test_a_slot_that_was_kept_from_running_is_not_due_again_at_once(hint) -> None:
    past = History(an_endpoint(baseline=Baseline(interval=MINUTE, anchor_at=MIDNIGHT)), over_limit=USED_UP)
    if hint is not None:
        past.edit(lambda endpoint, stored: hinted(endpoint, hint, stored, CRON))
    due_in = past.due_in()
    assert due_in is not None
    past.wait(due_in)
    assert past.claim()

    past.run()

    assert [skip.state for skip in past.skips] == [SlotState.SKIPPED_QUOTA]
    assert USED_UP in past.skips[0].reason
    assert (past.due_in() or timedelta(0)) >= 10 * SECOND
    assert past.state.last_run_at is None


def test_an_instant_that_was_too_late_anyway_is_missed_and_not_skipped() -> None:
    late = CatchUp(mode=CatchUpMode.NONE)
    past = History(an_endpoint(baseline=Baseline(interval=MINUTE, anchor_at=MIDNIGHT), catch_up=late))
    past.over_limit = USED_UP
    past.wait(90 * SECOND)
    assert past.claim()

    past.run()

    assert [skip.state for skip in past.skips] == [SlotState.MISSED_WINDOW]


def test_months_are_those_of_utc() -> None:
    month = month_of(at("2026-02-28T23:59:59.999999"))

    assert (month.start_at, month.end_at) == (at("2026-02-01"), at("2026-03-01"))
    assert month_of(at("2026-03-01T01:00:00+02:00")) == month


def test_a_tier_that_is_no_more_has_the_limits_of_the_default_one() -> None:
    two = {"free-tier": ExecutionLimits(runs=5), "pro-tier": ExecutionLimits(runs=9)}
    limits = TierLimits(of_tier=two)

    assert [limits.of(tier).runs for tier in (None, "free-tier", "pro-tier", "gone")] == [5, 5, 9, 5]
    assert limits.counts_runs
    assert not TierLimits().counts_runs
    assert replace(limits, default="pro-tier").of("gone").runs == 9
