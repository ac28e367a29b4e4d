"""How rules and signals stand: phase by phase, with what they read, what keeps them, and what would turn them."""

from datetime import timedelta
from typing import Any

from cronicorn.domain.call import Method
from cronicorn.domain.fixtures import an_endpoint
from cronicorn.domain.policy.memory import Phase
from cronicorn.domain.signals.signal import Adapt, Signal, Signals
from cronicorn.domain.standings import RuleStanding, SignalStanding, rule_standings, signal_standings, signals_tighten
from cronicorn.domain.steering_record import SteeringRecord
from tests.domain.policy.history import HOUR, MINUTE, SECOND, History, endpoint_with

POLICY: dict[str, Any] = {
    "fields": {
        "err": {"path": "$.err", "type": "number"},
        "wait": {"path": "$.wait", "type": "number"},
        "state": {"path": "$.state", "type": "string"},
    },
    "rules": [
        {"id": "calm", "when": "err < -1", "action": {"interval": "10m"}},
        {"id": "burst", "when": "err > 5", "until": "err < 2", "for": 2, "until_for": 2, "hold": "1h",
         "action": {"interval": {"field": "wait", "default": "30s"}}},
        {"id": "again", "when": "state == 'down'", "cooldown": "20m", "max_fires": {"count": 2, "per": "3h"},
         "action": {"pause": "1m"}},
    ],
}  # fmt: skip


def standing_of(history: History, rule: str, later: timedelta = 0 * SECOND) -> RuleStanding:
    """How *rule* stands so much *later* than the last answer."""
    found = rule_standings(history.endpoints["api"], history.record, history.calls[-1][0] + later)
    return next(each for each in found if each.rule.id == rule)


def signals_of(
    history: History, record: SteeringRecord | None, later: timedelta = 0 * SECOND
) -> dict[Signal, SignalStanding]:
    """How signals stand so much *later* than the last answer."""
    found = signal_standings(history.endpoints["api"], record, history.calls[-1][0] + later)
    return {each.signal: each for each in found}


def test_a_rule_is_told_phase_by_phase_with_what_it_waits_for() -> None:
    history, told = History.of(endpoint_with(POLICY, interval_min=SECOND)), []
    for err in (1, 9, 9, 1, 9):
        history.answer({"err": err, "wait": 60, "state": "up"})
        told.append(standing_of(history, "burst"))
    at_rest, pending, active, clearing, again = told
    assert active.since is not None

    phases = [(each.phase, each.streak, each.turned_by) for each in told]
    assert phases == [
        (Phase.IDLE, 0, "err > 5"), (Phase.PENDING, 1, "err <= 5"), (Phase.ACTIVE, 0, "err < 2"),
        (Phase.CLEARING, 1, "err >= 2"), (Phase.ACTIVE, 0, "err < 2"),
    ]  # fmt: skip
    assert at_rest.since is None
    assert pending.confirming == pending.rule.confirm
    assert clearing.confirming == clearing.rule.confirm_end
    assert active.since == clearing.since == again.since
    assert active.holds_until == active.since + HOUR
    assert [(each.name, each.value, each.place) for each in again.values] == [
        ("err", 9.0, "/err"),
        ("wait", 60.0, "/wait"),
    ]


def test_what_does_not_rest_comes_first_and_an_answer_that_says_nothing_leaves_values_unknown() -> None:
    history = History.of(endpoint_with(POLICY))
    history.answer({"err": 9, "state": "down"})
    order = [each.rule.id for each in rule_standings(history.endpoints["api"], history.record, history.calls[-1][0])]
    history.answer({"state": "up"})
    unknown = standing_of(history, "burst")

    assert order == ["again", "burst", "calm"]
    assert unknown.unknowns == 1
    assert [each.value for each in unknown.values] == [None, None]
    assert unknown.turned_by is None


def test_a_cooldown_and_a_limit_are_told_until_they_are_over() -> None:
    history, told = History.of(endpoint_with(POLICY, interval_min=10 * MINUTE)), []
    for _ in range(6):
        history.answer({"err": 1, "state": "down"})
        told.append(standing_of(history, "again"))
    first, last = told[0], told[-1]
    assert first.acted_at is not None

    assert first.cools_until == first.acted_at + 20 * MINUTE
    assert standing_of(history, "again", later=HOUR).cools_until is None
    assert (first.fires, first.limited_until) == (1, None)
    assert (last.fires, last.limited_until) == (2, first.acted_at + 3 * HOUR)
    assert standing_of(history, "again", later=4 * HOUR).limited_until is None


def test_a_record_of_another_policy_tells_no_value() -> None:
    history = History.of(endpoint_with(POLICY))
    history.answer({"err": 9, "state": "up"})
    changed = endpoint_with({**POLICY, "rules": POLICY["rules"][:1]})

    (told,) = rule_standings(changed, history.record, history.calls[-1][0])

    assert [each.value for each in told.values] == [None]
    assert rule_standings(an_endpoint(), history.record, history.calls[-1][0]) == ()


def test_signals_are_told_with_what_they_said_what_counts_and_what_they_remember() -> None:
    history = History.of(endpoint_with(None, signals=Signals(adapt=Adapt.ON, off=frozenset({Signal.ETA}))))
    history.answer({"status": "ok"}, headers=(("etag", '"7"'),))
    calm = signals_of(history, None)
    history.answer(None, status=503, headers=(("retry-after", "900"),))
    told, later = signals_of(history, history.record), signals_of(history, history.record, HOUR)

    assert not calm[Signal.ETA].speaks
    assert calm[Signal.NOT_MODIFIED].remembers == ('The next call is conditional on "7".',)
    assert 15 * MINUTE in [hint.expires_at - history.calls[-1][0] for hint in told[Signal.RETRY_AFTER].hints]
    assert told[Signal.RETRY_AFTER].notes[0].value == "900"
    assert told[Signal.HEALTH].remembers == ("1 bad answer: two good ones in a row end it.",)
    assert later[Signal.RETRY_AFTER].hints == ()


def test_whether_signals_make_calls_more_frequent_is_told_as_it_is_decided() -> None:
    reading = an_endpoint(interval_min=SECOND)
    assert signals_tighten(reading) == (reading.request.method in {Method.GET, Method.HEAD})
    assert not signals_tighten(an_endpoint(interval_min=SECOND, signals=Signals(adapt=Adapt.OFF)))
    assert signals_tighten(an_endpoint(signals=Signals(adapt=Adapt.ON)))
