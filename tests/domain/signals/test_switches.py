"""What an owner lets signals do, and which of several signals counts."""

from datetime import timedelta

import pytest

from cronicorn.domain.call import Method
from cronicorn.domain.endpoint import Baseline, EndpointState
from cronicorn.domain.fixtures import MIDNIGHT, an_endpoint
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.signals.reading import Answer, may_tighten
from cronicorn.domain.signals.signal import ON_BY_DEFAULT, Adapt, Signal, Signals
from tests.domain.signals.answers import CRON, GET, POST, SECOND, an_answer, asked, heard
from tests.domain.strategies import CRON as CRON_READER

SPEAKING: dict[Signal, Answer] = {
    Signal.RETRY_AFTER: an_answer(404, retry_after="60"),
    Signal.RATE_LIMIT: an_answer(ratelimit='"a";r=0;t=60'),
    Signal.SCHEDULE_HINT: an_answer(schedule_hint="interval=60, defer=5"),
    Signal.HEALTH: an_answer(503),
    Signal.BODY_HINT: an_answer(body={"poll_after_s": 60}),
    Signal.ETA: an_answer(body={"eta_seconds": 60}),
    Signal.CACHE_CONTROL: an_answer(cache_control="max-age=900"),
}


def test_every_signal_but_cache_control_speaks_by_default() -> None:
    assert frozenset(Signal) - ON_BY_DEFAULT == {Signal.CACHE_CONTROL}
    assert {signal for signal in Signal if Signals().speaks(signal)} == ON_BY_DEFAULT


def test_off_is_stronger_than_on() -> None:
    both = frozenset({Signal.CACHE_CONTROL})

    assert Signals(on=both).speaks(Signal.CACHE_CONTROL)
    assert not Signals(on=both, off=both).speaks(Signal.CACHE_CONTROL)


@pytest.mark.parametrize("signal", SPEAKING)
def test_each_signal_can_be_switched_off_and_what_it_wrote_ends(signal: Signal) -> None:
    silent = heard(SPEAKING[signal], GET._replace(signals=Signals(off=frozenset({signal}))))
    loud = heard(SPEAKING[signal], GET._replace(signals=Signals(on=frozenset({signal}))))

    assert {hint.key for hint in loud.hints} == {signal.value}
    assert silent.hints == ()
    assert {hint.id for hint in loud.hints} <= silent.cleared


@pytest.mark.parametrize("signal", SPEAKING)
def test_without_adaptation_only_the_delays_of_the_protocol_remain(signal: Signal) -> None:
    said = heard(SPEAKING[signal], GET._replace(signals=Signals(adapt=Adapt.OFF, on=frozenset(Signal))))

    delays = {Signal.RETRY_AFTER: {"defer:retry-after": 60}, Signal.RATE_LIMIT: {"defer:rate-limit": 60}}
    assert asked(said) == delays.get(signal, {})


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (GET, True),
        (GET._replace(method=Method.HEAD), True),
        (POST, False),
        (GET._replace(interval_min=None), False),
        (CRON, False),
        (CRON._replace(method=Method.DELETE, signals=Signals(adapt=Adapt.ON)), True),
        (GET._replace(signals=Signals(adapt=Adapt.OFF)), False),
    ],
)
def test_what_may_be_tightened(subject: object, *, expected: bool) -> None:
    assert isinstance(subject, type(GET))
    assert may_tighten(subject) is expected


def _next(answer: Answer) -> timedelta:
    state = EndpointState(hints=heard(answer).hints, failure_count=answer.failures, spaced_from=MIDNIGHT)
    endpoint = an_endpoint(baseline=Baseline(interval=300 * SECOND), interval_min=30 * SECOND, state=state)
    at = plan_next_run(MIDNIGHT, endpoint, CRON_READER).next_run_at
    assert at is not None
    return at - MIDNIGHT


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (an_answer(), 300),
        (an_answer(body={"status": "degraded", "poll_after_s": 40}), 60),
        (an_answer(body={"status": "degraded"}, schedule_hint="interval=200"), 200),
        (an_answer(schedule_hint="interval=40", ratelimit='"a";r=1;t=700'), 700),
        (an_answer(body={"poll_after_s": 900}), 900),
        (an_answer(429, body={"status": "error"}), 450),
        (an_answer(503, retry_after="40"), 40),
        (an_answer(503, retry_after="100"), 100),
        (an_answer(body={"poll_after_s": 40}, schedule_hint="defer=500"), 500),
    ],
)
def test_of_several_signals_the_most_authoritative_counts(answer: Answer, seconds: float) -> None:
    assert _next(answer) == seconds * SECOND
