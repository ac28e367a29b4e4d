"""When endpoints will call in a span of time, if every run succeeds at once and nobody steers.

It costs little, whatever the pace. Intervals are reckoned, not walked. Cron instants are walked, those of one schedule
once, and no more than CRON_INSTANTS_MAX in all: what is denser goes on at the pace of its beginning.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from cronicorn.domain.cadence import Grid
from cronicorn.domain.cron import CronSchedule
from cronicorn.domain.endpoint import BaselineKind, JobEndpoint
from cronicorn.domain.hint import HintKind, fresh_hints
from cronicorn.domain.instant import INTERVAL_LEAST, MICROSECOND, ZERO, shifted
from cronicorn.domain.ports import Cron
from cronicorn.domain.preview import PREVIEW_MAX, preview

CRON_INSTANTS_MAX = 20_000
INSTANTS_OF_SCHEDULE_MAX = 1_500
"""One a minute for a day."""
APART_MAX = 500
"""Of so many runs of a stretch, what a maximum adds between them is reckoned one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvenCalls:
    """Calls that come evenly."""

    first_at: datetime
    step: timedelta
    number: int

    def __post_init__(self) -> None:
        assert self.number >= 1
        assert self.step > ZERO

    @property
    def last_at(self) -> datetime:
        return self.first_at + (self.number - 1) * self.step

    def instants(self) -> Iterator[datetime]:
        """All of them, in order."""
        return (self.first_at + place * self.step for place in range(self.number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What an endpoint will call in a span."""

    stretches: tuple[EvenCalls, ...] = ()
    """In order."""
    whole: bool = True
    """Whether all is told; else calls after the last of these may come, which were too many to reckon."""

    @property
    def count(self) -> int:
        """How many calls there are."""
        return sum(stretch.number for stretch in self.stretches)

    def instants(self) -> Iterator[datetime]:
        """All of them, in order."""
        return (at for stretch in self.stretches for at in stretch.instants())


class Forecaster:
    """Foresees endpoints from `since` to `until`, neither before *now*."""

    def __init__(self, cron: Cron, now: datetime, since: datetime, until: datetime) -> None:
        self.since = max(now, since)
        self.until = until
        self._now = now
        self._cron = cron
        self._left = CRON_INSTANTS_MAX
        self._known: dict[tuple[CronSchedule, timedelta], Forecast] = {}

    def foresee(self, endpoint: JobEndpoint) -> Forecast:
        """What *endpoint* will call."""
        due_at = endpoint.state.due_at
        first_at = max(due_at, self._now) if due_at is not None else None
        if first_at is None or first_at > self.until:
            return Forecast()
        if endpoint.baseline.kind in {BaselineKind.ONCE, BaselineKind.DORMANT}:
            return self._stepped(endpoint)
        steered, begins = self._steered(endpoint, first_at)
        if endpoint.baseline.kind is BaselineKind.CRON:
            baseline = _after(self._cron_instants(endpoint), begins)
        else:
            baseline = Forecast(stretches=self._reckoned(endpoint, begins))
        guarded = tuple(_guarded(endpoint, baseline.stretches, begins, self.until))
        return replace(baseline, stretches=(*self._within(steered), *self._within(guarded)))

    def _steered(self, endpoint: JobEndpoint, first_at: datetime) -> tuple[tuple[EvenCalls, ...], datetime]:
        """What comes first, while a hint for an interval counts, and the last instant of that.

        The run that is planned while the hint still counts comes after its end. Of several hints the pace of the first
        is taken until the last one ends.
        """
        hints = [hint for hint in fresh_hints(endpoint.state.hints, self._now) if hint.kind is HintKind.INTERVAL]
        ends_at = max((hint.expires_at for hint in hints), default=first_at)
        if ends_at <= first_at:
            return (_alone(first_at),), first_at
        planned = [plan.next_run_at for plan in preview(endpoint, self._now, self._cron, 2)]
        if len(planned) < 2 or planned[0] is None or planned[1] is None:  # noqa: PLR2004 - the distance of two
            return (_alone(first_at),), first_at
        step = planned[1] - planned[0]
        assert step > ZERO  # Plans of a preview come one after the other.
        number = min(-((first_at - ends_at) // step), (self.until - first_at) // step)
        even = EvenCalls(first_at=first_at, step=step, number=number + 1)
        return (even,), even.last_at

    def _within(self, stretches: tuple[EvenCalls, ...]) -> tuple[EvenCalls, ...]:
        """*stretches* without what lies outside of the span."""
        cut = (_cut(each, self.since, self.until) for each in stretches)
        return tuple(each for each in cut if each is not None)

    def _stepped(self, endpoint: JobEndpoint) -> Forecast:
        """What an endpoint without a cadence of its own calls: once, or as long as hints last."""
        planned = [plan.next_run_at for plan in preview(endpoint, self._now, self._cron, PREVIEW_MAX)]
        stretches = tuple(_alone(at) for at in planned if at is not None)
        return Forecast(stretches=self._within(stretches), whole=len(planned) < PREVIEW_MAX)

    def _reckoned(self, endpoint: JobEndpoint, begins: datetime) -> tuple[EvenCalls, ...]:
        """What comes after *begins* at an interval."""
        length, next_at = endpoint.baseline.length, Grid(endpoint, self._cron).next(begins)
        if next_at is None:  # Without an anchor each run counts from the one before, whatever made that come.
            length = min(length, endpoint.interval_max or length)
        first_at = next_at if next_at is not None else shifted(begins, length)
        if first_at > self.until or length < MICROSECOND:
            return ()
        return (EvenCalls(first_at=first_at, step=length, number=(self.until - first_at) // length + 1),)

    def _cron_instants(self, endpoint: JobEndpoint) -> Forecast:
        grid = Grid(endpoint, self._cron)
        key = endpoint.baseline.cron_schedule, grid.offset
        if key not in self._known:
            most = min(INSTANTS_OF_SCHEDULE_MAX, self._left)
            found = list(islice(grid.between(shifted(self.since, -MICROSECOND), self.until), most))
            self._left -= len(found)
            self._known[key] = self._walked(found, cut=len(found) == most)
        return self._known[key]

    def _walked(self, found: list[datetime], *, cut: bool) -> Forecast:
        """Instants of a cron schedule; what was *cut* off goes on at their pace."""
        stretches = _gathered(found)
        if not cut or len(found) < 2:  # noqa: PLR2004 - one has no pace
            return Forecast(stretches=tuple(stretches), whole=not cut)
        pace = (found[-1] - found[0]) / (len(found) - 1)
        further = (self.until - found[-1]) // pace
        if further:
            stretches.append(EvenCalls(first_at=found[-1] + pace, step=pace, number=further))
        return Forecast(stretches=tuple(stretches))


def _gathered(found: list[datetime]) -> list[EvenCalls]:
    """*found* with what comes evenly taken together."""
    stretches: list[EvenCalls] = []
    place = 0
    while place < len(found):
        end = place + 1
        step = found[end] - found[place] if end < len(found) else MICROSECOND
        while end < len(found) and found[end] - found[end - 1] == step:
            end += 1
        stretches.append(EvenCalls(first_at=found[place], step=step, number=end - place))
        place = end
    return stretches


def _guarded(
    endpoint: JobEndpoint, stretches: Iterable[EvenCalls], begins: datetime, until: datetime
) -> Iterator[EvenCalls]:
    """*stretches*, which follow a run at *begins*, as the guardrails let them come: not sooner, and not later."""
    least, most, last = endpoint.interval_min or ZERO, endpoint.interval_max, begins
    if most is not None and most < INTERVAL_LEAST:
        most = None  # Nothing drives an endpoint so fast.
    for part in (part for stretch in stretches for part in _apart(stretch, most)):
        yield from _filled(last, part.first_at, most)
        slowed = _slowed(part, last, least)
        if slowed is not None:
            yield slowed
            last = slowed.last_at
    yield from _filled(last, shifted(until, MICROSECOND), most)


def _apart(stretch: EvenCalls, most: timedelta | None) -> Iterable[EvenCalls]:
    """*stretch* in parts between which nothing has to come for *most*: of many runs, at about their pace."""
    if most is None or stretch.step <= most or stretch.number == 1:
        return (stretch,)
    if stretch.number <= APART_MAX:
        return map(_alone, stretch.instants())
    number = (stretch.last_at - stretch.first_at) // most + 1
    return (EvenCalls(first_at=stretch.first_at, step=most, number=number),)


def _alone(at: datetime) -> EvenCalls:
    return EvenCalls(first_at=at, step=MICROSECOND, number=1)


def _slowed(stretch: EvenCalls, last: datetime, least: timedelta) -> EvenCalls | None:
    """*stretch* after a run at *last*, with no two runs closer than *least*; None where nothing is left of it.

    What would come too soon comes later, and its last run maybe after its end.
    """
    if stretch.first_at - last >= least and (stretch.number == 1 or stretch.step >= least):
        return stretch
    if stretch.last_at <= last:
        return None
    first_at, step = max(stretch.first_at, last + least), max(stretch.step, least)
    return EvenCalls(first_at=first_at, step=step, number=max(0, -((first_at - stretch.last_at) // step)) + 1)


def _filled(last: datetime, until: datetime, most: timedelta | None) -> Iterator[EvenCalls]:
    """What comes between runs at *last* and *until*, no two further apart than *most*."""
    if most is None:
        return
    number = -((last - until) // most) - 1
    if number >= 1:
        yield EvenCalls(first_at=last + most, step=most, number=number)


def _after(forecast: Forecast, begins: datetime) -> Forecast:
    """*forecast* without what does not come after *begins*."""
    if not forecast.stretches or forecast.stretches[0].first_at > begins:
        return forecast
    last = forecast.stretches[-1].last_at
    cut = (_cut(each, shifted(begins, MICROSECOND), last) for each in forecast.stretches)
    return replace(forecast, stretches=tuple(each for each in cut if each is not None))


def _cut(stretch: EvenCalls, since: datetime, until: datetime) -> EvenCalls | None:
    """What of *stretch* lies from *since* to *until*."""
    passed = max(0, -((stretch.first_at - since) // stretch.step)) if stretch.first_at < since else 0
    if passed >= stretch.number or stretch.first_at + passed * stretch.step > until:
        return None
    first_at = stretch.first_at + passed * stretch.step
    number = min(stretch.number - passed, (until - first_at) // stretch.step + 1)
    return EvenCalls(first_at=first_at, step=stretch.step, number=number)
