"""Reading a scenario: from a document to a world, with every fault found, placed and explained."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.condition.kinds import field_name_problem
from cronicorn.domain.errors import FieldError, InvalidInputError
from cronicorn.domain.plain_json import plain_json
from cronicorn.domain.policy.document_part import Part
from cronicorn.domain.policy.policy import Policy
from cronicorn.sim.answer_reading import outages_of
from cronicorn.sim.course_reading import SIGNALS_MAX, CourseReader
from cronicorn.sim.endpoint_reading import EndpointReader, PolicyFile, check_siblings
from cronicorn.sim.expectation_reading import ExpectationReader
from cronicorn.sim.giving import DESCRIPTION_MAX, seconds_at
from cronicorn.sim.scenario import BUILT_IN, VERSION, Crash, Scenario, SimulatedEndpoint
from cronicorn.sim.state_reading import state_kinds, variables_of

ENDPOINTS_MAX = 1_000
WORKERS_MAX = 100
CRASHES_MAX = 1_000
SEED_MAX = 2**63
START_DEFAULT = datetime(2026, 1, 1, tzinfo=UTC)
_KEYS = (
    "version", "name", "description", "start", "length", "seed", "workers", "crashes", "signals", "state", "endpoints",
    "outages", "expect",
)  # fmt: skip


_START_LAST = datetime(9900, 12, 31, tzinfo=UTC)


def scenario_of(document: object, policy_file: PolicyFile) -> Scenario:
    """The scenario that *document* writes. Raises InvalidInputError with all its faults, each with its place."""
    part = Part(plain_json(document, "`version: 1`, `length` and `endpoints`"))
    scenario = _read(part, policy_file)
    if part.problems:
        faults = tuple(FieldError(pointer=each.pointer, message=each.problem) for each in part.problems)
        told = "; ".join(f"{each.pointer or '/'}: {each.message}" for each in faults)
        raise InvalidInputError(told, fields=faults)
    return scenario


def with_policy(scenario: Scenario, endpoint: str, policy: Policy) -> Scenario:
    """*scenario* with *policy* on *endpoint*. Raises InvalidInputError when one names another that is not there."""
    names = tuple(each.endpoint.name for each in scenario.endpoints)
    part = Part({"endpoint": endpoint})
    if endpoint not in names:
        raise InvalidInputError(f"There is no endpoint {endpoint}; there are: {', '.join(names[:20])}.")
    check_siblings(part, policy, names, endpoint)
    if part.problems:
        raise InvalidInputError(part.problems[0].problem)
    endpoints = tuple(
        replace(each, endpoint=replace(each.endpoint, policy=policy)) if each.endpoint.name == endpoint else each
        for each in scenario.endpoints
    )
    return replace(scenario, endpoints=endpoints)


def _read(part: Part, policy_file: PolicyFile) -> Scenario:
    part.knows(*_KEYS)
    version = part.value.get("version")
    if version != VERSION or isinstance(version, bool):
        part.refuse("version", f"Must be {VERSION}, the version of the format.")
    start, length = _start(part), seconds_at(part, "length", low=timedelta(seconds=1))
    if start > _START_LAST:
        part.refuse("start", f"Must be {_START_LAST.year} at the latest: the calendar ends in 9999.")
    names = _names(part)
    signals, state = _object(part, "signals"), _object(part, "state")
    kinds = {**BUILT_IN, **state_kinds(state)}
    _check_names(part, signals, state)
    courses = CourseReader(signals, kinds, names).read()
    workers, lease = _workers(part)
    endpoints = _endpoints(part, EndpointReader(start, kinds, CronsimCron(), policy_file), names)
    return Scenario(
        name=part.text("name", 100) or "scenario", description=part.text("description", DESCRIPTION_MAX), start=start,
        length=length, seed=part.whole("seed", 0, SEED_MAX, 1), workers=workers, lease=lease,
        crashes=_crashes(part, workers), signals=courses, state=variables_of(state, kinds, names), endpoints=endpoints,
        outages=outages_of(part, names), expectations=ExpectationReader(names, kinds, length).read(part),
    )  # fmt: skip


def _object(part: Part, key: str) -> Part:
    return part.part(key) or Part({}, part.at(key), part.problems)


def _start(part: Part) -> datetime:
    text = part.text("start", 100)
    if text is None:
        return START_DEFAULT
    try:
        start = datetime.fromisoformat(text)
        if start.tzinfo is not None:
            return start.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    part.refuse("start", "Must be an instant with its offset, such as 2026-01-31T09:30:00Z.")
    return START_DEFAULT


def _names(part: Part) -> tuple[str, ...]:
    """What the endpoints are called, as far as that can be told before they are read."""
    listed = part.value.get("endpoints")
    found: list[str] = []
    for each in listed if isinstance(listed, list) else []:
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            continue
        name, copies = str(each["name"]), each.get("copies")
        count = copies if isinstance(copies, int) and not isinstance(copies, bool) else 0
        found += [f"{name}-{number}" for number in range(1, min(count, ENDPOINTS_MAX) + 1)] if count > 0 else [name]
    return tuple(found)


def _check_names(part: Part, signals: Part, state: Part) -> None:
    if len(signals.value) + len(state.value) > SIGNALS_MAX:
        part.refuse("signals", f"At most {SIGNALS_MAX} signals and pieces of state.")
    for each in (signals, state):
        for name in each.value:
            if (problem := field_name_problem(name)) is not None:
                each.refuse(name, problem.replace("a field", "a signal").replace("the field", "the signal"))
            elif name in BUILT_IN:
                each.refuse(name, f"{name} is there already: choose another name.")
            elif each is state and name in signals.value:
                each.refuse(name, f"A signal is called {name}: choose another name.")


def _endpoints(part: Part, reader: EndpointReader, names: tuple[str, ...]) -> tuple[SimulatedEndpoint, ...]:
    parts = part.parts("endpoints", ENDPOINTS_MAX)
    if not parts and "endpoints" in part and part.value["endpoints"] == []:
        part.refuse("endpoints", "A scenario has at least one endpoint.")
    elif "endpoints" not in part:
        part.refuse("endpoints", "Give a list of endpoints, each with a `name` and a schedule such as every: 60s.")
    found: list[SimulatedEndpoint] = []
    seen: set[str] = set()
    for each in parts:
        for simulated in reader.read(each):
            name, policy = simulated.endpoint.name, simulated.endpoint.policy
            if name in seen:
                each.refuse("name", f"Another endpoint is called {name}.")
            if policy is not None:
                check_siblings(each, policy, names, name)
            seen.add(name)
            found.append(simulated)
    if len(found) > ENDPOINTS_MAX:
        part.refuse("endpoints", f"At most {ENDPOINTS_MAX} endpoints, copies included.")
    return tuple(found)


def _workers(part: Part) -> tuple[int, timedelta]:
    lease = timedelta(seconds=30)
    if not isinstance(part.value.get("workers"), dict):
        return part.whole("workers", 1, WORKERS_MAX, 1), lease
    inside = _object(part, "workers")
    inside.knows("count", "lease")
    count = inside.whole("count", 1, WORKERS_MAX, 1)
    return count, inside.length("lease", timedelta(seconds=1), timedelta(hours=1)) or lease


def _crashes(part: Part, workers: int) -> tuple[Crash, ...]:
    found = []
    for each in part.parts("crashes", CRASHES_MAX):
        each.knows("at", "worker", "back_after")
        if "worker" not in each:
            each.refuse("worker", f"Say which: 1 to {workers}.")
        back = seconds_at(each, "back_after", low=timedelta(milliseconds=1)) if "back_after" in each else None
        found.append(Crash(at=seconds_at(each, "at"), worker=each.whole("worker", 1, workers, 1), back_after=back))
    return tuple(found)
