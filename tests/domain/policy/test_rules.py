"""What rules do, answer by answer, through the real `decide`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.explain_steering import explained_steering
from cronicorn.domain.fixtures import MIDNIGHT, a_pause, an_interval_hint
from cronicorn.domain.governor import GovernorEvent
from cronicorn.domain.hint import Author, HintKind
from cronicorn.domain.plan import Source
from cronicorn.domain.steering_record import SteeringRecord
from tests.domain.policy.history import HOUR, MINUTE, SECOND, History, endpoint_with

ERR = {"err": {"path": "$.err", "type": "number"}}
STATE = {"state": {"path": "$.state", "type": "string"}}


def a_rule(when="err > 5", **more):
    return {"id": "tight", "when": when, "action": {"interval": "30s"}} | more


def test_a_rule_tightens_at_once_and_lets_go_when_its_condition_ends():
    history = History.of(endpoint_with({"fields": ERR, "rules": [a_rule()]}))

    history.answer({"err": 6})
    tightened = history.gap(), history.source()
    history.answer({"err": 4})

    assert tightened == (30 * SECOND, "ai-interval")
    assert history.due() == 10 * MINUTE
    assert history.source() == "baseline-interval"


def test_an_end_of_its_own_keeps_a_rule_in_force_between_the_thresholds():
    history = History.of(endpoint_with({"fields": ERR, "rules": [a_rule(until="err < 2")]}))

    phases = []
    for err in (4, 6, 4, 3, 1.9, 4):
        history.answer({"err": err})
        phases.append(history.phases()["tight"])

    assert phases == ["idle", "active", "active", "active", "idle", "idle"]


def test_a_count_is_confirmed_by_quick_probes_and_dismissed_by_one_answer_to_the_contrary():
    history = History.of(endpoint_with({"fields": ERR, "rules": [a_rule(**{"for": 3, "probe": "20s"})]}))

    seen = []
    for err in (6, 6, 1, 6, 6, 6, 1):
        history.answer({"err": err})
        seen.append((history.phases()["tight"], history.gap() / SECOND))

    confirmed = [("pending", 20), ("pending", 20), ("active", 30), ("idle", 230)]
    assert seen == [("pending", 20), ("pending", 20), ("idle", 260), *confirmed]


def test_a_rule_is_probed_a_quarter_of_the_baseline_or_its_own_interval_where_it_does_not_say():
    rules = [a_rule(**{"for": 2})]
    tight = History.of(endpoint_with({"fields": ERR, "rules": rules}))
    once = History.of(endpoint_with({"fields": ERR, "rules": [a_rule(action={"run_once": "10m"}, **{"for": 2})]}))
    slow = History.of(endpoint_with({"fields": ERR, "rules": [a_rule(action={"interval": "1h"}, **{"for": 2})]}))
    off = History.of(endpoint_with({"fields": ERR, "rules": [a_rule(probe=False, **{"for": 2})]}))

    gaps = []
    for history in (tight, once, slow, off):
        history.answer({"err": 6})
        gaps.append(history.gap() / SECOND)

    assert gaps == [30, 75, 300, 300]


def test_a_duration_is_confirmed_by_time_not_by_answers():
    history = History.of(endpoint_with({"fields": ERR, "rules": [a_rule(probe="20s", **{"for": "50s"})]}))

    phases = []
    for _ in range(5):
        history.answer({"err": 6})
        phases.append(history.phases()["tight"])

    assert phases == ["pending", "pending", "pending", "active", "active"]


def test_an_end_is_confirmed_and_a_rule_is_held_for_a_while():
    history = History.of(endpoint_with({"fields": ERR, "rules": [a_rule(until_for=2, hold="2m")]}))

    phases = []
    for err in (6, 1, 1, 1, 1, 1):
        history.answer({"err": err})
        phases.append((history.phases()["tight"], history.gap() / SECOND))

    assert phases == [
        ("active", 30), ("clearing", 30), ("clearing", 30), ("clearing", 30), ("idle", 180), ("idle", 300),
    ]  # fmt: skip


def test_the_unknown_moves_nothing_and_is_told_after_three_answers():
    history = History.of(endpoint_with({"fields": ERR, "rules": [a_rule(until="err < 2")]}))
    history.answer({"err": 6})

    drifts = []
    for _ in range(4):
        history.answer({"other": 1})
        drifts.append((history.phases()["tight"], history.steps.drifted))

    assert drifts == [("active", ()), ("active", ()), ("active", ("tight",)), ("active", ())]


def test_a_hint_that_no_answer_confirms_lapses_to_the_baseline():
    rule = a_rule(until="err < 2", action={"interval": "30s", "ttl": "1m"})
    history = History.of(endpoint_with({"fields": ERR, "rules": [rule]}))
    history.answer({"err": 6})

    for _ in range(3):
        history.answer({})

    assert history.source() == "baseline-interval"
    assert history.due() == 10 * MINUTE


def test_a_run_comes_once_and_again_after_the_cooldown():
    rule = a_rule(action={"run_once": "1m"}, cooldown="7m")
    history = History.of(endpoint_with({"fields": ERR, "rules": [rule]}))

    did = []
    for _ in range(6):
        history.answer({"err": 6})
        did.append((history.calls[-1][0] - MIDNIGHT, bool(history.did())))

    assert did == [
        (5 * MINUTE, True), (6 * MINUTE, False), (10 * MINUTE, False), (15 * MINUTE, True), (16 * MINUTE, False),
        (20 * MINUTE, False),
    ]  # fmt: skip


def test_a_cooldown_holds_for_a_rule_that_ended_in_between():
    rule = a_rule(action={"run_once": "1m"}, cooldown="12m")
    history = History.of(endpoint_with({"fields": ERR, "rules": [rule]}))

    did = []
    for err in (6, 1, 6, 1, 6):
        history.answer({"err": err})
        did.append(history.did().get("tight", ()))

    assert did == [("run_once",), (), ("cooling-down",), (), ("run_once",)]


def test_a_limit_is_followed_by_what_is_done_instead_once():
    rule = a_rule(
        action={"run_once": "1m"}, cooldown="1m", max_fires={"count": 2, "per": "1h", "then": {"pause": "20m"}}
    )
    history = History.of(endpoint_with({"fields": ERR, "rules": [rule]}))

    seen = []
    for _ in range(5):
        history.answer({"err": 6})
        seen.append((history.did()["tight"], history.gap() / MINUTE))

    assert seen == [
        (("run_once",), 1), (("run_once",), 1), (("limit-reached", "pause"), 20), (("limit-reached",), 3),
        (("limit-reached",), 5),
    ]  # fmt: skip


def test_what_is_done_instead_lives_as_long_as_it_says_itself():
    then = {"interval": "60s", "ttl": "2h", "renew": False}
    rule = a_rule(action={"run_once": "1m"}, cooldown="1m", max_fires={"count": 1, "per": "1h", "then": then})
    history = History.of(endpoint_with({"fields": ERR, "rules": [rule]}))

    history.answer({"err": 6})
    history.answer({"err": 6})

    [hint] = [hint for hint in history.endpoints["api"].state.hints if hint.kind is HintKind.INTERVAL]
    assert hint.expires_at - hint.written_at == 2 * HOUR


def test_no_pause_at_all_may_be_allowed():
    pause = a_rule(action={"pause": {"field": "err"}})
    history = History.of(endpoint_with({"fields": ERR, "rules": [pause], "limits": {"pause_max": "0s"}}))

    history.answer({"err": 600})

    assert (history.gap(), history.did()["tight"]) == (5 * MINUTE, ("already-over",))


def test_a_pause_until_an_instant_that_is_past_says_so():
    pause = a_rule(action={"pause": "2025-12-31T00:00:00Z"})
    history = History.of(endpoint_with({"fields": ERR, "rules": [pause]}))

    history.answer({"err": 6})

    assert (history.gap(), history.did()["tight"]) == (5 * MINUTE, ("already-over",))


def test_a_rule_acts_once_for_each_value_of_a_field():
    policy = {
        "fields": {"batch": {"path": "$.batch", "type": "string"}},
        "rules": [
            {"id": "load", "when": "batch > ''", "once_per": "batch", "cooldown": "1s", "action": {"run": "load"}}
        ],
    }
    history = History.of(endpoint_with(policy), endpoint_with(None, "load", baseline=Baseline(dormant=True)))

    loads = []
    for batch in ("b1", "b1", "b2", "b2", "b3"):
        settlement = history.answer({"batch": batch}, of="api")
        loads.append(bool(settlement.siblings))

    assert loads == [True, False, True, False, True]


def test_a_pause_is_capped_and_interrupted_for_a_look_where_there_is_a_maximum():
    fields = STATE | {"seconds": {"path": "$.seconds", "type": "number"}}
    rule = a_rule("state == 'down'", until="state == 'up'", action={"pause": {"field": "seconds"}})
    free = History.of(endpoint_with({"fields": fields, "rules": [rule]}))
    watched = History.of(endpoint_with({"fields": fields, "rules": [rule]}, interval_max=20 * MINUTE))

    free.answer({"state": "down", "seconds": 10_800})
    gaps = []
    for state in ("down", "down", "down", "down", "up"):
        watched.answer({"state": state, "seconds": 10_800})
        gaps.append(watched.gap() / MINUTE)

    assert free.gap() == HOUR
    assert gaps == [20, 20, 20, 5, 5]


def test_a_pause_ends_with_its_rule():
    policy = {"fields": STATE, "rules": [a_rule("state == 'down'", action={"pause": "1h"})]}
    history = History.of(endpoint_with(policy, interval_max=20 * MINUTE))
    history.answer({"state": "down"})

    history.answer({"state": "up"})

    assert history.source() == "baseline-interval"


def test_amounts_are_read_from_fields_scaled_bounded_and_replaced_while_unknown():
    fields = {"eta": {"path": "$.eta", "type": "number"}}
    amount = {"field": "eta", "times": 60, "min": "2m", "max": "4m", "default": "3m"}
    rules = [{"id": "eta", "when": "eta > 0 || !known(eta)", "cooldown": "1s", "action": {"run_once": amount}}]
    history = History.of(endpoint_with({"fields": fields, "rules": rules}, every=HOUR))

    gaps = []
    for body in ({"eta": 2.5}, {"eta": "3.5"}, {"eta": 0.1}, {"eta": 1e300}, {}):
        history.answer(body)
        gaps.append(history.gap() / MINUTE)

    assert gaps == [2.5, 3.5, 2, 4, 3]


def test_an_amount_that_is_unknown_does_nothing_until_it_is_known():
    fields = {"go": {"path": "$.go", "type": "bool"}, "eta": {"path": "$.eta", "type": "number"}}
    rules = [{"id": "eta", "when": "go", "action": {"run_once": {"field": "eta"}}}]
    history = History.of(endpoint_with({"fields": fields, "rules": rules}))

    history.answer({"go": True})
    first = history.did()["eta"]
    history.answer({"go": True, "eta": 60})

    assert first == ("amount-unknown",)
    assert history.gap() == MINUTE


@pytest.mark.parametrize(
    "value", ["2026-01-01T00:07:00Z", "Thu, 01 Jan 2026 00:07:00 GMT", 1767225600 + 420, 1767226020000]
)
def test_an_instant_is_read_as_text_or_as_a_number(value):
    fields = {"at": {"path": "$.at", "type": "instant"}}
    rules = [{"id": "then", "when": "known(at)", "action": {"run_once": {"field": "at"}}}]
    history = History.of(endpoint_with({"fields": fields, "rules": rules}))

    history.answer({"at": value})

    assert history.due() == 7 * MINUTE


def test_a_far_run_is_kept_for_days():
    rules = [a_rule(action={"run_once": "3d"})]
    history = History.of(endpoint_with({"fields": ERR, "rules": rules}, baseline=Baseline(interval=timedelta(days=7))))

    history.answer({"err": 6})

    assert history.gap() == timedelta(days=3)


def test_a_rule_may_be_slower_than_the_baseline_within_the_maximum():
    rules = [a_rule("err < 1", action={"interval": "2h"})]
    free = History.of(endpoint_with({"fields": ERR, "rules": rules}))
    bounded = History.of(endpoint_with({"fields": ERR, "rules": rules}, interval_max=HOUR))

    for history in (free, bounded):
        history.answer({"err": 0})
        history.answer({"err": 0})

    assert (free.gap(), bounded.gap()) == (2 * HOUR, HOUR)


def test_an_interval_that_is_not_renewed_is_boxed_in_time():
    rules = [a_rule(action={"interval": "1m", "ttl": "3m", "renew": False})]
    history = History.of(endpoint_with({"fields": ERR, "rules": rules}))

    gaps = []
    for _ in range(5):
        history.answer({"err": 6})
        gaps.append(history.gap() / MINUTE)

    assert gaps == [1, 1, 1, 2, 5]


def test_the_highest_priority_wins_then_the_shorter_interval():
    rules = [
        {"id": "a", "when": "err > 1", "action": {"interval": "50s"}},
        {"id": "b", "when": "err > 2", "action": {"interval": "40s"}},
        {"id": "c", "when": "err > 3", "action": {"interval": "2m"}, "priority": 5},
    ]
    history = History.of(endpoint_with({"fields": ERR, "rules": rules}))

    gaps = []
    for err in (1.5, 2.5, 3.5):
        history.answer({"err": err})
        gaps.append(history.gap() / SECOND)

    assert gaps == [50, 40, 120]


def test_a_person_outranks_a_rule_and_a_pause_outranks_both():
    endpoint = endpoint_with({"fields": ERR, "rules": [a_rule()]})
    mine = an_interval_hint(10 * MINUTE)
    pause = a_pause(MIDNIGHT + 40 * MINUTE)
    history = History.of(_with_hints(endpoint, mine))
    paused = History.of(_with_hints(endpoint, mine, pause))

    for each in (history, paused):
        each.answer({"err": 9})

    assert history.gap() == 10 * MINUTE
    assert paused.source() == Source.PAUSED


def test_guardrails_clamp_what_rules_want():
    rules = [a_rule(action={"interval": "1s"})]
    history = History.of(endpoint_with({"fields": ERR, "rules": rules}, interval_min=45 * SECOND))

    history.answer({"err": 9})

    assert (history.gap(), history.source()) == (45 * SECOND, "clamped-min")


def test_rules_that_go_to_and_fro_are_frozen_at_the_baseline_for_an_hour():
    policy = {"fields": ERR, "rules": [a_rule()], "limits": {"flips_per_hour": 4}}
    history = History.of(endpoint_with(policy, every=MINUTE))

    events: list[str] = []
    gaps = []
    for number in range(90):
        history.answer({"err": 9 * (number % 2)})
        events += history.record.events
        gaps.append(history.gap())

    assert [event for event in events if event != "held-back"][:2] == ["frozen", "thawed"]
    assert "held-back" in events
    assert set(gaps[5:55]) == {MINUTE}


def test_more_news_than_the_limit_is_left_out():
    fields = {"eta": {"path": "$.eta", "type": "number"}}
    rules = [{"id": "eta", "when": "eta > 0", "action": {"interval": {"field": "eta"}}}]
    policy = {"fields": fields, "rules": rules, "limits": {"hint_changes_per_hour": 3}}
    history = History.of(endpoint_with(policy, every=HOUR))

    events = []
    for number in range(5):
        history.answer({"eta": 60 + number})
        events.append(history.record.events)

    assert events == [(), (), (), ("too-many-changes",), ("too-many-changes",)]


def test_a_rule_sees_how_another_stands():
    policy = {
        "fields": ERR | {
            "tried": {"from": "rule:recover", "path": "fires"},
            "failing": {"from": "rule:recover", "path": "active_for"},
        },
        "rules": [
            {"id": "recover", "when": "err > 5", "cooldown": "4m", "action": {"run": "recover"}},
            {"id": "alert", "when": "tried >= 2 && failing >= 300", "action": {"run": "alert"}},
        ],
    }  # fmt: skip
    dormant = Baseline(dormant=True)
    history = History.of(
        endpoint_with(policy), endpoint_with(None, "recover", baseline=dormant),
        endpoint_with(None, "alert", baseline=dormant),
    )  # fmt: skip

    steps = []
    for _ in range(3):
        history.answer({"err": 9}, of="api")
        steps.append(dict(history.did()))

    assert steps == [
        {"recover": ("run_once:recover",)},
        {"recover": ("run_once:recover",), "alert": ("run_once:alert",)},
        {"recover": ("run_once:recover",)},
    ]


def test_aggregates_look_back_over_a_window():
    fields = {
        name: {"path": "$.v", "type": "number", "agg": name, "window": 3}
        for name in ("avg", "min", "max", "delta", "slope_per_min")
    }
    fields |= {
        "previous": {"path": "$.v", "type": "number", "agg": "previous"},
        "changed": {"path": "$.v", "type": "number", "agg": "changed"},
        "bad": {"path": "$.bad", "type": "bool", "agg": "count_true", "window": 3},
    }
    rules = [{"id": "r", "when": "avg > 1e9", "action": {"interval": "1m"}}]
    history = History.of(endpoint_with({"fields": fields, "rules": rules}))

    for value in (1, 2, 4, 9):
        history.answer({"v": value, "bad": value > 1})
    read = {each.name: each.value for each in history.steps.values}

    assert read == {
        "avg": 5, "min": 2, "max": 9, "delta": 7, "slope_per_min": 0.7, "previous": 4, "changed": True, "bad": 3,
    }  # fmt: skip


def test_a_rule_that_reads_a_sibling_moves_when_the_sibling_answers():
    policy = {
        "fields": {"need": {"from": "sibling:health", "path": "$.need", "type": "bool"}},
        "rules": [{"id": "recover", "when": "need", "cooldown": "5m", "action": {"run_once": "now"}}],
    }
    history = History.of(
        endpoint_with(None, "health"), endpoint_with(policy, "recover", baseline=Baseline(dormant=True))
    )

    history.answer({"need": False}, of="health")
    before = history.due("recover")
    history.answer({"need": True}, of="health")

    assert before is None
    assert history.due("recover") == 10 * MINUTE
    assert [step.did for step in history.record.siblings["recover"].rules] == [("run_once",)]


def test_what_a_sibling_said_grows_old():
    policy = {
        "fields": ERR | {"theirs": {"from": "sibling:health", "http": "status", "max_age": "1m"}},
        "rules": [a_rule("err > 0 && theirs == 503")],
    }
    history = History.of(endpoint_with(None, "health"), endpoint_with(policy))
    history.answer({}, of="health", status=503)

    phases = []
    for _ in range(4):
        history.answer({"err": 1}, of="api")
        phases.append(history.phases()["tight"])

    assert phases[0] == "active"
    assert history.steps.rules[0].verdict is None


def test_a_wake_lifts_the_pauses_of_rules_and_runs_the_sibling_but_not_those_of_people():
    policy = {"fields": STATE, "rules": [a_rule("state == 'up'", action={"wake": "worker"})]}
    worker = endpoint_with(None, "worker")
    by_rule = _with_hints(worker, replace(a_pause(MIDNIGHT + HOUR), author=Author.RULE))
    by_person = _with_hints(worker, a_pause(MIDNIGHT + HOUR))
    woken, left = History.of(endpoint_with(policy), by_rule), History.of(endpoint_with(policy), by_person)

    for history in (woken, left):
        history.answer({"state": "up"}, of="api")

    assert woken.due("worker") == 5 * MINUTE
    assert {hint.kind for hint in left.endpoints["worker"].state.hints} == {HintKind.PAUSE, HintKind.ONE_SHOT}


def test_hints_of_siblings_are_told_apart_by_who_ordered_them():
    policy = {"fields": STATE, "rules": [a_rule("state == 'up'", action={"run": "worker"})]}
    history = History.of(
        endpoint_with(policy, "a"), endpoint_with(policy, "b"), endpoint_with(None, "worker", every=HOUR)
    )

    history.answer({"state": "up"}, of="a")
    history.answer({"state": "up"}, of="b")

    assert {hint.key for hint in history.endpoints["worker"].state.hints} == {"a/tight", "b/tight"}


def test_what_a_rule_that_a_sibling_moved_orders_reaches_others_and_the_sibling_itself():
    policy = {
        "fields": {"need": {"from": "sibling:health", "path": "$.need", "type": "bool"}},
        "rules": [
            {"id": "run", "when": "need", "action": {"run": "worker"}},
            {"id": "watch", "when": "need", "action": {"interval": "20s", "sibling": "health"}},
        ],
    }
    dormant = Baseline(dormant=True)
    history = History.of(
        endpoint_with(None, "health"), endpoint_with(policy, "judge", baseline=dormant),
        endpoint_with(None, "worker", baseline=dormant),
    )  # fmt: skip

    history.answer({"need": True}, of="health")

    assert history.due("worker") == 5 * MINUTE
    assert history.gap("health") == 20 * SECOND


def test_a_pause_is_no_shorter_than_the_minimum_and_a_siblings_is_within_its_own_guardrails():
    fields = {"x": {"path": "$.x", "type": "number"}}
    own = {
        "fields": fields,
        "rules": [{"id": "p", "when": "x > 0", "cooldown": "1s", "action": {"pause": {"field": "x"}}}],
    }
    theirs = {
        "fields": fields,
        "rules": [{"id": "p", "when": "x > 0", "action": {"pause": "50m", "sibling": "worker"}}],
    }
    history = History.of(endpoint_with(own, interval_min=30 * SECOND))
    siblings = History.of(
        endpoint_with(theirs), endpoint_with(None, "worker", every=2 * MINUTE, interval_max=10 * MINUTE)
    )

    history.answer({"x": 0.01})
    siblings.answer({"x": 1}, of="api")

    assert history.gap() == 30 * SECOND
    assert siblings.gap("worker") == 5 * MINUTE  # ten minutes after it began


def test_the_governor_of_a_sibling_bounds_what_is_ordered_of_it():
    policy = {"fields": ERR, "rules": [a_rule("err > 5", cooldown="1s", action={"run": "worker"})]}
    worker = {"fields": ERR, "rules": [], "limits": {"hint_changes_per_hour": 3}}
    history = History.of(endpoint_with(policy, every=MINUTE), endpoint_with(worker, "worker", every=24 * HOUR))

    written = []
    for _ in range(6):
        history.answer({"err": 9}, of="api")
        written.append(max(hint.written_at for hint in history.endpoints["worker"].state.hints) - MIDNIGHT)

    assert [at / MINUTE for at in written] == [1, 2, 3, 3, 3, 3]


def test_what_the_governor_of_a_sibling_did_is_told_of_the_sibling():
    policy = {
        "fields": ERR,
        "rules": [a_rule("err > 5", action={"interval": "10s", "ttl": "30s", "sibling": "worker"})],
    }
    worker = {"fields": ERR, "rules": [], "limits": {"flips_per_hour": 2}}
    history = History.of(endpoint_with(policy, every=MINUTE), endpoint_with(worker, "worker", every=24 * HOUR))

    told = []
    for number in range(6):
        history.answer({"err": 9 * (number % 2)}, of="api")
        told.append((history.record.events, history.record.events_of_siblings))

    frozen = GovernorEvent.FROZEN
    assert told == [*[((), {})] * 5, ((), {"worker": (frozen,)})]
    governor = {name: each.state.memory.governor.frozen_until for name, each in history.endpoints.items()}
    assert governor["api"] is None
    assert governor["worker"] is not None
    assert SteeringRecord.decode(history.record.encode()) == history.record
    sentences = explained_steering(SteeringRecord(at=MIDNIGHT, events_of_siblings={"w1": (frozen,)}), None).events
    assert [sentence.partition(": ")[0] for sentence in sentences] == ["w1"]


def test_who_is_frozen_orders_nothing_of_others():
    rules = [a_rule(), {"id": "call", "when": "err > 5", "cooldown": "1s", "action": {"run": "worker"}}]
    policy = {"fields": ERR, "rules": rules, "limits": {"flips_per_hour": 2}}
    history = History.of(endpoint_with(policy, every=MINUTE), endpoint_with(None, "worker", every=24 * HOUR))

    ordered = []
    for number in range(6):
        history.answer({"err": 9 * (number % 2)}, of="api")
        hints = history.endpoints["worker"].state.hints
        ordered.append(max((hint.written_at for hint in hints), default=MIDNIGHT) - MIDNIGHT)

    assert history.endpoints["api"].state.memory.governor.frozen_until is not None
    assert [at / MINUTE for at in ordered] == [0, 2, 2, 2, 2, 2]


def test_once_per_holds_for_intervals_and_sees_new_values_while_the_condition_holds():
    fields = {"batch": {"path": "$.batch", "type": "string"}}
    box = {"id": "box", "when": "batch > ''", "until": "batch == 'none'", "once_per": "batch"}
    tight = History.of(endpoint_with({"fields": fields, "rules": [box | {"action": {"interval": "1m"}}]}))
    run = History.of(endpoint_with({"fields": fields, "rules": [box | {"action": {"run_once": "1m"}}]}))

    for batch in ("a", "none", "a", "a"):
        tight.answer({"batch": batch})
    acted = []
    for batch in ("a", "a", "b", "b", "c"):
        run.answer({"batch": batch})
        acted.append(run.did()["box"] == ("run_once",))

    assert tight.gap() == 5 * MINUTE
    assert acted == [True, False, True, False, True]


def test_a_rule_that_only_waits_for_another_does_not_drift():
    policy = {
        "fields": ERR | {"since": {"from": "rule:first", "path": "since_fired"}},
        "rules": [
            {"id": "first", "when": "err > 5", "action": {"run_once": "1m"}},
            {"id": "second", "when": "since > 600", "action": {"interval": "1m"}},
        ],
    }
    history = History.of(endpoint_with(policy))

    for _ in range(5):
        history.answer({"err": 1})
        assert history.steps.drifted == ()


def _with_hints(endpoint, *hints):
    return replace(endpoint, state=replace(endpoint.state, hints=hints))
