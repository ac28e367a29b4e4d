"""Reading the endpoints of a scenario."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cronicorn.domain.call import TIMEOUT_DEFAULT, Method, Request, StatusRange, SuccessCriteria
from cronicorn.domain.condition.kinds import FieldKind
from cronicorn.domain.endpoint import (
    CATCH_UP_RUNS_MAX,
    RETRIES_MAX,
    Baseline,
    CatchUp,
    CatchUpMode,
    JobEndpoint,
    Overlap,
    RetryPolicy,
)
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.instant import INTERVAL_LEAST, MICROSECOND, ZERO, shifted
from cronicorn.domain.policy.document_part import Part, PolicyError
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.ports import Cron
from cronicorn.domain.signals.signal import ON_BY_DEFAULT, Adapt, Signal, Signals
from cronicorn.sim.answer_reading import answers_of
from cronicorn.sim.giving import DESCRIPTION_MAX, LENGTH_MAX, check_name, only_one, seconds_at
from cronicorn.sim.scenario import SimulatedEndpoint

TENANT, JOB = "simulation", "scenario"
COPIES_MAX = 10_000
NAME_MAX = 100
BASELINES = ("every", "cron", "once", "dormant")
_KEYS = (
    "name", "description", *BASELINES, "phase", "timezone", "window", "min", "max", "method", "timeout", "retries",
    "success", "overlap", "catch_up", "adapt", "signals", "policy", "paused", "copies", "answers",
)  # fmt: skip
_OF_REST: Mapping[str, str] = {
    "baselineIntervalMs": "every: 60s", "baselineCron": "cron", "onceAt": "once: 10m", "minIntervalMs": "min: 20s",
    "maxIntervalMs": "max: 5m", "timeoutMs": "timeout: 30s", "windowMs": "window: 60s", "successStatuses": "success",
    "catchUp": "catch_up", "pausedUntil": "paused: 30m", "interval": "every: 60s",
    "policyFile": "policy: FILE", "policy_file": "policy: FILE",
}  # fmt: skip
_NOT_SENT = {"url": "no address", "headersJson": "no headers", "bodyJson": "no body", "auth": "no header"}
_STATUSES = re.compile(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?", re.ASCII)

PolicyFile = Callable[[str], Policy]
"""Reads a policy that a scenario names by its file. Raises InvalidInputError, saying where in that file."""


@dataclass(frozen=True, slots=True)
class EndpointReader:
    """Reads endpoints that begin at *start* and answer by signals of *kinds*."""

    start: datetime
    kinds: Mapping[str, FieldKind]
    cron: Cron
    policy_file: PolicyFile

    def read(self, part: Part) -> tuple[SimulatedEndpoint, ...]:
        """The endpoint that *part* writes, as often as it says."""
        _know(part)
        copies = part.whole("copies", 1, COPIES_MAX, 1)
        one = SimulatedEndpoint(
            endpoint=self._endpoint(part), answers=answers_of(part, self.kinds), paused_until=_paused(part)
        )
        return (one,) if "copies" not in part else tuple(_copy(one, number) for number in range(1, copies + 1))

    def _endpoint(self, part: Part) -> JobEndpoint:
        name = part.text("name", NAME_MAX) or "?"
        low = part.length("min", MICROSECOND, LENGTH_MAX)
        high = part.length("max", MICROSECOND, LENGTH_MAX)
        if low is not None and high is not None and low > high:
            part.refuse("min", "Must not be above `max`.")
        baseline = self._baseline(part)
        if high is not None and (baseline.dormant or baseline.once_at is not None):
            part.refuse("max", "A maximum would make the endpoint run again and again; take it out.")
        return JobEndpoint(
            id=name, tenant_id=TENANT, job_id=JOB, name=name, request=_request(part, name), baseline=baseline,
            created_at=self.start, updated_at=self.start, description=part.text("description", DESCRIPTION_MAX),
            interval_min=low, interval_max=high, catch_up=_catch_up(part),
            overlap=part.choice("overlap", Overlap) or Overlap.SKIP, retries=_retries(part), success=_success(part),
            signals=_signals(part), policy=self._policy(part),
        )  # fmt: skip

    def _baseline(self, part: Part) -> Baseline:
        kind = only_one(part, BASELINES, "The schedule of an endpoint")
        zone, window = part.text("timezone", 100) or "UTC", part.length("window", ZERO, LENGTH_MAX) or ZERO
        if "phase" in part and kind != "every":
            part.refuse("phase", "Only an interval has a phase: write `every` too, or take it out.")
        if window and kind in {"once", "dormant"}:
            part.refuse("window", "Only a cron or interval schedule can be spread over a window; take it out.")
        match kind:
            case "cron":
                return self._checked(part, Baseline(cron=part.text("cron", 255), zone=zone, window=window))
            case "once":
                at = shifted(self.start, timedelta(seconds=seconds_at(part, "once", low=timedelta(milliseconds=1))))
                return Baseline(once_at=at, zone=zone)
            case "dormant":
                if not part.flag("dormant", default=True):
                    part.refuse("dormant", "Say `dormant: true`, or how often it runs, such as every: 60s.")
                return Baseline(dormant=True)
            case _:
                anchor_at = shifted(self.start, timedelta(seconds=seconds_at(part, "phase", 0.0)))
                every = part.length("every", INTERVAL_LEAST, LENGTH_MAX)
                return Baseline(interval=every or LENGTH_MAX, anchor_at=anchor_at, zone=zone, window=window)

    def _checked(self, part: Part, baseline: Baseline) -> Baseline:
        if baseline.cron is None:
            return baseline
        try:
            self.cron.check(baseline.cron_schedule, self.start)
        except InvalidInputError as error:
            part.refuse("cron", str(error))
        return baseline

    def _policy(self, part: Part) -> Policy | None:
        value = part.value.get("policy")
        if value is None:
            return None
        if isinstance(value, str):
            try:
                return self.policy_file(value)
            except InvalidInputError as error:
                for fault in str(error).splitlines():
                    part.refuse("policy", fault)
                return None
        inside = part.part("policy")
        if inside is None:
            return None
        try:
            return policy_of(inside.value)
        except PolicyError as error:
            for problem in error.problems:
                Part({}, f"{inside.pointer}{problem.pointer}", part.problems).refuse("", problem.problem)
            return None


def check_siblings(part: Part, policy: Policy, names: tuple[str, ...], own: str) -> None:
    """Refuse what *policy*, which stands at `policy`, says of endpoints that are not there."""
    for name in sorted(policy.siblings.union(name for name, _ in policy.orders())):
        if name == own:
            part.refuse("policy", f"Calls {name} a sibling, which is the endpoint itself.")
        else:
            check_name(part, "policy", name, names, "endpoint")


def _know(part: Part) -> None:
    """Refuse unknown fields; those of the REST document are told how scenarios write them."""
    if "name" not in part:
        part.refuse("name", "Give the endpoint a name.")
    unknown = [key for key in part.value if key in _OF_REST or key in _NOT_SENT]
    for key in unknown:
        told = f"Scenarios write it `{_OF_REST[key]}`." if key in _OF_REST else f"Nothing is sent, so {_NOT_SENT[key]}."
        part.refuse(key, f"Unknown field. {told}")
    Part({key: part.value[key] for key in part.value if key not in unknown}, part.pointer, part.problems).knows(*_KEYS)


def _copy(one: SimulatedEndpoint, number: int) -> SimulatedEndpoint:
    name = f"{one.endpoint.name}-{number}"
    endpoint = replace(one.endpoint, id=name, name=name, request=replace(one.endpoint.request, url=_url(name)))
    return replace(one, endpoint=endpoint)


def _url(name: str) -> str:
    return f"http://scenario.invalid/{name}"


def _request(part: Part, name: str) -> Request:
    timeout = part.length("timeout", INTERVAL_LEAST, timedelta(minutes=30)) or TIMEOUT_DEFAULT
    return Request(
        url=_url(name), method=part.choice("method", Method) or Method.GET, timeout=timeout,
        execution_max=max(timeout, Request(url="").execution_max),
    )  # fmt: skip


def _paused(part: Part) -> float | None:
    if part.value.get("paused") is True:
        return LENGTH_MAX.total_seconds()
    paused = part.value.get("paused")
    return None if paused is None or paused is False else seconds_at(part, "paused")


def _retries(part: Part) -> RetryPolicy:
    default = RetryPolicy()
    if not isinstance(part.value.get("retries"), dict):
        return RetryPolicy(count=part.whole("retries", 0, RETRIES_MAX, 0))
    inside = part.part("retries") or part
    inside.knows("count", "min", "max", "doublings")
    return RetryPolicy(
        count=inside.whole("count", 0, RETRIES_MAX, 0),
        backoff_min=inside.length("min", MICROSECOND, LENGTH_MAX) or default.backoff_min,
        backoff_max=inside.length("max", MICROSECOND, LENGTH_MAX) or default.backoff_max,
        doublings_max=inside.whole("doublings", 0, 64, default.doublings_max),
    )


def _catch_up(part: Part) -> CatchUp:
    inside = part.part("catch_up")
    if inside is None:
        return CatchUp()
    inside.knows("mode", "window", "runs")
    return CatchUp(
        mode=inside.choice("mode", CatchUpMode) or CatchUpMode.LATEST,
        window=inside.length("window", MICROSECOND, LENGTH_MAX),
        runs_max=inside.whole("runs", 1, CATCH_UP_RUNS_MAX, 1),
    )


def _success(part: Part) -> SuccessCriteria:
    value = part.value.get("success")
    if value is None:
        return SuccessCriteria()
    found = [_STATUSES.fullmatch(str(item)) for item in value] if isinstance(value, list) else []
    ranges = [StatusRange(low=int(each[1]), high=int(each[2] or each[1])) for each in found if each is not None]
    if not ranges or len(ranges) < len(found) or any(each.low > each.high for each in ranges):
        part.refuse("success", 'Must be a list of statuses and ranges of them, such as ["200-299", 304].')
    return SuccessCriteria(statuses=tuple(ranges))


def _signals(part: Part) -> Signals:
    value = part.value.get("adapt")
    adapt = {True: Adapt.ON, False: Adapt.OFF}[value] if isinstance(value, bool) else part.choice("adapt", Adapt)
    inside = part.part("signals") or Part({}, part.at("signals"), part.problems)
    inside.knows(*Signal)
    given = {Signal(key): inside.flag(key, default=True) for key in inside.value if key in set(Signal)}
    return Signals(
        adapt=adapt or Adapt.AUTO,
        off=frozenset(signal for signal, wanted in given.items() if not wanted and signal in ON_BY_DEFAULT),
        on=frozenset(signal for signal, wanted in given.items() if wanted and signal not in ON_BY_DEFAULT),
    )
