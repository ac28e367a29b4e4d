"""Writing the hints of signals, within what signals may do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from cronicorn.domain.hint import Author, Hint, HintKind
from cronicorn.domain.instant import INTERVAL_LEAST, ZERO, shifted
from cronicorn.domain.signals.schedule_hint import AHEAD_MAX
from cronicorn.domain.signals.signal import Signal, Signals

LIFE_MAX = timedelta(hours=4)
"""No hint of a signal lives longer."""
LIFE_LEAST = timedelta(minutes=15)
"""How long an interval lives at least, unless it says otherwise."""
GRACE = timedelta(minutes=15)
"""How long a one-shot waits for a worker."""
VALUE_CHARACTERS_MAX = 100

PRIORITY = {
    Signal.RATE_LIMIT: 6,
    Signal.CACHE_CONTROL: 6,
    Signal.RETRY_AFTER: 5,
    Signal.SCHEDULE_HINT: 4,
    Signal.HEALTH: 3,
    Signal.BODY_HINT: 2,
    Signal.ETA: 2,
    Signal.TREND: 1,
}
"""Of the intervals that several signals ask for the highest counts, then the shortest."""


class SignalSource(NamedTuple):
    """What a signal read: the name of a field or a JSON Pointer, and the value there."""

    signal: Signal
    place: str
    value: str
    why: str = ""
    """What the sender gave as its reason."""


def shown(text: str) -> str:
    """*text* cut to VALUE_CHARACTERS_MAX, with a mark for each character that can't be printed."""
    cut = text[:VALUE_CHARACTERS_MAX]
    return cut if cut.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in cut)


def life_of(interval: timedelta) -> timedelta:
    """How long a hint that asks for *interval* lives when nobody said."""
    return max(LIFE_LEAST, 3 * min(interval, LIFE_MAX))


@dataclass(slots=True, kw_only=True)
class HintBuilder:
    """The hints that one answer writes, and a sentence for each thing it asked for."""

    now: datetime
    signals: Signals
    base: timedelta | None
    """The interval of the baseline; None for other schedules."""
    usual: timedelta | None
    """That interval with the backoff of the failures so far."""
    tightens: bool
    """Whether a call may come earlier than the baseline has it."""
    interval_min: timedelta | None = None
    interval_max: timedelta | None = None
    chance: Callable[[], float] = float
    """A number in [0, 1)."""
    spacing: timedelta = ZERO
    """How far apart calls must be, as far as this answer says."""
    hints: list[Hint] = field(default_factory=list)
    said: list[tuple[SignalSource, str]] = field(default_factory=list)

    @property
    def least(self) -> timedelta:
        """No interval is shorter."""
        return min(max(self.interval_min or ZERO, INTERVAL_LEAST), AHEAD_MAX)

    def interval(self, source: SignalSource, length: timedelta, life: timedelta, priority: int | None = None) -> None:
        """Ask for a call every *length*. Where nothing may tighten only what delays remains of it."""
        length = max(length, INTERVAL_LEAST, self.spacing)
        if not self.tightens and (self.usual is None or length < self.usual):
            if self.base is None or length >= self.base:
                self.defer(source, length)
            else:
                self.said.append((source, f"{_every(length)}; not heeded, as nothing may tighten this schedule"))
            return
        if self.tightens and (self.base is None or length < self.base):
            length = max(length, self.least)
        length = min(length, max(LIFE_MAX, self.base or ZERO))
        self.hints.append(
            Hint(
                kind=HintKind.INTERVAL,
                author=Author.SIGNAL,
                written_at=self.now,
                expires_at=shifted(self.now, min(life, LIFE_MAX)),
                interval=length,
                reason=self._reason(source, _every(length)),
                priority=PRIORITY[source.signal] if priority is None else priority,
                key=source.signal.value,
            )
        )

    def space_out(self, source: SignalSource, length: timedelta) -> None:
        """Ask for calls at least *length* apart, whatever else this answer asks for."""
        self.spacing = max(self.spacing, length)
        if self.base is None:
            self.defer(source, length)
        elif length > self.base:
            self.interval(source, length, life_of(length))

    def one_shot(self, source: SignalSource, wait: timedelta) -> None:
        """Ask for a call after *wait* at the latest, where a call may come earlier."""
        wait = max(wait, INTERVAL_LEAST, self.spacing)
        if not self.tightens or wait >= LIFE_MAX:
            return
        expires_at = shifted(self.now, min(wait + GRACE, LIFE_MAX))
        self._write(HintKind.ONE_SHOT, source, f"call in {_seconds(wait)}", shifted(self.now, wait), expires_at)

    def defer(self, source: SignalSource, wait: timedelta) -> None:
        """Ask for no call during *wait*. Of the waits that one signal asks for the longest counts."""
        wait = min(max(wait, INTERVAL_LEAST), LIFE_MAX)
        until = shifted(self.now, wait)
        asked = f"no call for {_seconds(wait)}"
        for hint in self.hints:
            if hint.kind is HintKind.DEFER and hint.key == source.signal.value:
                if hint.expires_at >= until:
                    self.said.append((source, asked))
                    return
                self.hints.remove(hint)
                break
        self._write(HintKind.DEFER, source, asked, until, until)

    def _write(self, kind: HintKind, source: SignalSource, asked: str, at: datetime, expires_at: datetime) -> None:
        self.hints.append(
            Hint(
                kind=kind,
                author=Author.SIGNAL,
                written_at=self.now,
                expires_at=expires_at,
                at=at,
                reason=self._reason(source, asked),
                key=source.signal.value,
            )
        )

    def _reason(self, source: SignalSource, asked: str) -> str:
        self.said.append((source, asked))
        reason = f"{source.place} is {shown(source.value)}: {asked}"
        return f"{reason} ({shown(source.why)})" if source.why else reason


def _every(length: timedelta) -> str:
    return f"call every {_seconds(length)}"


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.10g} s"
