"""What is agreed with a tenant, over what its tier says."""

from datetime import UTC, timedelta, timezone

from cronicorn.domain.calendar import Calendar, Period
from cronicorn.domain.quota.allowance import Allowance, Tiers
from cronicorn.domain.quota.terms import Terms

EAST = timezone(timedelta(hours=3))
TIERS = Tiers(
    allowances={"small": Allowance(limit=10, compile_percent=50), "large": Allowance(limit=1_000)}, default="small"
)


def _allowance(terms):
    return terms.allowance(TIERS, {"East": EAST}.__getitem__)


def test_without_terms_the_default_tier_counts():
    assert _allowance(Terms()) == TIERS.allowances["small"]


def test_a_tier_is_taken_with_all_it_says_and_the_rest_is_put_over_it():
    terms = Terms(tier="large", period=Period.MONTH)

    assert _allowance(terms) == Allowance(limit=1_000, calendar=Calendar(period=Period.MONTH, zone=UTC))
    assert _allowance(Terms(limit=7, zone="East")) == Allowance(
        limit=7, compile_percent=50, calendar=Calendar(zone=EAST)
    )


def test_a_period_a_zone_and_a_limit_each_differ_alone():
    found = [_allowance(terms) for terms in (Terms(limit=5), Terms(period=Period.MONTH), Terms(zone="East"))]

    assert [(each.limit, each.calendar.period, each.calendar.zone) for each in found] == [
        (5, Period.DAY, UTC), (10, Period.MONTH, UTC), (10, Period.DAY, EAST),
    ]  # fmt: skip


def test_a_limit_of_nothing_is_a_limit():
    assert _allowance(Terms(limit=0)).limit == 0


def test_a_tier_that_is_no_more_gives_what_everybody_has():
    assert Terms(tier="gone").tier_among(TIERS) == "small"
    assert _allowance(Terms(tier="gone")) == TIERS.allowances["small"]


def test_new_terms_keep_what_they_do_not_name():
    before = Terms(tier="large", limit=5, zone="East")

    assert Terms(limit=0, period=Period.DAY).over(before) == Terms(
        tier="large", limit=0, period=Period.DAY, zone="East"
    )
    assert Terms().over(before) == before
