"""The slots of an endpoint that are on record, newest first: what its timeline is drawn from. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from cronicorn.domain.cells import Cell, Row, number_in
from cronicorn.domain.fields import us
from cronicorn.domain.instant import FIRST_INSTANT, LAST_INSTANT
from cronicorn.domain.rows import skip_from
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.slot import Skip

_HIGHEST = 1 << 62
SPANNING_MAX = 20
"""So many ranges that end after a span are looked through for those that begin in it; ranges hardly ever overlap."""


class SlotPlace(NamedTuple):
    """Where slots stand in the list: the greatest comes first. Nothing that is added later moves it."""

    at: datetime
    """When the first attempt began; of what did not run the last instant."""
    ran: bool
    number: int
    """Of the slot; of what did not run, that under which it was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotQuery:
    """Which slots of an endpoint are wanted, newest first."""

    limit: int
    since: datetime | None = None
    """What began at this instant or later, and ranges that end then or later."""
    until: datetime | None = None
    """What began at this instant or earlier, ranges too."""
    after: SlotPlace | None = None
    """The place of the last one of the page before; None begins at the beginning."""

    @property
    def spans_end(self) -> bool:
        """Whether there may be ranges that begin in the span, end after it, and are still to be told."""
        return self.until is not None and (self.after is None or self.after.at > self.until)

    @property
    def _last_at(self) -> datetime:
        ends = (self.until, self.after.at if self.after is not None else None)
        return min((end for end in ends if end is not None), default=LAST_INSTANT)

    def ran_row(self) -> Row:
        """What a statement is told that reads first attempts, one more than wanted."""
        after = self.after
        return {
            "since_us": us(self.since or FIRST_INSTANT),
            "until_us": us(self._last_at),
            "after_us": us(after.at if after is not None else LAST_INSTANT),
            "after_number": _HIGHEST if after is None else after.number if after.ran else 0,
            "most": self.limit + 1,
        }

    def skipped_row(self) -> Row:
        """The same, of one that reads ranges that did not run. Where both stand at one instant runs come first."""
        after = self.after
        return self.ran_row() | {"after_number": _HIGHEST if after is None or after.ran else after.number}


@dataclass(frozen=True, slots=True, kw_only=True)
class RanSlot:
    """A slot with its attempts that are still on record, without bodies, the first one first."""

    runs: tuple[Run, ...]

    @property
    def place(self) -> SlotPlace:
        first = self.runs[0]
        return SlotPlace(first.started_at, ran=True, number=first.slot)


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedSlots:
    """Instants that did not run, under the number by which they were recorded."""

    number: int
    skip: Skip

    @property
    def place(self) -> SlotPlace:
        return SlotPlace(self.skip.last_at, ran=False, number=self.number)


PastSlot: TypeAlias = RanSlot | SkippedSlots


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPage:
    """One page of slots, and whether there are more."""

    slots: tuple[PastSlot, ...]
    more: bool


def slot_page(query: SlotQuery, ran: Iterable[RanSlot], skipped: Iterable[SkippedSlots]) -> SlotPage:
    """The page that *query* asks for, of slots among which the newest of both kinds are."""
    known: list[PastSlot] = [*ran, *skipped]
    wanted = [each for each in known if _wanted(each, query)]
    wanted.sort(key=lambda each: each.place, reverse=True)
    return SlotPage(slots=tuple(wanted[: query.limit]), more=len(wanted) > query.limit)


def _wanted(slot: PastSlot, query: SlotQuery) -> bool:
    begins_at = slot.skip.first_at if isinstance(slot, SkippedSlots) else slot.place.at
    return (
        (query.since is None or slot.place.at >= query.since)
        and (query.until is None or begins_at <= query.until)
        and (query.after is None or slot.place < query.after)
    )


def retried(first: Iterable[Run]) -> list[int]:
    """The slots of *first* attempts that may have had another one."""
    return [run.slot for run in first if run.status is not RunStatus.SUCCESS]


def with_retries(first: Sequence[Run], more: Iterable[Run]) -> list[RanSlot]:
    """The slots of *first* attempts, with those of *more* that came after."""
    attempts = {run.slot: [run] for run in first}
    for run in more:
        if run.attempt > attempts[run.slot][0].attempt:
            attempts[run.slot].append(run)
    return [RanSlot(runs=tuple(attempts[run.slot])) for run in first]


def skipped_from(row: Mapping[str, Cell]) -> SkippedSlots:
    """The slots that a row of `skips` tells of."""
    return SkippedSlots(number=number_in(row["number"]), skip=skip_from(row))
