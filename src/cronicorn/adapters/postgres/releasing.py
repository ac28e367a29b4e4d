"""Letting go of claims in a lock service, without anybody having to wait for one that is away."""

import asyncio
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from cronicorn.domain.claims import Claim
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.ports import ClaimService


@dataclass(slots=True)
class _Batch:
    """Claims that are let go of together."""

    claims: list[Claim] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class Releaser:
    """Releases for one process. What the service can't be told expires."""

    def __init__(self, service: ClaimService) -> None:
        self._service = service
        self._on_its_way = _Batch()
        self._waiting: _Batch | None = None

    async def release(self, claims: Sequence[Claim]) -> None:
        """Have the service let go of *claims*."""
        if not claims:
            return
        with suppress(UnavailableError):
            await self._service.release(claims)

    def release_soon(self, claims: Sequence[Claim]) -> None:
        """Do the same in the background: together with whatever comes while the service is busy with those before."""
        if self._waiting is None:
            self._waiting = _Batch()
            self._waiting.task = asyncio.create_task(self._release_after(self._on_its_way, self._waiting))
        self._waiting.claims += claims

    async def done(self, keys: Container[str] | None = None) -> None:
        """Wait for what is on its way and what waits behind it now, but not for what comes later.

        With *keys* only where a claim on one of them is let go of.
        """
        for batch in (self._on_its_way, self._waiting):
            if batch is None or batch.task is None:
                continue
            if keys is None or any(claim.key in keys for claim in batch.claims):
                await asyncio.wait([batch.task])

    async def _release_after(self, before: _Batch, batch: _Batch) -> None:
        if before.task is not None:
            await asyncio.wait([before.task])
        self._on_its_way, self._waiting = batch, None
        await self.release(batch.claims)
