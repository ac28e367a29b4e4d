"""Connections kept open between calls: never across tenants, and never with unread bytes in them.

A server may send more than one answer to one request. The second one then waits in a kept connection, and the next
call would take it for its own, and so would each call after it. So before a kept connection is used again it must be
one of this tenant, known to us, and silent. Otherwise it is closed and the call opens a new one.
"""

import select
from collections.abc import Callable
from dataclasses import dataclass, field

import pycurl

KEPT_S = 4
"""How long an idle connection may be used again: less than the 5 s after which many servers close theirs."""
_FORGOTTEN_S = KEPT_S + 3
_SPARE_MAX = 64
_POOLS_MAX = 1_000

Ends = tuple[str, str, int, int]
"""Remote and local address, remote and local port: what names a connection for libcurl's CURLOPT_PREREQFUNCTION."""


@dataclass(frozen=True, slots=True)
class _Kept:
    pool: "Pool"
    fd: int
    at: float


@dataclass(slots=True, kw_only=True, eq=False)
class Pool:
    """One tenant's connections (a libcurl share) and the handles that may use them."""

    share: pycurl.CurlShare
    idle: dict[Ends, _Kept]
    """The idle connections of all pools, oldest first: ends belong to one connection only."""
    clock: Callable[[], float]
    spare: list[pycurl.Curl] = field(default_factory=list)
    in_use: int = 0
    used_at: float = 0.0

    def keep(self, ends: Ends, fd: int) -> None:
        """Note that the connection *ends* lies idle here, as descriptor *fd*."""
        self.forget(ends)
        self.idle[ends] = _Kept(self, fd, self.clock())

    def forget(self, ends: Ends) -> None:
        """Note that these ends belong to another connection now."""
        self.idle.pop(ends, None)

    def take(self, ends: Ends) -> bool:
        """Whether the idle connection *ends* may carry a call of this pool; it is idle no longer."""
        kept = self.idle.pop(ends, None)
        return kept is not None and kept.pool is self and _is_silent(kept.fd)

    def close(self) -> None:
        """Close all connections. No handle may be in use."""
        for ends in [ends for ends, kept in self.idle.items() if kept.pool is self]:
            del self.idle[ends]
        for curl in self.spare:
            curl.close()
        self.spare.clear()
        self.share.close()


class Pools:
    """The pools of all tenants that called lately."""

    def __init__(self, *, clock: Callable[[], float], connections_max: int) -> None:
        self._clock = clock
        self._connections_max = connections_max
        self._pools: dict[str, Pool] = {}
        self._idle: dict[Ends, _Kept] = {}
        self._in_use = 0

    def borrow(self, tenant_id: str) -> tuple[Pool, pycurl.Curl]:
        """A handle for one call, and the pool it belongs to."""
        pool = self._pools.pop(tenant_id, None) or self._opened()
        self._pools[tenant_id] = pool
        pool.in_use += 1
        self._in_use += 1
        if pool.spare:
            return pool, pool.spare.pop()
        curl = pycurl.Curl()
        curl.setopt(pycurl.SHARE, pool.share)
        return pool, curl

    def give_back(self, pool: Pool, curl: pycurl.Curl) -> None:
        """Take *curl* back; what it was set up with is forgotten."""
        pool.in_use -= 1
        self._in_use -= 1
        pool.used_at = self._clock()
        if len(pool.spare) < _SPARE_MAX:
            curl.reset()
            pool.spare.append(curl)
        else:
            curl.close()

    @property
    def may_keep(self) -> bool:
        """Whether a call that begins now may leave its connection open."""
        return len(self._idle) + self._in_use < self._connections_max

    def sweep(self) -> None:
        """Close pools that have not been used for a while, and forget connections that libcurl has closed by now."""
        now = self._clock()
        for tenant_id, pool in list(self._pools.items()):
            if not pool.in_use and pool.used_at + KEPT_S <= now:
                self._pools.pop(tenant_id).close()
        for ends, kept in list(self._idle.items()):
            if kept.at + _FORGOTTEN_S > now:
                break
            del self._idle[ends]

    def close(self) -> None:
        """Close all pools. No handle may be in use."""
        while self._pools:
            self._pools.popitem()[1].close()

    def __len__(self) -> int:
        return len(self._pools)

    def _opened(self) -> Pool:
        if len(self._pools) >= _POOLS_MAX:
            self._close_oldest()
        share = pycurl.CurlShare()
        share.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_CONNECT)
        return Pool(share=share, idle=self._idle, clock=self._clock)

    def _close_oldest(self) -> None:
        oldest = next((name for name, pool in self._pools.items() if not pool.in_use), None)
        if oldest is not None:
            self._pools.pop(oldest).close()


def _is_silent(fd: int) -> bool:
    """Whether nothing has come in on *fd* since its last answer: no bytes, no end, no error."""
    poll = select.poll()
    poll.register(fd, select.POLLIN | select.POLLPRI | select.POLLRDHUP)
    return not poll.poll(0)
