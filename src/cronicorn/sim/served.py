"""One simulation for somebody who is not trusted: in a process of its own, within limits, from stdin to stdout.

Reads `{"scenario": {…}, "seed": 1}` and writes `{"history": {…}}`, or `{"faults": [{"pointer": …, "message": …}]}` of a
scenario that can't be. A scenario that takes more processor time than CPU_SECONDS_MAX ends the process by SIGXCPU.
"""

import json
import os
import resource
import sys
from dataclasses import replace

from cronicorn.domain.errors import FieldError, InvalidInputError
from cronicorn.domain.policy.policy import Policy
from cronicorn.sim.history_json import history_document
from cronicorn.sim.scenario_reading import scenario_of
from cronicorn.sim.simulation import Simulated, run_scenario

CPU_SECONDS_MAX = 10
MEMORY_MAX = 1 << 30
"""Of addresses: what is loaded counts as well."""
TOLD_MAX = 1_000
"""Of calls, hints and events so many are told, the first ones; all are counted."""
_NICENESS = 10
_TOO_MUCH_MEMORY = "It takes too much memory: make it shorter, or give it fewer endpoints."

_Members = dict[str, object]


def main() -> None:
    """Answer what is asked on stdin."""
    confine()
    sys.stdout.write(json.dumps(answer(sys.stdin.buffer.read())))


def confine() -> None:
    """Take no more than is allowed from here on, and let others go first."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    os.nice(_NICENESS)


def answer(asked: bytes) -> _Members:
    """What becomes of the scenario in *asked*."""
    try:
        told = json.loads(asked)
        scenario = scenario_of(told["scenario"], _no_file)
        seed = told["seed"]
        return {"history": _told(run_scenario(scenario if seed is None else replace(scenario, seed=seed)))}
    except InvalidInputError as error:
        faults = error.fields or (FieldError(pointer="", message=str(error)),)
        return {"faults": [{"pointer": fault.pointer, "message": fault.message} for fault in faults]}
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not isinstance(error.__cause__, MemoryError):
            raise
        return {"faults": [{"pointer": "", "message": _TOO_MUCH_MEMORY}]}


def _told(simulated: Simulated) -> _Members:
    """The history of *simulated*, cut to what an answer holds, with lengths in milliseconds."""
    chronicle, most = simulated.chronicle, TOLD_MAX
    counts = {
        "calls": len(chronicle.calls), "hints": len(chronicle.steers), "events": len(chronicle.happenings)
    }  # fmt: skip
    del chronicle.calls[most:], chronicle.steers[most:], chronicle.happenings[most:]
    history = history_document(simulated)
    return {
        **{name: _in_milliseconds(value) for name, value in history.items()},
        **{f"{name}_count": count for name, count in counts.items()},
        "length_ms": simulated.scenario.length * 1_000,
    }


def _in_milliseconds(value: object) -> object:
    """*value* with each member whose name ends in `_s`, a length in seconds, as one that ends in `_ms`."""
    match value:
        case dict():
            return dict(_renamed(str(name), member) for name, member in value.items())
        case list():
            return [_in_milliseconds(each) for each in value]
        case _:
            return value


def _renamed(name: str, member: object) -> tuple[str, object]:
    if name.endswith("_s") and isinstance(member, int | float | None):
        return f"{name.removesuffix('_s')}_ms", None if member is None else round(member * 1_000, 3)
    return name, _in_milliseconds(member)


def _no_file(name: str) -> Policy:
    raise InvalidInputError(f"A policy can't be named by its file here ({name[:40]!r}): write it in its place.")


if __name__ == "__main__":
    main()
