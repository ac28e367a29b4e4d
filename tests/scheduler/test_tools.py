"""Tools: typed functions that a model may call."""

import pytest

from cronicorn.domain import InvalidInputError, NotFoundError
from cronicorn.scheduler import Tool, call_tool, tool


@tool(
    "Say how the endpoint should be called.", interval_s=float, reason=str, urgent=bool, optional=frozenset({"urgent"})
)
async def propose_interval(arguments):
    return {"accepted": arguments["interval_s"]}


TOOLS: dict[str, Tool] = {propose_interval.name: propose_interval}


async def test_a_tool_is_named_after_its_function_and_runs_with_checked_arguments():
    answer = await call_tool(TOOLS, "propose_interval", {"interval_s": 30, "reason": "surge"})

    assert answer == {"accepted": 30}


async def test_every_wrong_argument_is_named_at_once():
    arguments = {"interval_s": "30", "urgent": 1, "colour": "red"}

    with pytest.raises(InvalidInputError) as raised:
        await call_tool(TOOLS, "propose_interval", arguments)

    assert [wrong.pointer for wrong in raised.value.fields] == ["/colour", "/interval_s", "/urgent", "/reason"]


async def test_a_bool_is_not_a_number():
    with pytest.raises(InvalidInputError):
        await call_tool(TOOLS, "propose_interval", {"interval_s": True, "reason": "surge"})


async def test_an_unknown_tool_is_refused_with_the_names_there_are():
    with pytest.raises(NotFoundError, match="propose_interval"):
        await call_tool(TOOLS, "delete_everything", {})
