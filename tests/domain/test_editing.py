"""Edits plan again at once, take nothing away that is due, and keep the books."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.editing import (
    asked_to_run,
    edited,
    forgiven,
    hinted,
    resumed,
    started,
    suspended,
    taken_back,
    unhinted,
)
from cronicorn.domain.endpoint import AnalysisSwitch, Baseline, CatchUp, CatchUpMode, JobEndpoint, Overlap, RetryPolicy
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.fixtures import MIDNIGHT, a_defer, a_one_shot, a_pause, an_endpoint, an_interval_hint, an_outcome
from cronicorn.domain.hint import HINTS_MAX, Author, Hint
from cronicorn.domain.plan import Source
from cronicorn.domain.settlement import Change, Stored
from cronicorn.domain.slot import SlotState
from tests.domain.history import CRON, Edit, History, check_books

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
EVERY_MINUTE = Baseline(interval=MINUTE, anchor_at=MIDNIGHT)
BROKEN = an_outcome(500)


def history(**changes: object) -> History:
    return History(an_endpoint(baseline=changes.pop("baseline", EVERY_MINUTE), **changes))


def write(past: History, hint: Hint) -> None:
    past.edit(lambda endpoint, stored: hinted(endpoint, hint, stored, CRON))


def change(past: History, **changes: object) -> None:
    def edit(endpoint: JobEndpoint, stored: Stored) -> Change:
        return edited(endpoint, replace(endpoint, **changes), stored, CRON)  # type: ignore[arg-type]

    past.edit(edit)


def resume(endpoint: JobEndpoint, stored: Stored) -> Change:
    return resumed(endpoint, stored, CRON)


def rename(endpoint: JobEndpoint, stored: Stored) -> Change:
    return edited(endpoint, replace(endpoint, name=f"{stored.now}"), stored, CRON)


def suspend(*, active: bool) -> Edit:
    return lambda endpoint, stored: suspended(endpoint, job_active=active, archived_at=None, stored=stored, cron=CRON)


def planned_in(past: History) -> timedelta | None:
    return past.due_in()


def test_every_edit_gives_the_endpoint_a_new_version() -> None:
    past = history()

    past.edit(rename)

    assert past.endpoint.version == 2
    assert past.endpoint.updated_at == past.now


@pytest.mark.parametrize("baseline", [EVERY_MINUTE, Baseline(interval=MINUTE), Baseline(cron="* * * * *")])
@pytest.mark.parametrize("failures", [0, 3])
@pytest.mark.parametrize("hint", [None, an_interval_hint(7 * MINUTE, ttl=9 * HOUR)])
def test_edits_every_few_seconds_for_hours_starve_nobody(baseline: Baseline, failures: int, hint: Hint | None) -> None:
    past = history(baseline=baseline)
    past.endpoint = replace(past.endpoint, state=replace(past.state, failure_count=failures))
    if hint is not None:
        past.wait(30 * MINUTE)
        past.claim()
        past.lease = None
        write(past, hint)

    for _ in range(1_440):
        past.wait(5 * SECOND)
        past.edit(rename)
        if past.claim():
            past.run()

    expected = 17 if hint is not None else 120
    assert expected - 8 <= len(past.runs) <= expected + 1


def test_a_due_slot_is_not_taken_away_by_an_edit() -> None:
    past = history()
    past.wait(MINUTE + SECOND)

    write(past, an_interval_hint(HOUR, now=past.now))

    assert planned_in(past) == timedelta(0)
    assert past.next_run().nominal_at == MIDNIGHT + MINUTE


@pytest.mark.parametrize("edit", [suspend(active=False), lambda e, s: hinted(e, a_pause(MIDNIGHT + HOUR), s, CRON)])
def test_a_pause_takes_a_due_slot_and_all_that_waits_behind_it(edit: Edit) -> None:
    past = history(catch_up=CatchUp(mode=CatchUpMode.ALL, runs_max=9, window=HOUR))
    past.wait(4.5 * MINUTE)

    past.edit(edit)

    assert planned_in(past) != timedelta(0)
    assert past.skipped(SlotState.SKIPPED_PAUSED) == 4
    check_books(past)


def test_the_end_of_a_pause_makes_one_run_and_records_the_rest() -> None:
    past = history()
    write(past, a_pause(MIDNIGHT + 10 * MINUTE + SECOND))

    past.next_run()

    assert past.runs[0].source is Source.PAUSED
    assert past.next_run().due_at == MIDNIGHT + 11 * MINUTE
    assert past.skipped(SlotState.SKIPPED_PAUSED) == 10
    check_books(past)


@pytest.mark.parametrize("interval_max", [None, 2 * MINUTE])
@pytest.mark.parametrize("baseline", [EVERY_MINUTE, Baseline(cron="* * * * *")])
def test_resuming_makes_no_run_of_its_own(baseline: Baseline, interval_max: timedelta | None) -> None:
    past = history(baseline=baseline, interval_max=interval_max)
    write(past, a_pause(MIDNIGHT + 9 * HOUR))
    past.wait(2.5 * HOUR + SECOND)

    past.edit(resume)

    assert past.next_run().due_at == MIDNIGHT + 2.5 * HOUR + MINUTE
    assert past.skipped(SlotState.SKIPPED_PAUSED) == 150
    check_books(past)


def test_reactivating_a_job_makes_no_run_of_its_own() -> None:
    past = history(interval_max=2 * MINUTE)
    past.edit(suspend(active=False))
    past.wait(HOUR + SECOND)

    past.edit(suspend(active=True))

    assert past.next_run().due_at == MIDNIGHT + 61 * MINUTE
    assert [skip.count for skip in past.skips] == [60]
    check_books(past)


def test_resuming_what_was_never_paused_changes_no_plan() -> None:
    past = history(interval_max=2 * MINUTE)
    plan = past.state.plan
    past.wait(30 * SECOND)

    past.edit(resume)

    assert past.state.plan is not None
    assert plan is not None
    assert past.state.plan.next_run_at == plan.next_run_at


def test_a_new_schedule_counts_from_the_edit_on() -> None:
    past = history()
    past.next_run()
    past.wait(30 * SECOND)

    change(past, baseline=Baseline(cron="*/10 * * * *"))

    assert past.next_run().nominal_at == MIDNIGHT + 10 * MINUTE
    check_books(past)


def test_a_new_schedule_during_a_call_leaves_nothing_unrecorded() -> None:
    past = history()
    past.wait(MINUTE)
    assert past.claim()
    run = past.begin()
    past.wait(2.5 * MINUTE)
    change(past, baseline=Baseline(interval=20 * SECOND, anchor_at=MIDNIGHT))
    past.wait(MINUTE)

    past.end(run)

    assert [(skip.state, skip.count) for skip in past.skips] == [
        (SlotState.SKIPPED_OVERLAP, 2),
        (SlotState.SKIPPED_OVERLAP, 3),
    ]
    check_books(past)


def test_a_new_schedule_for_a_late_slot_leaves_nothing_unrecorded() -> None:
    past = history(catch_up=CatchUp(window=HOUR))
    past.wait(3.5 * MINUTE)
    change(past, baseline=Baseline(interval=20 * SECOND, anchor_at=MIDNIGHT))
    past.wait(MINUTE)

    past.next_run()

    assert past.runs[0].nominal_at == MIDNIGHT + 4 * MINUTE + 20 * SECOND
    check_books(past)


def test_a_new_schedule_ends_a_chain_of_late_runs() -> None:
    past = history(catch_up=CatchUp(mode=CatchUpMode.ALL, window=HOUR, runs_max=4))
    past.wait(9.5 * MINUTE)
    past.claim()
    past.run()

    change(past, baseline=Baseline(cron="*/10 * * * *"))
    past.next_run()

    assert [run.nominal_at for run in past.runs] == [MIDNIGHT + 6 * MINUTE, MIDNIGHT + 7 * MINUTE]
    assert past.skipped(SlotState.SUPERSEDED) == 2
    check_books(past)


def test_a_pause_ends_a_chain_of_late_runs_and_records_them() -> None:
    past = history(overlap=Overlap.BUFFER_ONE, catch_up=CatchUp(mode=CatchUpMode.ALL, window=HOUR, runs_max=4))
    past.wait(9.5 * MINUTE)
    past.claim()
    past.run()

    write(past, a_pause(MIDNIGHT + HOUR, now=past.now))

    assert past.skipped(SlotState.SKIPPED_PAUSED) == 3
    check_books(past)


def test_a_slot_whose_first_attempt_ran_is_not_recorded_as_skipped_when_its_retry_is_given_up() -> None:
    for hint in (a_pause(MIDNIGHT + HOUR), an_interval_hint(SECOND)):
        past = history(retries=RetryPolicy(count=3, backoff_min=25 * SECOND))
        past.next_run(outcome=BROKEN)
        assert past.state.attempt == 2

        write(past, hint)

        assert (past.state.attempt, past.state.retry_at, past.state.failure_count) == (1, None, 1)
        check_books(past)


def test_the_failure_of_a_retry_given_up_backs_off_at_once() -> None:
    past = history(retries=RetryPolicy(count=3, backoff_min=25 * SECOND))
    past.next_run(outcome=BROKEN)

    change(past, baseline=Baseline(interval=2 * SECOND, anchor_at=MIDNIGHT))

    assert past.state.attempt == 1
    assert planned_in(past) == 4 * SECOND


def test_a_deferred_instant_is_recorded_once_when_an_edit_moves_on() -> None:
    past = history()
    write(past, a_defer(MIDNIGHT + 10 * MINUTE))
    past.wait(5.5 * MINUTE)

    past.edit(lambda endpoint, stored: unhinted(endpoint, stored, CRON))

    assert past.next_run().due_at == MIDNIGHT + 6 * MINUTE
    assert past.skipped(SlotState.SUPERSEDED) == 5
    check_books(past)


def test_clearing_hints_leaves_pauses() -> None:
    past = history()
    for hint in (a_pause(MIDNIGHT + HOUR), an_interval_hint(SECOND), a_one_shot(MIDNIGHT + SECOND)):
        write(past, hint)

    past.edit(lambda endpoint, stored: unhinted(endpoint, stored, CRON))

    assert [hint.kind.value for hint in past.state.hints] == ["pause"]


def test_a_later_hint_of_the_same_author_and_kind_replaces_the_earlier_one() -> None:
    past = history()

    write(past, an_interval_hint(SECOND))
    write(past, an_interval_hint(2 * SECOND))

    assert [hint.interval for hint in past.state.hints] == [2 * SECOND]


def test_more_hints_than_an_endpoint_may_have_are_refused() -> None:
    past = history()
    for number in range(HINTS_MAX):
        write(past, replace(an_interval_hint(SECOND), key=str(number)))

    with pytest.raises(ConflictError):
        write(past, an_interval_hint(SECOND))


def test_forgiving_failures_ends_the_backoff_at_once() -> None:
    past = history()
    for _ in range(4):
        past.next_run(outcome=BROKEN)

    past.edit(lambda endpoint, stored: forgiven(endpoint, stored, CRON))

    assert planned_in(past) == MINUTE
    check_books(past)


def test_one_manual_run_waits_at_a_time() -> None:
    past = history()

    past.edit(asked_to_run)
    waiting = past.state.manual
    past.edit(asked_to_run)

    assert past.state.manual == waiting


def test_a_manual_run_of_an_archived_endpoint_is_refused() -> None:
    with pytest.raises(ConflictError):
        asked_to_run(an_endpoint(archived_at=MIDNIGHT), Stored(now=MIDNIGHT))


def test_a_manual_run_taken_back_is_recorded() -> None:
    past = history()
    past.edit(asked_to_run)

    past.edit(taken_back)

    assert past.state.manual is None
    assert [skip.state for skip in past.skips] == [SlotState.CANCELLED]
    with pytest.raises(ConflictError):
        past.edit(taken_back)


def test_an_edit_during_a_manual_run_plans_again_however_soon_the_planned_slot_is():
    endpoint = started(an_endpoint(), MIDNIGHT, CRON)
    now = MIDNIGHT + timedelta(seconds=59.5)
    manual = asked_to_run(endpoint, Stored(now=now)).endpoint
    assert manual.state.manual is not None

    change = hinted(
        manual, an_interval_hint(HOUR, now=now), Stored(now=now, leased_slot=manual.state.manual.slot), CRON
    )

    assert change.endpoint.state.plan != endpoint.state.plan


def test_archiving_an_endpoint_takes_back_the_manual_run_that_waits():
    endpoint = asked_to_run(started(an_endpoint(), MIDNIGHT, CRON), Stored(now=MIDNIGHT)).endpoint

    change = suspended(endpoint, job_active=True, archived_at=MIDNIGHT, stored=Stored(now=MIDNIGHT), cron=CRON)

    assert change.endpoint.state.manual is None
    assert [skip.state for skip in change.skips] == [SlotState.CANCELLED]


def test_a_due_slot_that_a_pause_puts_aside_does_not_lend_its_number_to_another_instant():
    endpoint = started(an_endpoint(), MIDNIGHT, CRON)
    now = MIDNIGHT + timedelta(seconds=61)

    change = hinted(endpoint, a_pause(now + HOUR, now=now), Stored(now=now), CRON)

    assert change.endpoint.state.plan is not None
    assert change.endpoint.state.plan.source is Source.PAUSED
    assert change.endpoint.state.slot == endpoint.state.slot + 1


def test_switching_analysis_off_takes_the_hints_of_the_model_back_and_no_others() -> None:
    past = history(analysis=AnalysisSwitch(enabled=True))
    write(past, replace(an_interval_hint(10 * SECOND), author=Author.MODEL))
    write(past, replace(a_one_shot(MIDNIGHT + 40 * SECOND), author=Author.PERSON))

    change(past, name="still on")
    kept = past.endpoint.state.hints
    change(past, analysis=AnalysisSwitch())

    assert [hint.author for hint in kept] == [Author.MODEL, Author.PERSON]
    assert [hint.author for hint in past.endpoint.state.hints] == [Author.PERSON]
    assert planned_in(past) == 40 * SECOND
