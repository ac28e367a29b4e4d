"""Hints: time-limited steers of one endpoint, each with its own life, reason and author."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cronicorn.domain.errors import ConflictError

HINTS_MAX = 16
"""How many live hints people may give one endpoint."""
REASON_MAX = 500
"""Characters kept of a reason."""


class HintKind(StrEnum):
    """What a hint asks for."""

    INTERVAL = "interval"
    """Run every `interval` instead of the baseline, slower or faster."""
    ONE_SHOT = "one-shot"
    """Run not later than `at`, once."""
    DEFER = "defer"
    """Do not run before `at`."""
    PAUSE = "pause"
    """Do not run at all before `at`, whatever the guardrails say; then run."""


class Author(StrEnum):
    """Who wrote a hint, weakest first."""

    SIGNAL = "signal"
    MODEL = "model"
    RULE = "rule"
    PERSON = "person"

    @property
    def rank(self) -> int:
        """Precedence between authors: person > rule > model > signal."""
        return _RANKS[self]


_RANKS = {author: rank for rank, author in enumerate(Author)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """A steer that lasts until `expires_at`."""

    kind: HintKind
    author: Author
    written_at: datetime
    expires_at: datetime
    interval: timedelta | None = None
    at: datetime | None = None
    reason: str | None = None
    priority: int = 0
    key: str = ""
    """Tells apart several hints of one kind and author, such as those of two rules."""

    def __post_init__(self) -> None:
        assert (self.interval is not None) == (self.kind is HintKind.INTERVAL)
        assert (self.at is not None) == (self.kind is not HintKind.INTERVAL)

    @property
    def id(self) -> str:
        """A later hint with the same id replaces this one."""
        return hint_id(self.author, self.kind, self.key)

    def fresh(self, now: datetime) -> bool:
        """Whether the hint still counts: strictly before its expiry."""
        return self.expires_at > now


def hint_id(author: Author, kind: HintKind, key: str) -> str:
    """What the hint of *author* of that *kind* is called; by *key* they tell several apart."""
    return f"{author}:{kind}:{key}" if key else f"{author}:{kind}"


def fresh_hints(hints: Iterable[Hint], now: datetime) -> tuple[Hint, ...]:
    """The hints that still count at *now*, in their order."""
    return tuple([hint for hint in hints if hint.expires_at > now])


def with_hint(hints: Iterable[Hint], hint: Hint, now: datetime) -> tuple[Hint, ...]:
    """*hints* less the lapsed ones, with a person's *hint* in the place of its namesake.

    Raises ConflictError where people have given HINTS_MAX others.
    """
    kept = replaced(hints, hint, now)
    if sum(other.author is hint.author for other in kept) > HINTS_MAX:
        raise ConflictError(f"The endpoint already has {HINTS_MAX} live hints of people; clear some first.")
    return kept


def replaced(hints: Iterable[Hint], hint: Hint, now: datetime) -> tuple[Hint, ...]:
    """*hints* less the lapsed ones, with *hint* in the place of its namesake."""
    return (*(other for other in fresh_hints(hints, now) if other.id != hint.id), hint)


def without_steering(hints: Iterable[Hint]) -> tuple[Hint, ...]:
    """*hints* without those that a person clears at once: all but the pauses."""
    return tuple(hint for hint in hints if hint.kind is HintKind.PAUSE)


def without_model(hints: Iterable[Hint]) -> tuple[Hint, ...]:
    """*hints* without those of the model, its pauses among them."""
    return tuple(hint for hint in hints if hint.author is not Author.MODEL)


def without_pauses(hints: Iterable[Hint]) -> tuple[Hint, ...]:
    """*hints* with every pause lifted, whoever wrote it."""
    return tuple(hint for hint in hints if hint.kind is not HintKind.PAUSE)


def paused_until(hints: Iterable[Hint], now: datetime) -> datetime | None:
    """The end of the longest pause in force at *now*, or None. A pause that has lapsed is over, wherever it ends."""
    until = None
    for hint in hints:
        if hint.kind is HintKind.PAUSE and hint.fresh(now) and hint.at is not None and hint.at > (until or now):
            until = hint.at
    return until
