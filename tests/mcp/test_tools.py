"""Each tool does and tells what it says: of both versions of the protocol, over a world in memory."""

import json
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from cronicorn.control.document import EndpointPatch
from cronicorn.domain.access.audit_entry import AuditQuery
from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.policy.json_schema import policy_schema
from cronicorn.mcp.toolsets import Offer
from tests.control.test_proposals import SURGE
from tests.control.world import ALICE, BOB, a_world, peopled
from tests.mcp.agents import VERSIONS, an_agent


async def a_failing_world():
    """An endpoint that fails since its second run, and one that is well."""
    world = a_world()
    endpoint = await world.endpoint(description="the stock", minIntervalMs=30_000, maxIntervalMs=600_000)
    world.clock.move(minutes=1)
    await world.run_due(an_outcome(body='{"err": 1}', body_is_json=True))
    world.clock.move(minutes=1)
    await world.run_due(an_outcome(503, body='{"err": 9, "status": "down"}', body_is_json=True))
    return world, endpoint


@pytest.mark.parametrize("mode", VERSIONS)
async def test_what_is_wrong_is_found_explained_and_read(mode):
    world, endpoint = await a_failing_world()
    async with an_agent(world, mode=mode) as agent:
        health = await agent.call("health_summary")
        found = await agent.call("endpoint_search", query="stock", state="failing")
        well = await agent.call("endpoint_search", query="shop stock", state="paused")
        all_of_it = await agent.call("endpoint_search")
        told = await agent.call("endpoint_get", endpoint_id=endpoint.id)
        why = await agent.call("endpoint_explain", endpoint_id=endpoint.id)
        runs = await agent.call("run_query", endpoint_id=endpoint.id, status="failed")
        first = await agent.call("run_query", endpoint_id=endpoint.id, limit=1)

    assert [each["id"] for each in health["failing"]] == [endpoint.id]
    assert health["failing"][0]["failures_in_a_row"] == 1
    assert health["unreliable"] == [{"id": endpoint.id, "name": "shop/stock", "runs": 2, "failed": 1}]
    assert (health["runs_last_day"], health["success_rate_last_day"]) == (2, 50.0)
    assert [each["name"] for each in found["endpoints"]] == ["shop/stock"]
    assert (well["found"], all_of_it["found"], all_of_it["complete"]) == (0, 1, True)
    assert told["schedule"] == "every 1m, minimum 30s, maximum 10m"
    assert told["request"] == "GET https://shop.example/stock"
    assert why["last_run"]["status_code"] == 503
    assert why["last_day"] == {"succeeded": 1, "failed": 1, "mean_duration_ms": 5}
    assert [step["step"] for step in why["steps"] if step["verdict"] == "won"] == ["interval-hint"]
    assert any("hint of 30s by a signal" in each["without"] for each in why["without"])
    assert any(line.startswith("signal ") for line in why["last_run"]["decided"])
    assert [(run["status"], run["status_code"]) for run in runs["runs"]] == [("failed", 503)]
    assert "body" not in runs["runs"][0]
    assert (first["total"], first["next_offset"], len(first["runs"])) == (2, 1, 1)


@pytest.mark.parametrize("mode", VERSIONS)
async def test_endpoints_are_steered_for_a_while_and_asking_twice_is_as_good_as_once(mode):
    world, endpoint = await a_failing_world()
    async with an_agent(world, mode=mode) as agent:
        hint = {"endpoint_id": endpoint.id, "every_seconds": 40, "reason": "watch it"}
        _, hinted = [await agent.call("hint_set_interval", **hint) for _ in range(2)]
        hint = {"endpoint_id": endpoint.id, "in_minutes": 2, "reason": "look again"}
        _, once = [await agent.call("hint_run_once", **hint) for _ in range(2)]
        pause = {"endpoint_id": endpoint.id, "minutes": 5, "reason": "upstream is down"}
        _, paused = [await agent.call("endpoint_pause", **pause) for _ in range(2)]
        resumed = await agent.call("endpoint_pause", endpoint_id=endpoint.id, resume=True, reason="it is back")
        cleared = await agent.call("hint_clear", endpoint_id=endpoint.id)
        outside = await agent.refused("hint_set_interval", endpoint_id=endpoint.id, every_seconds=5, reason="quicker")
        neither = await agent.refused("endpoint_pause", endpoint_id=endpoint.id, reason="what?")
        both = await agent.refused("endpoint_pause", endpoint_id=endpoint.id, minutes=1, resume=True, reason="what?")

    [ours] = [each for each in hinted["hints"] if each["author"] == "person" and each["kind"] == "interval"]
    assert ours | {"expires_at": ""} == {
        "kind": "interval", "author": "person", "every_seconds": 40.0, "expires_at": "", "untrusted_reason": "watch it",
    }  # fmt: skip
    assert [each["kind"] for each in once["hints"]].count("one-shot") == 1
    assert (paused["source"], paused["paused_until"]) == ("paused", "2026-01-01T00:07:00Z")
    assert [each["kind"] for each in paused["hints"]].count("pause") == 1
    assert "paused_until" not in resumed
    assert "hints" not in cleared
    assert "/intervalMs: Must not be below" in outside
    assert "one of the two" in neither
    assert "one of the two" in both
    entries = await world.control.audit.list(ALICE, AuditQuery(limit=100))
    assert {"hint.interval", "hint.one_shot", "endpoint.pause", "hint.clear"} <= {each.action for each in entries}


async def test_endpoints_are_made_changed_and_deleted_by_their_names_only():
    world = a_world()
    job = await world.job()
    document = {"name": "orders", "url": "https://shop.example/orders", "baselineIntervalMs": 60_000}
    async with an_agent(world) as agent:
        made = await agent.call("endpoint_save", job_id=job, document=document)
        changed = await agent.call("endpoint_save", endpoint_id=made["id"], document={"baselineIntervalMs": 120_000})
        typo = await agent.refused("endpoint_save", endpoint_id=made["id"], document={"baselineInterval": 1})
        nowhere = await agent.refused("endpoint_save", document=document)
        unseen = {"policy": SURGE, "compile": "auto"}
        ruled = [
            await agent.refused("endpoint_save", endpoint_id=made["id"], document=unseen),
            await agent.refused("endpoint_save", job_id=job, document={**document, **unseen}),
        ]
        slip = await agent.refused("endpoint_delete", endpoint_id=made["id"], name="order")
        kept = await agent.call("endpoint_get", endpoint_id=made["id"])
        gone = await agent.call("endpoint_delete", endpoint_id=made["id"], name="orders")
        after = await agent.refused("endpoint_get", endpoint_id=made["id"])

    assert (made["schedule"], changed["schedule"]) == ("every 1m", "every 2m")
    assert changed["version"] == made["version"] + 1
    assert "/document/baselineInterval: Unknown field. Did you mean baselineIntervalMs?" in typo
    assert "one of the two" in nowhere
    assert all("/document/policy: A policy is put in force by a person" in each for each in ruled)
    assert all("/document/compile: Only a person" in each for each in ruled)
    assert "nothing was deleted" in slip
    assert kept["name"] == gone["name"] == "orders"
    assert "not_found" in after


async def test_a_policy_is_tried_in_words_and_figures_and_is_not_in_force():
    world, endpoint = await a_failing_world()
    async with an_agent(world) as agent:
        tried = await agent.call("policy_backtest", endpoint_id=endpoint.id, policy=SURGE, over_hours=1)
        wrong = await agent.refused("policy_backtest", endpoint_id=endpoint.id, policy={"version": 1, "rules": [{}]})
        draft = await agent.call("policy_propose", endpoint_id=endpoint.id, policy=SURGE)
        told = await agent.call("endpoint_get", endpoint_id=endpoint.id)

    assert tried["recorded_runs"] == 2
    assert any("err" in line and "5" in line for line in tried["in_words"])
    assert tried["changes"] == ["added field err", "added rule surge"]
    assert tried["rules"][0]["rule"] == "surge"
    assert "/policy/rules/0/when" in wrong
    assert draft["status"] == "draft"
    assert [each["id"] for each in told["drafts_waiting"]] == [draft["draft_id"]]
    assert "policy_in_words" not in told
    assert (await world.now_stored(endpoint)).policy is None


async def test_the_example_of_a_policy_that_the_tool_gives_is_one():
    world, endpoint = await a_failing_world()
    async with an_agent(world, offer=Offer()) as agent:
        [tool] = [each for each in (await agent.client.list_tools()).tools if each.name == "policy_backtest"]
        described = tool.input_schema["properties"]["policy"]["description"]
        example, _ = json.JSONDecoder().raw_decode(described[described.index("{") :])
        tried = await agent.call("policy_backtest", endpoint_id=endpoint.id, policy=example)

    assert tried["changes"] == ["added field errors", "added field ok", "added rule broken"]


BAD_INPUT: list[tuple[str, dict[str, Any], str]] = [
    ("endpoint_get", {"endpont_id": "x"}, "has no argument 'endpont_id'. Did you mean endpoint_id?"),
    ("endpoint_get", {}, "/endpoint_id: This field is required."),
    ("endpoint_get", {"endpoint_id": "x" * 101}, "not_found"),
    ("endpoint_save", {"job_id": "a b", "document": {}}, "not_found"),
    ("policy_activate", {"endpoint_id": "x", "draft_id": "\n"}, "not_found"),
    ("endpoint_search", {"limit": 51}, "/limit: Must be less than or equal to 50."),
    ("endpoint_search", {"limit": "many"}, "/limit: Must be a whole number."),
    ("endpoint_search", {"state": "odd"}, "/state: Must be one of"),
    ("run_query", {"endpoint_id": "x", "offset": -1}, "/offset: "),
    ("hint_set_interval", {"endpoint_id": "x", "every_seconds": 60, "reason": ""}, "/reason: "),
    ("policy_backtest", {"endpoint_id": "x", "policy": "rules"}, "/policy: Must be an object."),
    ("endpoint_get", {"endpoint_id": "nobody's"}, "not_found"),
    ("endpoint_explain", {"endpoint_id": "stock"}, "endpoint_search finds those of endpoints"),
    ("endpoint_get", {"endpoint_id": "shop/stock"}, "endpoint_search finds those of endpoints"),
    ("endpoint_get", {"endpoint_id": "../../jobs"}, "not_found"),
    ("endpoint_get", {"endpoint_id": "ep_1' OR '1'='1"}, "not_found"),
    ("endpoint_get", {"endpoint_id": "\x00"}, "not_found"),
]


async def test_bad_input_is_told_where_it_is_and_nothing_is_repeated_that_was_sent():
    async with an_agent(a_world()) as agent:
        told = [(said, await agent.refused(tool, **arguments)) for tool, arguments, said in BAD_INPUT]

    assert [each for each in told if each[0] not in each[1]] == []
    assert not [text for _, text in told if "pydantic" in text or "Traceback" in text or "x" * 90 in text]


async def test_another_tenants_endpoint_is_found_by_no_tool_and_no_resource():
    world = a_world()
    theirs = await world.endpoint(BOB, name="theirs")
    reason, name = "try it", "theirs"
    calls: dict[str, dict[str, Any]] = {
        "endpoint_get": {},
        "endpoint_explain": {},
        "run_query": {},
        "hint_set_interval": {"every_seconds": 60, "reason": reason},
        "hint_run_once": {"reason": reason},
        "hint_clear": {},
        "endpoint_pause": {"minutes": 5, "reason": reason},
        "policy_backtest": {"policy": SURGE},
        "policy_propose": {"policy": SURGE},
        "policy_activate": {"draft_id": "dr_1"},
        "endpoint_save": {"document": {"name": "ours"}},
        "endpoint_delete": {"name": name},
    }
    async with an_agent(world, ALICE) as agent:
        listed = set(await agent.tools())
        told = {tool: await agent.refused(tool, endpoint_id=theirs.id, **rest) for tool, rest in calls.items()}
        seen = [await agent.call("health_summary"), await agent.call("endpoint_search")]
        places = [f"cronicorn://endpoints/{place}" for place in (theirs.id, "a%20b", "%00", "..%2F..", "x" * 5_000)]
        for uri in (f"{place}/{what}" for place in places for what in ("policy", "explanation")):
            with pytest.raises(MCPError, match=r"not_found|Unknown resource|security"):
                await agent.read(uri)

    assert listed - set(calls) == {"health_summary", "endpoint_search"}
    assert all("not_found" in each for each in told.values()), told
    assert theirs.id not in json.dumps(seen)
    assert await world.now_stored(theirs) == theirs


@pytest.mark.parametrize("mode", VERSIONS)
async def test_resources_and_prompts_can_be_read(mode):
    world, endpoint = await a_failing_world()
    async with an_agent(world, mode=mode) as agent:
        draft = await agent.call("policy_propose", endpoint_id=endpoint.id, policy=SURGE)
        await world.control.drafts.activate(ALICE, endpoint.id, draft["draft_id"])
        listed = {str(each.uri) for each in (await agent.client.list_resources()).resources}
        templates = (await agent.client.list_resource_templates()).resource_templates
        read = {
            uri: await agent.read(uri)
            for uri in (*listed, *(each.uri_template.replace("{endpoint_id}", endpoint.id) for each in templates))
        }
        prompts = {each.name: each for each in (await agent.client.list_prompts()).prompts}
        written = await agent.prompt("write_policy", endpoint="stock\n\nIgnore all", wish="calm")
        triage = await agent.prompt("triage_endpoint", endpoint=endpoint.id)
        full = await agent.call("endpoint_get", endpoint_id=endpoint.id, with_policy=True)

    assert read["cronicorn://docs/policy-schema"] == policy_schema()
    assert "baselineIntervalMs" in json.dumps(read["cronicorn://docs/endpoint-schema"])
    policy = read[f"cronicorn://endpoints/{endpoint.id}/policy"]
    assert policy["policy"]["rules"][0]["id"] == full["policy"]["rules"][0]["id"] == "surge"
    assert policy["in_words"] == full["policy_in_words"]
    assert read[f"cronicorn://endpoints/{endpoint.id}/explanation"]["next_run_at"] == full["next_run_at"]
    assert set(prompts) == {"write_policy", "triage_endpoint"}
    assert "'stock Ignore all'" in written
    assert "policy_backtest" in written
    assert endpoint.id in triage


async def test_an_agent_is_told_which_files_own_an_endpoint_and_that_in_few_words():
    world = peopled(a_world())
    headers = {f"x-{number}-{'n' * 60}": "1" for number in range(40)}
    endpoint = {"name": "stock", "url": "https://shop.example/stock", "baselineIntervalMs": 60_000}
    for number in range(6):
        owned = endpoint | {"headersJson": headers if not number else {}}
        document = {"set": f"set {number}", "jobs": [{"name": "shop", "endpoints": [owned]}]}
        await world.control.files.apply(ALICE, document)
    job = (await world.control.jobs.list(ALICE))[0][0]
    (view,) = await world.control.endpoints.list(ALICE, job.id)
    patch = EndpointPatch.model_validate({"baselineIntervalMs": 90_000})
    await world.control.endpoints.edit(ALICE, view.endpoint.id, patch)

    async with an_agent(world, mode=VERSIONS[0]) as agent:
        told = await agent.call("endpoint_get", endpoint_id=view.endpoint.id)

    assert [each["name"] for each in told["file_sets"]] == ["set 0", "set 1", "set 2"]
    assert told["file_sets"][0]["fields"][-1] == "and 31 more"
    assert told["file_sets"][1] == {"name": "set 1", "fields": ["baseline", "name", "url"], "edited": ["baseline"]}
    assert len(json.dumps(told)) < 4 * 2_000
