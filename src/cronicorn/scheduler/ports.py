"""The port of what runs beside the loop. That of the model it asks, `AIClient`, is in `ai`."""

from typing import Protocol


class Planner(Protocol):
    """Asks a model about endpoints whose answers are new, beside the loop and never in its way."""

    async def run(self) -> None:
        """Look at what is due, again and again, until cancelled."""
        ...

    async def look_once(self) -> int:
        """Look at what is due now, and answer at how many endpoints that was. Raises nothing for what may go wrong.

        What a model wants of an endpoint is written once it ended its analysis, inside the tenant's budget.
        """
        ...
