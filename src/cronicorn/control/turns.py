"""Turns: what takes long of a processor is done one after the other, so that calls that are due find it free."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from weakref import WeakValueDictionary

from cronicorn.domain.errors import QuotaExceededError

ASKED_MAX = 8
_ENDS_WITHIN = timedelta(seconds=5)
"""After so long it is worth asking again."""


class Turns:
    """Hands out turns: one at a time, in the order in which tenants asked; of each tenant only one waits in it.

    So whoever asks often holds up others by one turn.
    """

    def __init__(self) -> None:
        self._all = asyncio.Lock()
        self._asked = Counter[str]()
        self._tenants = WeakValueDictionary[str, asyncio.Lock]()

    @asynccontextmanager
    async def turn(self, tenant_id: str) -> AsyncIterator[None]:
        """Wait for a turn of the tenant, which lasts as long as the block.

        Raises QuotaExceededError where ASKED_MAX of the tenant have not ended: nobody may be left who still wants them.
        """
        if self._asked[tenant_id] >= ASKED_MAX:
            raise QuotaExceededError(
                f"{ASKED_MAX} such requests of yours wait for an answer already; try again when one has come.",
                retry_after=_ENDS_WITHIN,
            )
        own = self._tenants.setdefault(tenant_id, asyncio.Lock())
        self._asked[tenant_id] += 1
        try:
            async with own, self._all:
                yield
        finally:
            self._asked[tenant_id] -= 1
            if not self._asked[tenant_id]:
                del self._asked[tenant_id]
