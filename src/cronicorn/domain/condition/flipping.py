"""Which values of one number would turn a condition round.

Where a field is only ever compared with what does not depend on it, the condition can change at those thresholds and
nowhere between. So one number tried at each threshold and one between each two tell the verdict for all numbers.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cronicorn.domain.condition.evaluation import Verdict, reading_of
from cronicorn.domain.condition.kinds import Values
from cronicorn.domain.condition.nodes import Choice, Comparison, FieldRead, Membership, Node, Presence, names_in
from cronicorn.domain.condition.readings import as_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A stretch of numbers that would turn a condition round."""

    statement: str
    bounds: int
    """How many comparisons state it: 1 or 2."""
    distance: float
    """How far its nearer end is, as a share of the number there or the number now, the larger of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """All numbers, cut at thresholds: stretch 2i lies below threshold i, stretch 2i + 1 is that threshold itself."""

    name: str
    now: float
    thresholds: Sequence[float]
    texts: Sequence[str]
    turned: Sequence[bool]


def flips_of(name: str, leaves: Sequence[Node], verdict: Verdict, values: Values) -> list[Flip]:
    """The nearest stretches below and above that would turn *verdict* round, were *name* one of their numbers.

    Empty when there is none, when *name* has no number now, and when more is done with it than comparing.
    """
    now = as_number(values.get(name))
    named = _named(name, leaves, values)
    if now is None or math.isnan(now) or not named:
        return []
    thresholds = sorted(named)
    wanted = not verdict(values)
    line = _Line(
        name=name,
        now=now,
        thresholds=thresholds,
        texts=[named[threshold] for threshold in thresholds],
        turned=[verdict({**values, name: number}) is wanted for number in _tried(thresholds)],
    )
    return list(_flips(line))


def _named(name: str, leaves: Sequence[Node], values: Values) -> Mapping[float, str]:
    """The numbers that *name* is compared with, as the text has them. None at all if that does not tell everything."""
    named: dict[float, str] = {}
    for leaf in leaves:
        others = _others(name, leaf)
        if others is None:
            return {}
        for other in others:
            number = as_number(reading_of(other)(values))
            if number is None or math.isnan(number):
                continue  # such a comparison says the same for all numbers
            if math.isinf(number):
                return {}
            named.setdefault(number, f"({other.quote.text})" if isinstance(other, Choice) else other.quote.text)
    return named


def _others(name: str, leaf: Node) -> Sequence[Node] | None:
    """What *leaf* compares *name* with; None when it does something else with it."""
    match leaf:
        case (
            Comparison(left=FieldRead(name=left), right=other) | Comparison(left=other, right=FieldRead(name=left))
        ) if left == name and name not in names_in(other):
            return (other,)
        case Membership(operand=FieldRead(), options=options):
            return options if name in names_in(leaf) else ()
        case Presence():
            return ()
        case _:
            return None if name in names_in(leaf) else ()


def _tried(thresholds: Sequence[float]) -> Iterator[float]:
    """One number of each stretch, in order."""
    for low, high in pairwise([-math.inf, *thresholds, math.inf]):
        if math.isinf(low):
            yield math.nextafter(high, low)
        elif math.isinf(high):
            yield math.nextafter(low, high)
        else:
            yield low / 2 + high / 2
        if not math.isinf(high):
            yield high


def _flips(line: _Line) -> Iterator[Flip]:
    here = _stretch_of_now(line)
    below, above = (
        [i for i in range(here) if line.turned[i]],
        [i for i in range(here + 1, len(line.turned)) if line.turned[i]],
    )
    if here % 2 and len(below) + len(above) == len(line.turned) - 1:
        yield Flip(statement=f"{line.name} != {line.texts[here // 2]}", bounds=1, distance=0.0)
        return
    if below:
        first = last = below[-1]
        while first > 0 and line.turned[first - 1]:
            first -= 1
        yield _flip(line, first, last, line.thresholds[last // 2])
    if above:
        first = last = above[0]
        while last + 1 < len(line.turned) and line.turned[last + 1]:
            last += 1
        yield _flip(line, first, last, line.thresholds[(first - 1) // 2])


def _stretch_of_now(line: _Line) -> int:
    above = bisect_left(line.thresholds, line.now)
    return 2 * above + (above < len(line.thresholds) and line.thresholds[above] == line.now)


def _flip(line: _Line, first: int, last: int, edge: float) -> Flip:
    """The stretches from *first* to *last*, of which *edge* is the nearer end."""
    bounds = []
    if first == last and first % 2:
        bounds.append(f"{line.name} == {line.texts[first // 2]}")
    else:
        if first > 0:
            bounds.append(f"{line.name} {'>=' if first % 2 else '>'} {line.texts[(first - 1) // 2]}")
        if last < len(line.turned) - 1:
            bounds.append(f"{line.name} {'<=' if last % 2 else '<'} {line.texts[last // 2]}")
    return Flip(statement=" && ".join(bounds), bounds=len(bounds), distance=_distance(line.now, edge))


def _distance(now: float, edge: float) -> float:
    if now == edge or math.isinf(now):
        return 0.0 if now == edge else math.inf
    return abs(now - edge) / max(abs(now), abs(edge))
