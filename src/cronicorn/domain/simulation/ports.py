"""The port of the simulator. What holds of the others in `cronicorn.domain.ports` holds of it."""

from collections.abc import Mapping
from typing import Protocol


class Simulator(Protocol):
    """Runs scenarios on virtual time. Nothing is called."""

    async def simulate(self, scenario: Mapping[str, object], seed: int | None = None) -> Mapping[str, object]:
        """What happens in *scenario*, a JSON object; with *seed* instead of its own. The same both answer the same.

        Takes no more time and memory than it is allowed, whatever *scenario* says. Raises InvalidInputError with all
        faults of *scenario*, or because it would take more; UnavailableError where nobody had the time to run it.
        """
        ...
