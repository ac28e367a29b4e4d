"""A driver that turns a policy's wishes into hints, and lets the product's own planner make the plans."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from benchmarks.adaptation.policies import HINT_LIFE, Answered, Policy
from benchmarks.adaptation.simulation import Planned
from benchmarks.adaptation.world import Advice, Response, Watched, World
from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.endpoint import Baseline, EndpointState, JobEndpoint
from cronicorn.domain.fixtures import MIDNIGHT, an_endpoint
from cronicorn.domain.hint import Author, Hint, HintKind, paused_until
from cronicorn.domain.planning import plan_next_run

_CRON = CronsimCron()


class Analyst(Policy, Protocol):
    """A policy that thinks at its own times, not with each answer."""

    every: int
    """Seconds from pass to pass."""
    latency: int
    """Seconds from a pass to what it decides."""

    @property
    def tokens(self) -> int:
        """Tokens spent so far."""
        ...


class Hinting:
    """Asks *policy* after each answer, and plans every endpoint whose hints changed."""

    def __init__(self, world: World, policy: Policy, *, baselines: Mapping[str, int] | None = None) -> None:
        changed = baselines or {}
        self._policy = policy
        self._history: list[Answered] = []
        self._endpoints = {
            name: as_endpoint(watched, changed.get(name, watched.baseline)) for name, watched in world.endpoints.items()
        }

    def first_at(self) -> Mapping[str, int | None]:
        return {name: self._plan(name, 0).at for name in self._endpoints}

    def answered(self, name: str, t: int, response: Response) -> Mapping[str, Planned]:
        self._record(name, t, response)
        asked = self._policy.next(t, self._history)
        self._write(asked, t)
        return {moved: self._plan(moved, t) for moved in {name, *asked}}

    @property
    def tokens(self) -> int:
        return 0

    def _record(self, name: str, t: int, response: Response) -> None:
        """The call consumes what asked for it once, and spaces what follows."""
        self._history.append(Answered(name=name, t=t, response=response))
        endpoint = self._endpoints[name]
        at = instant(t)
        hints = tuple(hint for hint in endpoint.state.hints if hint.kind is not HintKind.ONE_SHOT)
        failures = endpoint.state.failure_count + 1 if response.failed else 0
        state = replace(endpoint.state, hints=hints, failure_count=failures, last_run_at=at, spaced_from=at)
        self._endpoints[name] = replace(endpoint, state=state)

    def _write(self, asked: Mapping[str, Advice], t: int) -> None:
        for name, advice in asked.items():
            endpoint = self._endpoints[name]
            self._endpoints[name] = replace(endpoint, state=replace(endpoint.state, hints=hints_of(advice, t)))

    def _plan(self, name: str, t: int) -> Planned:
        endpoint, now = self._endpoints[name], instant(t)
        at = plan_next_run(now, endpoint, _CRON).next_run_at
        until = paused_until(endpoint.state.hints, now)
        lives = [hint.expires_at - hint.written_at for hint in endpoint.state.hints if hint.fresh(now)]
        return Planned(
            at=None if at is None else second_of(at),
            paused_until=None if until is None else second_of(until),
            hint_life=round(max(lives).total_seconds()) if lives else None,
        )


class Reading(Hinting):
    """Asks *analyst* at each pass instead, and charges its tokens."""

    def __init__(self, world: World, analyst: Analyst, *, first_pass: int) -> None:
        super().__init__(world, analyst)
        self._analyst = analyst
        self._pass_at = first_pass
        self._plans: dict[str, Planned] = {}

    def first_at(self) -> Mapping[str, int | None]:
        self._plans = {name: self._plan(name, 0) for name in self._endpoints}
        return {name: plan.at for name, plan in self._plans.items()}

    def answered(self, name: str, t: int, response: Response) -> Mapping[str, Planned]:
        """Also runs the passes up to the next call of any endpoint: until then there is nothing new to read."""
        self._record(name, t, response)
        moved = {name: self._plan(name, t)}
        self._plans |= moved
        while (now := self._pass_at + self._analyst.latency) < self._next_call():
            if now >= t:
                asked = self._analyst.next(self._pass_at, self._history)
                self._write(asked, now)
                moved |= {other: self._plan(other, now) for other in asked}
                self._plans |= moved
            self._pass_at += self._analyst.every
        return moved

    @property
    def tokens(self) -> int:
        return self._analyst.tokens

    def _next_call(self) -> int:
        return min((plan.at for plan in self._plans.values() if plan.at is not None), default=0)


def as_endpoint(watched: Watched, baseline: int) -> JobEndpoint:
    """The product's endpoint for *watched*, with the interval *baseline*; its spacing counts from second 0."""
    maximum = watched.interval_max
    return an_endpoint(
        id=watched.name, name=watched.name, description=watched.description,
        baseline=Baseline(interval=timedelta(seconds=baseline)), interval_min=timedelta(seconds=watched.interval_min),
        interval_max=None if maximum is None else timedelta(seconds=maximum),
        state=EndpointState(spaced_from=instant(0)),
    )  # fmt: skip


def hints_of(advice: Advice, t: int) -> tuple[Hint, ...]:
    """The hints that ask for *advice* from second *t* on."""
    until = advice.pause_until
    lasting = {
        HintKind.ONE_SHOT: (advice.once_at, max(HINT_LIFE, (advice.once_at or 0) - t + 1)),
        HintKind.PAUSE: (until, max(1, (until or 0) - t)),
    }
    hints = [_hint(kind, t, life, at=instant(second)) for kind, (second, life) in lasting.items() if second is not None]
    if advice.interval is not None:
        life = max(HINT_LIFE, 3 * advice.interval)
        hints.append(_hint(HintKind.INTERVAL, t, life, interval=timedelta(seconds=advice.interval)))
    return tuple(hints)


def _hint(kind: HintKind, t: int, life: int, *, at: datetime | None = None, interval: timedelta | None = None) -> Hint:
    written_at = instant(t)
    expires_at = written_at + timedelta(seconds=life)
    return Hint(kind=kind, author=Author.MODEL, written_at=written_at, expires_at=expires_at, at=at, interval=interval)


def instant(second: int) -> datetime:
    """The instant of *second* of a world."""
    return MIDNIGHT + timedelta(seconds=second)


def second_of(at: datetime) -> int:
    """The first whole second of a world not before *at*."""
    return -((MIDNIGHT - at) // timedelta(seconds=1))
