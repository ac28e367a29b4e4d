"""Whether the store can be used, told in time to whoever asks, however many ask and however it is with the store."""

import asyncio

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.ports import StoreHealth

ANSWER_WITHIN_S = 1.5
"""Whoever asks is answered after so long at the latest; probes are seldom more patient than two seconds."""


class Readiness:
    """Looks at a store, once for all who ask meanwhile."""

    def __init__(self, health: StoreHealth) -> None:
        self._health = health
        self._look: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """Return when the store works. Raises UnavailableError when it does not, or takes too long to say so."""
        look = self._look
        if look is None or look.done():
            look = self._look = asyncio.create_task(self._health.ping(), name="readiness")
            look.add_done_callback(_hear)
        # The look goes on: to break it off takes long where nobody answers, and would be begun anew each time.
        await asyncio.wait([look], timeout=ANSWER_WITHIN_S)
        if not look.done():
            raise UnavailableError(
                f"The store has not answered for {ANSWER_WITHIN_S:g} seconds: see whether it runs and is not too busy."
            )
        look.result()


def _hear(look: asyncio.Task[None]) -> None:
    """Take note of how *look* ended: it may end when nobody asks any more."""
    if not look.cancelled():
        look.exception()
