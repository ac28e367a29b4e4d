"""`cronicorn backtest` and `cronicorn explain --at`, as a person would type them."""

import json
from datetime import timedelta

import pytest

from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, TENANT, plant, run_once
from tests.cli.command import cronicorn, environment

POLICY = {
    "version": 1,
    "fields": {"err": {"path": "$.err", "type": "number"}},
    "rules": [{"id": "burst", "when": "err > 5", "action": {"interval": "30s"}}],
}
ANSWERS = (*[0] * 15, 9, 9, 0, 0, 0)
"""One a minute, the last one a minute ago."""


@pytest.fixture
async def store(tmp_path):
    """An environment with a store in which an endpoint has run for twenty minutes, under no policy."""
    return await recorded_in_file(tmp_path, None)


async def recorded_in_file(tmp_path, policy):
    clock = a_clock()
    begin = clock.now()
    await recorded(await SqliteStores.open(tmp_path / "store.db", clock), clock, policy)
    return environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}"), begin


def a_clock():
    """A clock that shows when the record begins."""
    return VirtualClock(SystemClock().now().replace(microsecond=0) - (len(ANSWERS) + 1) * MINUTE)


async def recorded(stores, clock, policy):
    begin = clock.now()
    await stores.keys.add_tenant(
        Tenant(id=TENANT, name="default", created_at=begin),
        ApiKey(id="key1", tenant_id=TENANT, prefix="ck_", hash="0" * 64, created_at=begin),
    )
    baseline = Baseline(interval=MINUTE, anchor_at=begin)
    await plant(stores, baseline=baseline, policy=policy, created_at=begin, updated_at=begin)
    for err in ANSWERS:
        await run_once(stores, clock, outcome=an_outcome(body=f'{{"err": {err}}}', body_is_json=True))
    await stores.aclose()


@pytest.fixture
def policy(tmp_path):
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(POLICY))
    return str(file)


def test_a_backtest_compares_what_happened_with_what_the_policy_would_have_done(store, policy):
    env, _ = store

    ended = cronicorn("backtest", "shop/ep1", "--policy", policy, "--over", "1h", env=env)

    assert ended.code == 0, ended.err
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert lines[0].startswith("shop/ep1: 20 recorded runs, ")
    assert lines[0].endswith(", at most 1 min apart")
    assert "AS IT HAPPENED UNDER THE POLICY" in lines
    assert "calls 20 22" in lines
    assert "reaction, longest 0 s to 1 min 0 s to 1 min" in lines
    assert "burst once 2 min 22 0 0" in lines
    assert "2 calls would have come, or not come, at another time." in lines


async def test_a_backtest_of_a_record_in_postgresql_says_the_same(store, policy, postgres_url):
    env, _ = store
    clock = a_clock()
    await recorded(await PostgresStores.open(postgres_url, clock), clock, None)
    options = ("backtest", "shop/ep1", "--policy", policy, "--json")

    told = [json.loads(cronicorn(*options, env=each).out) for each in (env, environment(DATABASE_URL=postgres_url))]

    assert told[0]["new"] == told[1]["new"]
    assert told[0]["rules"] == told[1]["rules"]
    assert (told[1]["recorded_runs"], told[1]["conclusion"]) == (20, "differs")


def test_a_backtest_reads_no_further_back_than_it_is_told(store, policy):
    env, _ = store

    ended = cronicorn("backtest", "shop/ep1", "--policy", policy, "--over", "5m", "--json", env=env)

    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert told["recorded_runs"] <= 5
    assert told["conclusion"] == "cannot-tell"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--over", "yesterday"), "--over must be a duration such as"),
        (("--over", "0s"), "--over must be at least 36s and at most 3650d"),
        (("--over", "9999d"), "at most 3650d"),
    ],
)
def test_a_length_that_is_none_is_refused(store, policy, options, said):
    env, _ = store

    ended = cronicorn("backtest", "shop/ep1", "--policy", policy, *options, env=env)

    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_what_is_wrong_with_a_policy_is_told_with_its_line(store, tmp_path):
    env, _ = store
    file = tmp_path / "wrong.yaml"
    file.write_text("version: 1\nrules:\n  - id: a\n    when: er > 5\n    action: {interval: 30s}\n")

    ended = cronicorn("backtest", "shop/ep1", "--policy", str(file), env=env)

    assert (ended.code, ended.out) == (2, "")
    assert f"{file}:4: /rules/0/when: " in ended.err


def test_an_endpoint_that_is_not_there_is_not_found(store, policy):
    env, _ = store

    assert cronicorn("backtest", "shop/nothing", "--policy", policy, env=env).code == 4


async def test_a_past_instant_is_explained_by_the_decision_and_the_plan_before_it(tmp_path):
    env, begin = await recorded_in_file(tmp_path, policy_of(POLICY))
    at = (begin + 16 * MINUTE + timedelta(seconds=10)).isoformat()

    text = cronicorn("explain", "shop/ep1", "--at", at, env=env)
    told = json.loads(cronicorn("explain", "shop/ep1", "--at", at, "--json", env=env).out)

    assert text.code == 0, text.err
    assert "Last run: ep1:16:1, ended " in text.out
    assert "The next call was due " in text.out
    assert "rule burst: idle -> active." in text.out
    assert (told["run"], told["steering"]["rules"][0]["phase"]) == ("ep1:16:1", "active")
    assert [step["step"] for step in told["steps"] if step["verdict"] == "won"] == ["interval-hint"]


def test_an_instant_before_the_record_is_said_to_have_nothing_before_it(store):
    env, begin = store

    ended = cronicorn("explain", "shop/ep1", "--at", begin.isoformat(), env=env)

    assert ended.code == 0, ended.err
    assert "No run had ended by then, as far as is recorded." in ended.out


def test_what_is_no_instant_is_refused(store):
    env, _ = store

    assert cronicorn("explain", "shop/ep1", "--at", "noon", env=env).code == 2
