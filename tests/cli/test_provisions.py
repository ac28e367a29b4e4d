"""`cronicorn tenant egress` and `retention`, and what a worker makes of them."""

import json

from tests.cli.command import cronicorn, environment
from tests.waiting import eventually
from tests.wiring.target import target
from tests.wiring.up_process import create_endpoint, runs_of, service


def test_what_a_tenant_may_call_is_set_shown_and_taken_back(tmp_path):
    env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", API_KEY="a-key-for-tests-only")
    cronicorn("tenant", "add", "shop", env=env)

    def told(*more):
        return cronicorn("tenant", "egress", "shop", *more, env=env)

    before, opened, shown = told().out, told("--allow", "10.1.0.0/16, DB.internal").out, json.loads(told("--json").out)
    refused, closed = told("--allow", "10.1.0.0/33"), told("--allow", "").out

    assert before == closed == "Tenant 'shop' may call nothing beside what all may call.\n"
    assert opened == "Tenant 'shop' may call 10.1.0.0/16,db.internal beside what all may call.\n"
    assert (shown["ranges"], shown["hosts"]) == (["10.1.0.0/16"], ["db.internal"])
    assert refused.code == 2
    assert "10.1.0.0/33" in refused.err
    assert "/allow" in refused.err


def test_a_worker_calls_what_was_opened_to_its_tenant(tmp_path):
    env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}")

    with target() as shop, service(tmp_path, EGRESS_ALLOW="") as up, up.client() as client:
        endpoint_id = create_endpoint(client, url=shop.url, baselineIntervalMs=1_000)
        eventually(lambda: {run["status"] for run in runs_of(client, endpoint_id)} == {"failed"})
        calls = len(shop.keys)

        opened = cronicorn("tenant", "egress", "default", "--allow", "127.0.0.1", env=env)
        assert client.post(f"/api/endpoints/{endpoint_id}/run").status_code < 300
        eventually(lambda: shop.keys, within_s=30)

    assert calls == 0
    assert opened.code == 0, opened.err


def test_how_long_history_is_kept_is_set_shown_and_taken_back(tmp_path):
    env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}")
    cronicorn("tenant", "add", "shop", env=env)
    cronicorn("tenant", "egress", "shop", "--allow", "10.0.0.0/8", env=env)

    def told(*more):
        return cronicorn("tenant", "retention", "shop", *more, env=env)

    both, one = told("--runs", "7d", "--failures", "90d").out, told("--runs", "default").out
    wrong = [told("--runs", text) for text in ("", "0s", "ever", "9999d")]

    assert both == "Tenant 'shop': runs are kept 7d, failures 90d.\n"
    assert one == told().out == "Tenant 'shop': runs are kept as the settings say, failures 90d.\n"
    assert json.loads(told("--json").out)["failures"] == "90d"
    assert [ended.code for ended in wrong] == [2] * 4
    assert all("--runs" in ended.err for ended in wrong)
    assert "10.0.0.0/8" in cronicorn("tenant", "egress", "shop", env=env).out
