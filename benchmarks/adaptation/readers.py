"""Readers: a model that reads the latest answers every few minutes, assumed to understand them perfectly."""

from collections.abc import Mapping

from benchmarks.adaptation.policies import History
from benchmarks.adaptation.world import Advice, World

PASS_SECONDS = 300
"""How often the reader looks whether there is something to analyse."""
LATENCY_SECONDS = 8
"""How long an analysis takes; what it decides counts from its end."""
ANALYSIS_TOKENS = 9_500


class Reader:
    """Analyses each endpoint that answered within *look_back* seconds (None: every endpoint), at each pass that is due.

    An analysis sees the latest answers of the endpoint and of its siblings, and writes hints for that endpoint only.
    After one that asks for nothing the next follows *stable* seconds later, or with the next pass after a new failure.
    """

    def __init__(self, world: World, *, look_back: int | None = PASS_SECONDS, stable: int = PASS_SECONDS) -> None:
        self._world = world
        self._look_back = look_back
        self._stable = stable
        self._played = 0
        self._latest: dict[str, int] = {}
        self._failures: dict[str, int] = {}
        self._next: dict[str, int] = {}
        self._failures_then: dict[str, int] = {}
        self._analyses = 0
        self.every = PASS_SECONDS
        self.latency = LATENCY_SECONDS

    @property
    def tokens(self) -> int:
        return self._analyses * ANALYSIS_TOKENS

    def next(self, t: int, history: History) -> Mapping[str, Advice]:
        self._catch_up(t, history)
        asked: dict[str, Advice] = {}
        for name in self._world.endpoints:
            if self._discovered(name, t) and self._due(name, t):
                self._analyses += 1
                asked[name] = self._analysed(name)
                self._next[name] = t + (self._stable if asked[name].quiet else PASS_SECONDS)
                self._failures_then[name] = self._failures.get(name, 0)
        return asked

    def _catch_up(self, t: int, history: History) -> None:
        while self._played < len(history) and history[self._played].t <= t:
            answered = history[self._played]
            self._played += 1
            self._world = self._world.called(answered.name, answered.t)
            self._latest[answered.name] = answered.t
            failures = self._failures.get(answered.name, 0)
            self._failures[answered.name] = failures + 1 if answered.response.failed else 0

    def _discovered(self, name: str, t: int) -> bool:
        return self._look_back is None or (name in self._latest and t - self._latest[name] <= self._look_back)

    def _due(self, name: str, t: int) -> bool:
        return t >= self._next.get(name, 0) or self._failures.get(name, 0) > self._failures_then.get(name, 0)

    def _analysed(self, name: str) -> Advice:
        """What the newest answer that says anything of *name* asks for; of two at one second its own."""
        found = Advice()
        for other, at in sorted(self._latest.items(), key=lambda item: (item[1], item[0] == name)):
            found = self._world.reading(other, at).get(name, found)
        return found
