"""What a replay reports, worked out by hand for short records."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from cronicorn.domain.hint import Author
from cronicorn.domain.plan import Source
from cronicorn.domain.replay.replay import Replay
from cronicorn.domain.replay.replayed import Conclusion, Delay
from cronicorn.domain.run import RunStatus
from cronicorn.domain.trace import Mark, Step, Trace, Verdict
from tests.domain.policy.history import CRON, HOUR, MINUTE, SECOND, endpoint_with
from tests.domain.replay.recorded import ERRORS, a_record, asked_for, every_five_minutes, minute, replayed, under

PLAIN = endpoint_with(None)
ERR = {"err": {"path": "$.err", "type": "number"}}
QUIET = [0.0] * 12


def delay(low: timedelta, high: timedelta) -> Delay:
    return Delay(low=low, high=high)


def test_calls_rate_and_minute_peak_are_told_of_both_sides():
    runs = every_five_minutes(0, 0, 0, 0, 0, 0, 0, 9, 9, 0, 0, 0, 0)

    told = replayed(under(ERRORS, PLAIN), runs)

    assert (told.first_at, told.last_at, told.recorded) == (minute(5), minute(65), 13)
    assert (told.old.calls, told.old.calls_a_day, told.old.minute_peak) == (13, 288.0, 1)
    # Nine errors from 00:40 to 00:50: eight calls more, and 12 + 8 calls after the first one within an hour.
    assert (told.new.calls, told.new.calls_a_day, told.new.minute_peak) == (21, 480.0, 1)
    assert told.together == 13
    assert told.gap_max == 5 * MINUTE


def test_the_most_calls_within_any_sixty_seconds_are_counted_across_the_clocks_minute():
    hurried = ERRORS | {"rules": [{"id": "burst", "when": "err > 5", "action": {"interval": "20s"}}]}

    told = replayed(under(hurried, PLAIN), every_five_minutes(*QUIET, 9, 9))

    assert (told.old.minute_peak, told.new.minute_peak) == (1, 3)


def test_an_episode_says_when_it_began_and_ended_and_counts_two_flips():
    runs = every_five_minutes(0, 0, 0, 0, 0, 0, 0, 9, 9, 0, 0, 0, 0)

    told = replayed(under(ERRORS, PLAIN), runs)

    (episode,) = told.episodes
    assert (episode.rule, episode.in_force_at, episode.ended_at) == ("burst", minute(40), minute(50))
    assert (episode.after, episode.by, episode.noticed_at) == (minute(35), minute(40), minute(40))
    assert (told.old.flips_an_hour, told.new.flips_an_hour) == (0.0, 2.0)
    (rule,) = told.rules
    assert (rule.entered, rule.in_force, rule.answers, rule.unknown) == (1, 10 * MINUTE, 21, 0)


def test_a_reaction_is_bounded_by_the_recorded_gap():
    told = replayed(under(ERRORS, PLAIN), every_five_minutes(0, 0, 0, 0, 0, 0, 0, 9, 9, 0, 0))

    (episode,) = told.episodes
    assert (episode.old, episode.new) == (delay(0 * MINUTE, 5 * MINUTE), delay(0 * MINUTE, 5 * MINUTE))


def test_calls_between_two_recorded_runs_lower_the_upper_bound_only():
    often = {
        "fields": ERR | {"near": {"path": "$.near", "type": "bool"}},
        "rules": [
            {"id": "near", "when": "near", "action": {"interval": "1m"}},
            {"id": "late", "when": "err > 5", "action": {"interval": "30s"}},
        ],
    }
    values = iter([{"err": 0, "near": False}] * 9 + [{"err": 0, "near": True}] * 2 + [{"err": 9, "near": True}] * 2)
    runs = a_record(PLAIN, lambda _: {"body": next(values)}, 13)

    told = replayed(under(often, PLAIN), runs)

    # Errors began between 00:55 and 01:00. A call came each minute, so they went unnoticed for a minute at most.
    late = next(episode for episode in told.episodes if episode.rule == "late")
    assert (late.after, late.by) == (minute(55), minute(60))
    assert (late.old, late.new) == (delay(0 * MINUTE, 5 * MINUTE), delay(0 * MINUTE, MINUTE))


def test_a_policy_that_calls_less_often_notices_later_by_both_bounds():
    calm = {
        "fields": ERR,
        "rules": [
            {"id": "calm", "when": "err < 5", "action": {"interval": "15m"}},
            {"id": "burst", "when": "err > 5", "action": {"interval": "1m"}},
        ],
    }
    # Called at 00:05, then 00:20, 00:35, 00:50, 01:05; errors were recorded first at 00:55.
    runs = every_five_minutes(*[0] * 10, 9, 9, 9, 9)

    told = replayed(under(calm, PLAIN), runs)

    burst = next(episode for episode in told.episodes if episode.rule == "burst")
    assert (burst.after, burst.by, burst.noticed_at) == (minute(50), minute(55), minute(65))
    assert burst.old == delay(0 * MINUTE, 5 * MINUTE)
    assert burst.new == delay(10 * MINUTE, 15 * MINUTE)
    assert told.new.reaction is not None
    assert (told.new.reaction.episodes, told.new.reaction.longest) == (1, burst.new)


def test_what_came_and_went_between_two_imagined_calls_is_said_to_be_unseen():
    calm = {
        "fields": ERR,
        "rules": [
            {"id": "calm", "when": "err < 5", "action": {"interval": "15m"}},
            {"id": "burst", "when": "err > 5", "action": {"interval": "1m"}},
        ],
    }

    told = replayed(under(calm, PLAIN), every_five_minutes(0, 9, 0, *QUIET))

    assert [(rule.rule, rule.entered, rule.unseen) for rule in told.rules] == [("calm", 1, 0), ("burst", 0, 1)]
    assert "Rule burst: its condition held once without any imagined call coming meanwhile." in told.remarks


def test_means_are_taken_of_both_bounds():
    confirmed = ERRORS | {"rules": [{"id": "burst", "when": "err > 5", "action": {"interval": "1m"}}]}
    runs = every_five_minutes(*[0] * 9, 9, 0, 0, 9, 0)
    runs = [run for run in runs if run.started_at != minute(60)]

    told = replayed(under(confirmed, PLAIN), runs)

    # The first time the gap is 5 minutes, the second time 10: the run of 01:00 is not on record.
    assert told.old.reaction is not None
    assert told.old.reaction.mean == delay(0 * MINUTE, 7.5 * MINUTE)
    assert told.old.reaction.longest == delay(0 * MINUTE, 10 * MINUTE)
    # Under the policy there is a call at 01:00, whose answer nobody knows.
    assert told.new.reaction is not None
    assert told.new.reaction.mean == delay(0 * MINUTE, 5 * MINUTE)


def test_a_call_that_may_have_found_it_leaves_no_lower_bound():
    slow = replace(PLAIN, baseline=Baseline(interval=10 * MINUTE, anchor_at=MIDNIGHT))
    runs = [run for run in every_five_minutes(*[0] * 12, 9, 9) if run.started_at != minute(60)]

    told = replayed(under(ERRORS, slow), runs)

    # Errors began between 00:55 and 01:05. The call at 01:00 may have met them already; that of 01:10 did.
    (episode,) = told.episodes
    assert (episode.after, episode.by, episode.noticed_at) == (minute(55), minute(65), minute(70))
    assert (episode.old, episode.new) == (delay(0 * MINUTE, 10 * MINUTE), delay(0 * MINUTE, 10 * MINUTE))


def test_a_condition_that_holds_from_the_beginning_has_no_beginning_that_can_be_told():
    told = replayed(under(ERRORS, PLAIN), every_five_minutes(9, 9, *QUIET))

    (episode,) = told.episodes
    assert (episode.old, episode.new, episode.after) == (None, None, None)
    assert told.old.reaction is None
    assert "Rule burst: its condition held when the record begins, nobody knows since when." in told.remarks


def test_an_episode_that_lasts_to_the_end_of_the_record_has_no_end():
    told = replayed(under(ERRORS, PLAIN), every_five_minutes(*QUIET, 9))

    (episode,) = told.episodes
    assert episode.ended_at is None


def test_a_policy_whose_rules_never_come_into_force_is_said_to_gain_nothing():
    told = replayed(under(ERRORS, PLAIN), every_five_minutes(*QUIET))

    assert told.conclusion is Conclusion.GAINS_NOTHING
    assert (
        told.because == "No rule of this policy would ever have been in force: it gains nothing over its baseline here."
    )
    assert (told.old.calls, told.new.calls, told.together) == (12, 12, 12)


def test_a_policy_that_moves_no_call_is_said_to_gain_nothing():
    same = ERRORS | {"rules": [{"id": "same", "when": "err > 5", "action": {"interval": "5m"}}]}

    told = replayed(under(same, PLAIN), every_five_minutes(*QUIET, 9, 9, 0))

    assert told.conclusion is Conclusion.GAINS_NOTHING
    assert told.because == "Every call would have come when it did: this policy gains nothing over what happened."


def test_a_policy_that_moves_calls_is_said_to_differ_and_by_how_many():
    told = replayed(under(ERRORS, PLAIN), every_five_minutes(*QUIET, 9, 0))

    assert told.conclusion is Conclusion.DIFFERS
    assert told.because == "4 calls would have come, or not come, at another time."


def test_from_a_few_runs_nothing_is_concluded():
    told = replayed(under(ERRORS, PLAIN), every_five_minutes(0, 9, 0))

    assert told.conclusion is Conclusion.CANNOT_TELL
    assert told.because == "The record holds 3 runs, and 10 are the least to go by."


def test_without_any_run_nothing_is_told():
    told = replayed(under(ERRORS, PLAIN), [])

    assert (told.conclusion, told.first_at, told.old.calls, told.new.calls) == (Conclusion.CANNOT_TELL, None, 0, 0)


def test_answers_without_bodies_can_not_tell():
    told = replayed(under(ERRORS, PLAIN), every_five_minutes(*[None] * 12))

    assert told.conclusion is Conclusion.CANNOT_TELL
    assert told.because == "Rule burst: no body of an answer is recorded, so the record can't tell."
    assert "12 of 12 answers are recorded without a body." in told.remarks


def test_bodies_that_lack_the_field_can_not_tell():
    runs = a_record(PLAIN, lambda _: {"body": {"other": 1}}, 12)

    told = replayed(under(ERRORS, PLAIN), runs)

    assert told.conclusion is Conclusion.CANNOT_TELL
    assert told.because == "Rule burst: no recorded answer says what is asked for, so the record can't tell."


def test_rules_that_are_never_asked_can_not_tell():
    theirs = {"err": {"from": "sibling:nobody", "path": "$.err", "type": "number"}}

    told = replayed(under(ERRORS | {"fields": theirs}, PLAIN), every_five_minutes(*QUIET))

    assert told.conclusion is Conclusion.CANNOT_TELL
    assert told.because == "No rule was ever asked: no answer that they read is on record."


def test_a_replay_is_cut_at_its_limit_and_says_so():
    told = replayed(under(ERRORS, PLAIN), every_five_minutes(*QUIET), calls_max=4)

    assert (told.new.calls, told.old.calls, told.last_at) == (4, 5, minute(25))
    assert told.remarks[0] == "The replay was cut at 2026-01-01T00:25:00+00:00: it makes no more calls than that."


def test_late_runs_are_met_by_calls_as_late_as_they():
    runs = a_record(PLAIN, lambda _: {"body": {"err": 0}}, 12, late=2 * SECOND)

    told = replayed(under(ERRORS, PLAIN), runs)

    assert told.together == told.new.calls == 12


def test_runs_that_people_asked_for_count_on_neither_side_and_steer_all_the_same():
    runs = every_five_minutes(*QUIET, 0, 0)
    asked = asked_for(replace(runs[11], slot=99, due_at=minute(61), started_at=minute(61), finished_at=minute(61)))
    asked = replace(asked, outcome=an_outcome(body='{"err": 9}', body_is_json=True))

    told = replayed(under(ERRORS, PLAIN), [*runs[:12], asked, *runs[12:]])

    assert told.old.calls == 14
    assert [(episode.in_force_at, episode.ended_at) for episode in told.episodes] == [(minute(61), minute(65))]


def test_a_test_call_is_an_answer_that_steers_nobody_by_itself():
    runs = every_five_minutes(*QUIET, 0, 0)
    tested = asked_for(replace(runs[11], due_at=minute(61), started_at=minute(61), finished_at=minute(61)), Source.TEST)
    tested = replace(tested, outcome=an_outcome(body='{"err": 9}', body_is_json=True))

    told = replayed(under(ERRORS, PLAIN), [*runs[:12], tested, *runs[12:]])

    assert (told.old.calls, told.new.calls, told.episodes) == (14, 14, ())


def test_a_call_that_ended_on_our_side_says_nothing_to_other_calls():
    runs = every_five_minutes(*QUIET, 9, 9, 9, 0)
    cancelled = an_outcome(kind=OutcomeKind.CANCELLED)._replace(status_code=None)
    runs[13] = replace(runs[13], outcome=cancelled, status=RunStatus.CANCELLED)

    told = replayed(under(ERRORS, PLAIN), runs)

    assert [(episode.in_force_at, episode.ended_at) for episode in told.episodes] == [(minute(65), minute(80))]


def test_a_call_that_has_not_seen_what_is_still_so_gets_the_whole_answer():
    slow = replace(PLAIN, baseline=Baseline(interval=10 * MINUTE, anchor_at=MIDNIGHT))
    runs = every_five_minutes(*QUIET, 9, 9, 0, 0)
    unchanged = an_outcome(304)
    runs[13] = replace(runs[13], outcome=unchanged)

    told = replayed(under(ERRORS, slow), runs)

    # Calls come at 00:05, then each ten minutes at the full ten: that of 01:10 meets a 304 to the answer of 01:05.
    assert [episode.in_force_at for episode in told.episodes] == [minute(70)]


def test_what_people_wrote_is_said_not_to_be_replayed():
    runs = every_five_minutes(*QUIET)
    trace = Trace(MIDNIGHT, (Step(Mark.HINT_INTERVAL, Verdict.WON, minute(5), Author.PERSON),))

    told = replayed(under(ERRORS, PLAIN), [replace(runs[0], trace=trace.encode()), *runs[1:]])

    assert told.remarks == ("People had a say in 1 run; what they wrote is not replayed.",)


def test_flips_that_happened_are_counted_from_the_record():
    errors = iter([*QUIET, 9, *[1] * 12])
    runs = a_record(endpoint_with(ERRORS), lambda _: {"body": {"err": next(errors)}}, 25)

    told = replayed(under({"rules": []}, PLAIN), runs)

    # Twelve runs of five minutes, one that finds errors, and one a minute later that finds none.
    assert told.old.flips_an_hour == pytest.approx(2 / ((runs[-1].started_at - runs[0].started_at) / HOUR))
    assert told.new.flips_an_hour == 0.0


def test_the_answers_of_a_sibling_are_heard_when_they_came():
    policy = {
        "fields": {"state": {"from": "sibling:health", "path": "$.state", "type": "string"}},
        "rules": [{"id": "down", "when": 'state == "down"', "action": {"interval": "1m"}}],
    }
    endpoint, health = under(policy, PLAIN), endpoint_with(None, name="health")
    states = iter(["up"] * 6 + ["down"] * 2 + ["up"] * 4)
    theirs = a_record(health, lambda _: {"body": {"state": next(states)}}, 12)
    theirs = [
        replace(run, started_at=run.started_at + 30 * SECOND, finished_at=run.finished_at + 30 * SECOND)
        for run in theirs
    ]
    replay = Replay(endpoint, CRON)

    for run in sorted([*every_five_minutes(*QUIET), *theirs], key=lambda each: each.started_at):
        if run.endpoint_id == health.id:
            replay.hear(health, run)
        else:
            replay.record(run)
        while replay.step():
            pass
    replay.close()
    while replay.step():
        pass
    told = replay.replayed()

    (episode,) = told.episodes
    assert (episode.in_force_at, episode.ended_at) == (minute(35.5), minute(45.5))
    assert (episode.old, told.conclusion) == (None, Conclusion.DIFFERS)
    # While it is in force calls come from 00:36:00 on each minute, less those that came anyway.
    assert told.new.calls - told.old.calls == 8
