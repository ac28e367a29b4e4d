"""Letting go of claims in a lock service, without anybody having to wait for one that is away."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from cronicorn.domain.claims import Claim
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.ports import ClaimService


class Releaser:
    """Releases for one process. What the service can't be told expires."""

    def __init__(self, service: ClaimService) -> None:
        self._service = service
        self._waiting: list[Claim] = []
        self._task: asyncio.Task[None] | None = None

    async def release(self, claims: Sequence[Claim]) -> None:
        """Have the service let go of *claims*."""
        if not claims:
            return
        with suppress(UnavailableError):
            await self._service.release(claims)

    def release_soon(self, claims: Sequence[Claim]) -> None:
        """Do the same in the background: together with whatever comes while the service is busy with those before."""
        self._waiting += claims
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._release_waiting())

    async def done(self) -> None:
        """Wait for what is on its way; no longer than the service may take for that and for what waits behind it."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _release_waiting(self) -> None:
        while self._waiting:
            claims, self._waiting = self._waiting, []
            await self.release(claims)
