"""An agent that asks for what can't be meant is told so, in a few clean words, and nothing of it alarms anybody."""

import json
import time
from collections.abc import Awaitable
from typing import Any

import pytest
from mcp.client.context import ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequestParams, ElicitResult

from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.token_guess import guessed_tokens
from cronicorn.domain.untrusted.cleaning import invisible_in
from cronicorn.mcp.answers import ANSWER_TOKENS_MAX
from tests.control.test_proposals import SURGE
from tests.control.world import a_world
from tests.mcp.agents import VERSIONS, an_agent

KEY = "sk-live-0123456789abcdef0123"
PROMPTS: list[tuple[str, dict[str, str], str]] = [
    ("triage", {"endpoint": "x"}, "not_found: there is no prompt 'triage'. There are triage_endpoint, write_policy."),
    ("x" * 5_000, {}, f"not_found: there is no prompt {'x' * 64!r}. There are triage_endpoint, write_policy."),
    ("write_policy", {"endpoint": "x"}, "invalid_input: /wish: This field is required."),
    ("triage_endpoint", {"endpoint": "x", "wish": "y"},
     "invalid_input: triage_endpoint has no argument 'wish'. It takes endpoint."),
]  # fmt: skip


@pytest.mark.parametrize("mode", VERSIONS)
async def test_a_prompt_that_can_not_be_meant_is_told_of_and_is_no_error_of_the_server(mode, caplog):
    told = []
    async with an_agent(a_world(), mode=mode) as agent:
        for name, arguments, _ in PROMPTS:
            with pytest.raises(MCPError) as refused:
                await agent.prompt(name, **arguments)
            told.append((name, arguments, str(refused.value)))

    assert told == PROMPTS
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("policy_backtest", "policy", {"x" * 100_000: 1, "version": 1}, "/policy/xxx"),
    ("policy_propose", "policy", {**SURGE, "rules": [{**SURGE["rules"][0], "why": f"see {KEY} \u202e"}]}, "U+202E"),
    ("endpoint_save", "document", {f"{number}{'u' * 3_000}": 1 for number in range(200)}, "… and 90 more"),
]


@pytest.mark.parametrize(("tool", "argument", "document", "said"), REFUSED)
async def test_what_is_said_of_a_bad_document_begins_with_its_code_and_is_short_and_clean(
    tool, argument, document, said
):
    world = a_world()
    endpoint = await world.endpoint()
    async with an_agent(world) as agent:
        told = await agent.refused(tool, **{"endpoint_id": endpoint.id, argument: document})

    assert told.startswith("invalid_input:")
    assert said in told
    assert guessed_tokens(told) < 1_500
    assert invisible_in(told.replace("\n", "")) is None
    assert KEY not in json.dumps(told)


def policy_of(count: int, width: int = 50, **rule: Any) -> dict[str, Any]:
    """A policy of *count* rules, with more conditions than a line holds before what they do."""
    fields = {f"errors_{number}_" + "f" * width: {"path": f"$.e{number}", "type": "number"} for number in range(12)}
    when, until = (" && ".join(f"{name} {than}" for name in fields) for than in ("> 5", "< 2"))
    return {
        "version": 1,
        "fields": fields,
        "rules": [
            {"id": f"rule-{number}", "when": when, "until": until, "action": {"interval": f"{number + 30}s"}, **rule}
            for number in range(count)
        ],
        "tests": [
            {"given": dict.fromkeys(fields, 9), "expect": {"interval": "30s"}},
            {"given": dict.fromkeys(fields, 0), "expect": {"interval": "baseline"}},
        ],
    }


async def test_a_person_is_shown_all_of_what_they_approve_and_nothing_that_looks_like_it():
    """A proposal of an agent can't hide a rule behind others, an action behind conditions, or make up lines."""
    world, asked = a_world(), []
    endpoint = await world.endpoint(minIntervalMs=10_000)

    async def answer(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="decline")

    async with an_agent(world, answering=answer) as agent:
        fine = policy_of(4, 10, why="token: calm\n  do     call it every 1h\n  until  never")
        short = await agent.call("policy_propose", endpoint_id=endpoint.id, policy=fine)
        waits = await agent.refused("policy_activate", endpoint_id=endpoint.id, draft_id=short["draft_id"])
        long = await agent.call("policy_propose", endpoint_id=endpoint.id, policy=policy_of(20))
        refused = await agent.refused("policy_activate", endpoint_id=endpoint.id, draft_id=long["draft_id"])
        past = await agent.refused("policy_activate", endpoint_id=endpoint.id, draft_id=short["draft_id"])

    [question] = asked
    lines = question.splitlines()
    assert lines[0] == f"Put this policy in force for stock ({endpoint.id})?"
    assert [line for line in lines if line.startswith("  do ")] == [
        f"  do     call it every {seconds}s" for seconds in (30, 31, 32, 33)
    ]
    assert all(name in line for line in lines if line.startswith("  when ") for name in fine["fields"])
    assert {f"change: added rule rule-{number}" for number in range(4)} <= set(lines)
    assert 'change: added field errors_0_ffffffffff: {"path":"$.e0","type":"number"}' in lines
    assert any(line.startswith("warning: ") for line in lines)
    assert "rule rule-0: token: calm   do     call it every 1h   until  never" in lines
    assert "A person has not approved it" in waits
    assert "conflict: The policy is too long to be asked about in one question" in refused
    assert "is superseded, and only one that waits is activated" in past
    assert (await world.now_stored(endpoint)).policy is None


@pytest.mark.parametrize(("rules", "width", "whole"), [(2, 2, True), (2, 50, False), (20, 2, False)])
async def test_the_document_of_a_policy_is_told_whole_or_not_at_all(rules, width, whole):
    world = a_world()
    endpoint = await world.endpoint(
        minIntervalMs=10_000, description="\U0001f984" * 400, policy=policy_of(rules, width)
    )
    async with an_agent(world) as agent:
        told = await agent.call("endpoint_get", endpoint_id=endpoint.id, with_policy=True)
        place = f"cronicorn://endpoints/{endpoint.id}/policy"
        read = await agent.read(place)

    assert agent.tokens <= ANSWER_TOKENS_MAX
    assert len(read["policy"]["rules"]) == rules
    assert told.get("policy") == (read["policy"] if whole else None)
    assert (place in told.get("note", "")) is not whole


async def on_the_loop(work: Awaitable[object]) -> float:
    """Which share of the processor time that *work* takes the event loop spends: others wait for that."""
    here, everywhere = time.thread_time(), time.process_time()
    await work
    return (time.thread_time() - here) / (time.process_time() - everywhere)


async def test_calls_that_are_due_do_not_wait_for_what_an_agent_wants_to_know():
    world = a_world()
    endpoint = await world.endpoint(minIntervalMs=10_000)
    body = json.dumps({"items": ["password=abc 'token': 'x' " * 20] * 400})
    for _ in range(5):
        world.clock.move(hours=4)
        await world.run_due(an_outcome(500, body=body, body_is_json=True))
    async with an_agent(world) as agent:
        bodies = agent.call("run_query", endpoint_id=endpoint.id, hours=100, include_bodies=True)
        shares = [await on_the_loop(bodies)]
        shares += [await on_the_loop(agent.call("policy_propose", endpoint_id=endpoint.id, policy=policy_of(16)))]

    assert max(shares) < 0.5, shares


async def test_of_a_body_that_is_very_long_the_beginning_is_shown_and_no_half_of_a_credential():
    world = a_world()
    endpoint = await world.endpoint(headersJson={"x-api-key": "the-key-of-the-owner"})
    long = json.dumps({"password": "hunter2hunter2", "err": 9, "items": ["x" * 100] * 3_000})
    for body in (long, "a" * 2_495 + "the-key-of-the-owner", "a" * 9_990 + "the-key-of-the-owner"):
        world.clock.move(hours=4)
        await world.run_due(an_outcome(500, body=body, body_is_json=body == long))
    async with an_agent(world) as agent:
        runs = (await agent.call("run_query", endpoint_id=endpoint.id, hours=100, include_bodies=True))["runs"]

    texts = [run["body"]["text"] for run in runs]
    assert texts[2].startswith('{"password": "********", "err": 9, "items": ["xxx')
    assert not any("hunter2" in text or "the-" in text for text in texts)
    assert all(run["body"]["untrusted"] for run in runs)
