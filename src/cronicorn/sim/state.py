"""State that calls and time change, and what it was at any moment before."""

from bisect import bisect_right
from collections.abc import Mapping
from heapq import heappop, heappush
from itertools import count

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.sim.course import Surroundings
from cronicorn.sim.expression import Expression
from cronicorn.sim.scenario import StateChange, StateVariable

TEXT_MAX = 1_000
"""Characters kept of a text that is worked out: it may grow with every call."""


def short(value: Scalar) -> Scalar:
    """*value*, a text cut to TEXT_MAX."""
    return value[:TEXT_MAX] if isinstance(value, str) else value


class State:
    """The variables of a scenario as a simulation goes on. Changes happen in the order of their time."""

    def __init__(self, variables: Mapping[str, StateVariable], around: Surroundings) -> None:
        self._around = around
        self._variables = variables
        self._times: dict[str, list[float]] = {name: [0.0] for name in variables}
        self._values: dict[str, list[Scalar]] = {name: [each.start] for name, each in variables.items()}
        self._last_set = dict.fromkeys(variables, 0)
        self._numbers = count(1)
        self._pending: list[tuple[float, int, str, StateChange | int]] = []
        """What will happen, by time; a number instead of a change ends the one that set it under this number."""
        self._of_calls: dict[str, list[tuple[str, StateChange]]] = {}
        for name, change in ((name, change) for name, each in variables.items() for change in each.changes):
            if change.call is None:
                self._plan(change.at, name, change)
            else:
                self._of_calls.setdefault(change.call, []).append((name, change))

    def called(self, endpoint: str, time: float) -> None:
        """*endpoint* is called at *time*: plan what that changes, and do what it changes at once."""
        for name, change in self._of_calls.get(endpoint, ()):
            if change.when is None or change.when.evaluate(self._around.values_at(time)) is True:
                self._plan(time, name, change)
        self.advance(time)

    def advance(self, time: float) -> None:
        """Let happen what is due by *time*."""
        while self._pending and self._pending[0][0] <= time:
            at, _, name, change = heappop(self._pending)
            if isinstance(change, int):
                if self._last_set[name] == change:
                    self._set(name, at, self._variables[name].start)
            elif change.call is not None or change.when is None or self._holds(change, at):
                self._change(name, at, change)

    def at(self, name: str, time: float) -> Scalar:
        """What *name* was at *time*, which is not in the future."""
        return self._values[name][bisect_right(self._times[name], time) - 1]

    def _holds(self, change: StateChange, time: float) -> bool:
        return change.when is not None and change.when.evaluate(self._around.values_at(time)) is True

    def _plan(self, time: float, name: str, change: StateChange) -> None:
        heappush(self._pending, (time + change.after, next(self._numbers), name, change))

    def _change(self, name: str, at: float, change: StateChange) -> None:
        value = self._worked_out(name, at, change)
        if value is None:
            return
        number = self._last_set[name] = next(self._numbers)
        self._set(name, at, value)
        if change.lasting is not None:
            heappush(self._pending, (at + change.lasting, next(self._numbers), name, number))

    def _worked_out(self, name: str, at: float, change: StateChange) -> Scalar | None:
        """What *name* becomes; None when nothing says."""
        if isinstance(change.to, Expression):
            return change.to.of(self._around.values_at(at))
        if change.to is not None:
            return change.to
        before = self._values[name][-1]
        return before + change.add if isinstance(before, int | float) else None

    def _set(self, name: str, at: float, value: Scalar) -> None:
        self._times[name].append(at)
        self._values[name].append(short(value))
