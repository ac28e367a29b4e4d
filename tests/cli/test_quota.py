"""Tokens of tenants at the command line."""

import json

import pytest

from tests.cli.command import cronicorn, environment


@pytest.fixture
def env(tmp_path):
    return environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", API_KEY="a-key-for-tests-only")


def test_what_is_set_for_a_tenant_is_shown_and_reset(env):
    cronicorn("tenant", "add", "acme", env=env)

    tier = cronicorn("tenant", "set", "acme", "--tier", "pro-tier", "--zone", "Europe/Berlin", env=env)
    limit = cronicorn("tenant", "set", "acme", "--limit", "5000", "--period", "month", "--json", env=env)
    shown = json.loads(cronicorn("quota", "show", "--tenant", "acme", "--json", env=env).out)
    listed = json.loads(cronicorn("tenant", "list", "--json", env=env).out)
    reset = cronicorn("tenant", "set", "acme", "--reset", env=env)
    table = cronicorn("quota", "show", "--tenant", "acme", env=env).out.splitlines()

    assert tier.out == "Tenant 'acme': tier pro-tier, zone Europe/Berlin.\n"
    assert json.loads(limit.out).items() >= {"tier": "pro-tier", "limit": 5_000, "period": "month"}.items()
    assert [shown[name] for name in ("tier", "limit", "period", "zone", "remaining")] == [
        "pro-tier", 5_000, "month", "Europe/Berlin", 5_000,
    ]  # fmt: skip
    assert [(each["name"], each["tier"], each["limit"]) for each in listed] == [
        ("default", None, None),
        ("acme", "pro-tier", 5_000),
    ]
    assert reset.out == "Tenant 'acme': as the settings say.\n"
    assert table[0].startswith("acme: 10,000 tokens a day (UTC), tier free-tier, mode reserve; all anew at ")
    assert [row.split() for row in table[1:]] == [
        ["BUDGET", "USED", "RESERVED", "REMAINING"],
        ["compile", "0", "0", "10,000"],
        ["analysis", "0", "0", "8,000"],
        ["together", "0", "0", "10,000"],
    ]


def test_settings_make_other_tiers(env):
    cronicorn("tenant", "add", "acme", env=env)

    more = env | {"CRONICORN_QUOTA_TIERS": "small:100,large:900", "CRONICORN_QUOTA_TIER": "small"}
    cronicorn("tenant", "set", "acme", "--tier", "large", env=more)
    limits = [
        json.loads(cronicorn("quota", "show", "--tenant", tenant, "--json", env=more).out)["limit"]
        for tenant in ("default", "acme")
    ]

    assert limits == [100, 900]


def test_a_tier_that_is_not_known_is_refused(env):
    cronicorn("tenant", "add", "acme", env=env)

    ended = cronicorn("tenant", "set", "acme", "--tier", "nope", env=env)

    assert ended.code != 0
    assert "There is no tier 'nope'" in ended.err


def test_a_limit_without_room_for_an_analysis_or_a_compile_is_warned_of(env):
    cronicorn("tenant", "add", "acme", env=env)

    neither = cronicorn("tenant", "set", "acme", "--limit", "3000", env=env)
    roomy = cronicorn("tenant", "set", "acme", "--limit", "10000", env=env)

    assert neither.err.splitlines() == [
        "Warning: A limit of 3,000 tokens never has room for an analysis, which reserves 8,000: set 10,000 at least.",
        "Warning: A limit of 3,000 tokens never has room for a compile, which reserves 3,500: set 3,500 at least.",
    ]
    assert (neither.code, roomy.err) == (0, "")
