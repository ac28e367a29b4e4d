"""The token quota that settings ask for."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.domain.calendar import Period
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.bounds import CALL_TOKENS_MAX
from cronicorn.domain.quota.decision import Denied, Granted, Mode
from cronicorn.domain.quota.terms import Terms
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.scheduler.planner import ModelPlanner
from cronicorn.wiring.engine import engine
from cronicorn.wiring.quota import tiers_of, token_quota
from cronicorn.wiring.settings import Settings, shown_settings
from cronicorn.wiring.stores import open_chosen
from cronicorn.wiring.timekeeping import system_clock
from tests.quota.conftest import redis_url  # noqa: F401 (a fixture)
from tests.wiring.test_settings import problems_of

TTL = timedelta(minutes=1)
SOFT = {"CRONICORN_QUOTA_MODE": "soft", "CRONICORN_QUOTA_CALLS_MAX": "2", "CRONICORN_QUOTA_CALL_TOKENS_MAX": "900"}
WITH_A_MODEL = {
    "CRONICORN_QUOTA_MODE": "soft",
    "CRONICORN_QUOTA_CALLS_MAX": "1",
    "CRONICORN_QUOTA_TIERS": "free-tier:50000,pro-tier:100000,enterprise:1000000",
}
MODEL = {"CRONICORN_AI_MODEL": "openai:fake-1", "CRONICORN_AI_BASE_URL": "http://127.0.0.1:9/v1"}


@pytest.fixture(params=["memory", "sqlite", "postgres", "postgres and redis"])
def environ(request, tmp_path):
    match request.param:
        case "memory":
            return {"CRONICORN_DATABASE_URL": "memory:"}
        case "sqlite":
            return {"CRONICORN_DATABASE_URL": f"sqlite:{tmp_path / 'store.db'}"}
        case "postgres":
            return {"CRONICORN_DATABASE_URL": request.getfixturevalue("postgres_url")}
        case _:
            return {
                "CRONICORN_DATABASE_URL": request.getfixturevalue("postgres_url"),
                "CRONICORN_QUOTA_STORE": "redis",
                "CRONICORN_REDIS_URL": request.getfixturevalue("redis_url")(),
            }


async def test_the_quota_of_each_store_keeps_to_what_is_agreed_and_counts(environ):
    settings, metrics = Settings.from_env(environ | {"CRONICORN_QUOTA_TIERS": "free-tier:1000"}), Metrics()
    stores = await open_chosen(settings, system_clock())
    tenant = Tenant(id="acme", name="acme", created_at=MIDNIGHT)
    key = ApiKey(id="k", tenant_id="acme", prefix="k", hash="h", created_at=MIDNIGHT)
    await stores.keys.add_tenant(tenant, key)

    async with token_quota(settings, stores, metrics) as tokens:
        many = await tokens.quota.reserve("acme", 900, budget=Budget.ANALYSIS, key="many", ttl=TTL)
        await stores.terms.agree("acme", lambda _: Terms(limit=5_000))
        more = await tokens.quota.reserve("acme", 900, budget=Budget.ANALYSIS, key="more", ttl=TTL)
        assert isinstance(more, Granted)
        await tokens.quota.commit(more.grant_id, 700)
        await tokens.guard.record_usage("acme", 5)
        below = await tokens.guard.can_proceed("acme")
        await tokens.guard.record_usage("acme", 4_300)
        reached = await tokens.guard.can_proceed("acme")
        seen = await tokens.quota.remaining("acme")
    await stores.aclose()

    assert isinstance(many, Denied)
    assert (seen.limit, seen.used, seen.reserved) == (5_000, 5_005, 0)
    assert (below, reached) == (True, False)


def test_tiers_periods_and_zones_come_from_the_settings():
    tiers = tiers_of(
        Settings.from_env(
            {
                "CRONICORN_QUOTA_TIERS": "small:10, large:1000",
                "CRONICORN_QUOTA_TIER": "small",
                "CRONICORN_QUOTA_PERIOD": "month",
                "CRONICORN_QUOTA_ZONE": "Asia/Tokyo",
            }
        )
    )

    allowance = tiers.allowances[tiers.default]
    assert (allowance.limit, allowance.calendar.period, str(allowance.calendar.zone)) == (
        10, Period.MONTH, "Asia/Tokyo",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "free-tier", "free-tier:-1", "free-tier:1000000000001", "a:1,a:2", ":1", "1", "free-tier:1;x:2"]
)
def test_tiers_that_can_not_be_read_are_refused(text):
    if text:
        assert "TIER:LIMIT" in problems_of({"CRONICORN_QUOTA_TIERS": text})["CRONICORN_QUOTA_TIERS"]
    else:
        assert Settings.from_env({"CRONICORN_QUOTA_TIERS": text}).quota_tier == "free-tier"


@pytest.mark.parametrize(
    ("environ", "name", "said"),
    [
        ({"QUOTA_TIER": "gold"}, "QUOTA_TIER", "has enterprise, free-tier, pro-tier: name one"),
        ({"QUOTA_STORE": "redis", "DATABASE_URL": "postgresql://h/d"}, "REDIS_URL", "is not set"),
        ({"QUOTA_STORE": "redis", "REDIS_URL": "redis://h"}, "QUOTA_STORE", "needs PostgreSQL"),
        (
            {
                "QUOTA_STORE": "redis",
                "REDIS_URL": "redis://h",
                "DATABASE_URL": "postgresql://h/d",
                "QUOTA_MODE": "advisory",
            },
            "QUOTA_MODE",
            "can't be advisory",
        ),
        ({"QUOTA_MODE": "soft"}, "QUOTA_MODE", "at most 71999 tokens above the limit of 10000"),
    ],
)
def test_settings_of_a_quota_that_contradict_one_another_are_refused(environ, name, said):
    problems = problems_of({f"CRONICORN_{field}": value for field, value in environ.items()})

    assert said in problems[f"CRONICORN_{name}"]


def test_a_soft_quota_starts_when_its_bound_is_small_or_it_is_forced():
    small = Settings.from_env(SOFT)
    forced = Settings.from_env({"CRONICORN_QUOTA_MODE": "soft", "CRONICORN_QUOTA_SOFT_FORCED": "yes"})

    assert [(each.quota_mode, each.quota_soft_forced) for each in (small, forced)] == [("soft", False), ("soft", True)]
    assert shown_settings(forced)["quota_soft_forced"] == "yes"


async def test_a_tier_that_settings_no_longer_name_is_told_of_once_at_the_start(tmp_path, caplog):
    environ = {"CRONICORN_DATABASE_URL": f"sqlite:{tmp_path / 'store.db'}"}
    async with engine(Settings.from_env(environ), scheduling=False) as parts:
        await parts.control.tenants.bootstrap("a-long-random-word")
        (tenant,) = await parts.stores.keys.tenants()
        await parts.stores.terms.agree(tenant.id, lambda _: Terms(tier="gone"))

    async with engine(Settings.from_env(environ), scheduling=False) as parts:
        limits = [(await parts.tokens.quota.remaining(tenant.id)).limit for _ in range(2)]

    told = [(each.tier, each.instead) for each in caplog.records if each.message == "tier_unknown"]
    assert limits == [10_000, 10_000]
    assert told == [("gone", "free-tier")]


async def test_the_bound_of_a_soft_quota_is_told_at_the_start_when_a_model_may_be_asked(caplog):
    caplog.set_level(logging.INFO)
    environ = {"CRONICORN_DATABASE_URL": "memory:"} | WITH_A_MODEL

    async with engine(Settings.from_env(environ), scheduling=False):
        quiet = [each.message for each in caplog.records]
    async with engine(Settings.from_env(environ | MODEL), scheduling=False) as parts:
        assert parts.tokens.rules.mode is Mode.SOFT

    told = {each.whose: each.message for each in caplog.records if each.message.startswith("quota_soft")}
    assert quiet == []
    assert told == {
        "tier free-tier": "quota_soft_bound_high",
        "tier pro-tier": "quota_soft_bound",
        "tier enterprise": "quota_soft_bound",
    }
    assert {each.over_max for each in caplog.records if each.message.startswith("quota_soft")} == {8_999}


async def test_the_bound_of_a_soft_quota_counts_with_what_the_product_itself_may_spend_at_once():
    settings = Settings.from_env({"CRONICORN_DATABASE_URL": "memory:"} | MODEL)
    async with engine(replace(settings, quota_calls_max=3), scheduling=False, planning=True) as parts:
        assert isinstance(parts.planner, ModelPlanner)
        planner = parts.planner.settings

    assert planner.parallel == 3
    assert settings.quota_call_tokens_max == CALL_TOKENS_MAX >= planner.bounds.tokens_max
    refused = problems_of(MODEL | SOFT)
    assert "one call of a model may cost 9000 tokens" in refused["CRONICORN_QUOTA_CALL_TOKENS_MAX"]


async def test_a_soft_quota_does_not_start_over_a_limit_that_was_agreed_too_small(tmp_path):
    environ = {"CRONICORN_DATABASE_URL": f"sqlite:{tmp_path / 'store.db'}"} | WITH_A_MODEL | MODEL
    async with engine(Settings.from_env(environ), scheduling=False) as parts:
        await parts.control.tenants.bootstrap("a-long-random-word")
        (tenant,) = await parts.stores.keys.tenants()
        await parts.stores.terms.agree(tenant.id, lambda _: Terms(limit=2_000))

    with pytest.raises(InvalidInputError, match="above the limit of 2000"):
        async with engine(Settings.from_env(environ), scheduling=False):
            pass
    async with engine(Settings.from_env(environ | {"CRONICORN_QUOTA_SOFT_FORCED": "yes"}), scheduling=False):
        pass
