"""Who may spend how much."""

from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.calendar import Period
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.quota.allowance import Allowance, Budget, Tiers


async def test_the_tiers_have_the_limits_of_the_note_and_last_a_day():
    tiers = Tiers()

    assert {name: each.limit for name, each in tiers.allowances.items()} == {
        "free-tier": 10_000, "pro-tier": 100_000, "enterprise": 1_000_000,
    }  # fmt: skip
    assert {(each.calendar.period, each.calendar.zone) for each in tiers.allowances.values()} == {(Period.DAY, UTC)}
    assert await tiers.of("nobody said") == tiers.allowances["free-tier"]


def test_a_tier_that_is_not_there_is_refused():
    with pytest.raises(InvalidInputError, match="no tier gold: name one of enterprise, free-tier, pro-tier"):
        Tiers(default="gold")


@pytest.mark.parametrize(("percent", "analysis"), [(0, 999), (20, 800), (33, 670), (100, 0)])
def test_what_is_kept_for_compiling_no_analysis_may_take(percent, analysis):
    allowance = Allowance(limit=999, compile_percent=percent)

    assert (allowance.cap(Budget.COMPILE), allowance.cap(Budget.ANALYSIS)) == (999, analysis)


@given(percent=st.integers(0, 100), tokens=st.integers(1, 10**6))
def test_the_least_limit_for_tokens_has_room_for_them_and_one_less_has_not(percent: int, tokens: int) -> None:
    allowance = Allowance(limit=0, compile_percent=percent)

    for budget in Budget:
        least = allowance.limit_for(budget, tokens)
        if least is None:
            assert replace(allowance, limit=10**9).cap(budget) == 0
        else:
            assert replace(allowance, limit=least).cap(budget) >= tokens
            assert replace(allowance, limit=least - 1).cap(budget) < tokens
