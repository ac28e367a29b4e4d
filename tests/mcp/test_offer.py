"""Which tools there are for whom: read-only unless told, few, small, and described as they are."""

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator
from mcp.shared.exceptions import MCPError

from cronicorn.domain.errors import InvalidInputError, UnauthenticatedError
from cronicorn.domain.permission import GRANTED, NEEDED, Permission, Role
from cronicorn.domain.token_guess import guessed_tokens
from cronicorn.mcp.server import create_server
from cronicorn.mcp.states import states_of_this_process
from cronicorn.mcp.toolsets import NAMES, SCOPES, TOOLS, Offer, Toolset
from tests.control.world import ALICE, a_world
from tests.mcp.agents import ALL, VERSIONS, Agent, an_agent

READING = ["health_summary", "endpoint_search", "endpoint_get", "endpoint_explain", "run_query", "policy_backtest"]


def names(offer):
    return [row.name for row in offer.rows]


def test_there_are_at_most_fourteen_in_four_toolsets():
    assert len(TOOLS) == len(set(NAMES)) <= 14
    assert {row.toolset for row in TOOLS} == set(Toolset)


@pytest.mark.parametrize(
    ("offer", "offered"),
    [
        (Offer(), READING),
        (Offer(write=True, read_only=True, toolsets=tuple(Toolset)), READING),
        (Offer(toolsets=(Toolset.OBSERVE,)), READING[:5]),
        (Offer(toolsets=(Toolset.ADMIN,)), []),
        (Offer(write=True), list(NAMES[:12])),
        (Offer(write=True, excluded=("policy_activate", "hint_clear")), [*NAMES[:7], *NAMES[8:11]]),
        (Offer(write=True, toolsets=(Toolset.ADMIN,)), ["endpoint_save", "endpoint_delete"]),
    ],
)
def test_read_only_is_the_default_and_wins_over_everything(offer, offered):
    assert names(offer) == offered


def test_a_tool_that_is_none_can_not_be_excluded():
    with pytest.raises(InvalidInputError, match="Did you mean endpoint_delete"):
        Offer(excluded=("endpoint_delet",))


@pytest.mark.parametrize("mode", VERSIONS)
async def test_what_is_not_offered_is_neither_listed_nor_called(mode):
    world = a_world()
    endpoint = await world.endpoint()
    async with an_agent(world, offer=Offer(), mode=mode) as agent:
        listed = await agent.tools()
        refusal = await agent.refused("endpoint_delete", endpoint_id=endpoint.id, name="stock")
        unknown = await agent.refused("endpoint_lookup")

    assert listed == READING
    assert "not offered" in refusal
    assert "no tool 'endpoint_lookup'" in unknown
    assert await world.now_stored(endpoint) == endpoint


@pytest.mark.parametrize(("offer", "told"), [(Offer(), True), (Offer(write=True), False)])
async def test_an_agent_that_may_only_look_is_told_who_may_let_it_do_more(offer, told):
    async with an_agent(a_world(), offer=offer, mode="legacy") as agent:  # The other does not ask for them.
        instructions = agent.client.instructions or ""

    assert ("CRONICORN_MCP_WRITE=yes" in instructions) is told
    assert "Begin with health_summary" in instructions


@pytest.mark.parametrize("mode", VERSIONS)
async def test_tools_say_what_they_do_to_what_and_in_which_form_they_answer(mode):
    async with an_agent(a_world(), mode=mode) as agent:
        tools = (await agent.client.list_tools()).tools

    for row, tool in zip(TOOLS, tools, strict=True):
        assert tool.name == row.name
        assert tool.description
        assert tool.title
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint == (not row.writes)
        assert tool.annotations.destructive_hint == row.destructive
        assert tool.annotations.idempotent_hint == row.idempotent
        assert tool.annotations.open_world_hint is False
        assert tool.output_schema is not None
        for schema in (tool.input_schema, tool.output_schema):
            Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"


async def test_all_tools_together_take_few_tokens_of_what_a_model_reads():
    async with an_agent(a_world()) as agent:
        tools = (await agent.client.list_tools()).tools

    told = [{"name": each.name, "description": each.description, "input": each.input_schema} for each in tools]
    assert guessed_tokens(json.dumps(told)) < 3_000


@pytest.mark.parametrize("mode", VERSIONS)
@pytest.mark.parametrize("role", list(Role))
async def test_each_role_sees_the_tools_it_may_use_and_no_others(role, mode):
    asker = replace(ALICE, permissions=GRANTED[role])

    async with an_agent(a_world(), asker, mode=mode) as agent:
        listed = await agent.tools()

    assert listed == [row.name for row in TOOLS if NEEDED[row.needs] in GRANTED[role]]


async def test_what_a_role_may_not_do_the_control_plane_refuses_whoever_calls_it_unlisted():
    world = a_world()
    endpoint = await world.endpoint()
    viewer = replace(ALICE, permissions=GRANTED[Role.VIEWER])

    async with an_agent(world, viewer) as agent:
        told = [
            await agent.refused("hint_set_interval", endpoint_id=endpoint.id, every_seconds=60, reason="quicker"),
            await agent.refused("hint_run_once", endpoint_id=endpoint.id, reason="now"),
            await agent.refused("hint_clear", endpoint_id=endpoint.id),
            await agent.refused("endpoint_pause", endpoint_id=endpoint.id, resume=True, reason="go on"),
            await agent.refused("policy_propose", endpoint_id=endpoint.id, policy={"version": 1, "rules": []}),
            await agent.refused("endpoint_save", endpoint_id=endpoint.id, document={"name": "other"}),
            await agent.refused("endpoint_delete", endpoint_id=endpoint.id, name="stock"),
        ]

    assert all("forbidden: " in each and "needs the permission" in each for each in told)
    assert await world.now_stored(endpoint) == endpoint


def test_the_scopes_that_are_told_are_those_that_tools_need():
    assert SCOPES == ("jobs:read", "jobs:write", "policies:write", "runs:control")


async def test_nothing_is_listed_for_whom_nobody_knows():
    async def identify(_):
        raise UnauthenticatedError("No valid API key.")

    from mcp import Client

    async with Client(create_server(a_world().control, identify, ALL, states_of_this_process())) as client:
        with pytest.raises(MCPError, match="unauthenticated: No valid API key"):
            await client.list_tools()
        assert "unauthenticated" in await Agent(client).refused("health_summary")


def test_every_permission_of_a_viewer_suffices_for_every_tool_that_only_reads():
    assert {NEEDED[row.needs] for row in TOOLS if not row.writes} == {Permission.JOBS_READ}
