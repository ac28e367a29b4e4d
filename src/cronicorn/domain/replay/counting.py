"""Counting calls, flips and delays as a replay goes along."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from cronicorn.domain.instant import DAY, HOUR, MINUTE, ZERO, minute_of
from cronicorn.domain.replay.replayed import Behaviour, Delay, ReactionTimes


@dataclass(slots=True)
class DelaySum:
    """Delays of several episodes."""

    episodes: int = 0
    low: timedelta = ZERO
    high: timedelta = ZERO
    low_max: timedelta = ZERO
    high_max: timedelta = ZERO

    def add(self, delay: Delay) -> None:
        """One more."""
        self.episodes += 1
        self.low += delay.low
        self.high += delay.high
        self.low_max, self.high_max = max(self.low_max, delay.low), max(self.high_max, delay.high)

    def times(self) -> ReactionTimes | None:
        """Their mean and the longest of them, each as bounds; None when there is none."""
        if not self.episodes:
            return None
        return ReactionTimes(
            episodes=self.episodes,
            mean=Delay(low=self.low / self.episodes, high=self.high / self.episodes),
            longest=Delay(low=self.low_max, high=self.high_max),
        )


@dataclass(slots=True)
class CallCount:
    """The calls under one policy, told in the order of time."""

    calls: int = 0
    flips: int = 0
    minute_peak: int = 0
    delays: DelaySum = field(default_factory=DelaySum)
    _within: deque[datetime] = field(default_factory=deque)
    _by_minute: Counter[int] = field(default_factory=Counter)

    def called(self, at: datetime) -> None:
        """A call began *at*."""
        self.calls += 1
        self._by_minute[minute_of(at)] += 1
        self._within.append(at)
        while at - self._within[0] >= MINUTE:
            self._within.popleft()
        self.minute_peak = max(self.minute_peak, len(self._within))

    def behaviour(self, span: timedelta, beside: Mapping[int, int]) -> Behaviour:
        """What it came to over so long, with the calls of others to the host *beside* it, by the minute since 1970."""
        minutes = self._by_minute.keys() | beside.keys()
        return Behaviour(
            calls=self.calls,
            calls_a_day=max(self.calls - 1, 0) / (span / DAY) if span >= HOUR else None,
            minute_peak=self.minute_peak,
            host_minute_peak=max((self._by_minute[each] + beside.get(each, 0) for each in minutes), default=0),
            flips_an_hour=self.flips / (span / HOUR) if span >= HOUR else None,
            reaction=self.delays.times(),
            by_minute=MappingProxyType(self._by_minute),
        )
