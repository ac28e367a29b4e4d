"""Playing a world against whatever decides when to call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from benchmarks.adaptation.world import Response, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """When an endpoint shall be called next, and what the violation checks must see of why."""

    at: int | None
    """A second; None: not until somebody asks."""
    paused_until: int | None = None
    """The end of the pause in force, if one is."""
    hint_life: int | None = None
    """Seconds that the longest-lived hint in force had when it was written; None without any."""


class Driver(Protocol):
    """Decides when to call the endpoints of one world, from their answers alone."""

    def first_at(self) -> Mapping[str, int | None]:
        """The second of each endpoint's first call, if it has one."""
        ...

    def answered(self, name: str, t: int, response: Response) -> Mapping[str, Planned]:
        """*name* was called at *t* and answered: the plan of *name*, and of each other endpoint whose plan changed.

        Nothing is planned before *t*, and *name* itself later than *t*.
        """
        ...

    @property
    def tokens(self) -> int:
        """Tokens spent so far."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What a driver did in a world."""

    times: Mapping[str, tuple[int, ...]]
    plans: Mapping[str, tuple[Planned, ...]]
    """The plan each call was made under, and last the one that was open at the end."""
    tokens: int


def simulate(world: World, driver: Driver) -> Requests:
    """Call the endpoints of *world* as *driver* asks, until its end; of two at one second the first one listed."""
    plans = {name: Planned(at=at) for name, at in driver.first_at().items()}
    times: dict[str, list[int]] = {name: [] for name in world.endpoints}
    under: dict[str, list[Planned]] = {name: [] for name in world.endpoints}
    while (due := _due(world, plans)) is not None:
        t, name = due
        times[name].append(t)
        under[name].append(plans[name])
        response = world.respond(name, t)
        world = world.called(name, t)
        moved = driver.answered(name, t, response)
        assert all(plan.at is None or plan.at >= t + (other == name) for other, plan in moved.items()), moved
        plans |= moved
    return Requests(
        times={name: tuple(called) for name, called in times.items()},
        plans={name: (*made, plans[name]) for name, made in under.items()},
        tokens=driver.tokens,
    )


def _due(world: World, plans: Mapping[str, Planned]) -> tuple[int, str] | None:
    due = [(at, order, name) for order, name in enumerate(world.endpoints) if (at := plans[name].at) is not None]
    at, _order, name = min(due, default=(world.horizon, 0, ""))
    return (at, name) if at < world.horizon else None
