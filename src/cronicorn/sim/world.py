"""The world that a scenario describes, as a simulation goes on: signals, state, and who was called when."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.instant import EPOCH
from cronicorn.sim.chance import Chance
from cronicorn.sim.course import ValueAt
from cronicorn.sim.scenario import ELAPSED, NOW, Scenario
from cronicorn.sim.state import State, short


class World:
    """What signals and state are at any time up to now. The same scenario, seed and calls make the same world."""

    def __init__(self, scenario: Scenario) -> None:
        epoch = (scenario.start - EPOCH).total_seconds()
        self._calls: dict[str, list[float]] = {each.endpoint.name: [] for each in scenario.endpoints}
        self._state = State(scenario.state, self)
        self._inside: list[_Values] = []
        self._readers: dict[str, ValueAt] = {ELAPSED: lambda time: time, NOW: lambda time: epoch + time}
        for name in scenario.state:
            self._readers[name] = self._state_reader(name)
        for name, course in scenario.signals.items():
            self._readers[name] = course.begun(Chance(scenario.seed, f"signal:{name}"), self)

    def call(self, endpoint: str, time: float) -> int:
        """*endpoint* is called at *time*; answer how often it has been, this call included."""
        calls = self._calls[endpoint]
        calls.append(time)
        self._state.advance(time)
        self._state.called(endpoint, time)
        return len(calls)

    def value(self, name: str, time: float) -> Scalar:
        """What the signal or state *name* is at *time*, which is not in the future."""
        self._state.advance(time)
        return self.values_at(time)[name]

    def values_at(self, time: float) -> Mapping[str, Scalar]:
        """All signals and all state at *time*, each worked out once, when it is looked at."""
        if self._inside and self._inside[-1].time == time:
            return self._inside[-1]
        return _Values(self._readers, time, self._inside)

    def calls_of(self, endpoint: str) -> Sequence[float]:
        """When *endpoint* was called so far."""
        return self._calls[endpoint]

    def _state_reader(self, name: str) -> Callable[[float], Scalar]:
        return lambda time: self._state.at(name, time)


class _Values(Mapping[str, Scalar]):
    """What signals rest on others find here what those were found to be, however often it is asked for."""

    __slots__ = ("_inside", "_known", "_readers", "time")

    def __init__(self, readers: Mapping[str, ValueAt], time: float, inside: "list[_Values]") -> None:
        self._readers = readers
        self.time = time
        self._inside = inside
        self._known: dict[str, Scalar] = {}

    def __getitem__(self, name: str) -> Scalar:
        known = self._known.get(name)
        if known is not None:
            return known
        reader = self._readers[name]
        self._inside.append(self)
        try:
            value = reader(self.time)
        finally:
            self._inside.pop()
        self._known[name] = short(value)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)
