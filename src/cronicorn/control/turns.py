"""Turns: what takes long of a processor is done one after the other, so that calls that are due find it free."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class Turns:
    """Hands out turns: one at a time, in the order in which tenants asked; of each tenant only one waits in it.

    So whoever asks a thousand times holds up others by one turn.
    """

    def __init__(self) -> None:
        self._all = asyncio.Lock()
        self._tenants = WeakValueDictionary[str, asyncio.Lock]()

    @asynccontextmanager
    async def turn(self, tenant_id: str) -> AsyncIterator[None]:
        """Wait for a turn of the tenant, which lasts as long as the block."""
        own = self._tenants.setdefault(tenant_id, asyncio.Lock())
        async with own, self._all:
            yield
