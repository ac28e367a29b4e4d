"""The port of what runs beside the loop. That of the model it asks, `AIClient`, is in `ai`."""

from datetime import timedelta
from typing import Protocol


class Planner(Protocol):
    """Asks a model about endpoints whose answers are new, beside the loop and never in its way."""

    async def run(self) -> None:
        """Look at what is due, again and again, until stopped or cancelled."""
        ...

    def stop(self, grace: timedelta) -> None:
        """Begin no look any more. Those in progress may end within *grace*, and then `run` has ended.

        What is cut off then, or cancelled, is charged what was reserved for it, and due to be looked at again at once.
        Not thread-safe.
        """
        ...

    async def look_once(self) -> int:
        """Look at what is due now, and answer at how many endpoints that was. Raises nothing for what may go wrong.

        What a model wants of an endpoint is written once it ended its analysis, inside the tenant's budget.
        """
        ...
