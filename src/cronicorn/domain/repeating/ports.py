"""The port of keyed requests. What holds of the others in `cronicorn.domain.ports` holds of it."""

from datetime import timedelta
from typing import Protocol

from cronicorn.domain.repeating.keyed import KeptAnswer, KeyedRequest, KnownRequest


class KeyedRequests(Protocol):
    """Who makes which request, for all processes together, by the store's clock."""

    async def begin(self, request: KeyedRequest, kept: timedelta) -> KnownRequest | None:
        """Keep *request* for *kept* from now; or answer what is known of the one that has its key. Only one begins.

        A key whose time has passed is free again.
        """
        ...

    async def end(self, request: KeyedRequest, answer: KeptAnswer) -> None:
        """Keep what *request* was answered. Passed over unless it is the one that began."""
        ...

    async def withdraw(self, request: KeyedRequest) -> None:
        """Free the key of *request*: nothing was done. Passed over unless it is the one that began."""
        ...
