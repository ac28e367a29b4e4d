"""The few shapes that charts are made of, as text that is safe whatever it holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from cronicorn.domain.instant import DAY

_STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        5, 10, 30, 60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600,
    )
)  # fmt: skip
_MIDNIGHT = datetime(1970, 1, 5, tzinfo=UTC)
"""A Monday, so that weeks begin where people expect it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeScale:
    """Where instants lie between `left` and `right`; what is outside lies on the edge."""

    since: datetime
    until: datetime
    left: float
    right: float

    def x(self, at: datetime) -> float:
        """Where *at* lies."""
        share = (at - self.since) / (self.until - self.since)
        return self.left + min(1.0, max(0.0, share)) * (self.right - self.left)

    def holds(self, at: datetime) -> bool:
        """Whether *at* is in the span."""
        return self.since <= at <= self.until

    def ticks(self, most: int = 8) -> Sequence[tuple[datetime, str]]:
        """At most *most* round instants with what stands beside each."""
        span = self.until - self.since
        step = next((each for each in _STEPS if span / each <= most), span / most)
        first, last = -((_MIDNIGHT - self.since) // step), (self.until - _MIDNIGHT) // step
        numbers = range(
            first, min(first + most - 1, last) + 1
        )  # No instant after the span is ever made: it may be none.
        return [(at, _tick(at, step)) for at in (_MIDNIGHT + number * step for number in numbers)]


def tag(name: str, *inner: str, **attributes: object) -> Markup:
    """An element. Text in *inner* and values of *attributes* are escaped; `class_` is `class`, and `_` is `-`."""
    told = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _value(value)) for key, value in attributes.items()
    )
    if not inner:
        return Markup("<{}{}/>").format(name, told)
    return Markup("<{0}{1}>{2}</{0}>").format(name, told, joined(inner))


def joined(parts: Iterable[str]) -> Markup:
    """*parts* beside each other, escaped where they are plain text."""
    return Markup("").join(escape(part) for part in parts)


def _value(value: object) -> object:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value


def _tick(at: datetime, step: timedelta) -> str:
    if step >= DAY or (at - _MIDNIGHT) % DAY == timedelta(0):
        return at.strftime("%d %b")
    return at.strftime("%H:%M:%S" if step < timedelta(minutes=1) else "%H:%M")
