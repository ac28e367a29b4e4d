"""The bound of the soft mode, and when it is too much."""

import pytest

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.quota.soft import SoftBound


def test_all_calls_in_progress_may_come_on_top_of_one_token_short_of_the_limit():
    assert SoftBound(limit=200_000, concurrency=8, call_tokens_max=1_000).overrun_max == 7_999


@pytest.mark.parametrize(
    ("concurrency", "worrying", "refused"), [(20, False, False), (21, True, False), (40, True, False), (41, True, True)]
)
def test_above_a_tenth_it_worries_and_above_a_fifth_it_is_refused(concurrency, worrying, refused):
    bound = SoftBound(limit=200_000, concurrency=concurrency, call_tokens_max=1_000)

    assert bound.worrying == worrying
    bound.check(forced=True)
    if refused:
        with pytest.raises(InvalidInputError, match="at most 40999 tokens above the limit of 200000: 41 calls at once"):
            bound.check()
    else:
        bound.check()


def test_without_a_limit_no_soft_quota_is_accepted():
    with pytest.raises(InvalidInputError):
        SoftBound(limit=0, concurrency=1, call_tokens_max=1).check()
