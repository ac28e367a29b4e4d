"""Limits of tiers, from the settings to what a running scheduler makes of them."""

import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.errors import ConflictError, InvalidInputError
from cronicorn.domain.execution.limits import UNLIMITED, ExecutionLimits
from cronicorn.domain.history import RunQuery
from cronicorn.wiring.embedded import embedded
from cronicorn.wiring.execution_limits import tier_limits
from cronicorn.wiring.settings import Settings, shown_settings
from tests.cli.command import cronicorn as cronicorn_command
from tests.cli.command import environment
from tests.waiting import eventually_async

URL = "http://app.internal/cleanup"


def _settings(**given):
    environ = {f"CRONICORN_{name.upper()}": text for name, text in given.items()}
    return replace(Settings.from_env(environ), poll_interval=timedelta(milliseconds=50))


def test_unset_nothing_is_limited():
    limits = tier_limits(_settings())

    assert not limits.counts_runs
    assert limits.of("pro-tier") == UNLIMITED
    assert not limits.limits_endpoints


def test_each_tier_has_its_own_limits_and_what_is_said_of_all_others():
    limits = tier_limits(_settings(runs_per_month="free-tier:10, 500", endpoints_max="pro-tier:7", interval_min="5m"))

    assert limits.of("free-tier") == ExecutionLimits(runs=10, interval_min=timedelta(minutes=5))
    assert limits.of("pro-tier") == ExecutionLimits(runs=500, endpoints=7, interval_min=timedelta(minutes=5))
    assert limits.of("enterprise") == ExecutionLimits(runs=500, interval_min=timedelta(minutes=5))


def test_a_tier_that_settings_do_not_name_is_the_default_one_as_it_is_for_tokens():
    limits = tier_limits(
        _settings(runs_per_month="free-tier:10, 500", quota_tier="pro-tier", endpoints_max="free-tier:1")
    )

    assert limits.of("gone") == limits.of(None) == limits.of("pro-tier") == ExecutionLimits(runs=500)


@pytest.mark.parametrize("name", ["runs_per_month", "endpoints_max", "interval_min"])
def test_a_limit_of_a_tier_that_is_not_there_stops_the_start(name):
    with pytest.raises(InvalidInputError, match=r"names the tier 'gold', but CRONICORN_QUOTA_TIERS has"):
        _settings(**{name: "gold:5s" if name == "interval_min" else "gold:5"})

    assert _settings(
        **{name: "gold:5s" if name == "interval_min" else "gold:5"}, quota_tiers="gold:1", quota_tier="gold"
    )


def test_they_are_shown_as_they_were_given():
    shown = shown_settings(_settings(runs_per_month="free-tier:10,500", interval_min="free-tier:5m"))

    assert (shown["runs_per_month"], shown["interval_min"], shown["endpoints_max"]) == (
        "free-tier:10,500",
        "free-tier:5m",
        "",
    )


@pytest.mark.parametrize("text", ["many", "free-tier:", ":5", "a:1,a:2", "1,2", "a tier:5", "a:-1", "a:1,,b:2"])
def test_what_is_no_limit_of_a_tier_stops_the_start(text):
    with pytest.raises(InvalidInputError, match="TIER:LIMIT"):
        _settings(runs_per_month=text)


async def test_a_running_scheduler_makes_no_call_beyond_the_runs_of_the_month_and_the_owner_sees_it(tmp_path, caplog):
    caplog.set_level(logging.INFO, "cronicorn")
    calls = []

    async def clean_up(call):
        calls.append(call)

    settings = _settings(runs_per_month="free-tier:2", endpoints_max="1")
    document = {"url": URL, "baselineIntervalMs": 1_000}
    file = {"jobs": [{"name": "upkeep", "endpoints": [document | {"name": "one"}]}]}
    async with embedded(tmp_path / "jobs.db", {URL: clean_up}, settings=settings) as cronicorn:
        control, me = cronicorn.control, cronicorn.principal
        await control.files.apply(me, file)
        [(job, _)] = await control.jobs.list(me)
        [view] = await control.endpoints.list(me, job.id)

        await eventually_async(lambda: any(getattr(each, "status", "") == "skipped_quota" for each in caplog.records))
        [newest, *_] = (await control.runs.skips(me, view.endpoint.id, 10)).skips
        page = await control.runs.list(me, view.endpoint.id, RunQuery())
        with pytest.raises(ConflictError, match="allows 1 endpoints"):
            await control.files.apply(me, {"jobs": [{"name": "more", "endpoints": [document | {"name": "two"}]}]})

    assert len(calls) == page.total == 2
    assert newest.state == "skipped_quota"
    assert newest.reason.startswith("the tenant's 2 runs of ")
    env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'jobs.db'}", RUNS_PER_MONTH="free-tier:2", ENDPOINTS_MAX="1")
    quota, told = cronicorn_command("quota", "show", env=env), cronicorn_command("quota", "show", "--json", env=env)
    explained = cronicorn_command("explain", "upkeep/one", env=env)
    why = cronicorn_command("explain", "upkeep/one", "--json", env=env)
    execution, over = json.loads(told.out)["execution"], json.loads(why.out)["over_limit"]
    assert execution["endpoints_max"] == 1
    assert execution["runs"] == {"limit": 2, "used": 2, "remaining": 0, "reset_at": over["until"]}
    assert over["state"] == "skipped_quota"
    assert over["last_at"] < over["next_at"] < over["until"]
    assert ": 2 of 2 used, 0 remaining; all anew at " in quota.out
    assert "At most 1 endpoints that are not archived" in quota.out
    assert "Over limit: the tenant's 2 runs of " in explained.out
