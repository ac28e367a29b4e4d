"""Connections kept open between calls, and the handles to make calls with: never across tenants."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pycurl

from cronicorn.adapters.http.handle import Handle, Options
from cronicorn.adapters.http.kept import KEPT_S, KeptConnections

_POOLS_MAX = 1_000


@dataclass(slots=True, kw_only=True, eq=False)
class Pool:
    """One tenant's connections (a libcurl share) and the handles that may use them."""

    share: pycurl.CurlShare
    spare: list[Handle] = field(default_factory=list)
    in_use: int = 0
    in_use_max: int = 0
    """Since `counted_at`."""
    counted_at: float = 0.0
    used_at: float = 0.0

    def trim(self, now: float) -> int:
        """Close handles that were not needed for as long as a connection is kept, and say how many."""
        if self.counted_at + KEPT_S > now:
            return 0
        needless = max(len(self.spare) + self.in_use - self.in_use_max, 0)
        for _ in range(needless):
            self.spare.pop().close()
        self.in_use_max, self.counted_at = self.in_use, now
        return needless

    def close(self) -> None:
        """Close all connections. No handle may be in use."""
        for handle in self.spare:
            handle.close()
        self.spare.clear()
        self.share.close()


class Pools:
    """The pools of all tenants that called lately."""

    def __init__(
        self, *, clock: Callable[[], float], fixed: Options, connections_max: int, on_new_socket: Callable[[int], None]
    ) -> None:
        """*fixed* is what all handles are set to; *on_new_socket* hears of each new socket."""
        self._clock = clock
        self._fixed = fixed
        self._connections_max = connections_max
        self._on_new_socket = on_new_socket
        self._pools: dict[str, Pool] = {}
        self._kept = KeptConnections(clock)
        self._in_use = 0
        self._handles = 0
        """In use or spare."""

    def borrow(self, tenant_id: str) -> tuple[Pool, Handle]:
        """A handle for one call, and the pool it belongs to."""
        pool = self._pools.pop(tenant_id, None) or self._opened()
        self._pools[tenant_id] = pool
        self._in_use += 1
        pool.in_use += 1
        pool.in_use_max = max(pool.in_use_max, pool.in_use)
        if pool.spare:
            return pool, pool.spare.pop()
        self._handles += 1
        return pool, Handle(pool.share, self._kept, self._fixed, self._on_new_socket)

    def give_back(self, pool: Pool, handle: Handle) -> None:
        """Take *handle* back."""
        pool.in_use -= 1
        self._in_use -= 1
        pool.used_at = self._clock()
        if self._handles <= self._connections_max:
            handle.rest()
            pool.spare.append(handle)
        else:
            self._handles -= 1
            handle.close()

    @property
    def may_keep(self) -> bool:
        """Whether a call that begins now may leave its connection open."""
        return len(self._kept) + self._in_use < self._connections_max

    def sweep(self) -> None:
        """Close what has not been used for a while, and forget connections that libcurl has closed by now."""
        now = self._clock()
        for tenant_id, pool in list(self._pools.items()):
            if not pool.in_use and pool.used_at + KEPT_S <= now:
                self._close(self._pools.pop(tenant_id))
            else:
                self._handles -= pool.trim(now)
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
        return Pool(share=share, counted_at=self._clock())

    def _close_oldest(self) -> None:
        oldest = next((name for name, pool in self._pools.items() if not pool.in_use), None)
        if oldest is not None:
            self._close(self._pools.pop(oldest))

    def _close(self, pool: Pool) -> None:
        self._kept.drop(pool.share)
        self._handles -= len(pool.spare)
        pool.close()
