"""Calls that go nowhere but into the world of a scenario."""

import asyncio
import json
import math
from collections.abc import Mapping
from datetime import timedelta

from cronicorn.domain.call import Call, Method, Outcome, OutcomeKind
from cronicorn.domain.condition.kinds import Values
from cronicorn.domain.json_body import Json
from cronicorn.domain.ports import Dispatcher
from cronicorn.sim.chance import Chance
from cronicorn.sim.chronicle import Chronicle
from cronicorn.sim.expression import Expression
from cronicorn.sim.scenario import AnswerCase, Outage, Scenario
from cronicorn.sim.world import World

NOT_MODIFIED = 304
_LATENCY_MAX = 1e6
_OK = AnswerCase()
_SAID: Mapping[OutcomeKind, str] = {
    OutcomeKind.UNREACHABLE: "The connection was refused.",
    OutcomeKind.UNRESOLVED: "The name has no address.",
    OutcomeKind.BROKEN: "The answer broke off.",
    OutcomeKind.TLS_FAILED: "No trusted connection could be made.",
    OutcomeKind.TIMED_OUT: "The call took too long.",
}

_encode = json.JSONEncoder(ensure_ascii=False).encode


class SimulatedDispatcher(Dispatcher):
    """Answers as a scenario says, for one worker."""

    def __init__(self, scenario: Scenario, world: World, chronicle: Chronicle, worker: int) -> None:
        self._answers = {each.endpoint.id: (each.endpoint.name, each.answers) for each in scenario.endpoints}
        self._outages = scenario.outages
        self._world = world
        self._chronicle = chronicle
        self._worker = worker
        self._chances = {each: Chance(scenario.seed, f"call:{each}") for each in self._answers}

    async def dispatch(self, call: Call) -> Outcome:
        endpoint_id, _, slot = call.headers["Idempotency-Key"].rpartition(":")
        time = asyncio.get_running_loop().time()
        number = self._chronicle.called(endpoint_id, int(slot), self._worker, time)
        outage = self._outage(endpoint_id, time, number)
        answer = self._answered(endpoint_id, call, time, number) if outage is None else _cut_off(outage, call)
        if answer.duration:
            await asyncio.sleep(answer.duration.total_seconds())
        return answer

    def _outage(self, endpoint_id: str, time: float, number: int) -> Outage | None:
        name, _ = self._answers[endpoint_id]
        for place, outage in enumerate(self._outages):
            if outage.begin <= time < outage.end and (outage.endpoints is None or name in outage.endpoints):
                chance = self._chances[endpoint_id].fraction(number, f"outage{place}") if outage.share < 1 else 0.0
                if chance < outage.share:
                    return outage
        return None

    def _answered(self, endpoint_id: str, call: Call, time: float, number: int) -> Outcome:
        name, cases = self._answers[endpoint_id]
        self._world.call(name, time)
        values = self._world.values_at(time)
        case = next((each for each in cases if each.when is None or each.when.evaluate(values) is True), _OK)
        duration = self._latency(case, values, endpoint_id, number)
        if duration >= call.timeout:
            return Outcome(kind=OutcomeKind.TIMED_OUT, duration=call.timeout, error=_SAID[OutcomeKind.TIMED_OUT])
        return _outcome(case, values, call, duration)

    def _latency(self, case: AnswerCase, values: Values, endpoint_id: str, number: int) -> timedelta:
        latency = case.latency
        if isinstance(latency, Expression):
            value = latency.of(values)
            seconds = float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
        elif latency.low == latency.high:
            seconds = latency.low
        else:
            seconds = latency.drawn(self._chances[endpoint_id], number, "latency")
        return timedelta(seconds=min(max(seconds, 0.0), _LATENCY_MAX))


def _cut_off(outage: Outage, call: Call) -> Outcome:
    if outage.kind is OutcomeKind.RESPONDED:
        wait = () if outage.retry_after is None else (("retry-after", f"{outage.retry_after:.0f}"),)
        return Outcome(kind=outage.kind, duration=timedelta(0), status_code=outage.status, headers=wait)
    duration = call.timeout if outage.kind is OutcomeKind.TIMED_OUT else timedelta(0)
    return Outcome(kind=outage.kind, duration=duration, error=_SAID[outage.kind])


def _outcome(case: AnswerCase, values: Values, call: Call, duration: timedelta) -> Outcome:
    status = 200 if case.status is None else _status(case.status(values))
    headers = tuple((name, _header(name, filling(values))) for name, filling in case.headers)
    body = case.text if case.body is None else _encode(case.body(values))
    if _unchanged(call, status, headers):
        status, body = NOT_MODIFIED, None
    if call.method is Method.HEAD:
        body = None
    return Outcome(
        kind=OutcomeKind.RESPONDED, duration=duration, status_code=status, headers=headers, body=body,
        body_is_json=body is not None and case.body is not None,
    )  # fmt: skip


def _unchanged(call: Call, status: int, headers: tuple[tuple[str, str], ...]) -> bool:
    """Whether the caller says that it has this answer already (RFC 9110, 13.1.2)."""
    etag = next((value for name, value in headers if name == "etag"), None)
    return etag is not None and status == 200 and call.headers.get("If-None-Match") == etag  # noqa: PLR2004


def _status(value: Json) -> int:
    """A status code; a number that is none is a server's fault, and so is 500."""
    whole = int(value) if isinstance(value, int | float) and 100 <= value <= 599 else 500  # noqa: PLR2004
    return 500 if isinstance(value, bool) else whole


def _header(name: str, value: Json) -> str:
    if name == "retry-after" and isinstance(value, float):
        return str(math.ceil(value))  # Whole seconds (RFC 9110, 10.2.3).
    return str(value).lower() if isinstance(value, bool) else str(value)
