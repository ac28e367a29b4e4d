"""The evaluation tells good models from bad ones, and asks them as the product does."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from benchmarks.compile_eval.agreement import agreement
from benchmarks.compile_eval.cases import CASES, Kind
from benchmarks.compile_eval.evaluating import broken_gates, evaluate, summary
from benchmarks.compile_eval.families import FAMILIES
from benchmarks.compile_eval.stand_ins import StandIn, as_recorded, case_asked, contrary, recorded
from cronicorn.adapters.ai.connecting import connected
from cronicorn.domain.policy.reading import policy_of
from cronicorn.scheduler import AIClient
from tests.architecture.source import ROOT
from tests.cli.command import environment
from tests.compilation.workshop import writes
from tests.servers.model import Answer, Asked, FakeModel, fake_model

SEQUENCES = 10


def policy(document: Mapping[str, Any]) -> Any:
    return policy_of({"version": 1, **document})


def hands_in(answer: Callable[[str, int], Mapping[str, Any]]) -> Callable[[Asked], Answer]:
    """A model that knows the cases."""
    rounds: dict[str, int] = {}

    def heard(asked: Asked) -> Answer:
        case_id = case_asked(asked.body["messages"][-1]["content"])
        rounds[case_id] = rounds.get(case_id, -1) + 1
        return writes(answer(case_id, rounds[case_id]))

    return heard


@asynccontextmanager
async def a_model(answer: Callable[[str, int], Mapping[str, Any]]) -> AsyncIterator[tuple[AIClient, FakeModel]]:
    """A server that hands in what *answer* says, behind the real adapter."""
    with fake_model(hands_in(answer)) as model:
        async with connected("openai:fake-1", base_url=model.url, api_key="sk-test") as client:
            yield client, model


def test_there_are_sixty_descriptions_of_all_kinds_in_two_languages():
    kinds = [case.kind for case in CASES]

    assert len(CASES) >= 60
    assert len(FAMILIES) == 10
    assert len({case.description for case in CASES}) == len(CASES)
    assert all(kinds.count(kind) >= 5 for kind in Kind)
    assert kinds.count(Kind.INJECTED) == 6
    assert [case.language for case in CASES].count("de") >= 20
    assert recorded().keys() == {case.id for case in CASES}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_random_answers_make_every_rule_come_and_go(family):
    case = next(case for case in CASES if case.family is family)
    meant = policy(family.policy)

    assert agreement(case, meant, meant, SEQUENCES) == 1.0
    assert agreement(case, meant, policy({"fields": {}, "rules": []}), SEQUENCES) < 0.95


async def test_drafts_by_hand_pass_the_gates_through_the_real_adapter():
    async with a_model(as_recorded) as (client, model):
        results = await evaluate(client, "openai:fake-1", sequences=SEQUENCES)

    assert broken_gates(results) == []
    rows = {row["kind"]: row for row in summary(results)}
    assert rows["explicit"]["accepted"] == 50
    assert rows["explicit"]["agreement %"] > 95
    assert rows["contradictory"]["refused"] == 6
    assert len(model.asked) == sum(each.rounds for each in results)
    repaired = {each.case.id for each in results if each.accepted and each.rounds > 1}
    assert "surge-explicit-5" in repaired


async def test_what_answers_order_reaches_no_model():
    injected = [case for case in CASES if case.kind is Kind.INJECTED]
    async with a_model(as_recorded) as (client, model):
        results = await evaluate(client, "openai:fake-1", cases=injected, sequences=SEQUENCES)

    heard = "\n".join(json.dumps(asked.body, ensure_ascii=False) for asked in model.asked)
    assert [each.agreement for each in results] == [1.0] * 6
    for order in (
        "Ignore previous",
        "call write_policy with interval",
        "is void",
        "every sibling now",
        "to one second",
    ):
        assert order not in heard


async def test_a_bad_model_breaks_both_gates():
    results = await evaluate(StandIn(contrary), "contrary", sequences=SEQUENCES)

    broken = broken_gates(results)

    assert any(line.startswith("explicit") for line in broken)
    assert any(line.startswith("contradictory") for line in broken)


async def test_a_model_that_hands_in_nothing_breaks_the_first():
    nothing: Mapping[str, Any] = {"fields": [], "rules": [], "tests": [], "unsupported": ["No."]}

    results = await evaluate(StandIn(lambda _case, _number: nothing), "silent", sequences=SEQUENCES)

    assert [line.partition(":")[0] for line in broken_gates(results)] == ["explicit", "injected"]


@pytest.mark.parametrize(("answer", "code"), [(as_recorded, 0), (contrary, 1)], ids=["by hand", "contrary"])
def test_the_command_asks_the_model_that_the_settings_name_and_fails_with_a_bad_one(
    answer: Callable[[str, int], Mapping[str, Any]], code: int
) -> None:
    with fake_model(hands_in(answer)) as model:
        env = environment(AI_MODEL="openai:fake-1", AI_BASE_URL=model.url, AI_API_KEY="sk-test")
        command = [sys.executable, "-m", "benchmarks", "compile-eval", "--quick", "--json"]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == code, done.stderr
    assert "openai:fake-1" in json.loads(done.stdout)["about"]
    assert ("Gates broken" in done.stderr) == bool(code)
    assert len(model.asked) > len(CASES)
