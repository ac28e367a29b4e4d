"""Every tool does what it says on each store: a real process, over HTTP, asked by agents of two tenants."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitRequestParams, ElicitResult

from cronicorn.mcp.toolsets import NAMES
from tests.cli.command import cronicorn, environment
from tests.mcp.agents import Agent
from tests.mcp.failing_target import serving
from tests.servers.databases import fresh_database
from tests.waiting import eventually
from tests.wiring.up_process import Service, runs_of, service

ODD = ["'; DROP TABLE jobs; --", "%_\\", "wx\u2028yz", "\u202e\u200b", "\U0001f984", "\x01"]
POLICY: dict[str, Any] = {
    "version": 1,
    "fields": {"errors": {"path": "$.errors", "type": "number"}},
    "rules": [{"id": "broken", "when": "errors > 5", "until": "errors < 2", "action": {"interval": "5s"}}],
    "tests": [
        {"given": {"errors": 9}, "expect": {"interval": "5s"}},
        {"given": {"errors": 0}, "expect": {"interval": "baseline"}},
    ],
}


@pytest.fixture(params=["sqlite", "postgres"])
def up(request, tmp_path) -> Iterator[tuple[Service, str]]:
    """A service that offers all tools, and where its store is."""
    with ExitStack() as stack:
        url = f"sqlite:{tmp_path / 'store.db'}"
        if request.param == "postgres":
            url = stack.enter_context(fresh_database())
        offered = {"MCP": "yes", "MCP_WRITE": "yes", "MCP_TOOLSETS": "observe,steer,policy,admin"}
        yield stack.enter_context(service(tmp_path, DATABASE_URL=url, **offered)), url


async def approve(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    return ElicitResult(action="accept", content={"approve": True})


@asynccontextmanager
async def an_agent(up: Service, key: str) -> AsyncIterator[Agent]:
    with up.client() as client:
        url = str(client.base_url.join("/mcp"))
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {key}"}, trust_env=False) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode="2026-07-28", elicitation_callback=approve) as client:
            yield Agent(client)


async def test_all_tools_on_each_store(up):
    running, url = up
    with serving() as target, running.client() as client:
        rival = cronicorn("tenant", "add", "rival", env=environment(DATABASE_URL=url)).out
        job = client.post("/api/jobs", json={"name": "shop"}).json()["id"]
        fields = {"url": f"{target}/broken", "baselineIntervalMs": 1_000, "minIntervalMs": 1_000, "adapt": "off"}
        async with an_agent(running, client.headers["x-api-key"]) as agent:
            made = await agent.call("endpoint_save", job_id=job, document={"name": "stock", **fields})
            here = {"endpoint_id": made["id"]}
            eventually(lambda: len(runs_of(client, made["id"])) >= 2, within_s=30)
            told = await everything(agent, here)
            async with an_agent(running, rival.strip()) as other:
                theirs = await other.call("endpoint_search")
                refused = [
                    await other.refused("endpoint_get", **here),
                    await other.refused("endpoint_delete", **here, name="stock"),
                    await other.refused("hint_run_once", **here, reason="let me in"),
                ]
            told["endpoint_delete"] = await agent.call("endpoint_delete", **here, name="stock")
            gone = await agent.refused("endpoint_get", **here)

    assert {"endpoint_save", *told} == set(NAMES)
    assert told["health_summary"]["failing"][0]["id"] == made["id"]
    assert told["run_query"]["runs"][0]["status_code"] == 500
    assert '"errors":9' in told["run_query"]["runs"][0]["body"]["text"]
    assert told["hint_run_once"]["hints"][-1]["untrusted_reason"].startswith("'; DROP TABLE jobs; --")
    assert told["policy_backtest"]["recorded_runs"] >= 2
    assert told["policy_activate"]["status"] == "active"
    assert told["endpoint_get"]["policy"]["rules"][0]["id"] == "broken"
    assert theirs["found"] == 0
    assert all(each.startswith("not_found:") for each in (*refused, gone))
    assert '"level": "error"' not in running.talk


async def everything(agent: Agent, here: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What each tool answers, but for those that make and delete; odd texts come along."""
    told = {}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("health_summary", {}),
        ("endpoint_explain", here),
        ("run_query", {**here, "status": "failed", "limit": 1, "offset": 1, "include_bodies": True}),
        ("hint_set_interval", {**here, "every_seconds": 2, "reason": "".join(ODD)}),
        ("hint_run_once", {**here, "in_minutes": 1, "reason": "".join(ODD)}),
        ("endpoint_pause", {**here, "minutes": 1, "reason": "".join(ODD)}),
        ("hint_clear", here),
        ("policy_backtest", {**here, "policy": POLICY}),
        ("policy_propose", {**here, "policy": POLICY}),
    ]
    for name, arguments in calls:
        told[name] = await agent.call(name, **arguments)
    again = await agent.call("policy_propose", **here, policy=POLICY)
    assert again["draft_id"] == told["policy_propose"]["draft_id"]
    for _ in range(2):  # Whoever lost the answer asks again.
        told["policy_activate"] = await agent.call("policy_activate", **here, draft_id=again["draft_id"])
    found = [await agent.call("endpoint_search", query=f"stock {word}") for word in (*ODD, "")]
    assert [each["found"] for each in found] == [0, 0, 0, 1, 0, 1, 1]
    told["endpoint_search"] = found[-1]
    told["endpoint_get"] = await agent.call("endpoint_get", **here, with_policy=True)
    return told
