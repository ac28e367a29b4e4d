"""How many calls there are, part by part of a span, for each host or for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.domain.finding.forecast import EvenCalls, Forecast
from cronicorn.domain.instant import MICROSECOND, MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLoad:
    """The calls of one host."""

    host: str
    endpoints: int
    minutes: tuple[int, ...]
    """How many calls begin in each."""
    since: datetime
    """When the first minute begins."""

    @property
    def calls(self) -> int:
        """In all."""
        return sum(self.minutes)

    @property
    def peak(self) -> int:
        """In the fullest minute."""
        return max(self.minutes)

    @property
    def peak_at(self) -> datetime:
        """When the first of the fullest minutes begins."""
        return self.since + self.minutes.index(self.peak) * MINUTE

    def peaks(self, parts: int) -> Sequence[int]:
        """The fullest minute of each of so many parts, all equally long but maybe the last."""
        size = -(-len(self.minutes) // parts)
        return [max(self.minutes[place : place + size]) for place in range(0, len(self.minutes), size)]


class CallTally:
    """Adds up forecasts in *parts* equally long *part*s from *since* on, under names."""

    def __init__(self, since: datetime, parts: int, part: timedelta = MINUTE) -> None:
        self._since = since
        self._parts = parts
        self._part_us = part // MICROSECOND
        self._counts: dict[str, list[int]] = {}
        self._endpoints: dict[str, int] = {}

    def add(self, name: str, forecast: Forecast) -> None:
        """Count the calls of an endpoint under *name*; none may lie outside of the parts."""
        counts = self._counts.setdefault(name, [0] * self._parts)
        self._endpoints[name] = self._endpoints.get(name, 0) + 1
        for stretch in forecast.stretches:
            self._count(counts, stretch)

    def of(self, name: str) -> tuple[int, ...]:
        """What was counted under *name* in each part."""
        return tuple(self._counts.get(name, [0] * self._parts))

    def loads(self) -> tuple[HostLoad, ...]:
        """Where names are hosts and parts are minutes: the hosts that get calls, the fullest minute first."""
        loads = [
            HostLoad(host=host, endpoints=self._endpoints[host], minutes=tuple(counts), since=self._since)
            for host, counts in self._counts.items()
            if any(counts)
        ]
        return tuple(sorted(loads, key=lambda load: (-load.peak, -load.calls, load.host)))

    def _count(self, counts: list[int], stretch: EvenCalls) -> None:
        first_us, step_us = (stretch.first_at - self._since) // MICROSECOND, stretch.step // MICROSECOND
        if stretch.number == 1 or step_us >= self._part_us:
            for place in range(stretch.number):
                counts[(first_us + place * step_us) // self._part_us] += 1
            return
        begun = 0
        for part in range(first_us // self._part_us, self._parts):
            ended = min(stretch.number, -((first_us - (part + 1) * self._part_us) // step_us))
            counts[part] += ended - begun
            begun = ended
            if begun == stretch.number:
                return
