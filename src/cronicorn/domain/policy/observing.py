"""Reading an answer: from a body and what HTTP says of it to the values of declared fields."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, assert_never

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.instant import EPOCH, MICROSECOND
from cronicorn.domain.json_body import Json, number_of
from cronicorn.domain.policy.memory import FieldMemory, PolicyMemory
from cronicorn.domain.policy.policy import Aggregate, FieldType, HttpFact, Policy, PolicyField

TEXT_MAX = 500
"""A longer text is not read: nothing is compared with a part of it."""
_MILLISECONDS_FROM = 1e11
"""A larger number of an instant counts milliseconds: as seconds it would be after the year 5000."""
_BITS_MAX = 256
"""A longer whole number is no name of anything."""
_NOTHING = FieldMemory()


class Seen(NamedTuple):
    """An answer, as fields read it."""

    at: datetime
    body: Json
    ok: bool
    status: int | None = None
    latency_ms: float = 0.0
    failures: int = 0
    retry_after: float | None = None


class Observed(NamedTuple):
    """The values of all fields that are known, and what is remembered of them."""

    values: dict[str, Scalar]
    fields: Mapping[str, FieldMemory]
    unexpected: tuple[str, ...] = ()
    """Fields whose text is none of those they were declared to have."""


def observed(policy: Policy, memory: PolicyMemory, seen: Seen, sibling: str | None = None) -> Observed:
    """What *policy* knows after the endpoint answered, or *sibling* did. What an answer leaves out is unknown."""
    values: dict[str, Scalar] = {}
    kept, keep_all = dict(memory.fields), bool(policy.siblings)
    unexpected = []
    body = seen.body if type(seen.body) is dict else {}
    for name, member in policy.numbers:
        number = number_of(body.get(member))
        if number is not None:
            values[name] = number
    for field in policy.fields_of_answers:
        if field.sibling == sibling:
            value = _read(field, seen)
            if value is not None and field.enum and value not in field.enum:
                unexpected.append(field.name)
            if keep_all or field.agg is not None:
                value = _remembered(field, value, seen.at, kept)
        else:
            value = _recalled(field, kept.get(field.name, _NOTHING), seen.at)
        if value is not None:
            values[field.name] = value
    return Observed(values, kept if kept != memory.fields else memory.fields, tuple(unexpected))


def _read(field: PolicyField, seen: Seen) -> Scalar | None:
    if field.path is not None:
        found = field.path.found_in(seen.body)
        return _typed(field.type, found)
    match field.http:
        case HttpFact.STATUS:
            return None if seen.status is None else float(seen.status)
        case HttpFact.LATENCY_MS:
            return seen.latency_ms
        case HttpFact.FAILURES:
            return float(seen.failures)
        case HttpFact.RETRY_AFTER:
            return seen.retry_after
        case HttpFact.OK | None:
            return seen.ok
        case _:
            assert_never(field.http)


def _typed(kind: FieldType, value: Json) -> Scalar | None:
    if kind is FieldType.BOOL:
        return value if isinstance(value, bool) else None
    if kind is FieldType.STRING:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = f"{value:.15g}" if isinstance(value, float) else _whole(value)
        return value if isinstance(value, str) and len(value) <= TEXT_MAX else None
    return _seconds(value) if kind is FieldType.INSTANT else number_of(value)


def _whole(value: int) -> str | None:
    return str(value) if value.bit_length() <= _BITS_MAX else None


def _seconds(value: Json) -> float | None:
    """An instant in seconds since 1970."""
    number = number_of(value)
    if number is not None:
        return number / 1_000 if abs(number) >= _MILLISECONDS_FROM else number
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            at = read(value)
            return ((at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - EPOCH) / MICROSECOND / 1e6
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _remembered(field: PolicyField, value: Scalar | None, now: datetime, kept: dict[str, FieldMemory]) -> Scalar | None:
    """Keep *value* for as long as it is looked back on; what the field is now."""
    if field.agg is None:
        kept[field.name] = FieldMemory(samples=((now, value),) if value is not None else ())
        return value
    if value is None:
        return None
    samples = kept.get(field.name, _NOTHING).samples
    kept[field.name] = FieldMemory(samples=(*samples, (now, value))[-field.window :])
    return _aggregated(field.agg, kept[field.name].samples)


def _recalled(field: PolicyField, memory: FieldMemory, now: datetime) -> Scalar | None:
    """What the field was when it was last read, if that still counts."""
    if not memory.samples or (field.age_max is not None and now - memory.samples[-1][0] > field.age_max):
        return None
    return memory.samples[-1][1] if field.agg is None else _aggregated(field.agg, memory.samples)


def _aggregated(agg: Aggregate, samples: Sequence[tuple[datetime, Scalar]]) -> Scalar | None:
    """What *agg* makes of *samples*; unknown where it is beyond what a number holds."""
    last = samples[-1][1]
    match agg:
        case Aggregate.COUNT_TRUE:
            return float(sum(value is True for _, value in samples))
        case Aggregate.PREVIOUS:
            return samples[-2][1] if len(samples) > 1 else None
        case Aggregate.CHANGED:
            return last != samples[-2][1] if len(samples) > 1 else None
        case _:
            try:
                return _of_numbers(agg, [(at, value) for at, value in samples if isinstance(value, float)])
            except (OverflowError, ValueError):  # fsum and float ** raise where + and * give inf or nan
                return None


def _of_numbers(agg: Aggregate, samples: list[tuple[datetime, float]]) -> float | None:
    numbers = [value for _, value in samples]
    match agg:
        case Aggregate.AVG:
            result = math.fsum(numbers) / len(numbers)
        case Aggregate.MIN:
            result = min(numbers)
        case Aggregate.MAX:
            result = max(numbers)
        case _ if len(numbers) == 1:
            return None
        case Aggregate.DELTA:
            result = numbers[-1] - numbers[0]
        case Aggregate.SLOPE_PER_MIN:
            return _slope(samples)
        case _:
            raise AssertionError(agg)
    return result if math.isfinite(result) else None


def _slope(samples: list[tuple[datetime, float]]) -> float | None:
    """Growth in a minute, by least squares."""
    minutes = [(at - samples[0][0]).total_seconds() / 60 for at, _ in samples]
    mean_x, mean_y = math.fsum(minutes) / len(minutes), math.fsum(value for _, value in samples) / len(samples)
    spread = math.fsum((x - mean_x) ** 2 for x in minutes)
    if spread == 0.0:
        return None
    slope = math.fsum((x - mean_x) * (value - mean_y) for x, (_, value) in zip(minutes, samples, strict=True)) / spread
    return slope if math.isfinite(slope) else None
