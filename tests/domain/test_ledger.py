"""Every nominal instant ends in exactly one place, whatever happens to an endpoint."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.editing import (
    asked_to_run,
    edited,
    forgiven,
    hinted,
    resumed,
    suspended,
    taken_back,
    unhinted,
)
from cronicorn.domain.endpoint import Baseline, CatchUp, CatchUpMode, JobEndpoint, Overlap, RetryPolicy
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.fixtures import MIDNIGHT, a_defer, a_one_shot, a_pause, an_endpoint, an_interval_hint, an_outcome
from cronicorn.domain.hint import Hint
from cronicorn.domain.run import RunStatus
from cronicorn.domain.settlement import Change, Stored
from tests.domain.history import CRON, Edit, History, check_books

LENGTHS = [timedelta(milliseconds=3), *(timedelta(seconds=s) for s in (0.4, 3, 20, 65, 400, 3_000, 8_000))]
SHORT = [timedelta(0), timedelta(milliseconds=20), timedelta(milliseconds=700)]
LATE = [*SHORT, *LENGTHS, timedelta(hours=5)]
BASELINES = [
    Baseline(interval=timedelta(seconds=20), anchor_at=MIDNIGHT),
    Baseline(interval=timedelta(seconds=60), anchor_at=MIDNIGHT + timedelta(seconds=7.25)),
    Baseline(interval=timedelta(minutes=10), anchor_at=MIDNIGHT - timedelta(days=9)),
    Baseline(cron="* * * * *"),
    Baseline(cron="*/7 0-3,5 * * *"),
    Baseline(cron="30 */20 * * * *"),
    Baseline(once_at=MIDNIGHT + timedelta(minutes=9)),
    Baseline(dormant=True),
]

lengths = st.sampled_from(LENGTHS)
maybe = st.sampled_from([None, *LENGTHS])
catch_ups = st.builds(
    CatchUp, mode=st.sampled_from(CatchUpMode), window=maybe, runs_max=st.sampled_from([-1, 0, 1, 3, 100])
)
retries = st.builds(RetryPolicy, count=st.sampled_from([0, 0, 2, 5]), backoff_min=lengths, backoff_max=lengths)


@st.composite
def endpoints(draw: st.DrawFn) -> JobEndpoint:
    baseline = replace(draw(st.sampled_from(BASELINES)), window=draw(st.sampled_from([timedelta(0), *LENGTHS])))
    return an_endpoint(
        baseline=baseline,
        interval_min=draw(st.one_of(st.none(), maybe)),
        interval_max=draw(st.one_of(st.none(), maybe)),
        catch_up=draw(catch_ups),
        overlap=draw(st.sampled_from(Overlap)),
        retries=draw(retries),
    )


def _hint(make: Callable[[JobEndpoint, Stored], Hint]) -> Edit:
    return lambda endpoint, stored: hinted(endpoint, make(endpoint, stored), stored, CRON)


def _set(**changes: object) -> Edit:
    return lambda endpoint, stored: edited(endpoint, replace(endpoint, **changes), stored, CRON)  # type: ignore[arg-type]


def _suspend(*, active: bool) -> Edit:
    return lambda endpoint, stored: suspended(endpoint, job_active=active, archived_at=None, stored=stored, cron=CRON)


def _take_back(endpoint: JobEndpoint, stored: Stored) -> Change:
    try:
        return taken_back(endpoint, stored)
    except ConflictError:
        return Change(endpoint=endpoint)


edits: st.SearchStrategy[Edit] = st.one_of(
    lengths.map(lambda by: _hint(lambda _, stored: an_interval_hint(by, now=stored.now))),
    lengths.map(lambda by: _hint(lambda _, stored: a_one_shot(stored.now + by, now=stored.now))),
    lengths.map(lambda by: _hint(lambda _, stored: a_one_shot(stored.now - by, now=stored.now))),
    lengths.map(lambda by: _hint(lambda _, stored: a_defer(stored.now + by, now=stored.now))),
    lengths.map(lambda by: _hint(lambda _, stored: a_pause(stored.now + by, now=stored.now))),
    st.just(lambda endpoint, stored: unhinted(endpoint, stored, CRON)),
    st.just(lambda endpoint, stored: resumed(endpoint, stored, CRON)),
    st.just(lambda endpoint, stored: forgiven(endpoint, stored, CRON)),
    st.just(asked_to_run),
    st.just(_take_back),
    st.booleans().map(lambda active: _suspend(active=active)),
    st.sampled_from(Overlap).map(lambda overlap: _set(overlap=overlap)),
    catch_ups.map(lambda catch_up: _set(catch_up=catch_up)),
    maybe.map(lambda length: _set(interval_min=length)),
    maybe.map(lambda length: _set(interval_max=length)),
)
rebasings: st.SearchStrategy[Edit] = st.sampled_from(BASELINES).map(lambda baseline: _set(baseline=baseline))
outcomes = st.sampled_from(
    [
        (an_outcome(), RunStatus.SUCCESS),
        (an_outcome(), RunStatus.SUCCESS),
        (an_outcome(500), RunStatus.FAILED),
        (an_outcome(503, headers=(("retry-after", "90"),)), RunStatus.FAILED),
        (an_outcome(kind=OutcomeKind.CANCELLED), RunStatus.CANCELLED),
    ]
)


def _work(data: st.DataObject, history: History) -> None:
    """Wait for the slot, be late, call for a while, be edited meanwhile, settle."""
    due_in = history.due_in()
    if due_in is None or due_in > timedelta(hours=9):
        history.wait(data.draw(lengths))
        return
    history.wait(due_in + data.draw(st.sampled_from(LATE)))
    assert history.claim()
    run = history.begin()
    if run is None:
        history.end(None)
        return
    lasting = data.draw(st.sampled_from([*SHORT, *LENGTHS]))
    history.wait(lasting / 3)
    # A slot that began late may stand for another instant than its plan: no edit could know which.
    punctual = history.state.plan is not None and run.nominal_at == history.state.plan.nominal_at
    for edit in data.draw(st.lists(st.one_of(edits, rebasings) if punctual else edits, max_size=1)):
        history.edit(edit)
    history.wait(lasting / 3)
    if data.draw(st.integers(0, 9)) == 0:
        history.lease = None  # The worker died.
        return
    outcome, status = data.draw(outcomes)
    history.end(run, outcome, status=status)


@settings(max_examples=600)
@given(st.data())
def test_every_instant_ends_in_exactly_one_place(data: st.DataObject) -> None:
    history = History(data.draw(endpoints()))

    for _ in range(data.draw(st.integers(1, 12))):
        if data.draw(st.integers(0, 2)):
            _work(data, history)
        else:
            history.wait(data.draw(st.sampled_from(LATE)))
            history.edit(data.draw(st.one_of(edits, rebasings)))
        check_books(history)
