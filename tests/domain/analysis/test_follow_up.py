"""Looking again because the model said so: not before its time, only for a change, once, and within bounds."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cronicorn.domain.analysis.fingerprint import fingerprint_of
from cronicorn.domain.analysis.follow_up import FOLLOW_UP_LEAST, FOLLOW_UP_MOST, FollowUp, follow_up_in
from cronicorn.domain.analysis.watching import (
    NOTHING_WATCHED,
    Occasion,
    WatchMemory,
    Why,
    analysed,
    due,
    read,
    watch_memory_of,
)
from cronicorn.domain.endpoint import AnalysisSwitch
from cronicorn.domain.fixtures import MIDNIGHT, a_lease, a_run, an_endpoint, an_outcome
from cronicorn.domain.run import Run

HOUR = timedelta(hours=1)
ON = AnalysisSwitch(enabled=True, cooldown=timedelta(minutes=5))
NEWS = Why(occasion=Occasion.NOVELTY, detail="/status")
CHANGED = Why(occasion=Occasion.FOLLOW_UP, detail="/status")


def answered(status: str, **more: object) -> Run:
    outcome = an_outcome(body=json.dumps({"status": status, **more}), body_is_json=True)
    return a_run(a_lease(an_endpoint()), outcome)


def seen(status: str, **more: object) -> WatchMemory:
    """Both states are known, the analysis saw *status*, and wants to look again in an hour."""
    known = read(NOTHING_WATCHED, [answered("ok", **more), answered("down", **more)] * 15)
    follow_up = FollowUp(at=MIDNIGHT + HOUR, seen=fingerprint_of(answered(status, **more).outcome))
    return analysed(known, NEWS, MIDNIGHT, follow_up)


def asked(memory: WatchMemory, now: datetime = MIDNIGHT + HOUR) -> Why | None:
    return due(memory, ON, None, now)


def test_a_known_state_that_ended_is_a_reason_from_the_instant_on_and_not_before() -> None:
    memory = read(seen("down"), [answered("ok")])

    assert asked(memory, MIDNIGHT + HOUR / 2) is None
    assert asked(memory) == asked(memory, MIDNIGHT + 9 * HOUR) == CHANGED


def test_answers_like_the_one_that_was_seen_are_no_reason_however_long() -> None:
    assert asked(read(seen("down"), [answered("down")] * 500), MIDNIGHT + 99 * HOUR) is None


def test_what_came_and_went_before_a_look_is_no_reason() -> None:
    assert asked(read(seen("down"), [answered("ok"), answered("down")])) is None


def test_noise_of_numbers_and_places_that_hold_data_are_no_change() -> None:
    assert asked(read(seen("down", busy=17), [answered("down", busy=40)])) is None

    words = [answered("down", name=name) for name in "aabbccddeeffgghhiijj"]
    memory = replace(read(seen("down", name="a"), words), pending=None)
    assert asked(read(memory, [answered("down", name="zz")])) is None


def test_another_shape_is_a_change() -> None:
    told = [answered("down", **more) for more in ({}, {"eta": 5}, {})]
    known = read(NOTHING_WATCHED, told * 10)
    memory = analysed(known, NEWS, MIDNIGHT, FollowUp(at=MIDNIGHT, seen=fingerprint_of(told[0].outcome)))

    assert asked(read(memory, [told[1]])) == Why(occasion=Occasion.FOLLOW_UP, detail="shape")


def test_without_an_answer_at_its_time_the_next_one_is_what_the_analysis_saw() -> None:
    memory = analysed(seen("down"), NEWS, MIDNIGHT, FollowUp(at=MIDNIGHT, seen=None))

    assert asked(read(memory, [answered("down")])) is None
    assert asked(read(memory, [answered("down"), answered("ok")])) == CHANGED


def test_the_cooldown_and_the_number_a_day_hold() -> None:
    memory = read(seen("down"), [answered("ok")])

    assert due(memory, AnalysisSwitch(enabled=True, cooldown=2 * HOUR), None, MIDNIGHT + HOUR) is None
    for _ in range(24):
        memory = analysed(memory, CHANGED, MIDNIGHT + HOUR, memory.follow_up)
    assert asked(memory, MIDNIGHT + 3 * HOUR) is None


def test_the_next_analysis_ends_it() -> None:
    memory = read(seen("down"), [answered("ok")])

    assert asked(analysed(memory, CHANGED, MIDNIGHT + HOUR), MIDNIGHT + 9 * HOUR) is None


def test_it_is_stored_exactly() -> None:
    for memory in (seen("down"), read(seen("down"), [answered("ok")]), analysed(seen("ok"), NEWS, MIDNIGHT)):
        assert watch_memory_of(json.loads(json.dumps(memory.document()))) == memory


@pytest.mark.parametrize(
    ("wanted", "cooldown", "counts"),
    [
        (timedelta(0), timedelta(0), FOLLOW_UP_LEAST),
        (timedelta(days=9), HOUR, FOLLOW_UP_MOST),
        (HOUR / 2, HOUR, HOUR),
        (2 * HOUR, HOUR, 2 * HOUR),
    ],
)
def test_what_the_model_wants_keeps_within_bounds_and_beyond_the_cooldown(
    wanted: timedelta, cooldown: timedelta, counts: timedelta
) -> None:
    assert follow_up_in(wanted, cooldown) == counts
