"""Coming back after a denial."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.backoff import BACK_OFF_MAX, back_off
from cronicorn.domain.instant import ZERO


@given(st.timedeltas(ZERO, timedelta(days=31)), st.integers(1, 2_000), st.floats(0, 1, exclude_max=True))
def test_coming_back_never_before_the_time_told_and_never_much_later(retry_after, denials, chance):
    assert retry_after <= back_off(retry_after, denials, chance) <= retry_after + BACK_OFF_MAX


def test_the_share_that_chance_draws_from_doubles():
    assert [back_off(ZERO, denials, 0.5).total_seconds() for denials in (1, 2, 3, 4)] == [0.5, 1, 2, 4]
