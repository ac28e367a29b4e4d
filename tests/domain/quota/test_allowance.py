"""Who may spend how much."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.quota.allowance import Allowance, Budget, Override, Tiers
from cronicorn.domain.quota.calendar import Period


def test_the_tiers_have_the_limits_of_the_note_and_last_a_day():
    tiers = Tiers(of_tenant={"free": "free-tier", "pro": "pro-tier", "big": "enterprise"})

    allowances = [tiers.allowance(tenant) for tenant in ("free", "pro", "big", "nobody said")]

    assert [each.limit for each in allowances] == [10_000, 100_000, 1_000_000, 10_000]
    assert {(each.calendar.period, each.calendar.zone) for each in allowances} == {(Period.DAY, UTC)}


def test_what_a_tenant_overrides_differs_and_nothing_else():
    tokyo = ZoneInfo("Asia/Tokyo")
    tiers = Tiers(overrides={"t1": Override(limit=5), "t2": Override(period=Period.MONTH), "t3": Override(zone=tokyo)})

    found = [tiers.allowance(tenant) for tenant in ("t1", "t2", "t3")]

    assert [(each.limit, each.calendar.name) for each in found] == [
        (5, "day UTC"),
        (10_000, "month UTC"),
        (10_000, "day Asia/Tokyo"),
    ]


@pytest.mark.parametrize("named", [{"default": "gold"}, {"of_tenant": {"t1": "gold"}}])
def test_a_tier_that_is_not_there_is_refused(named):
    with pytest.raises(InvalidInputError, match="no tier gold: name one of enterprise, free-tier, pro-tier"):
        Tiers(**named)


@pytest.mark.parametrize(("percent", "analysis"), [(0, 999), (20, 800), (33, 670), (100, 0)])
def test_what_is_kept_for_compiling_no_analysis_may_take(percent, analysis):
    allowance = Allowance(limit=999, compile_percent=percent)

    assert (allowance.cap(Budget.COMPILE), allowance.cap(Budget.ANALYSIS)) == (999, analysis)
