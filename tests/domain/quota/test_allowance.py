"""Who may spend how much."""

from datetime import UTC

import pytest

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
