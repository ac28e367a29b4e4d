"""Where a tenant stands with its tokens, and what is agreed with it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.adapters.cron.zone import zone_rules
from cronicorn.adapters.memory.quota import MemoryQuota
from cronicorn.domain.calendar import Period
from cronicorn.domain.errors import ForbiddenError, InvalidInputError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.permission import EVERYTHING, GRANTED, Role
from cronicorn.domain.principal import Principal
from cronicorn.domain.quota.allowance import Budget, Tiers
from cronicorn.domain.quota.terms import Terms
from cronicorn.scheduler.agreed_allowances import AgreedAllowances
from tests.control.world import ALICE, LOCAL, a_world

DAY = timedelta(days=1)


async def _a_tenant(world, name="acme"):
    """A tenant, and the person at the machine who acts for it."""
    added = await world.control.tenants.add(LOCAL, name)
    return added.tenant.id, replace(LOCAL, tenant_id=added.tenant.id)


async def test_a_tenant_sees_its_own_books_alone():
    world = a_world()
    quota = MemoryQuota(world.stores.database, AgreedAllowances(world.stores.terms, Tiers(), zone_rules))
    await quota.reserve("t2", 900, budget=Budget.ANALYSIS, key="k", ttl=DAY / 24)
    await quota.record_usage("t1", 8_000)

    standing = await world.control.quotas.show(ALICE)

    assert (standing.view.used, standing.view.reserved, standing.view.remaining) == (8_000, 0, 2_000)
    assert standing.left == {Budget.COMPILE: 2_000, Budget.ANALYSIS: 0}
    assert (standing.tier, standing.window, standing.resets_in) == ("free-tier", DAY, DAY)
    assert standing.reset_at == MIDNIGHT + DAY


async def test_what_is_agreed_counts_at_once():
    world = a_world()
    tenant_id, owner = await _a_tenant(world)

    await world.control.quotas.agree(owner, Terms(tier="pro-tier", period=Period.MONTH))
    standing = await world.control.quotas.show(Principal(tenant_id=tenant_id, actor="key", permissions=EVERYTHING))

    assert (standing.tier, standing.view.limit, standing.calendar.period) == ("pro-tier", 100_000, Period.MONTH)
    assert standing.window in {timedelta(days=days) for days in (28, 29, 30, 31)}


async def test_what_is_not_named_stays_unless_all_is_reset():
    world = a_world()
    _, owner = await _a_tenant(world)

    await world.control.quotas.agree(owner, Terms(tier="pro-tier"))
    both = await world.control.quotas.agree(owner, Terms(limit=5))
    anew = await world.control.quotas.agree(owner, Terms(zone="Europe/Berlin"), reset=True)

    assert both == Terms(tier="pro-tier", limit=5)
    assert anew == Terms(zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("terms", "pointers"),
    [
        (Terms(tier="nope"), ["/tier"]),
        (Terms(zone="Mars"), ["/zone"]),
        (Terms(tier="nope", zone="../etc"), ["/tier", "/zone"]),
    ],
)
async def test_a_tier_or_a_zone_that_is_not_known_is_refused(terms, pointers):
    world = a_world()
    _, owner = await _a_tenant(world)

    with pytest.raises(InvalidInputError) as caught:
        await world.control.quotas.agree(owner, terms)

    assert [each.pointer for each in caught.value.fields] == pointers


async def test_tokens_are_agreed_by_who_runs_the_installation_and_with_tenants_that_are_there():
    world = a_world()

    with pytest.raises(ForbiddenError):
        await world.control.quotas.agree(replace(ALICE, permissions=GRANTED[Role.OWNER]), Terms(limit=1))
    with pytest.raises(NotFoundError):
        await world.control.quotas.agree(replace(LOCAL, tenant_id="nobody"), Terms(limit=1))


async def test_a_tier_that_settings_no_longer_name_counts_as_the_default_one():
    world = a_world()
    tenant_id, _ = await _a_tenant(world)
    await world.stores.terms.agree(tenant_id, lambda _: Terms(tier="gone"))

    allowance = await AgreedAllowances(world.stores.terms, Tiers(), zone_rules).of(tenant_id)

    assert allowance.limit == 10_000
