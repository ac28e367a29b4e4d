"""What holds for every endpoint, however odd."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cronicorn.domain.cadence import Grid, stable_offset
from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.editing import edited
from cronicorn.domain.endpoint import Baseline, BaselineKind, CatchUp, EndpointState, JobEndpoint, RetryPolicy
from cronicorn.domain.explain import explained
from cronicorn.domain.fixtures import MIDNIGHT, a_lease, a_pause, a_run, an_endpoint, an_outcome
from cronicorn.domain.hint import Hint, HintKind
from cronicorn.domain.instant import LAST_INSTANT, shifted
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.preview import preview
from cronicorn.domain.settlement import Stored
from cronicorn.domain.trace import AMOUNT_MAX, CODE_BYTES_MAX, Mark, Trace, Verdict
from tests.domain.strategies import (
    CRON,
    hints,
    instants,
    lengths,
    near,
    sane_baselines,
    sane_instants,
    whole_seconds,
    wild_endpoints,
)

CANDIDATES = {
    Mark.CRON, Mark.INTERVAL, Mark.ONCE, Mark.DORMANT, Mark.HINT_INTERVAL, Mark.HINT_ONE_SHOT, Mark.RETRY, Mark.OWED,
    Mark.SUSPENDED,
}  # fmt: skip
MIDDAY = MIDNIGHT + timedelta(hours=12)
HANGS = timedelta(minutes=1)
"""An example that takes so long walks a grid instant by instant."""


def _steps(plan: Plan, mark: Mark, verdict: Verdict) -> int:
    return sum(step.mark is mark and step.verdict is verdict for step in plan.trace.steps)


@settings(max_examples=400, deadline=HANGS)
@given(instants, wild_endpoints())
def test_every_state_has_a_plan(now: datetime, endpoint: JobEndpoint) -> None:
    plan = plan_next_run(now, endpoint, CRON)

    assert plan == plan_next_run(now, endpoint, CRON)
    assert sum(step.mark in CANDIDATES and step.verdict is Verdict.WON for step in plan.trace.steps) == 1
    assert (plan.source is Source.PAUSED) == (_steps(plan, Mark.PAUSE, Verdict.WON) == 1)
    assert all(step.why for step in explained(plan.trace))


@settings(max_examples=400, deadline=HANGS)
@given(instants, wild_endpoints())
def test_every_trace_fits_its_column_and_keeps_what_decided(now: datetime, endpoint: JobEndpoint) -> None:
    trace = plan_next_run(now, endpoint, CRON).trace

    code = trace.encode()

    assert len(code.encode("ascii")) <= CODE_BYTES_MAX
    read = Trace.decode(code)
    assert read.encode() == code
    decided = [step for step in trace.steps if step.verdict in {Verdict.WON, Verdict.APPLIED}]
    kept = [step for step in read.steps if step.verdict in {Verdict.WON, Verdict.APPLIED}]
    assert [(step.mark, step.at) for step in kept] == [(step.mark, step.at) for step in decided]
    if Mark.MORE not in {step.mark for step in read.steps} and all(
        abs(step.amount) <= AMOUNT_MAX for step in trace.steps
    ):
        assert read == trace


@settings(max_examples=400, deadline=HANGS)
@given(st.data())
def test_every_state_can_be_settled_and_edited_and_previewed(data: st.DataObject) -> None:
    now = data.draw(instants)
    endpoint = data.draw(wild_endpoints())
    endpoint = replace(endpoint, state=replace(endpoint.state, plan=plan_next_run(now, endpoint, CRON)))
    changed = data.draw(wild_endpoints())
    later = data.draw(st.one_of(st.just(now), near.map(lambda by: shifted(now, abs(by))), instants))
    outcome = data.draw(
        st.sampled_from(
            [
                an_outcome(),
                an_outcome(503, headers=(("retry-after", "60"),)),
                an_outcome(kind=OutcomeKind.CRASHED),
            ]
        )
    )
    run = a_run(a_lease(endpoint, now=later), outcome, finished_at=shifted(later, outcome.duration))
    stored = Stored(now=later, leased_slot=data.draw(st.sampled_from([None, 1, 2])))

    for facts_run in (run, None):
        for manual in (False, True):
            decide(endpoint, Facts(stored=stored, run=facts_run, manual=manual, cron=CRON))
    edited(endpoint, replace(changed, state=endpoint.state), stored, CRON)
    preview(endpoint, now, CRON, 3)


@given(sane_instants, sane_baselines, st.data())
def test_a_sane_plan_is_never_in_the_past_and_stays_inside_the_guardrails(
    now: datetime, baseline: Baseline, data: st.DataObject
) -> None:
    low, length = data.draw(st.one_of(st.none(), whole_seconds)), data.draw(st.one_of(st.none(), whole_seconds))
    high = None if length is None else (low or timedelta(0)) + length
    base = data.draw(st.one_of(st.none(), whole_seconds.map(lambda by: now - by)))
    state = EndpointState(spaced_from=base, failure_count=data.draw(st.integers(0, 9)))
    endpoint = an_endpoint(baseline=baseline, interval_min=low, interval_max=high, state=state)

    plan = plan_next_run(now, endpoint, CRON)

    assert plan.next_run_at is not None
    assert plan.next_run_at >= now
    if low is not None:
        assert plan.next_run_at >= min((base or now) + low, LAST_INSTANT)
    if high is not None:
        assert plan.next_run_at <= max((base or now) + high, now)


@given(sane_instants, sane_baselines, whole_seconds)
def test_a_pause_is_honoured_to_its_end(now: datetime, baseline: Baseline, length: timedelta) -> None:
    state = EndpointState(hints=(a_pause(now + length, now=now),))
    endpoint = an_endpoint(
        baseline=baseline, interval_min=timedelta(days=9), interval_max=timedelta(seconds=1), state=state
    )

    plan = plan_next_run(now, endpoint, CRON)

    assert (plan.next_run_at, plan.source) == (now + length, Source.PAUSED)


@settings(max_examples=300, deadline=HANGS)
@given(instants, wild_endpoints(), hints())
def test_a_lapsed_hint_changes_nothing(now: datetime, endpoint: JobEndpoint, hint: Hint) -> None:
    assume(hint.expires_at <= now)
    hinted = replace(endpoint, state=replace(endpoint.state, hints=(*endpoint.state.hints, hint)))

    with_it, without = plan_next_run(now, hinted, CRON), plan_next_run(now, endpoint, CRON)

    assert (with_it.next_run_at, with_it.source, with_it.nominal_at) == (
        without.next_run_at,
        without.source,
        without.nominal_at,
    )


@given(sane_instants, sane_baselines, st.integers(0, 8), st.one_of(st.none(), whole_seconds))
def test_backoff_never_brings_a_run_forward(
    now: datetime, baseline: Baseline, failures: int, since: timedelta | None
) -> None:
    base = None if since is None else now - since
    plans = [
        plan_next_run(
            now, an_endpoint(baseline=baseline, state=EndpointState(failure_count=count, spaced_from=base)), CRON
        )
        for count in (failures, failures + 1)
    ]

    fewer, more = (plan.next_run_at for plan in plans)

    assert fewer is not None
    assert more is not None
    assert fewer <= more


@settings(max_examples=300, deadline=HANGS)
@given(instants, wild_endpoints())
def test_fields_at_their_neutral_values_change_nothing(now: datetime, endpoint: JobEndpoint) -> None:
    bare = replace(
        endpoint,
        baseline=replace(endpoint.baseline, zone="UTC", window=timedelta(0)),
        state=replace(endpoint.state, retry_at=None, owed_at=None),
    )
    dressed = replace(bare, catch_up=CatchUp(), retries=RetryPolicy(), interval_min=bare.interval_min)
    zero = replace(
        dressed, interval_min=bare.interval_min or timedelta(0), interval_max=bare.interval_max or timedelta(0)
    )

    assert plan_next_run(now, bare, CRON) == plan_next_run(now, dressed, CRON) == plan_next_run(now, zero, CRON)


@given(
    sane_instants,
    st.sampled_from([Baseline(cron="*/5 * * * *"), Baseline(interval=timedelta(seconds=90))]),
    lengths,
    st.text(),
)
def test_the_stable_offset_lies_inside_the_window(
    now: datetime, baseline: Baseline, window: timedelta, name: str
) -> None:
    baseline = replace(baseline, window=window, anchor_at=MIDNIGHT)
    endpoint = an_endpoint(id=name, baseline=baseline)

    offset = stable_offset(endpoint)

    assert offset == timedelta(0) if window <= timedelta(0) else timedelta(0) <= offset < window
    assert baseline.kind is BaselineKind.CRON or offset < timedelta(seconds=90)


@given(sane_instants, st.sampled_from(["*/5 * * * *", "0 0 * * *", "*/7 3 * * *"]), whole_seconds)
def test_a_window_moves_every_instant_alike(now: datetime, expression: str, window: timedelta) -> None:
    plain = Grid(an_endpoint(baseline=Baseline(cron=expression)), CRON)
    spread = Grid(an_endpoint(baseline=Baseline(cron=expression, window=window)), CRON)

    instant = now
    for _ in range(3):
        nominal = plain.next(instant)
        assert nominal is not None
        effective = spread.next(instant + spread.offset)
        assert effective == nominal + spread.offset
        instant = nominal


@settings(max_examples=150, deadline=HANGS)
@given(
    sane_instants,
    st.sampled_from(["* * * * *", "*/7 3 * * *", "0 0 29 2 *", "* * * * 1 *", "*/20 * 5 * * *"]),
    near,
    st.integers(1, 5),
)
def test_the_latest_instants_are_those_found_by_walking(
    now: datetime, expression: str, length: timedelta, number: int
) -> None:
    grid = Grid(an_endpoint(baseline=Baseline(cron=expression)), CRON)
    begin = now - abs(length) / 8

    walked = list(grid.between(begin, now))

    assert grid.latest(begin, now, number) == walked[-number:]
    count = grid.count(begin, now)
    assert (count.number if count else 0) == min(len(walked), 1_000)
    if count is not None:
        assert (count.first_at, count.last_at) == (walked[0], walked[-1])
        assert count.exact == (len(walked) < 1_000)


@given(sane_instants, st.lists(hints(), max_size=16))
def test_the_order_in_which_hints_are_kept_does_not_matter(now: datetime, kept: list[Hint]) -> None:
    forward = an_endpoint(state=EndpointState(hints=tuple(kept)))
    backward = an_endpoint(state=EndpointState(hints=tuple(reversed(kept))))

    first, second = plan_next_run(now, forward, CRON), plan_next_run(now, backward, CRON)

    assert (first.next_run_at, first.source) == (second.next_run_at, second.source)


@given(sane_instants, whole_seconds, st.integers(0, 6), st.lists(st.integers(1, 5), min_size=1, max_size=20))
def test_planning_again_moves_nothing(now: datetime, interval: timedelta, failures: int, steps: list[int]) -> None:
    hint = Hint(
        kind=HintKind.INTERVAL, author=a_pause(now).author, written_at=now, expires_at=LAST_INSTANT, interval=interval
    )
    for hints_kept in ((), (hint,)):
        state = EndpointState(spaced_from=now - interval * 3, failure_count=failures, hints=hints_kept)
        for anchor_at in (None, MIDDAY):
            endpoint = an_endpoint(baseline=Baseline(interval=interval, anchor_at=anchor_at), state=state)
            first = plan_next_run(now, endpoint, CRON)
            assert first.next_run_at is not None
            for step in steps:
                again_at = now + (first.next_run_at - now) * step / 6

                again = plan_next_run(again_at, endpoint, CRON)

                assert again.next_run_at == first.next_run_at
