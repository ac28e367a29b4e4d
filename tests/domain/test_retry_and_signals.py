"""How long to wait before another attempt, and what an answer says about it."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.endpoint import RetryPolicy
from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.instant import stable_fraction
from cronicorn.domain.retry import may_retry, retry_backoff
from cronicorn.domain.signals.retry_after import RETRY_AFTER_MAX, retry_after
from tests.domain.strategies import instants, retries

SECOND = timedelta(seconds=1)
GOOGLE = RetryPolicy(count=5, backoff_min=10 * SECOND, backoff_max=300 * SECOND, doublings_max=3)


def test_the_backoff_doubles_then_grows_evenly_then_stays() -> None:
    full = [retry_backoff(GOOGLE, attempt, 1.0) / SECOND for attempt in range(1, 9)]

    assert full == [10, 20, 40, 80, 160, 240, 300, 300]


@given(retries, st.integers(1, 10**6), st.floats(0, 1, exclude_max=True))
def test_jitter_stays_between_nothing_and_the_full_backoff(policy: RetryPolicy, attempt: int, chance: float) -> None:
    wait, full = retry_backoff(policy, attempt, chance), retry_backoff(policy, attempt, 1.0)

    assert min(full, timedelta(0)) <= wait <= max(full, timedelta(0))
    assert full <= policy.backoff_max


@given(st.lists(st.text(), max_size=4))
def test_stable_chance_is_below_one_and_always_the_same(parts: list[str]) -> None:
    assert 0 <= stable_fraction(*parts) < 1
    assert stable_fraction(*parts) == stable_fraction(*parts)


def test_what_was_refused_or_cancelled_or_lacks_a_secret_is_not_tried_again() -> None:
    kinds = {kind: may_retry(GOOGLE, 1, an_outcome(kind=kind)) for kind in OutcomeKind}

    assert {kind for kind, again in kinds.items() if not again} == {
        OutcomeKind.REFUSED,
        OutcomeKind.CANCELLED,
        OutcomeKind.SECRET_MISSING,
        OutcomeKind.SECRET_UNREADABLE,
    }
    assert not may_retry(GOOGLE, 6, an_outcome(500))


NOW = datetime.fromisoformat("1994-11-06T08:49:00+00:00")
WAITS = {
    "120": 120 * SECOND,
    " 5 ": 5 * SECOND,
    "Sun, 06 Nov 1994 08:49:37 GMT": 37 * SECOND,
    "Sunday, 06-Nov-94 08:49:37 GMT": 37 * SECOND,
    "Sun Nov  6 08:49:37 1994": 37 * SECOND,
    "Sun, 06 Nov 1994 09:49:37 +0100": 37 * SECOND,
    "9999999999": RETRY_AFTER_MAX,
    "99999999999999999999": RETRY_AFTER_MAX,
    "9" * 5_000: RETRY_AFTER_MAX,
    "00000000000120": 120 * SECOND,
    "00000000000000": None,
    "Fri, 31 Dec 9999 23:59:59 GMT": RETRY_AFTER_MAX,
    "0": None,
    "-5": None,
    "1.5": None,
    "١٢٠": None,
    "Sun, 06 Nov 1994 08:48:59 GMT": None,
    "Sun, 06 Nov 19940 08:48:59 GMT": None,
    "Sun, 06 Nov 1994 08:49:37 +9999": None,
    "soon": None,
    "": None,
    "\0": None,
}


@pytest.mark.parametrize("value", WAITS)
def test_retry_after_is_read_as_seconds_or_a_date(value: str) -> None:
    assert retry_after(value, NOW) == WAITS[value]


@given(st.one_of(st.text(), st.text("0123456789 :,+-GMTSunNov")), instants)
def test_no_retry_after_breaks_us(value: str, now: datetime) -> None:
    wait = retry_after(value, now)

    assert wait is None or timedelta(0) < wait <= RETRY_AFTER_MAX
