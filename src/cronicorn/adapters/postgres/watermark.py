"""Where a process looks for what is due in one shard.

A row that was claimed leaves a dead entry in the index, and while anybody holds an old snapshot such entries can't go.
A claim that began at the left end would pass all of them every time. So it begins at a mark instead: what was due
before it is taken. What becomes due before it, say because a lease was given back, is found by a sweep, which begins at
the left end and also looks for expired leases.
"""

import random
from dataclasses import dataclass

from cronicorn.domain.takeover import SWEEP_INTERVAL

Mark = tuple[int, int]
"""An instant in microseconds, and an endpoint's number: many are due at the same instant."""
LOWEST: Mark = (-(1 << 62), 0)
SWEEP_INTERVAL_S = SWEEP_INTERVAL.total_seconds()
_JITTER = 0.1
_SLACK_US = 1_000_000
"""What an edit makes due "now" carries the instant at which it began."""
_COSTS_BETWEEN_SWEEPS = 10
_TURN_COST_MAX = 3.0
"""Taking turns may cost so many times what a plain claim costs; a dearer one is followed by plain ones."""
_COSTS_BETWEEN_TURNS = 2
_ONE_TENANT_REST = 0.25
"""Of a sweep's interval: so long another tenant's first slot may wait behind one tenant's backlog."""
_TURNS_MAX = 4
"""After so many claims in turn a plain one moves the mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """How to look for due rows this time."""

    began: float
    mark: Mark
    sweep: bool
    in_turn: bool


class Watermark:
    """The mark, when to sweep, and when to serve tenants in turn. Times are monotonic seconds."""

    def __init__(self, interval_s: float, chance: random.Random) -> None:
        self._interval_s = interval_s
        self._chance = chance
        self._mark = LOWEST
        self._sweep_at = 0.0
        self._swept_at = 0.0
        self._sweep_cost = 0.0
        self._backlog = False
        self._turns_at = 0.0
        self._plain_cost = 0.0
        self._turns = 0

    @property
    def mark(self) -> Mark:
        """Below it nothing is known to be due."""
        return self._mark

    def begin(self, now: float) -> Pass:
        """How to look at *now*."""
        sweep = self.sweeps(now)
        turns_wanted = self._backlog and now >= self._turns_at and self._turns < _TURNS_MAX
        in_turn = turns_wanted and (not sweep or not self._interval_s)
        return Pass(began=now, mark=LOWEST if sweep else self._mark, sweep=sweep, in_turn=in_turn)

    def sweeps(self, now: float) -> bool:
        """Whether a claim at *now* looks everywhere."""
        return now >= self._sweep_at

    def until_sweep(self, now: float) -> float | None:
        """For how many seconds claims don't look everywhere yet; None when one at *now* does."""
        return None if self.sweeps(now) else self._sweep_at - now

    def sweep_soon(self) -> None:
        """Something may have become due below the mark."""
        self._sweep_at = 0.0

    def done(self, how: Pass, now: float, *, full: bool, earliest: Mark, now_us: int) -> None:
        """A pass ended at *now*: whether there may be more, the earliest slot it took, and the database's now.

        A backlog keeps the mark where the batch began. Without one, all that was due is taken, and the next sweep comes
        early, but so that sweeps take only a small part of the time, however slow a held snapshot makes them.
        """
        cost = now - how.began
        if how.sweep:
            self._swept_at, self._sweep_cost = now, cost
            self._sweep_at = now + self._interval_s * (1.0 - _JITTER * self._chance.random())
        self._turns = self._turns + 1 if how.in_turn else 0
        if not how.in_turn:
            self._plain_cost = cost
        elif cost > _TURN_COST_MAX * self._plain_cost:
            self._turns_at = now + _COSTS_BETWEEN_TURNS * cost
        if full and not how.in_turn:
            self._mark = max(self._mark, earliest)
        if not full:
            self._mark = max(self._mark, (now_us - _SLACK_US, 0))
            self._sweep_at = min(self._sweep_at, self._swept_at + _COSTS_BETWEEN_SWEEPS * self._sweep_cost)
        self._mark = min(self._mark, (now_us, 0))  # the database's clock may have been set back
        self._backlog = full

    def one_tenant(self, now: float) -> None:
        """All that is due is one tenant's: taking turns can wait."""
        self._turns_at = max(self._turns_at, now + _ONE_TENANT_REST * self._interval_s)
