"""Small scenarios, each with what matters to a test."""

from typing import Any

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.policy.policy import Policy
from cronicorn.sim.scenario import Scenario
from cronicorn.sim.scenario_reading import scenario_of
from cronicorn.sim.simulation import Simulated, run_scenario

STOCK: dict[str, Any] = {"name": "stock", "every": "60s"}


def document(**parts: Any) -> dict[str, Any]:
    """Ten minutes of one endpoint that is called each minute, but for *parts*."""
    return {"version": 1, "length": "10m", "endpoints": [STOCK], **parts}


def read(value: object) -> Scenario:
    """The scenario that *value* writes; it names no files."""
    return scenario_of(value, _no_file)


def run(**parts: Any) -> Simulated:
    """The simulation of `document`."""
    return run_scenario(read(document(**parts)))


def times(simulated: Simulated, endpoint: str = "stock") -> list[int]:
    """When *endpoint* was called, in whole seconds."""
    return [int(call.at) for call in simulated.chronicle.of(endpoint)]


def bodies(simulated: Simulated, endpoint: str = "stock") -> list[str | None]:
    """What *endpoint* answered."""
    return [call.run.outcome.body for call in simulated.chronicle.of(endpoint) if call.run is not None]


def policy(fields: dict[str, Any], *rules: dict[str, Any]) -> dict[str, Any]:
    """A policy's document."""
    return {"version": 1, "fields": fields, "rules": list(rules)}


def _no_file(name: str) -> Policy:
    raise InvalidInputError(f"There is no file {name}.")
