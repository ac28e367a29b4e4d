"""What servers say about the pace of calls: Retry-After, 429, the RateLimit fields and Cache-Control."""

from datetime import timedelta

import pytest

from cronicorn.domain.call import Method
from cronicorn.domain.endpoint import Baseline, EndpointState
from cronicorn.domain.fixtures import MIDNIGHT, an_endpoint
from cronicorn.domain.instant import microseconds_of
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.signals.rate_limit import pace_asked
from cronicorn.domain.signals.reading import Answer
from cronicorn.domain.signals.signal import Signal, Signals
from tests.domain.signals.answers import CRON, GET, POST, SECOND, after, an_answer, asked, heard
from tests.domain.strategies import CRON as CRON_READER

NOW_S = microseconds_of(MIDNIGHT) // 1_000_000


@pytest.mark.parametrize("status", [429, 503, 404])
def test_a_failed_answer_with_retry_after_waits_and_then_calls_at_once(status: int) -> None:
    said = heard(an_answer(status, retry_after="120"))

    assert asked(said)["defer:retry-after"] == asked(said)["one-shot:retry-after"] == 120


@pytest.mark.parametrize("status", [200, 301, 302, 304])
def test_retry_after_on_a_success_or_a_redirect_is_ignored(status: int) -> None:
    assert asked(heard(an_answer(status, retry_after="120"))) == {}


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("999999999", 3_600),
        ("9" * 1_000, 3_600),
        ("Thu, 01 Jan 2026 00:02:00 GMT", 120),
        ("-5", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("NaN", None),
    ],
)
def test_a_wait_is_at_most_an_hour_and_what_makes_no_sense_is_ignored(value: str, wait: float | None) -> None:
    assert asked(heard(an_answer(404, retry_after=value))).get("defer:retry-after") == wait


def test_of_twenty_retry_after_fields_the_first_one_counts() -> None:
    answer = an_answer(404)
    headers = tuple(("retry-after", str(60 + index)) for index in range(20))

    said = heard(answer._replace(outcome=answer.outcome._replace(headers=headers)))

    assert asked(said)["defer:retry-after"] == 60


def test_where_nothing_may_tighten_retry_after_only_delays() -> None:
    assert asked(heard(an_answer(503, retry_after="120"), POST)) == {"defer:retry-after": 120}


def test_the_call_comes_the_instant_the_wait_is_over_instead_of_after_the_backoff() -> None:
    said = heard(an_answer(429, failures=4, retry_after="700"))
    state = EndpointState(hints=said.hints, failure_count=4, spaced_from=MIDNIGHT)
    endpoint = an_endpoint(baseline=Baseline(interval=300 * SECOND), interval_min=30 * SECOND, state=state)

    assert plan_next_run(MIDNIGHT, endpoint, CRON_READER).next_run_at == MIDNIGHT + 700 * SECOND


def test_a_429_without_a_wait_backs_off_with_jitter_between_base_and_maximum() -> None:
    refusals = [an_answer(429, failures=n) for n in range(1, 8)]
    intervals = [asked(after(refusals[:n]))["interval:retry-after"] for n in range(1, 8)]

    assert intervals == [450, 750, 1_350, 1_950, 1_950, 1_950, 1_950]
    assert asked(after(refusals, GET._replace(chance=lambda: 0.0)))["interval:retry-after"] == 300


def test_the_backoff_after_429_ends_with_the_next_other_answer() -> None:
    memory = heard(an_answer(429)).memory

    said = heard(an_answer(404), memory=memory)

    assert memory.limited == 1
    assert said.memory.limited == 0
    assert "signal:interval:retry-after" in said.cleared


def test_a_429_is_heeded_whatever_lengths_a_schedule_has() -> None:
    said = heard(an_answer(429), GET._replace(base=timedelta.max, interval_max=timedelta.min))

    assert [hint.key for hint in said.hints] == ["retry-after"]


def test_a_429_where_nothing_may_tighten_is_left_to_the_backoff_of_failures() -> None:
    assert asked(heard(an_answer(429), POST)) == {}


def _pace(**fields: str) -> tuple[float, float] | None:
    pace = pace_asked({name.replace("_", "-"): value for name, value in fields.items()}, MIDNIGHT)
    return None if pace is None else (pace.wait / SECOND, pace.spacing / SECOND)


@pytest.mark.parametrize(
    ("field", "asks"),
    [
        ('"default";r=50;t=30', None),
        ('"default";r=0;t=30', (30, 0)),
        ('"default";r=2;t=30', (0, 15)),
        ('"default";r=1;t=30;pk=:cHNl:', (0, 30)),
        ('"burst";r=0;t=5, "daily";r=0;t=90', (90, 0)),
        ('"permin";r=50;t=30,"perhr";r=2;t=1000', (0, 500)),
        ('"daily";r=0;t=86400', (3_600, 0)),
        ('"default";r=0', None),
        ("limit=100, remaining=0, reset=5", (5, 0)),
        ("limit=100, remaining=80, reset=5", None),
        ('"default";r=0;t=-5', None),
        ('"default";r=-1;t=5', None),
        ('"default";r=0.5;t=5', None),
        ('"default";r="0";t=5', None),
        ('"default";t=5', None),
        ('"burst";r=0;t=5,', None),
        ('"burst";r=0;t=5, "daily"', None),
        ("5;r=0;t=5", None),
        ('"default";r=0;t=' + "9" * 1_000, None),
        ('"default', None),
        ("", None),
    ],
)
def test_the_ratelimit_field_is_read_or_ignored_entirely(field: str, asks: tuple[float, float] | None) -> None:
    assert _pace(ratelimit=field) == asks


@pytest.mark.parametrize(
    ("field", "spacing"),
    [
        ('"default";q=100;w=60', 0.66),
        ('"permin";q=50;w=60,"perhr";q=10;w=3600', 396),
        ("10;w=60", 6.6),
        ('"bytes";q=10;qu="content-bytes";w=60', None),
        ('"default";q=10', None),
        ('"default";q=0;w=60', None),
        ('"default";w=60', None),
        ('"default";q=10;w=60 junk', None),
        ("huge;q=1;w=999999999999999", 3_600),
    ],
)
def test_a_policy_asks_for_calls_a_tenth_slower_than_it_allows(field: str, spacing: float | None) -> None:
    asks = _pace(ratelimit_policy=field)

    assert (asks and asks[1]) == (None if spacing is None else pytest.approx(spacing))
    assert not asks or asks[0] == 0


@pytest.mark.parametrize(
    ("fields", "asks"),
    [
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": "30"}, (30, 0)),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(NOW_S + 90)}, (90, 0)),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": str((NOW_S + 90) * 1_000)}, (90, 0)),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(NOW_S - 90)}, None),
        ({"x_ratelimit_remaining": "2", "x_ratelimit_reset": "30.5"}, (0, 15.25)),
        ({"x_rate_limit_remaining": "0", "x_rate_limit_reset": "30"}, (30, 0)),
        ({"ratelimit_remaining": "0", "ratelimit_reset": "30"}, (30, 0)),
        ({"ratelimit_remaining": "0", "ratelimit_reset": "30, 31"}, None),
        ({"ratelimit_remaining": "0"}, None),
        ({"ratelimit_remaining": "-1", "ratelimit_reset": "30"}, None),
        ({"ratelimit_remaining": "NaN", "ratelimit_reset": "1e308"}, None),
    ],
)
def test_legacy_fields_are_read(fields: dict[str, str], asks: tuple[float, float] | None) -> None:
    assert _pace(**fields) == asks


def test_no_calls_left_delays_the_next_one_whatever_the_method() -> None:
    said = heard(an_answer(ratelimit='"default";r=0;t=400'), POST)

    assert asked(said) == {"defer:rate-limit": 400}
    assert "signal:interval:rate-limit" in said.cleared


def test_few_calls_left_slow_an_interval_schedule_down_and_never_speed_it_up() -> None:
    assert asked(heard(an_answer(ratelimit='"default";r=2;t=1000'))) == {"interval:rate-limit": 500}
    assert asked(heard(an_answer(ratelimit='"default";r=2;t=100'))) == {}


def test_few_calls_left_only_delay_where_there_is_no_interval() -> None:
    assert asked(heard(an_answer(ratelimit='"default";r=2;t=100'), CRON)) == {"defer:rate-limit": 50}


def test_the_spacing_holds_for_whatever_else_the_answer_asks() -> None:
    said = heard(an_answer(body={"poll_after_s": 40}, ratelimit_policy='"default";q=30;w=3000'))

    assert asked(said) == {"interval:body-hint": 110}


def test_retry_after_takes_precedence_over_ratelimit() -> None:
    said = heard(an_answer(404, retry_after="60", ratelimit='"default";r=0;t=900'))

    assert asked(said) == {"defer:retry-after": 60, "one-shot:retry-after": 60}


def test_a_refusal_that_says_when_calls_are_left_again_is_heeded_instead_of_a_guess() -> None:
    said = heard(an_answer(429, ratelimit='"default";r=0;t=900'))

    assert asked(said) == {"defer:rate-limit": 900, "one-shot:rate-limit": 900}


@pytest.mark.parametrize(
    ("fields", "interval"),
    [
        ({"cache_control": "max-age=600"}, 600),
        ({"cache_control": "public, max-age=600, must-revalidate", "age": "100"}, 500),
        ({"cache_control": "max-age=100"}, None),
        ({"cache_control": "max-age=600, no-store"}, None),
        ({"cache_control": "no-cache, max-age=600"}, None),
        ({"cache_control": "s-maxage=600"}, None),
        ({"cache_control": "max-age=600", "age": "9999"}, None),
        ({"cache_control": "max-age=-600"}, None),
        ({"cache_control": "max-age=9999999999"}, 14_400),
    ],
)
def test_a_fresh_answer_is_not_asked_for_again_where_that_is_wanted(
    fields: dict[str, str], interval: float | None
) -> None:
    subject = GET._replace(signals=Signals(on=frozenset({Signal.CACHE_CONTROL})))

    assert asked(heard(an_answer(200, None, 0, **fields), subject)).get("interval:cache-control") == interval
    assert asked(heard(an_answer(200, None, 0, **fields))) == {}


def test_freshness_says_nothing_about_a_post() -> None:
    subject = POST._replace(signals=Signals(on=frozenset({Signal.CACHE_CONTROL})))

    assert subject.method is Method.POST
    assert asked(heard(an_answer(cache_control="max-age=600"), subject)) == {}


def test_a_slower_interval_is_never_shorter_than_the_backoff_of_failures() -> None:
    answer: Answer = an_answer(404, failures=3, ratelimit='"default";r=2;t=1000')

    said = heard(answer, POST._replace(base=timedelta(minutes=5)))

    assert asked(said) == {"defer:rate-limit": 500}
