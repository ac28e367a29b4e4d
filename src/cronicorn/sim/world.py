"""The world that a scenario describes, as a simulation goes on: signals, state, and who was called when."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.instant import EPOCH
from cronicorn.sim.chance import Chance
from cronicorn.sim.course import ValueAt
from cronicorn.sim.scenario import ELAPSED, NOW, Scenario
from cronicorn.sim.state import State


class World:
    """What signals and state are at any time up to now. The same scenario, seed and calls make the same world."""

    def __init__(self, scenario: Scenario) -> None:
        epoch = (scenario.start - EPOCH).total_seconds()
        self._calls: dict[str, list[float]] = {each.endpoint.name: [] for each in scenario.endpoints}
        self._state = State(scenario.state, self)
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
        return self._readers[name](time)

    def values_at(self, time: float) -> Mapping[str, Scalar]:
        """All signals and all state at *time*, each worked out when it is looked at."""
        return _Values(self._readers, time)

    def calls_of(self, endpoint: str) -> Sequence[float]:
        """When *endpoint* was called so far."""
        return self._calls[endpoint]

    def _state_reader(self, name: str) -> Callable[[float], Scalar]:
        return lambda time: self._state.at(name, time)


class _Values(Mapping[str, Scalar]):
    __slots__ = ("_readers", "_time")

    def __init__(self, readers: Mapping[str, ValueAt], time: float) -> None:
        self._readers = readers
        self._time = time

    def __getitem__(self, name: str) -> Scalar:
        return self._readers[name](self._time)

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)
