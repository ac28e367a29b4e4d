"""The checker sees each promise broken in a history made up for it, and none in one that is as it should be."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fixtures import a_lease, a_run, an_endpoint
from cronicorn.domain.instant import EPOCH, shifted
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.run import Run
from cronicorn.testing.contracts.stores import CRON
from tests.chaos.checker import violations
from tests.chaos.editor import Final, Rest
from tests.chaos.facts import Facts
from tests.chaos.generator import Kind
from tests.chaos.history import Line, Reader, Recorder, now
from tests.chaos.plan import Plan

PLAN = Plan(seed=1, seconds=10)
"""Its offset between the clocks is 0, so that an instant of the history is one of the database's clock."""
READ_AT = shifted(EPOCH, timedelta(seconds=90))


def claimed(fence: int, at: float, **changes: object) -> Line:
    line: Line = {
        "what": "claimed", "by": "w0.1", "at": at, "sent": at, "endpoint": "ep1", "claim_id": f"c{fence}",
        "fence": fence, "slot": fence, "attempt": 1, "manual": False, "claimed_us": round(at * 1e6),
        "due_us": round(at * 1e6),
    }  # fmt: skip
    return line | changes


def settled(fence: int, at: float, answer: str = "accepted", *, ran: bool = True) -> list[Line]:
    about: Line = {"by": "w0.1", "at": at, "claim_id": f"c{fence}"}
    return [
        about | {"what": "settling", "ran": ran},
        about | {"what": "settled", "answer": answer, "decided_us": round(at * 1e6)},
    ]


def renewed(fence: int, sent: float) -> Line:
    return {"what": "renewed", "by": "w0.1", "at": sent, "sent": sent, "kept": [f"c{fence}"], "lost": []}


def abandoned(fence: int, at: float) -> list[Line]:
    return [{"what": what, "by": "w0.1", "at": at, "claims": [f"c{fence}"]} for what in ("abandoning", "abandoned")]


def said(event: str, reason: str | None = None) -> Line:
    return {"what": "log", "by": "w0.1", "at": 1.0, "level": "WARNING", "event": event, "reason": reason, "error": None}


def killed(at: float) -> Line:
    return {"what": "fault", "by": "parent", "kind": Kind.KILL, "worker": "w0.1", "began": at, "at": at + 1}


def added(endpoint_id: str = "ep1") -> Line:
    return {
        "what": "edited", "by": "parent", "at": 0.0, "sent": 0.0, "endpoint": endpoint_id, "edit": "add",
        "answer": "done", "since_us": 0,
    }  # fmt: skip


def resting(**changes: object) -> Rest:
    """A store with one new endpoint that runs every minute, read before its first run ended."""
    endpoint = started(an_endpoint(), EPOCH, CRON)
    final = Final(endpoint=endpoint, read_at=shifted(EPOCH, timedelta(seconds=30)), leased=False, runs=(), skips=())
    return Rest(endpoints=(replace(final, **changes),), overdue=0)  # type: ignore[arg-type]


def _with_state(**changes: object) -> JobEndpoint:
    endpoint = started(an_endpoint(), EPOCH, CRON)
    return replace(endpoint, state=replace(endpoint.state, **changes))  # type: ignore[arg-type]


def _recorded(fence: int) -> Run:
    """The run of the first slot, which stands for no instant."""
    endpoint = started(an_endpoint(), EPOCH, CRON)
    return a_run(a_lease(endpoint, now=shifted(EPOCH, timedelta(seconds=60)), fence=fence), nominal_at=None)


def broken(lines: list[Line], rest: Rest | None = None, plan: Plan = PLAN) -> set[str]:
    facts = Facts()
    for line in lines:
        facts.add(line)
    return {violation.invariant for violation in violations(plan, facts, rest)}


def histories() -> Iterator[tuple[str, list[Line]]]:
    """What must not happen, and which promise it breaks."""
    same = {"slot": 1}
    yield "I1", [claimed(1, 1), *settled(1, 1.1), claimed(2, 3, **same), *settled(2, 3.1)]
    yield "I2", [claimed(1, 1), claimed(2, 3, **same), *settled(1, 3.1)]
    yield "I2", [claimed(1, 1), *settled(1, 1.1), claimed(2, 3, **same)]
    yield "I3", [claimed(1, 1), *settled(1, 1.1), claimed(1, 3, claim_id="c2")]
    yield "I3", [claimed(1, 1), *settled(1, 1.1), claimed(2, 3, claim_id="c1")]
    yield "I3", [claimed(2, 1), *settled(2, 1.1), claimed(1, 3)]
    yield "I4", [claimed(1, 1), claimed(2, 1.9, **same)]
    yield "I4", [claimed(1, 1), renewed(1, 1.8), claimed(2, 2.7, **same)]
    yield "I7", [claimed(1, 1, due_us=1_000_001)]
    yield "I7", [claimed(1, 1, due_us=None)]
    yield "I13", [claimed(1, 1), *abandoned(1, 1.1), claimed(2, 1.2)]
    yield "I18", [said("run_not_recorded", "deadlock detected")]
    yield "I18", [said("store_unavailable", "could not serialize access")]
    yield "process", [said("claim_crashed")]
    yield "process", [{"what": "died", "by": "parent", "at": 1.0, "worker": "w1.1", "code": 1, "log": ""}]


@pytest.mark.parametrize(("invariant", "lines"), list(histories()))
def test_a_history_that_breaks_a_promise_is_noticed(invariant, lines):
    assert invariant in broken(lines)


@pytest.mark.parametrize(
    "lines",
    [
        [claimed(1, 1), *settled(1, 1.1), claimed(2, 1.2), *settled(2, 1.3), *settled(2, 1.4)],
        [claimed(1, 1), claimed(2, 2.1, slot=1), *settled(2, 2.2), *settled(1, 2.3, "lost")],
        [claimed(1, 1), renewed(1, 1.8), claimed(2, 2.9, slot=1)],
        [claimed(1, 1), *settled(1, 1.1, ran=False), claimed(2, 1.2, slot=1), *settled(2, 1.3)],
        [claimed(1, 1), *abandoned(1, 1.1), claimed(2, 1.2, slot=1)],
        [claimed(1, 1), *abandoned(1, 1.1), added(), claimed(3, 1.4)],
        [said("lease_lost"), said("store_unavailable", "The database is away.")],
    ],
)
def test_a_history_that_breaks_none_is_let_through(lines):
    assert broken(lines) == set()


def test_what_a_mechanism_does_not_promise_is_not_asked_of_it():
    overlapping = [claimed(1, 1), claimed(1, 1.1, claim_id="c2"), *settled(1, 1.2)]

    assert broken(overlapping, plan=replace(PLAN, mechanism=Mechanism.OPTIMISTIC)) == set()


def test_a_slot_of_a_killed_worker_must_be_claimed_again_in_time():
    orphaned = [claimed(1, 1), killed(1.5)]

    assert broken([*orphaned, claimed(2, 3, by="w1.1", slot=1)], resting()) == set()
    assert broken([*orphaned, claimed(2, 7.3, by="w1.1", slot=1)], resting()) == {"I6"}
    assert broken(orphaned, resting()) == {"I6"}


def test_leases_lost_on_other_slots_of_the_endpoint_count_for_its_rest():
    first = [claimed(1, 1, by="w1.1"), killed(1.5) | {"worker": "w1.1"}]
    second = [claimed(2, 3, by="w2.1", slot=9, manual=True), killed(3.5) | {"worker": "w2.1"}]
    third = [claimed(3, 5, slot=9, manual=True), killed(5.5)]
    rested = claimed(4, 16.5, by="w3.1", slot=9, manual=True)

    assert broken([*first, *second, *third, rested], resting()) == set()
    assert "I6" in broken([*first, *settled(1, 1.2), *second, *third, rested], resting())


def test_a_store_at_rest_breaks_no_promise():
    assert broken([added()], resting()) == set()


@pytest.mark.parametrize(
    ("invariant", "rest"),
    [
        ("I5", replace(resting(), overdue=1)),
        ("I5", resting(endpoint=_with_state(plan=None))),
        ("I5", replace(resting(), endpoints=())),
        ("I19", resting(leased=True)),
        ("books", resting(read_at=READ_AT, endpoint=_with_state(accounted_until=READ_AT, attempt=2))),
    ],
)
def test_a_store_at_rest_that_lost_something_is_noticed(invariant, rest):
    assert invariant in broken([added()], rest)


def test_what_is_recorded_must_be_what_was_settled():
    right = _recorded(fence=1)
    history = [added(), claimed(1, 60), *settled(1, 61)]

    assert broken(history, resting(read_at=READ_AT, runs=(right,))) == set()
    assert broken(history, resting(read_at=READ_AT)) == {"I1"}
    assert broken(history, resting(read_at=READ_AT, runs=(replace(right, fence=2),))) == {"I1"}
    assert "I1" in broken(history, resting(read_at=READ_AT, runs=(right, right)))
    assert "I2" in broken([*history, claimed(2, 62, slot=1)], resting(read_at=READ_AT, runs=(right,)))
    assert "I7" in broken(history, resting(read_at=READ_AT, runs=(replace(right, due_at=READ_AT),)))


def test_what_came_after_the_instant_is_told_the_next_time(tmp_path):
    recorder, reader = Recorder(tmp_path, "w0.1"), Reader(tmp_path)
    recorder.say("first")
    between = now()
    recorder.say("second")
    recorder.close()

    assert [line["what"] for line in reader.lines(between)] == ["first"]
    assert [line["what"] for line in reader.lines()] == ["second"]
    assert list(reader.lines()) == []
