"""What answers where no model is: drafts written by hand, and the same turned into a model that gets it wrong."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.compile_eval.cases import CASES
from cronicorn.scheduler import AIClient, Question, Session, TokenUsage, ToolCall, call_tool

Arguments = Mapping[str, Any]

_FILE = Path(__file__).parent / "recorded.json"
_CHARACTERS_A_TOKEN = 4
_TURNED = {" > ": " < ", " < ": " > ", " == ": " != "}


def recorded() -> Mapping[str, Sequence[Arguments]]:
    """By case, what is handed in round by round. Written by hand, with the slips that models make; none wrote it."""
    answers: Mapping[str, Sequence[Arguments]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return answers


def case_asked(told: str) -> str:
    """The id of the case whose description stands in what a model is told."""
    asked = [case for case in CASES if f"\n{case.description}\n" in told]
    (case,) = asked
    return case.id


def as_recorded(case_id: str, number: int) -> Arguments:
    """What is handed in about a case in round *number*, counted from 0."""
    rounds = recorded()[case_id]
    return rounds[min(number, len(rounds) - 1)]


def contrary(case_id: str, _number: int) -> Arguments:
    """A model that compares the wrong way round, and writes a rule for whatever it is told."""
    known = recorded()["surge-explicit-1" if case_id.startswith("contradictory") else case_id][-1]
    rules = [{**rule, "when": _turned(rule["when"])} for rule in known["rules"]]
    for rule in rules:
        rule.pop("until", None)
    return {**known, "rules": rules, "tests": [], "unsupported": []} | ({"tests": _idle_test(known)} if rules else {})


def _idle_test(known: Arguments) -> list[Mapping[str, Any]]:
    """A test that says nothing, so that only the behaviour is wrong."""
    return [{"given": {}, "times": 1, "expect": {"interval": "baseline"}}] if known["fields"] else []


def _turned(condition: str) -> str:
    for sign, other in _TURNED.items():
        if sign in condition:
            return condition.replace(sign, other)
    return f"!({condition})"


class StandIn(AIClient):
    """Hands in what *answer* says, through the tool that a model would call."""

    def __init__(self, answer: Callable[[str, int], Arguments]) -> None:
        self._answer = answer
        self._rounds: dict[str, int] = {}

    async def plan_with_tools(self, question: Question) -> Session:
        case_id = case_asked(question.input)
        number = self._rounds.get(case_id, 0)
        self._rounds[case_id] = number + 1
        arguments = self._answer(case_id, number)
        tools = {each.name: each for each in question.tools}
        await call_tool(tools, question.final_tool, arguments)
        written = json.dumps(arguments)
        usage = TokenUsage(
            requests=1, unmeasured=1, estimated=_tokens(question.system + question.input) + _tokens(written)
        )
        call = ToolCall(tool=question.final_tool, arguments=arguments, result=None)
        return Session(final=arguments, calls=(call,), usage=usage)


def _tokens(text: str) -> int:
    return len(text) // _CHARACTERS_A_TOKEN
