"""Connections kept open between calls, and the handles to make calls with: never across tenants."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pycurl

from cronicorn.adapters.http.handle import Handle, Options
from cronicorn.adapters.http.kept import KEPT_S, KeptConnections

_SPARE_MAX = 64
_POOLS_MAX = 1_000


@dataclass(slots=True, kw_only=True, eq=False)
class Pool:
    """One tenant's connections (a libcurl share) and the handles that may use them."""

    share: pycurl.CurlShare
    spare: list[Handle] = field(default_factory=list)
    in_use: int = 0
    used_at: float = 0.0

    def close(self) -> None:
        """Close all connections. No handle may be in use."""
        for handle in self.spare:
            handle.close()
        self.spare.clear()
        self.share.close()


class Pools:
    """The pools of all tenants that called lately."""

    def __init__(self, *, clock: Callable[[], float], fixed: Options, connections_max: int) -> None:
        """*fixed* is what all handles are set to."""
        self._clock = clock
        self._fixed = fixed
        self._connections_max = connections_max
        self._pools: dict[str, Pool] = {}
        self._kept = KeptConnections(clock)
        self._in_use = 0

    def borrow(self, tenant_id: str) -> tuple[Pool, Handle]:
        """A handle for one call, and the pool it belongs to."""
        pool = self._pools.pop(tenant_id, None) or self._opened()
        self._pools[tenant_id] = pool
        pool.in_use += 1
        self._in_use += 1
        return pool, pool.spare.pop() if pool.spare else Handle(pool.share, self._kept, self._fixed)

    def give_back(self, pool: Pool, handle: Handle) -> None:
        """Take *handle* back."""
        pool.in_use -= 1
        self._in_use -= 1
        pool.used_at = self._clock()
        if len(pool.spare) < _SPARE_MAX:
            handle.rest()
            pool.spare.append(handle)
        else:
            handle.close()

    @property
    def may_keep(self) -> bool:
        """Whether a call that begins now may leave its connection open."""
        return len(self._kept) + self._in_use < self._connections_max

    def sweep(self) -> None:
        """Close pools that have not been used for a while, and forget connections that libcurl has closed by now."""
        now = self._clock()
        for tenant_id, pool in list(self._pools.items()):
            if not pool.in_use and pool.used_at + KEPT_S <= now:
                self._close(self._pools.pop(tenant_id))
        self._kept.sweep()

    def close(self) -> None:
        """Close all pools. No handle may be in use."""
        while self._pools:
            self._close(self._pools.popitem()[1])

    def __len__(self) -> int:
        return len(self._pools)

    def _opened(self) -> Pool:
        if len(self._pools) >= _POOLS_MAX:
            self._close_oldest()
        share = pycurl.CurlShare()
        share.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_CONNECT)
        return Pool(share=share)

    def _close_oldest(self) -> None:
        oldest = next((name for name, pool in self._pools.items() if not pool.in_use), None)
        if oldest is not None:
            self._close(self._pools.pop(oldest))

    def _close(self, pool: Pool) -> None:
        self._kept.drop(pool.share)
        pool.close()
