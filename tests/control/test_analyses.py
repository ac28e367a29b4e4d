"""What somebody is told who asks for an analysis: whether anybody will make it, and with what."""

from dataclasses import replace

import pytest

from cronicorn.adapters.memory.quota import MemoryQuota
from cronicorn.control.analyses import PLANNERS_GONE, Analyses
from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.analysis.watch import Look
from cronicorn.domain.analysis.watching import Occasion, Why
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.instant import MINUTE
from cronicorn.domain.quota.allowance import Budget, Tiers
from cronicorn.domain.quota.decision import QuotaView
from cronicorn.domain.quota.terms import Terms
from tests.control.world import ALICE, LOCAL, World, a_world


async def asked(world: World, endpoint: JobEndpoint, *, model_named: bool = True) -> list[str]:
    """What is told where a model is named, or is not."""
    stores = world.stores
    analyses = Analyses(stores.watches, stores.endpoints, world.control.quotas, model_named=model_named)
    return list(await analyses.request(ALICE, endpoint.id))


async def looked(world: World, error: str | None = None) -> None:
    """A planner looks at the one endpoint that is watched, and fails with *error* to analyse it."""
    (watch,) = await world.stores.watches.claim_due(claim_id="c", limit=1, ttl=MINUTE)
    now, endpoint = watch.claimed_at, watch.endpoint
    why = Why(occasion=Occasion.REQUEST, detail="alice")
    analysis = Analysis(
        id="session_1", tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, at=now, why=why, error=error
    )
    look = Look(memory=watch.memory, cursor=now, look_at=now + MINUTE, analysis=analysis if error else None)
    await world.stores.watches.settle(watch, look)


async def test_where_a_model_is_named_and_tokens_are_left_nothing_is_told() -> None:
    world = a_world()
    endpoint = await world.endpoint(analysis=True)

    assert await asked(world, endpoint) == []


async def test_without_a_model_it_is_told_unless_a_planner_has_looked_lately() -> None:
    world = a_world()
    endpoint = await world.endpoint(analysis=True)

    (told,) = await asked(world, endpoint, model_named=False)
    await looked(world)

    assert "unless one runs elsewhere, start `cronicorn planner`" in told
    assert await asked(world, endpoint, model_named=False) == []


async def test_that_no_planner_looks_is_told_also_where_a_model_is_named() -> None:
    world = a_world()
    endpoint = await world.endpoint(analysis=True)
    assert await asked(world, endpoint) == []
    world.clock.move(seconds=PLANNERS_GONE.total_seconds())

    (told,) = await asked(world, endpoint)

    assert told.startswith("No planner has looked at the endpoint for 10 minutes: start `cronicorn planner`")


async def test_books_that_are_away_keep_nobody_from_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_self: MemoryQuota, _tenant_id: str) -> QuotaView:
        raise UnavailableError("Redis did not answer.")

    world = a_world()
    endpoint = await world.endpoint(analysis=True)
    monkeypatch.setattr(MemoryQuota, "remaining", away)

    assert await asked(world, endpoint) == [
        "Nobody can say now what is left of the tenant's tokens: Redis did not answer."
    ]
    (watch,) = await world.stores.watches.claim_due(claim_id="c", limit=1, ttl=MINUTE)
    assert watch.requested_by == ALICE.actor


async def test_a_limit_that_never_has_room_for_an_analysis_is_told_with_the_one_that_has() -> None:
    world = a_world()
    await world.control.tenants.add(LOCAL, "acme")
    (tenant,) = await world.stores.keys.tenants()
    acme = replace(ALICE, tenant_id=tenant.id)
    await world.control.quotas.agree(replace(LOCAL, tenant_id=tenant.id), Terms(limit=5_000))
    endpoint = await world.endpoint(acme, analysis=True)

    told = await world.control.analyses.request(acme, endpoint.id)

    assert told[-1] == (
        "A limit of 5,000 tokens never has room for an analysis, which reserves 8,000: set 10,000 at least."
        " `cronicorn tenant set NAME --limit TOKENS` does."
    )


async def test_a_tenant_that_has_used_its_tokens_up_hears_when_there_are_more() -> None:
    world = a_world()
    endpoint = await world.endpoint(analysis=True)
    quota = MemoryQuota(world.stores.database, Tiers())
    await quota.reserve(ALICE.tenant_id, 4_000, budget=Budget.ANALYSIS, key="k1", ttl=MINUTE)

    told = await asked(world, endpoint)

    assert "The tenant has 4,000 tokens left for analyses, and one reserves 8,000: it is denied" in told[-1]
    assert "begins anew in 1 d with more" in told[-1]


async def test_why_the_last_one_failed_is_told() -> None:
    world = a_world()
    endpoint = await world.endpoint(analysis=True)
    await looked(world, "The key is refused.")

    (told,) = await asked(world, endpoint)
    world.clock.move(seconds=3_600)
    *_, later = await asked(world, endpoint)

    assert told.startswith("The last analysis failed: The key is refused. If only a person can mend that")
    assert told.endswith("no model is asked until 01:00Z, or until the planner is started anew.")
    assert later == "The last analysis failed: The key is refused."
