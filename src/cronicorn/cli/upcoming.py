"""The instants of a cron expression, one after another."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from cronicorn.domain.cron import CronSchedule, DstGap, DstOverlap
from cronicorn.domain.errors import InvalidInputError
from cronicorn.wiring.timekeeping import cron

E = TypeVar("E", bound=StrEnum)


def schedule_of(expression: str, zone: str, gap: str, overlap: str) -> CronSchedule:
    """The schedule these words mean. Raises InvalidInputError for an unknown policy."""
    return CronSchedule(
        expression, zone, _policy(DstGap, "--dst-gap", gap), _policy(DstOverlap, "--dst-overlap", overlap)
    )


def upcoming(schedule: CronSchedule, after: datetime) -> Iterator[datetime]:
    """The instants of *schedule* after *after*, in order. Raises InvalidInputError when there is none at all."""
    evaluator = cron()
    instant = evaluator.next(schedule, after)
    if instant is None:
        evaluator.check(schedule, after)
    while instant is not None:
        yield instant
        instant = evaluator.next(schedule, instant)


def _policy(policies: type[E], option: str, word: str) -> E:
    try:
        return policies(word.lower().replace("-", "_"))
    except ValueError:
        known = ", ".join(policies)
        raise InvalidInputError(f"{option} is {word!r}, but must be one of {known}.") from None
