"""A state that was just written is the state that its text tells of: whoever has it at hand need not read it.

A process keeps what it wrote and decides on that; another reads it. Both must come to the same for ever.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

from hypothesis import given, settings
from hypothesis import strategies as st

from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.document import state_of, state_text
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import EndpointState, JobEndpoint
from cronicorn.domain.fields import document_in
from cronicorn.domain.fixtures import MIDNIGHT, a_lease, a_run, an_outcome
from cronicorn.domain.instant import shifted
from cronicorn.domain.settlement import Settlement, Stored
from cronicorn.domain.signals.signal import Adapt, Signal, Signals
from tests.domain.policy.history import History, endpoint_with
from tests.domain.strategies import CRON, near, wild_endpoints
from tests.domain.test_steering import ANSWERS, FIVE_MINUTES, all_rules


def read_back(state: EndpointState) -> EndpointState:
    return state_of(document_in(state_text(state)))


def check_alike(told: object, read: object) -> None:
    """Equal in every part, and of the same types: what is computed with them will be equal, too."""
    assert told == read
    if isinstance(told, Enum | str):
        assert isinstance(read, str)  # A key may have been the name of a signal: it is the same text.
        return
    assert type(told) is type(read)
    if isinstance(told, datetime):
        assert isinstance(read, datetime)
        assert told.tzinfo is read.tzinfo is UTC
    elif is_dataclass(told):
        for field in fields(told):
            check_alike(getattr(told, field.name), getattr(read, field.name))
    elif isinstance(told, tuple):
        assert isinstance(read, tuple)
        for one, other in zip(told, read, strict=True):
            check_alike(one, other)
    elif isinstance(told, Mapping):
        assert isinstance(read, Mapping)
        assert list(told) == list(read)
        for key, value in told.items():
            check_alike(value, read[key])


def check_told(state: EndpointState) -> None:
    read = read_back(state)
    check_alike(state, read)
    if state.plan is not None:
        assert read.plan is not None
        check_alike(state.plan.trace.now, read.plan.trace.now)
        check_alike(state.plan.trace.steps, read.plan.trace.steps)


_MOMENTS = st.lists(st.tuples(near, st.sampled_from([200, 404, 429, 503]), st.booleans()), min_size=1, max_size=4)


@settings(max_examples=300)
@given(wild_endpoints(), _MOMENTS)
def test_whatever_endpoint_is_settled_has_the_state_that_its_text_tells_of(endpoint, moments):
    told = read = started(endpoint, MIDNIGHT, CRON)
    for by, status, ran in moments:
        now = shifted(told.state.due_at or MIDNIGHT, abs(by))

        settlement = _settled(told, now, status, ran=ran)

        assert settlement == _settled(read, now, status, ran=ran)
        check_told(settlement.state)
        told, read = told.standing(settlement.state), read.standing(read_back(settlement.state))


@settings(max_examples=150)
@given(ANSWERS, st.booleans(), st.booleans())
def test_who_was_told_and_who_reads_steer_alike(answers, ruled, adapts):
    signals = Signals(adapt=Adapt.ON if adapts else Adapt.AUTO, on=frozenset({Signal.CACHE_CONTROL}))
    endpoint = endpoint_with(all_rules() if ruled else None, signals=signals, **FIVE_MINUTES)
    told, read = History.of(endpoint), History.of(endpoint)

    for body, status, headers in answers:
        settlement = told.answer(body, status=status, headers=headers)
        same = read.answer(body, status=status, headers=headers)

        assert state_text(settlement.state) == state_text(same.state)
        assert settlement.steering == same.steering
        check_told(settlement.state)
        read.endpoints = {name: replace(each, state=read_back(each.state)) for name, each in read.endpoints.items()}


def _settled(endpoint: JobEndpoint, now: datetime, status: int, *, ran: bool) -> Settlement:
    lease = a_lease(endpoint, now=now, manual=endpoint.state.manual is not None)
    run = a_run(lease, an_outcome(status)) if ran else None
    ended = shifted(now, timedelta(milliseconds=7))
    return decide(
        endpoint, Facts(stored=Stored(now=ended, leased_slot=lease.slot), run=run, manual=lease.manual, cron=CRON)
    )
