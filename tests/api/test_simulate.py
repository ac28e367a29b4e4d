"""Scenarios over REST: simulated by the real simulator, in a process that takes no more than it is allowed."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cronicorn.domain.errors import InvalidInputError
from cronicorn.wiring.simulating import SimulationProcess
from tests.api.door import a_door, assert_problem
from tests.architecture.source import ROOT

STOCK = {"name": "stock", "every": "60s"}
SCENARIO: dict[str, Any] = {"version": 1, "length": "10m", "endpoints": [STOCK]}


def confined(**limits: int) -> SimulationProcess:
    """A simulator with other limits."""
    given = "; ".join(f"served.{name} = {value}" for name, value in limits.items())
    program = f"from cronicorn.sim import served; {given}; served.main()"
    return SimulationProcess((sys.executable, "-P", "-c", program))


async def test_a_scenario_is_simulated_and_its_expectations_are_judged() -> None:
    count = {"name": "each minute", "endpoint": "stock", "count": {"at_least": 9}}
    async with a_door() as door:
        answer = await door.client.post("/api/simulate", json={"scenario": SCENARIO | {"expect": [count]}})
        never = {"scenario": SCENARIO | {"expect": [count | {"count": {"at_least": 99}}]}, "seed": 7}
        other = await door.client.post("/api/simulate", json=never)

    told = answer.json()
    assert answer.status_code == 200, answer.text
    assert (told["held"], told["lengthMs"], told["callsCount"]) == (True, 600_000, len(told["calls"]))
    assert told["calls"][0]["endpoint"] == "stock"
    assert told["calls"][0]["elapsedMs"] == pytest.approx(60_000, abs=10)
    assert told["calls"][0]["nextAt"].startswith("2026-01-01T00:02:00.")
    assert (other.json()["held"], other.json()["seed"]) == (False, 7)
    assert other.json()["expectations"][0]["held"] is False


async def test_the_example_of_the_documentation_can_be_sent_and_long_histories_are_cut() -> None:
    text = (Path(ROOT) / "examples/scenarios/flash-sale-simulation.yaml").read_text(encoding="utf-8")
    scenario = yaml.safe_load(text)
    scenario["start"] = scenario["start"].isoformat()
    often = SCENARIO | {"length": "30m", "endpoints": [STOCK | {"every": "1s"}]}
    async with a_door() as door:
        sale = await door.client.post("/api/simulate", json={"scenario": scenario})
        cut = await door.client.post("/api/simulate", json={"scenario": often})

    assert sale.json()["held"] is True
    assert sale.json()["hints"]
    assert any(call["rules"] for call in sale.json()["calls"])
    assert (len(cut.json()["calls"]), cut.json()["callsCount"]) == (1_000, 1_799)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, "/scenario"),
        ({"scenario": {}}, "/scenario/version"),
        ({"scenario": SCENARIO | {"length": "ever"}}, "/scenario/length"),
        ({"scenario": SCENARIO | {"endpoints": [STOCK | {"policy": "/etc/passwd"}]}}, "/scenario/endpoints/0/policy"),
        ({"scenario": SCENARIO, "seed": -1}, "/seed"),
    ],
)
async def test_a_scenario_that_can_not_be_is_refused_where_it_is_wrong(document: object, pointer: str) -> None:
    async with a_door() as door:
        answer = await door.client.post("/api/simulate", json=document)

    errors = assert_problem(answer, 400)["errors"]
    assert pointer in [each["pointer"] for each in errors]
    assert "root:" not in answer.text


async def test_a_tenant_has_one_simulation_at_a_time() -> None:
    async with a_door() as door:
        sent = {"scenario": SCENARIO}
        answers = await asyncio.gather(*(door.client.post("/api/simulate", json=sent) for _ in range(2)))
        other = await door.stranger.post("/api/simulate", json=sent)

    assert sorted(answer.status_code for answer in answers) == [200, 429]
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("limits", "word"), [({"CPU_SECONDS_MAX": 1}, "too long"), ({"MEMORY_MAX": 60_000_000}, "memory")]
)
async def test_a_scenario_that_takes_too_much_is_ended(limits: dict[str, int], word: str) -> None:
    hostile = SCENARIO | {"length": "365d", "endpoints": [STOCK | {"every": "1s", "copies": 1_000}]}

    with pytest.raises(InvalidInputError, match=word) as refusal:
        await confined(**limits).simulate(hostile)

    assert [fault.pointer for fault in refusal.value.fields] == ["/scenario"]
