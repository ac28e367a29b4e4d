"""The reactive oracle: what response-driven control can reach at best."""

from collections.abc import Mapping

from benchmarks.adaptation.policies import History
from benchmarks.adaptation.world import Advice, World


class ReactiveOracle:
    """Learns the true state exactly with each answer, and asks for its cadence; it cannot look ahead.

    It knows what an answer announces (the end of a batch or of a refusal) exactly, and what a sibling is to do.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def next(self, t: int, history: History) -> Mapping[str, Advice]:
        name = history[-1].name
        self._world = self._world.called(name, t)
        return self._world.advice(name, t)
