"""A tenant's tokens over the wire."""

from dataclasses import replace
from datetime import timedelta

from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits
from cronicorn.domain.quota.terms import Terms
from cronicorn.domain.signals.structured import items_of
from tests.api.door import a_door, assert_problem
from tests.control.world import LOCAL


async def test_a_tenant_reads_where_it_stands_in_the_body_and_in_ratelimit_fields():
    async with a_door() as door:
        answer = await door.client.get("/api/quota")

    assert answer.json() == {
        "tier": "free-tier",
        "mode": "reserve",
        "period": "day",
        "zone": "UTC",
        "limit": 10_000,
        "used": 0,
        "reserved": 0,
        "remaining": 10_000,
        "resetAt": "2026-01-02T00:00:00.000Z",
        "budgets": {
            "compile": {"used": 0, "reserved": 0, "remaining": 10_000},
            "analysis": {"used": 0, "reserved": 0, "remaining": 8_000},
        },
        "execution": {"endpointsMax": None, "minIntervalMs": None, "runs": None},
    }
    (policy,), (limit,) = (items_of(answer.headers[name]) or [] for name in ("RateLimit-Policy", "RateLimit"))
    assert (policy.value, policy.parameters) == ("tokens", {"q": 10_000, "qu": "tokens", "w": 86_400})
    assert (limit.value, limit.parameters) == ("tokens", {"r": 10_000, "t": 86_400})


async def test_each_tenant_has_terms_of_its_own():
    async with a_door() as door:
        rival = (await door.world.stores.keys.tenants())[1]
        await door.world.control.quotas.agree(replace(LOCAL, tenant_id=rival.id), Terms(limit=0))
        own, theirs = await door.client.get("/api/quota"), await door.stranger.get("/api/quota")

    assert (own.json()["limit"], theirs.json()["limit"]) == (10_000, 0)


async def test_nobody_reads_a_quota_without_a_key():
    async with a_door() as door:
        answer = await door.client.get("/api/quota", headers={"x-api-key": "wrong"})

    assert answer.status_code == 401


async def test_a_tenant_reads_what_its_tier_lets_it_do_and_why_nothing_runs():
    limits = ExecutionLimits(runs=0, endpoints=3, interval_min=timedelta(seconds=30))
    async with a_door(TierLimits(other=limits)) as door:
        endpoint = await door.endpoint()
        quota = await door.read("/api/quota")
        explained = await door.read(f"/api/endpoints/{endpoint['id']}/explain")

    assert quota["execution"] == {
        "endpointsMax": 3,
        "minIntervalMs": 30_000,
        "runs": {"limit": 0, "used": 0, "remaining": 0, "resetAt": "2026-02-01T00:00:00.000Z"},
    }
    assert explained["overLimit"] == {
        "state": "skipped_quota",
        "reason": "the tenant's 0 runs of 2026-01 are used up",
        "nextAt": "2026-01-01T00:01:00.000Z",
        "lastAt": None,
        "until": "2026-02-01T00:00:00.000Z",
    }


async def test_a_run_beyond_the_runs_of_the_month_is_refused_with_the_seconds_until_the_next():
    async with a_door(TierLimits(other=ExecutionLimits(runs=0))) as door:
        endpoint = await door.endpoint()
        answer = await door.client.post(f"/api/endpoints/{endpoint['id']}/run")
        unknown = await door.stranger.post(f"/api/endpoints/{endpoint['id']}/run")

    problem = assert_problem(answer, 429)
    assert problem["type"] == "/problems/quota_exceeded"
    assert "Ask again from 2026-02-01T00:00:00Z on" in problem["detail"]
    assert answer.headers["Retry-After"] == str(31 * 86_400)
    assert unknown.status_code == 404
