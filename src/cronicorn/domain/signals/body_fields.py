"""What the top level of a JSON body says by the names of its fields: intervals, ends to come, and measurements."""

import re
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from cronicorn.domain.json_body import Json, number_of
from cronicorn.domain.signals.cusum import MAGNITUDE_MAX
from cronicorn.domain.signals.memory import COURSES_MAX

FIELDS_READ = 256
"""Of a wider object only the first ones are looked at."""
NAME_CHARACTERS_MAX = 64
"""Longer names say nothing."""

_NAMES_REMEMBERED, _CHARACTERS_REMEMBERED = 64, 2_048

_UNITS = {"_ms": 0.001, "_s": 1.0, "_seconds": 1.0, "_minutes": 60.0}


class _Role(Enum):
    INTERVAL = "interval"
    ETA = "eta"
    MEASURED = "measured"


_STEMS = {
    "suggested_interval": _Role.INTERVAL,
    "poll_after": _Role.INTERVAL,
    "next_poll": _Role.INTERVAL,
    "poll_interval": _Role.INTERVAL,
    "eta": _Role.ETA,
    "estimated_completion": _Role.ETA,
    "retry_in": _Role.ETA,
}
_LENGTHS = {
    f"{stem}{unit}": (role, seconds) for stem, role in _STEMS.items() for unit, seconds in _UNITS.items()
}  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MEASURED = re.compile(
    r"errors?|fail(ed|ures?|ing)?|latency|latencies|lag(ging)?|queued?|pending|backlog|rate|depth|avg|average|mean|median"
    r"|value|duration|delay(ed)?|timeouts?|retries|waiting|dropped|rejected|stale"
)
_NOT_MEASURED = frozenset({
    "cpu", "mem", "memory", "load", "limit", "threshold", "total", "id", "at", "timestamp", "version",
})  # fmt: skip


class Length(NamedTuple):
    """A length of time that a field gives."""

    name: str
    shown: str
    """The value as it stood there."""
    seconds: float


class Told(NamedTuple):
    """What the fields of one body tell."""

    interval: Length | None
    eta: Length | None
    measured: tuple[tuple[str, float], ...]
    """Numeric fields worth watching, at most COURSES_MAX."""


NOTHING_TOLD = Told(None, None, ())


def told(body: Json) -> Told:
    """What *body* tells; of several fields that say the same kind of thing, the first counts."""
    if type(body) is not dict:
        return NOTHING_TOLD
    names = tuple(body) if len(body) <= FIELDS_READ else tuple(islice(body, FIELDS_READ))
    # The next answer has the same names. Few and short ones are remembered, so that all of them take little memory.
    few = len(names) <= _NAMES_REMEMBERED and sum(map(len, names)) <= _CHARACTERS_REMEMBERED
    telling = _telling_of(names) if few else _telling(names)
    if not telling:
        return NOTHING_TOLD
    interval = eta = None
    measured: list[tuple[str, float]] = []
    for name, role, unit in telling:
        value = body[name]
        number = number_of(value)
        if number is None:
            continue
        if role is _Role.MEASURED:
            if len(measured) < COURSES_MAX and -MAGNITUDE_MAX <= number <= MAGNITUDE_MAX:
                measured.append((name, number))
        elif number > 0:
            length = Length(name, str(value), number * unit)
            if role is _Role.INTERVAL:
                interval = interval or length
            else:
                eta = eta or length
    return Told(interval, eta, tuple(measured))


def _telling(names: Iterable[str]) -> tuple[tuple[str, _Role, float], ...]:
    """Those of *names* that tell something, and what."""
    known = ((name, *_role(name)) for name in names if len(name) <= NAME_CHARACTERS_MAX)
    return tuple((name, role, unit) for name, role, unit in known if role is not None)


_telling_of = lru_cache(maxsize=256)(_telling)


@lru_cache(maxsize=1_024)
def _role(name: str) -> tuple[_Role | None, float]:
    """What *name* is the name of, and the seconds in its unit."""
    known = _LENGTHS.get(name)
    if known is not None:
        return known
    return (_Role.MEASURED if _is_measured(name) else None), 1.0


def _is_measured(name: str) -> bool:
    """Whether *name* is that of a measurement whose change matters, such as `error_rate_pct` or `queueDepth`.

    Processor, memory and load are left out: which way is worse depends; so are totals, which only grow.
    """
    if not name.isascii() or not name.isprintable():
        return False
    words = [word.lower() for word in _WORD.findall(name)]
    return not _NOT_MEASURED.intersection(words) and any(map(_MEASURED.fullmatch, words))
