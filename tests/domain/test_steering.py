"""How answers steer: signals, rules and the governor together, through the real `decide`."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.document import endpoint_document, endpoint_of, state_of, state_text
from cronicorn.domain.editing import edited
from cronicorn.domain.endpoint import Baseline, ManualSlot
from cronicorn.domain.fields import document_in
from cronicorn.domain.fixtures import MIDNIGHT, a_lease, a_run, an_outcome
from cronicorn.domain.hint import Author, HintKind
from cronicorn.domain.plan import Source
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.stepping import stepped
from cronicorn.domain.settlement import Stored
from cronicorn.domain.signals.signal import Adapt, Signal, Signals
from cronicorn.domain.steering_record import SteeringRecord
from tests.domain.policy.history import CRON, HOUR, MINUTE, SECOND, History, endpoint_with
from tests.domain.policy.test_reading import EVERYTHING

FIVE_MINUTES = {"interval_min": 30 * SECOND, "interval_max": 15 * MINUTE}
ERR = {"err": {"path": "$.err", "type": "number"}}


def test_a_bad_word_tightens_a_guarded_interval_and_two_good_answers_relax_it():
    history = History.of(endpoint_with(None, **FIVE_MINUTES))

    gaps = []
    for status in ("ok", "degraded", "degraded", "ok", "ok"):
        history.answer({"status": status})
        gaps.append(history.gap() / SECOND)

    assert gaps == [300, 60, 60, 60, 120]


def test_an_outage_is_watched_closely_instead_of_being_backed_off_from():
    watched, unguarded = History.of(endpoint_with(None, **FIVE_MINUTES)), History.of(endpoint_with(None))

    for history in (watched, unguarded):
        history.answer(status=503)
        history.answer(status=503)

    assert watched.gap() == MINUTE
    assert unguarded.gap() == 20 * MINUTE


def test_retry_after_delays_everybody_and_is_met_to_the_second():
    later = ("retry-after", "400")
    watched = History.of(endpoint_with(None, **FIVE_MINUTES))
    cron = History.of(endpoint_with(None, baseline=Baseline(cron="* * * * *")))

    for history in (watched, cron):
        history.answer(status=503, headers=[later])

    assert (watched.gap(), cron.gap()) == (400 * SECOND, 400 * SECOND)


def test_signals_that_are_switched_off_say_nothing():
    off = Signals(adapt=Adapt.OFF, off=frozenset(Signal))
    history = History.of(endpoint_with(None, signals=off, **FIVE_MINUTES))

    settlement = history.answer({"status": "down"}, status=503, headers=[("retry-after", "400")])

    assert settlement.record is None
    assert settlement.state.hints == ()
    assert history.gap() == 10 * MINUTE


def test_an_answer_that_says_nothing_leaves_no_record():
    history = History.of(endpoint_with(None, **FIVE_MINUTES))

    assert history.answer({"visitors": 3}).record is None


def test_an_endpoint_with_a_policy_follows_no_trend_of_its_own():
    rules = {"fields": ERR, "rules": [_slow("err > 99")]}
    ruled, free = History.of(endpoint_with(rules, **FIVE_MINUTES)), History.of(endpoint_with(None, **FIVE_MINUTES))

    for history in (ruled, free):
        for number in range(40):
            history.answer({"error_rate": 1 + number % 3 if number < 30 else 60})

    assert ruled.endpoints["api"].state.memory.signals.courses == ()
    assert free.endpoints["api"].state.memory.signals.courses != ()
    assert (ruled.gap(), free.gap()) == (5 * MINUTE, 75 * SECOND)


def test_rules_outrank_signals():
    history = History.of(
        endpoint_with({"fields": ERR, "rules": [_slow("err < 1")]}, **FIVE_MINUTES),
    )

    history.answer({"err": 0, "status": "degraded"})

    assert history.gap() == 10 * MINUTE
    assert {hint.author for hint in history.endpoints["api"].state.hints} == {Author.SIGNAL, Author.RULE}


@pytest.mark.parametrize("kind", [OutcomeKind.CANCELLED, OutcomeKind.CRASHED])
def test_what_ended_on_our_side_steers_nothing(kind):
    endpoint = endpoint_with({"fields": ERR, "rules": [_slow("!known(err)")]})
    lease = a_lease(endpoint)

    settlement = decide(endpoint, _facts(a_run(lease, an_outcome(kind=kind))))

    assert settlement.record is None
    assert settlement.state.memory == endpoint.state.memory


def test_the_answer_of_a_manual_run_steers_and_the_schedule_is_planned_again():
    endpoint = endpoint_with({"fields": ERR, "rules": [_slow("err > 5")]})
    manual = replace(endpoint.state, manual=ManualSlot(slot=2, requested_at=MIDNIGHT), slots_issued=2)
    lease = a_lease(replace(endpoint, state=manual))._replace(slot=2, manual=True)
    outcome = an_outcome(body='{"err": 9}', body_is_json=True)

    settlement = decide(replace(endpoint, state=manual), _facts(a_run(lease, outcome), manual=True))

    assert settlement.state.manual is None
    assert settlement.state.plan is not None
    assert settlement.state.plan.source is Source.AI_INTERVAL
    assert settlement.state.slot == endpoint.state.slot


def test_a_policy_that_changes_keeps_what_its_unchanged_rules_remember():

    rules = [_slow("err > 5"), {"id": "other", "when": "err > 6", "action": {"interval": "7m"}}]
    history = History.of(endpoint_with({"fields": ERR, "rules": rules}))
    history.answer({"err": 9})
    before = history.endpoints["api"]
    after = endpoint_with({"fields": ERR, "rules": [rules[0], rules[1] | {"when": "err > 7"}]}).policy

    change = edited(before, replace(before, policy=after), Stored(now=history.calls[-1][0]), CRON)

    assert set(change.endpoint.state.memory.rules.rules) == {"slow"}
    assert {hint.key for hint in change.endpoint.state.hints} == {"slow"}


def test_everything_that_is_remembered_survives_being_stored():
    history = History.of(endpoint_with(all_rules(), **FIVE_MINUTES))
    for body in ({"error_rate_pct": 9, "status": "degraded"}, {"error_rate_pct": "7.5"}, {"ready_at": 1.5}):
        history.answer(body)
    endpoint = history.endpoints["api"]

    restored = replace(
        endpoint_of(endpoint_document(endpoint)), state=state_of(document_in(state_text(endpoint.state)))
    )

    assert restored.state.memory == endpoint.state.memory
    assert restored.policy == endpoint.policy
    assert SteeringRecord.decode(history.record.encode()) == history.record


def test_a_record_replayed_gives_the_same_decisions():
    history = History.of(endpoint_with(all_rules(), **FIVE_MINUTES))
    policy = history.endpoints["api"].policy
    assert policy is not None

    for number in range(40):
        history.answer({"error_rate_pct": number % 11, "status": ["healthy", "degraded"][number // 3 % 2]})

        assert _replayed(SteeringRecord.decode(history.record.encode()), policy)


_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), st.text(max_size=8),
    st.sampled_from(["healthy", "degraded", "critical", "7.5", "2026-01-01T00:20:00Z", 429, 5.5, 0.1]),
)  # fmt: skip
_NAMES = st.sampled_from(["error_rate_pct", "status", "ready_at", "eta_seconds", "poll_after_ms", "healthy", "other"])
_BODIES = st.one_of(st.none(), st.dictionaries(_NAMES, _SCALARS, max_size=5))
_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["retry-after", "ratelimit", "x-ratelimit-remaining", "schedule-hint", "cache-control"]),
        st.sampled_from(["0", "7", "999999999999", '"a";r=0;t=30', "interval=1;ttl=99999", "max-age=1e9", "-5"]),
    ),
    max_size=3,
)
ANSWERS = st.lists(st.tuples(_BODIES, st.sampled_from([200, 304, 404, 429, 500, 503]), _HEADERS), max_size=12)


@settings(max_examples=150)
@given(ANSWERS, st.booleans())
def test_no_answers_break_a_guardrail_starve_an_endpoint_or_make_steering_raise(answers, ruled):
    adapt = Signals(adapt=Adapt.ON, on=frozenset({Signal.CACHE_CONTROL}))
    history = History.of(endpoint_with(all_rules() if ruled else None, signals=adapt, **FIVE_MINUTES))

    for body, status, headers in answers:
        settlement = history.answer(body, status=status, headers=headers)
        now = history.calls[-1][0]
        plan = settlement.state.plan

        assert plan is not None
        assert plan.next_run_at is not None
        assert 30 * SECOND <= plan.next_run_at - now <= 15 * MINUTE or plan.source is Source.PAUSED
        for hint in settlement.state.hints:
            assert hint.author in {Author.RULE, Author.SIGNAL}
            assert hint.interval is None or hint.interval >= SECOND
            if hint.kind is HintKind.PAUSE:
                assert hint.at is not None
                assert hint.at - now <= 15 * MINUTE
            elif hint.kind is HintKind.INTERVAL:
                assert hint.expires_at - now <= max(4 * HOUR, 3 * (hint.interval or SECOND))


def test_what_was_learnt_of_a_resource_is_not_asked_of_another():
    tagged = [("etag", '"v1"')]
    history = History.of(endpoint_with(None))
    history.answer({"x": 1}, headers=tagged)
    before = history.endpoints["api"]
    moved = replace(before, request=replace(before.request, url="https://elsewhere.example/"))

    after = edited(before, moved, Stored(now=history.calls[-1][0] + SECOND), CRON).endpoint
    history.endpoints["api"] = after
    history.answer({"x": 2}, headers=tagged)

    assert before.state.memory.signals.etag == '"v1"'
    assert after.state.memory.signals.etag is None
    assert history.endpoints["api"].state.memory.signals.etag == '"v1"'


def test_an_answer_to_a_call_from_before_an_edit_tags_nothing():
    history = History.of(endpoint_with(None))
    history.answer({"x": 1})
    endpoint = history.endpoints["api"]
    assert endpoint.state.due_at is not None
    history.endpoints["api"] = replace(endpoint, updated_at=endpoint.state.due_at + SECOND)

    history.answer({"x": 1}, headers=[("etag", '"old"')])

    assert history.endpoints["api"].state.memory.signals.etag is None


def test_a_policy_that_is_only_described_otherwise_stays_frozen():
    policy = {"fields": {"err": {"path": "$.err", "type": "number"}}, "rules": [_slow("err > 5")]}
    history = History.of(endpoint_with(policy | {"limits": {"flips_per_hour": 1}}, every=MINUTE))
    for number in range(6):
        history.answer({"err": 9 * (number % 2)})
    frozen = history.endpoints["api"]
    assert frozen.policy is not None
    now = Stored(now=history.calls[-1][0] + SECOND)

    told = edited(frozen, replace(frozen, policy=replace(frozen.policy, description="why")), now, CRON).endpoint
    eased = edited(frozen, replace(frozen, policy=replace(frozen.policy, flips_max=9)), now, CRON).endpoint

    assert frozen.state.memory.governor.frozen_until is not None
    assert told.state.memory.governor == frozen.state.memory.governor
    assert eased.state.memory.governor.frozen_until is None


_RULE_ACTIONS = st.sampled_from([
    {"interval": "1s"}, {"interval": "40s", "ttl": "2m"}, {"interval": {"field": "n"}}, {"run_once": "now"},
    {"run_once": {"field": "n", "default": "1m"}}, {"pause": "30m"}, {"pause": {"field": "n"}}, {"defer": "20m"},
    {"run": "b"}, {"wake": "c"}, {"pause": "1h", "sibling": "a"}, {"defer": "1h", "sibling": "b"},
    {"interval": "1s", "sibling": "c"}, {"pause": {"field": "m"}, "sibling": "b"},
])  # fmt: skip
_CONDITIONS = st.sampled_from(["n > 5", "n <= 5", "m > 0", "true", "!known(n)", "low", "!low && n > 1", "n != m"])
_A_RULE = st.fixed_dictionaries(
    {"when": _CONDITIONS, "action": _RULE_ACTIONS},
    optional={
        "until": _CONDITIONS, "for": st.sampled_from([2, "1m"]), "hold": st.just("3m"),
        "cooldown": st.sampled_from(["1s", "2m"]), "once_per": st.just("n"), "probe": st.just("1s"),
        "max_fires": st.just({"count": 2, "per": "1h", "then": {"pause": "20m"}}),
    },
)  # fmt: skip


def _a_policy(of, own):
    """Rules that read the endpoint's own number, a sibling's, and how the first rule stands; none orders itself."""
    rules, aggregate = of
    n = {"path": "$.n", "type": "number"} | ({"agg": aggregate, "window": 3} if aggregate else {})
    m = {"from": f"sibling:{'a' if own != 'a' else 'b'}", "path": "$.n", "type": "number"}
    named = [rule | {"id": f"r{number}"} for number, rule in enumerate(rules)]
    kept = [rule for rule in named if own not in {*map(str, rule["action"].values())}]
    low = {"from": f"rule:{kept[0]['id']}", "path": "active"} if kept else {"path": "$.low", "type": "bool"}
    return {"fields": {"n": n, "m": m, "low": low}, "rules": kept}


_POLICIES = st.tuples(st.lists(_A_RULE, max_size=4), st.sampled_from([None, "avg", "slope_per_min", "delta"]))
_NUMBERS = st.one_of(st.none(), st.sampled_from([0, 1, 6, 600, -3, 1.7e308, -1.7e308, "7", "x", True]), st.floats())


@settings(max_examples=100)
@given(
    st.tuples(_POLICIES, _POLICIES, _POLICIES), st.lists(st.tuples(_NUMBERS, st.booleans()), min_size=15, max_size=40)
)
def test_no_rules_of_siblings_break_a_guardrail_starve_an_endpoint_or_make_steering_raise(policies, answers):
    made = [_a_policy(policy, own) for policy, own in zip(policies, "abc", strict=True)]
    history = History.of(
        endpoint_with(made[0], "a", every=2 * MINUTE, interval_min=30 * SECOND, interval_max=10 * MINUTE),
        endpoint_with(made[1], "b", every=MINUTE, interval_min=SECOND, interval_max=5 * MINUTE),
        endpoint_with(made[2], "c", every=MINUTE),
    )
    began = dict.fromkeys("abc", MIDNIGHT)

    for number, good in answers:
        due = {name: history.due(name) for name in "abc"}
        name = min((each for each in due if due[each] is not None), key=lambda each: due[each] or HOUR)
        least, most = {"a": (30 * SECOND, 10 * MINUTE), "b": (SECOND, 5 * MINUTE), "c": (0 * SECOND, HOUR)}[name]

        settlement = history.answer({"n": number}, of=name, status=200 if good else 503)

        at = history.calls[-1][0]
        assert least <= at - began[name]
        assert name == "c" or at - began[name] <= most
        began[name] = at
        if settlement.record is not None:
            assert SteeringRecord.decode(settlement.record.encode()) == settlement.record
            own = history.endpoints[name].policy
            assert own is None or settlement.record.own is None or _replayed(settlement.record, own)


def _replayed(record: SteeringRecord, policy: Policy) -> bool:
    """Whether each rule, put back where it stood and given what it read, moves as it did."""
    assert record.own is not None
    values: dict[str, Scalar] = {read.name: read.value for read in record.own.values if read.value is not None}
    rules = {rule.id: rule for rule in policy.rules}
    assert [step.rule for step in record.own.rules] == [rule.id for rule in policy.own_rules]
    for step in record.own.rules:
        read = {name: value for name, value in (values | dict(step.saw)).items() if value is not None}
        after, verdict = stepped(rules[step.rule], step.was, read, record.at)
        if (after.phase, verdict) != (step.phase, step.verdict):
            return False
    return True


def _slow(when: str) -> dict[str, Any]:
    return {"id": "slow", "when": when, "action": {"interval": "10m"}}


def all_rules():
    return {key: value for key, value in EVERYTHING.items() if key not in {"version", "tests"}}


def _facts(run, *, manual: bool = False) -> Facts:
    return Facts(stored=Stored(now=run.finished_at + timedelta(0)), run=run, manual=manual, cron=CRON)
