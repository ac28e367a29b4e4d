"""What follows from a run: cadence, catch-up, overlap, retries, failures and hints."""

import ast
import inspect
import random
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from cronicorn.domain import decision
from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.editing import asked_to_run, edited, hinted, suspended
from cronicorn.domain.endpoint import (
    Baseline,
    CatchUp,
    CatchUpMode,
    EndpointState,
    JobEndpoint,
    Overlap,
    RetryPolicy,
)
from cronicorn.domain.fixtures import MIDNIGHT, a_defer, a_one_shot, a_pause, an_endpoint, an_interval_hint, an_outcome
from cronicorn.domain.hint import Hint
from cronicorn.domain.plan import Source
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import Stored
from cronicorn.domain.slot import Skip, SlotState
from tests.domain.history import CRON, History, check_books

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
OK, BROKEN = an_outcome(), an_outcome(500)
EVERY_MINUTE = Baseline(interval=MINUTE, anchor_at=MIDNIGHT)


def history(**changes: object) -> History:
    return History(an_endpoint(baseline=changes.pop("baseline", EVERY_MINUTE), **changes))


def write(past: History, hint: Hint) -> None:
    past.edit(lambda endpoint, stored: hinted(endpoint, hint, stored, CRON))


def nominal(past: History) -> list[float]:
    """The minutes after midnight that runs stood for."""
    return [(run.nominal_at - MIDNIGHT) / MINUTE for run in past.runs if run.nominal_at is not None]


def ended(past: History) -> list[tuple[str, float, float, int]]:
    def told(skip: Skip) -> tuple[str, float, float, int]:
        return (
            skip.state.value,
            (skip.first_at - MIDNIGHT) / MINUTE,
            (skip.last_at - MIDNIGHT) / MINUTE,
            skip.count,
        )

    return [told(skip) for skip in past.skips]


@pytest.mark.parametrize("interval_min", [None, SECOND])
@pytest.mark.parametrize("window", [timedelta(0), timedelta(milliseconds=600)])
def test_a_thousand_calls_of_a_second_take_a_thousand_seconds(
    interval_min: timedelta | None, window: timedelta
) -> None:
    chance = random.Random(7)
    baseline = Baseline(interval=SECOND, anchor_at=MIDNIGHT, window=window)
    past = history(baseline=baseline, interval_min=interval_min)

    for _ in range(1_001):
        late, lasting = (timedelta(seconds=chance.random() * 0.0999) for _ in range(2))
        past.next_run(late=late, lasting=lasting)

    due = [run.due_at for run in past.runs]
    assert due[-1] - due[0] == timedelta(seconds=1_000)
    assert past.skips == []


def test_an_interval_hint_does_not_drift_either() -> None:
    past = history()
    write(past, an_interval_hint(SECOND, ttl=HOUR))

    for _ in range(100):
        past.next_run(late=timedelta(milliseconds=80), lasting=timedelta(milliseconds=300))

    assert past.runs[-1].due_at - past.runs[0].due_at == timedelta(seconds=99)


def test_instants_during_a_call_are_skipped() -> None:
    past = history()

    past.next_run(lasting=2.5 * MINUTE)

    assert ended(past) == [("skipped_overlap", 2, 3, 2)]
    assert past.next_run().due_at == MIDNIGHT + 4 * MINUTE


@pytest.mark.parametrize("overlap", [Overlap.BUFFER_ONE, Overlap.CANCEL_OTHER])
def test_the_last_instant_of_a_call_is_kept_for_its_end(overlap: Overlap) -> None:
    past = history(overlap=overlap)

    past.next_run(lasting=3.5 * MINUTE)
    buffered = past.next_run()

    assert (buffered.source, buffered.started_at) == (Source.CATCH_UP, MIDNIGHT + 4.5 * MINUTE)
    assert nominal(past) == [1, 4]
    assert ended(past) == [("skipped_overlap", 2, 3, 2)]


def _back_after(length: timedelta, **catch_up: object) -> History:
    """Punctual at 1 and 2, then nobody is there for *length*, then all is done that is due."""
    past = history(catch_up=CatchUp(**catch_up))  # type: ignore[arg-type]
    past.next_run()
    past.next_run()
    past.wait(length)
    while past.claim():
        past.run()
    check_books(past)
    return past


CATCH_UPS: dict[str, tuple[dict[str, object], list[float], list[tuple[str, float, float, int]]]] = {
    "the latest instant runs for those in the window": (
        {"mode": CatchUpMode.LATEST, "window": 3 * MINUTE},
        [8],
        [("missed_window", 3, 5, 3), ("coalesced", 6, 7, 2)],
    ),
    "by default the window is the interval": ({}, [8], [("missed_window", 3, 7, 5)]),
    "the earliest instant in the window runs": (
        {"mode": CatchUpMode.EARLIEST, "window": 3 * MINUTE},
        [6],
        [("missed_window", 3, 5, 3), ("coalesced", 7, 8, 2)],
    ),
    "all run, at most so many, the latest in order": (
        {"mode": CatchUpMode.ALL, "window": HOUR, "runs_max": 3},
        [6, 7, 8],
        [("coalesced", 3, 5, 3)],
    ),
    "none runs when it is late": ({"mode": CatchUpMode.NONE}, [], [("missed_window", 3, 8, 6)]),
    "a nonsensical number of runs is one": (
        {"mode": CatchUpMode.ALL, "window": HOUR, "runs_max": -1},
        [8],
        [("coalesced", 3, 7, 5)],
    ),
}


@pytest.mark.parametrize("name", CATCH_UPS)
def test_late_instants_are_caught_up_as_the_policy_says(name: str) -> None:
    policy, ran, skipped = CATCH_UPS[name]

    past = _back_after(6.5 * MINUTE, **policy)

    assert nominal(past) == [1, 2, *ran]
    assert ended(past) == skipped
    assert past.next_run().due_at == MIDNIGHT + 9 * MINUTE


def test_a_window_of_zero_still_forgives_a_punctual_start() -> None:
    past = history(catch_up=CatchUp(window=timedelta(0)))

    assert past.next_run(late=timedelta(milliseconds=30)).nominal_at == MIDNIGHT + MINUTE


def test_an_instant_that_comes_between_the_look_and_the_record_is_not_lost() -> None:
    past = history(catch_up=CatchUp(mode=CatchUpMode.NONE))
    past.wait(3 * MINUTE - timedelta(milliseconds=1))
    assert past.claim()
    assert past.begin() is None

    past.wait(timedelta(milliseconds=2))
    past.end(None)

    assert past.claim()
    past.run()
    assert nominal(past) == [3]
    check_books(past)


def test_a_long_gap_of_a_dense_cron_is_one_range_that_says_it_is_longer() -> None:
    past = history(baseline=Baseline(cron="* * * * * *"))
    past.wait(HOUR)

    assert past.claim()
    past.run()

    (missed,) = [skip for skip in past.skips if not skip.exact]
    assert missed.count == 1_000
    assert len(past.skips) <= 2
    check_books(past)


def test_a_once_endpoint_runs_once() -> None:
    past = history(baseline=Baseline(once_at=MIDNIGHT + HOUR))

    past.next_run(late=SECOND)

    assert past.state.plan is not None
    assert (past.state.plan.next_run_at, past.state.plan.source) == (None, Source.DORMANT)
    assert nominal(past) == [60]


def test_a_paused_once_endpoint_runs_at_the_end_of_the_pause_whatever_was_edited_meanwhile() -> None:
    past = history(baseline=Baseline(once_at=MIDNIGHT + HOUR))
    write(past, a_pause(MIDNIGHT + 3 * HOUR))
    past.wait(2 * HOUR)

    write(past, an_interval_hint(9 * HOUR, now=past.now))
    past.edit(lambda endpoint, stored: edited(endpoint, replace(endpoint, name="other"), stored, CRON))
    past.edit(lambda endpoint, stored: edited(endpoint, replace(endpoint, state=replace(
        endpoint.state, hints=endpoint.state.hints[:1])), stored, CRON))  # fmt: skip

    assert past.next_run().nominal_at == MIDNIGHT + HOUR
    assert past.runs[0].started_at == MIDNIGHT + 3 * HOUR
    check_books(past)


def test_a_one_shot_is_consumed_by_exactly_one_run() -> None:
    past = history()
    write(past, a_one_shot(MIDNIGHT + 90 * SECOND))

    sources = [past.next_run().source for _ in range(4)]

    assert sources == [Source.BASELINE_INTERVAL, Source.AI_ONESHOT, Source.BASELINE_INTERVAL, Source.BASELINE_INTERVAL]
    assert nominal(past) == [1, 2, 3]


def test_a_one_shot_written_during_a_call_for_a_time_gone_by_asks_for_another_run() -> None:
    past = history()
    past.wait(MINUTE)
    assert past.claim()
    run = past.begin()
    past.wait(5 * SECOND)
    write(past, a_one_shot(MIDNIGHT + MINUTE, now=past.now))

    past.end(run)

    assert past.due_in() == timedelta(0)
    assert past.next_run().source is Source.AI_ONESHOT
    assert past.next_run().source is Source.BASELINE_INTERVAL


def test_a_hint_written_during_a_call_counts_when_the_call_ends() -> None:
    past = history()
    past.wait(MINUTE)
    assert past.claim()
    run = past.begin()
    write(past, an_interval_hint(10 * SECOND, now=past.now))

    past.end(run)

    assert past.next_run().due_at == MIDNIGHT + MINUTE + 10 * SECOND


def test_a_manual_run_never_moves_the_schedule() -> None:
    past, undisturbed = history(), history()
    past.wait(30 * SECOND)
    past.edit(asked_to_run)

    assert past.claim()
    manual = past.run(lasting=10 * SECOND)

    assert manual is not None
    assert manual.slot != past.state.slot
    assert past.state.plan == undisturbed.state.plan
    assert past.next_run().due_at == MIDNIGHT + MINUTE


def test_a_hint_written_during_a_manual_run_counts_at_once() -> None:
    past = history(baseline=Baseline(interval=HOUR, anchor_at=MIDNIGHT))
    past.edit(asked_to_run)
    assert past.claim()
    run = past.begin()

    write(past, an_interval_hint(MINUTE, now=past.now))
    past.end(run)

    assert past.next_run().due_at == MIDNIGHT + MINUTE


@pytest.mark.parametrize("archived", [False, True])
def test_a_stop_that_comes_during_a_manual_run_holds_the_due_slot_behind_it(archived: bool) -> None:  # noqa: FBT001
    past = history()
    past.wait(MINUTE)
    past.edit(asked_to_run)
    assert past.claim()
    run = past.begin()
    if archived:
        past.edit(
            lambda endpoint, stored: suspended(endpoint, job_active=False, archived_at=None, stored=stored, cron=CRON)
        )
    else:
        write(past, a_pause(MIDNIGHT + HOUR, now=past.now))

    past.end(run)

    assert past.due_in() != timedelta(0)
    assert ended(past) == [("skipped_paused", 1, 1, 1)]
    check_books(past)


def test_backoff_begins_with_the_first_failure_and_ends_with_the_first_success() -> None:
    past = history()

    due = [past.next_run(outcome=outcome).due_at for outcome in (BROKEN, BROKEN, BROKEN, OK, OK)]

    assert [(instant - MIDNIGHT) / MINUTE for instant in due] == [1, 3, 7, 15, 16]
    assert [skip.reason for skip in past.skips] == ["the endpoint backed off after failures"] * 3


def test_a_cancelled_run_is_neither_a_failure_nor_a_success() -> None:
    past = history()
    past.next_run(outcome=BROKEN)
    past.wait(past.due_in() or timedelta(0))
    assert past.claim()

    past.run(outcome=an_outcome(kind=OutcomeKind.CANCELLED), status=RunStatus.CANCELLED)

    assert past.state.failure_count == 1


def _retrying(**changes: object) -> History:
    return history(retries=RetryPolicy(count=2, backoff_min=10 * SECOND), **changes)


def test_a_retry_is_another_attempt_at_the_same_slot() -> None:
    past = _retrying()

    first, second = past.next_run(outcome=BROKEN), past.next_run(outcome=OK)

    assert (second.slot, second.attempt, second.nominal_at) == (first.slot, 2, first.nominal_at)
    assert timedelta(0) <= second.due_at - first.started_at <= 10 * SECOND
    assert past.state.failure_count == 0
    assert past.next_run().due_at == MIDNIGHT + 2 * MINUTE


def test_a_slot_fails_once_however_many_attempts_it_had() -> None:
    past = _retrying()

    attempts = [past.next_run(outcome=BROKEN).attempt for _ in range(3)]

    assert attempts == [1, 2, 3]
    assert (past.state.failure_count, past.state.attempt) == (1, 1)
    check_books(past)


def test_a_retry_that_would_not_come_before_the_next_instant_is_given_up() -> None:
    past = history(
        baseline=Baseline(interval=SECOND, anchor_at=MIDNIGHT), retries=RetryPolicy(count=5, backoff_min=HOUR)
    )

    first, second = past.next_run(outcome=BROKEN), past.next_run(outcome=OK)

    assert (first.attempt, second.attempt, second.slot != first.slot) == (1, 1, True)
    assert second.due_at == MIDNIGHT + 3 * SECOND


def test_a_retry_of_a_late_slot_stands_for_the_instant_that_ran() -> None:
    past = _retrying(catch_up=CatchUp(window=HOUR))

    first, second = past.next_run(late=3.2 * MINUTE, outcome=BROKEN), past.next_run()

    assert first.nominal_at == second.nominal_at == MIDNIGHT + 4 * MINUTE
    assert ended(past) == [("coalesced", 1, 3, 3)]
    check_books(past)


def test_a_buffered_instant_is_not_lost_to_a_retry_a_hint_or_the_maximum() -> None:
    policies: list[dict[str, object]] = [{"interval_max": 5 * SECOND}, {"retries": RetryPolicy(count=5)}, {}]
    for changes in policies:
        past = history(overlap=Overlap.BUFFER_ONE, **changes)
        write(past, an_interval_hint(20 * SECOND, ttl=9 * HOUR))

        past.next_run(lasting=2 * MINUTE, outcome=an_outcome(503, headers=(("retry-after", "30"),)))
        past.next_run()

        assert 2 in nominal(past)
        check_books(past)


def test_an_owed_instant_that_a_pause_takes_is_recorded() -> None:
    past = history(overlap=Overlap.BUFFER_ONE)
    past.wait(MINUTE)
    assert past.claim()
    run = past.begin()
    past.wait(3 * MINUTE)
    write(past, a_pause(MIDNIGHT + HOUR, now=past.now))

    past.end(run)

    assert ended(past) == [("skipped_overlap", 2, 3, 2), ("skipped_paused", 4, 4, 1)]
    check_books(past)


def test_a_policy_changed_during_a_late_call_does_not_run_an_instant_twice() -> None:
    past = history(catch_up=CatchUp(window=HOUR))
    past.wait(5.5 * MINUTE)
    assert past.claim()
    run = past.begin()
    to_all = CatchUp(mode=CatchUpMode.ALL, window=HOUR, runs_max=9)
    past.edit(lambda endpoint, stored: edited(endpoint, replace(endpoint, catch_up=to_all), stored, CRON))

    past.end(run)

    assert past.next_run().nominal_at == MIDNIGHT + 6 * MINUTE
    check_books(past)


def test_a_deferred_slot_that_comes_too_late_is_missed_once() -> None:
    past = history()
    write(past, a_defer(MIDNIGHT + 5 * MINUTE + SECOND))
    past.wait(3 * HOUR)

    while past.claim():
        past.run()

    check_books(past)
    assert past.skipped(SlotState.MISSED_WINDOW) > 100


def test_an_answer_that_asks_for_a_break_gets_it() -> None:
    past = history()

    past.next_run(outcome=an_outcome(429, headers=(("retry-after", "600"),)))

    assert past.state.plan is not None
    assert past.state.plan.source is Source.DEFERRED
    assert past.next_run().started_at == MIDNIGHT + 11 * MINUTE


def _facts(endpoint: JobEndpoint, run: Run | None) -> Facts:
    return Facts(stored=Stored(now=MIDNIGHT + HOUR), run=run, manual=False, cron=CRON, seed="s")


def test_deciding_twice_gives_the_same() -> None:
    past = _retrying()
    past.wait(MINUTE)
    assert past.claim()
    run = past.begin()

    first, second = (decide(past.endpoint, _facts(past.endpoint, run)) for _ in range(2))

    assert first == second


def test_a_clock_set_back_does_not_open_closed_books() -> None:
    past = history()
    past.next_run(lasting=5 * MINUTE)
    watermark = past.state.accounted_until
    assert watermark is not None
    past.now -= 3 * MINUTE

    write(past, an_interval_hint(HOUR, now=past.now))

    assert past.state.accounted_until == watermark


def test_settling_says_what_becomes_of_every_field_of_a_state():
    nodes = ast.walk(ast.parse(inspect.getsource(decision)))
    built = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "EndpointState"]

    written = [{keyword.arg for keyword in call.keywords} for call in built]

    assert written == [{field.name for field in fields(EndpointState)}]
