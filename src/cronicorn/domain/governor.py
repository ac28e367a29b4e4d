"""What holds whatever rules and signals say: how often they may write something new, and how often change their mind.

Clamps are the planner's business; lives and pauses are bounded where hints are written. An endpoint whose answers make
its steering go to and fro is frozen at its baseline for an hour.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from cronicorn.domain.fields import Fields, Value, lean, us
from cronicorn.domain.hint import Author, Hint, HintKind
from cronicorn.domain.instant import shifted

HINTS_MAX = {Author.SIGNAL: 16, Author.MODEL: 16, Author.RULE: 64}
"""How many live hints one endpoint has of each: none of them takes a place of another, or of a person."""
_ROOM_LEAST = min(HINTS_MAX.values())
WINDOW = timedelta(hours=1)
FROZEN_FOR = timedelta(hours=1)
PROBE = "probe:"
"""How the key of an interval begins that only confirms something: it comes and goes without changing anybody's mind."""
_HELD_BACK = {HintKind.INTERVAL, HintKind.ONE_SHOT}
"""What may make calls more frequent. A delay is never refused: it may be what a server in trouble asked for."""


class GovernorEvent(StrEnum):
    """What the governor did with what was asked for."""

    FROZEN = "frozen"
    """The steering went to and fro too often: the endpoint keeps to its baseline for a while."""
    HELD_BACK = "held-back"
    """Something was asked for that does not count while the endpoint is frozen."""
    THAWED = "thawed"
    TOO_MANY_CHANGES = "too-many-changes"
    NO_ROOM = "no-room"
    """More was asked for at once than an endpoint holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GovernorMemory:
    """What rules and signals did to an endpoint in the hour that began with `since`."""

    since: datetime | None = None
    changes: int = 0
    """How often they wrote something new."""
    flips: int = 0
    """How often an interval of theirs came or went."""
    frozen_until: datetime | None = None

    def frozen(self, now: datetime) -> bool:
        """Whether what rules and signals ask for does not count at *now*, but for delays."""
        return self.frozen_until is not None and now < self.frozen_until


class Limits(NamedTuple):
    """How much of it an endpoint bears within an hour."""

    changes_max: int = 120
    flips_max: int = 24


class Governed(NamedTuple):
    """What became of the hints that were asked for."""

    hints: tuple[Hint, ...]
    memory: GovernorMemory
    events: tuple[GovernorEvent, ...] = ()


CALM = GovernorMemory()


def governed(
    before: tuple[Hint, ...], after: tuple[Hint, ...], memory: GovernorMemory, limits: Limits, now: datetime
) -> Governed:
    """*after* as far as it may replace *before*: what rules and signals wrote anew is counted, and too much refused."""
    held = _with_room(after)
    if held is not after:
        result = governed(before, held, memory, limits, now)
        return Governed(result.hints, result.memory, (GovernorEvent.NO_ROOM, *result.events))
    events: tuple[GovernorEvent, ...] = ()
    if memory.frozen_until is not None:
        if memory.frozen(now):
            kept = tuple(hint for hint in after if not _held_back(hint))
            return Governed(kept, memory, () if len(kept) == len(after) else (GovernorEvent.HELD_BACK,))
        events = (GovernorEvent.THAWED,)
    if memory.since is not None and (events or now - memory.since >= WINDOW):
        memory = CALM
    if before == after:
        return Governed(after, memory, events)
    fresh, flips = _news(before, after), _flips(before, after)
    if not fresh and not flips:
        return Governed(after, memory, events)
    if memory.changes + len(fresh) > limits.changes_max:
        after = _without_news(before, after, fresh)
        fresh, flips, events = [], _flips(before, after), (*events, GovernorEvent.TOO_MANY_CHANGES)
    memory = replace(memory, since=memory.since or now, changes=memory.changes + len(fresh), flips=memory.flips + flips)
    if memory.flips <= limits.flips_max:
        return Governed(after, memory, events)
    memory = replace(memory, frozen_until=shifted(now, FROZEN_FOR))
    return Governed(tuple(hint for hint in after if not _held_back(hint)), memory, (*events, GovernorEvent.FROZEN))


def _with_room(hints: tuple[Hint, ...]) -> tuple[Hint, ...]:
    """*hints* without the last ones of an author that has more than there is room for."""
    if len(hints) <= _ROOM_LEAST:
        return hints
    kept, count = [], Counter[Author]()
    for hint in hints:
        count[hint.author] += 1
        if hint.author not in HINTS_MAX or count[hint.author] <= HINTS_MAX[hint.author]:
            kept.append(hint)
    return tuple(kept) if len(kept) < len(hints) else hints


def _news(before: Iterable[Hint], after: Iterable[Hint]) -> list[Hint]:
    """What rules and signals wrote that asks for something else than before. A longer life is no news."""
    known = {hint.id: hint for hint in before}
    return [hint for hint in after if _held_back(hint) and not _alike(hint, known.get(hint.id))]


def _without_news(before: Iterable[Hint], after: Iterable[Hint], fresh: list[Hint]) -> tuple[Hint, ...]:
    """*after* with what stood *before* in the place of what is new."""
    known = {hint.id: hint for hint in before}
    kept = (known.get(hint.id) if hint in fresh else hint for hint in after)
    return tuple(hint for hint in kept if hint is not None)


def _alike(hint: Hint, other: Hint | None) -> bool:
    return other is not None and hint.interval == other.interval and hint.at == other.at


def _flips(before: Iterable[Hint], after: Iterable[Hint]) -> int:
    return len({hint.id for hint in before if _steady(hint)} ^ {hint.id for hint in after if _steady(hint)})


def _steady(hint: Hint) -> bool:
    return hint.kind is HintKind.INTERVAL and _governed(hint) and not hint.key.startswith(PROBE)


def _held_back(hint: Hint) -> bool:
    return hint.kind in _HELD_BACK and _governed(hint)


def _governed(hint: Hint) -> bool:
    return hint.author in {Author.RULE, Author.SIGNAL}


def governor_document(memory: GovernorMemory) -> dict[str, Value]:
    """*memory* as a document; an empty one when nothing happened."""
    return {} if memory is CALM else lean({
        "since_us": us(memory.since),
        "changes": memory.changes or None,
        "flips": memory.flips or None,
        "frozen_until_us": us(memory.frozen_until),
    })  # fmt: skip


def governor_of(document: Mapping[str, Value]) -> GovernorMemory:
    """The memory that `governor_document` wrote. Raises ValueError for anything else."""
    if not document:
        return CALM
    fields = Fields(document)
    return GovernorMemory(
        since=fields.instant_or_none("since_us"),
        changes=fields.number("changes", 0),
        flips=fields.number("flips", 0),
        frozen_until=fields.instant_or_none("frozen_until_us"),
    )
