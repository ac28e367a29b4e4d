"""When an analysis is due: only for a reason, after its cooldown, so often a day, and not while the model is down."""

import json
from dataclasses import replace
from datetime import timedelta

from cronicorn.domain.analysis.watching import (
    ANALYSES_A_DAY_MAX,
    NOTHING_WATCHED,
    RETRY_LEAST,
    RETRY_MOST,
    Occasion,
    WatchMemory,
    Why,
    analysed,
    due,
    failed,
    postponed,
    read,
    watch_memory_of,
)
from cronicorn.domain.endpoint import AnalysisSwitch
from cronicorn.domain.fixtures import MIDNIGHT, a_lease, a_run, an_endpoint, an_outcome
from cronicorn.domain.policy.steps import PolicySteps
from cronicorn.domain.run import Run
from cronicorn.domain.steering_record import SteeringRecord

HOUR = timedelta(hours=1)
ON = AnalysisSwitch(enabled=True, cooldown=HOUR)
NEWS = Why(occasion=Occasion.NOVELTY, detail="shape")
NEW = WatchMemory(pending=NEWS)


def answered(body: object, steering: str | None = None) -> Run:
    outcome = an_outcome(body=json.dumps(body), body_is_json=True)
    return replace(a_run(a_lease(an_endpoint())), outcome=outcome, steering=steering)


def test_steady_answers_are_no_reason() -> None:
    memory = read(NOTHING_WATCHED, [answered({"status": "ok"})] * 500)

    assert due(memory, ON, None, MIDNIGHT) is None


def test_that_nothing_changed_is_no_news() -> None:
    unchanged = replace(answered({}), outcome=an_outcome(304))

    memory = read(NOTHING_WATCHED, [*[answered({"status": "ok"})] * 20, *[unchanged] * 5])

    assert due(memory, ON, None, MIDNIGHT) is None
    assert memory.known.answers == 20


def test_what_is_new_is_a_reason_until_it_was_looked_at() -> None:
    memory = read(NOTHING_WATCHED, [*[answered({"status": "ok"})] * 20, answered({"status": "ok", "hint": 1})])

    assert due(memory, ON, None, MIDNIGHT) == NEWS
    assert due(analysed(memory, NEWS, MIDNIGHT), ON, None, MIDNIGHT + 2 * HOUR) is None


def test_rules_that_drift_are_a_reason_from_the_first_answer_on() -> None:
    record = SteeringRecord(at=MIDNIGHT, own=PolicySteps(drifted=("busy",))).encode()

    memory = read(NOTHING_WATCHED, [answered({}, steering=record)])

    assert due(memory, ON, None, MIDNIGHT) == Why(occasion=Occasion.DRIFT, detail="busy")


def test_a_cooldown_holds_news_back_and_not_who_asks() -> None:
    memory = replace(NEW, analysed_at=MIDNIGHT)

    assert due(memory, ON, None, MIDNIGHT + HOUR / 2) is None
    assert due(memory, ON, None, MIDNIGHT + HOUR) == NEWS
    assert due(memory, ON, "alice", MIDNIGHT) == Why(occasion=Occasion.REQUEST, detail="alice")


def test_news_are_looked_at_so_often_a_day() -> None:
    memory, now = NOTHING_WATCHED, MIDNIGHT
    often = replace(ON, cooldown=timedelta(minutes=5))
    asked = 0
    while now < MIDNIGHT + timedelta(days=1):
        memory = replace(memory, pending=NEWS)
        if due(memory, often, None, now) is not None:
            memory = analysed(memory, NEWS, now)
            asked += 1
        now += timedelta(minutes=5)

    assert asked == ANALYSES_A_DAY_MAX
    assert due(replace(memory, pending=NEWS), often, None, now) == NEWS


def test_every_failure_doubles_the_wait_and_the_models_word_lengthens_it() -> None:
    memory, waits = NEW, []
    for _ in range(12):
        memory = failed(memory, None, MIDNIGHT)
        assert memory.not_before is not None
        waits.append(memory.not_before - MIDNIGHT)

    assert waits[:3] == [RETRY_LEAST, 2 * RETRY_LEAST, 4 * RETRY_LEAST]
    assert waits[-1] == RETRY_MOST
    assert failed(NEW, 2 * HOUR, MIDNIGHT).not_before == MIDNIGHT + 2 * HOUR
    assert due(failed(NEW, HOUR, MIDNIGHT), ON, "alice", MIDNIGHT) is None


def test_a_spent_budget_keeps_the_reason() -> None:
    memory = postponed(NEW, HOUR, MIDNIGHT, 0.0)

    assert due(memory, ON, None, MIDNIGHT + HOUR / 2) is None
    assert due(memory, ON, None, MIDNIGHT + HOUR) == NEWS


def test_repeated_denials_wait_longer_by_chance_until_one_is_granted() -> None:
    memory, waits = NEW, []
    for _ in range(12):
        memory = postponed(memory, HOUR, MIDNIGHT, 0.5)
        assert memory.not_before is not None
        waits.append((memory.not_before - MIDNIGHT - HOUR).total_seconds())

    assert waits[:4] == [0.5, 1, 2, 4]
    assert waits[-1] == 450
    assert watch_memory_of(json.loads(json.dumps(memory.document()))) == memory
    assert analysed(memory, NEWS, MIDNIGHT).denials == failed(memory, None, MIDNIGHT).denials == 0


def test_a_memory_is_stored_exactly() -> None:
    memory = failed(analysed(read(NEW, [answered({"status": "ok"})]), NEWS, MIDNIGHT), None, MIDNIGHT)

    assert watch_memory_of(json.loads(json.dumps(memory.document()))) == memory


def test_a_budget_that_was_spent_holds_nobody_back_who_asks_again() -> None:
    spent, down = postponed(NEW, 10 * HOUR, MIDNIGHT, chance=0.0), failed(NEW, 10 * HOUR, MIDNIGHT)

    assert due(spent, ON, None, MIDNIGHT + HOUR) is None
    assert due(spent, ON, "alice", MIDNIGHT + HOUR) == Why(occasion=Occasion.REQUEST, detail="alice")
    assert due(down, ON, "alice", MIDNIGHT + HOUR) is None
