"""Tools: typed functions that a model may call."""

from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from cronicorn.domain import ConflictError, InvalidInputError, NotFoundError
from cronicorn.scheduler import Tool, call_tool, tool


class Mood(StrEnum):
    CALM = "calm"
    BUSY = "busy"


@tool("Say how the endpoint should be called.")
async def propose_interval(
    *,
    interval_s: Annotated[float, Field(gt=0, le=86_400, description="Seconds between two calls.")],
    reason: Annotated[str, Field(min_length=1, max_length=200)],
    urgent: bool = False,
    mood: Mood = Mood.CALM,
):
    return {"interval_s": interval_s, "reason": reason, "urgent": urgent, "mood": mood}


TOOLS: dict[str, Tool] = {propose_interval.name: propose_interval}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


async def wrong(arguments):
    with pytest.raises(InvalidInputError) as raised:
        await call_tool(TOOLS, "propose_interval", arguments)
    return {each.pointer: each.message for each in raised.value.fields}


async def test_a_tool_is_named_after_its_function_and_runs_with_checked_arguments():
    answer = await call_tool(TOOLS, "propose_interval", {"interval_s": 30, "reason": "surge", "mood": "busy"})

    assert answer == {"interval_s": 30.0, "reason": "surge", "urgent": False, "mood": Mood.BUSY}


def test_types_bounds_and_descriptions_reach_the_model():
    schema = propose_interval.schema

    assert schema["properties"]["interval_s"] == {
        "description": "Seconds between two calls.",
        "exclusiveMinimum": 0,
        "maximum": 86_400,
        "type": "number",
    }
    assert schema["properties"]["reason"] == {"maxLength": 200, "minLength": 1, "type": "string"}
    assert schema["required"] == ["interval_s", "reason"]
    assert schema["additionalProperties"] is False
    assert "title" not in schema


def test_what_may_be_left_out_costs_no_words_for_null_and_names_no_title():
    class Part(BaseModel):
        size: int | None = None

    @tool("Take parts.")
    async def take(*, parts: list[Part], word: str | None = None):
        return "taken"

    assert take.schema == {
        "$defs": {"Part": {"properties": {"size": {"type": "integer"}}, "type": "object"}},
        "additionalProperties": False,
        "properties": {"parts": {"items": {"$ref": "#/$defs/Part"}, "type": "array"}, "word": {"type": "string"}},
        "required": ["parts"],
        "type": "object",
    }


async def test_null_says_that_an_argument_is_left_out():
    @tool("Take a word.")
    async def take(*, word: str | None = None):
        return word or "nothing"

    assert await call_tool({"take": take}, "take", {"word": None}) == "nothing"


async def test_every_wrong_argument_is_named_at_once():
    found = await wrong({"interval_s": "30", "urgent": 1, "colour": "red", "mood": "angry"})

    assert found == {
        "/interval_s": "interval_s must be a valid number.",
        "/reason": "reason is missing.",
        "/urgent": "urgent must be a valid boolean.",
        "/mood": "mood must be 'calm' or 'busy'.",
        "/colour": "propose_interval takes no colour; it takes interval_s, reason, urgent, mood.",
    }


async def test_a_missing_argument_is_told_with_what_it_is_for():
    assert (await wrong({"reason": "surge"}))["/interval_s"] == "interval_s is missing: Seconds between two calls."


@pytest.mark.parametrize("interval_s", [True, "30000", None, [30], -5, 0, 1e308, float("nan"), float("inf"), 10**400])
async def test_an_odd_number_is_told_to_the_model_and_never_reaches_the_tool(interval_s):
    """Case 9 of the threat model."""
    assert set(await wrong({"interval_s": interval_s, "reason": "surge"})) == {"/interval_s"}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
async def test_what_is_no_finite_number_is_refused_without_any_bound(number):
    @tool("Takes a number.")
    async def weigh(*, by: float):
        return by

    with pytest.raises(InvalidInputError, match="wrong arguments"):
        await call_tool({"weigh": weigh}, "weigh", {"by": number})


async def test_arguments_that_are_nested_without_end_are_refused():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    assert await wrong({"interval_s": deep, "reason": "surge"}) == {}


@given(arguments=st.dictionaries(st.sampled_from(["interval_s", "reason", "urgent", "x"]), JSON))
async def test_whatever_the_arguments_a_tool_runs_with_what_it_declares_or_not_at_all(arguments):
    with suppress(InvalidInputError):
        answer: Any = await call_tool(TOOLS, "propose_interval", arguments)

        assert 0 < answer["interval_s"] <= 86_400
        assert 0 < len(answer["reason"]) <= 200


async def test_an_unknown_tool_is_refused_with_the_names_there_are():
    with pytest.raises(NotFoundError, match="propose_interval"):
        await call_tool(TOOLS, "delete_everything", {})


async def test_what_a_tool_itself_raises_is_left_alone():
    @tool("Fails.")
    async def clear_hints():
        raise ConflictError("There are none.")

    with pytest.raises(ConflictError):
        await call_tool({"clear_hints": clear_hints}, "clear_hints", {})


@pytest.mark.parametrize("source", ["async def f(x): ...", "async def f(*x: int): ...", "async def f(x: int, /): ..."])
def test_a_function_whose_parameters_say_too_little_is_no_tool(source):
    names: dict[str, Any] = {}
    exec(source, names)

    with pytest.raises(TypeError, match="f is no tool: x needs a type"):
        tool("?")(names["f"])
