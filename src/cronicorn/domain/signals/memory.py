"""What signals remember of an endpoint between answers. All of it is bounded."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cronicorn.domain.fields import Fields, Value, lean
from cronicorn.domain.signals.cusum import Course

COURSES_MAX = 8
"""Numeric fields of one endpoint that are watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalMemory:
    """What the answers so far leave for the next one. The default is that of an endpoint that never answered."""

    etag: str | None = None
    last_modified: str | None = None
    bad: int = 0
    """Bad answers since the last two good ones in a row; stops growing when it no longer matters."""
    good: int = 0
    """Good answers in a row since the last bad one, while `bad` still counts."""
    limited: int = 0
    """Answers in a row with status 429; stops growing like `bad`."""
    courses: tuple[Course, ...] = ()
    """The numeric fields watched, at most COURSES_MAX."""


BLANK = SignalMemory()


def memory_document(memory: SignalMemory) -> dict[str, Value]:
    """*memory* as a document, exactly; an empty one when nothing is remembered."""
    if memory is BLANK:
        return {}
    courses: list[Value] = [[course.name, course.samples, *map(repr, course[2:])] for course in memory.courses]
    return lean({
        "etag": memory.etag,
        "last_modified": memory.last_modified,
        "bad": memory.bad or None,
        "good": memory.good or None,
        "limited": memory.limited or None,
        "courses": courses or None,
    })  # fmt: skip


def memory_of(document: Mapping[str, Value]) -> SignalMemory:
    """The memory that `memory_document` wrote. Raises ValueError for anything else."""
    if not document:
        return BLANK
    fields = Fields(document)
    return SignalMemory(
        etag=fields.text_or_none("etag"),
        last_modified=fields.text_or_none("last_modified"),
        bad=fields.number("bad", 0),
        good=fields.number("good", 0),
        limited=fields.number("limited", 0),
        courses=tuple(map(_course_of, fields.items("courses"))),
    )


def _course_of(item: Value) -> Course:
    match item:
        case [str(name), int(samples), str(mean), str(variance), str(up), str(down)] if not isinstance(samples, bool):
            return Course(name, samples, _finite(mean), _finite(variance), _finite(up), _finite(down))
        case _:
            raise ValueError(f"not the course of a field: {item!r}")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not finite")
    return number
