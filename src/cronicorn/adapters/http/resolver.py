"""Turn names into addresses without blocking the loop. One tenant's dead name server does not stop another tenant."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import AF_INET, AF_INET6, AF_UNSPEC, SOCK_STREAM

import pycares
from aiodns import DNSResolver
from aiodns.error import (
    ARES_EBADNAME,
    ARES_ENODATA,
    ARES_ENONAME,
    ARES_ENOTFOUND,
    DNSError,
)

from cronicorn.adapters.http.room import has_room

_NO_SUCH_NAME = {ARES_EBADNAME, ARES_ENODATA, ARES_ENONAME, ARES_ENOTFOUND}
_TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverLimits:
    """What resolving may take, in seconds and numbers."""

    lookup_s: float = 5.0
    """For one name, all tries included."""
    lookups_per_tenant: int = 8
    """At once; further ones wait."""
    waiting_per_tenant: int = 256
    """Waiting ones included; what comes on top fails at once."""
    cached: int = 4_096
    per_channel: int = 10_000
    """Look-ups after which c-ares starts afresh: its own memory of answers has no bound but their TTL."""
    ttl_min_s: float = 1.0
    ttl_max_s: float = 300.0
    ttl_no_such_name_s: float = 5.0
    ttl_failure_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The addresses of a name, or the sentence that says why there are none."""

    addresses: tuple[IPv4Address | IPv6Address, ...] = ()
    failure: str | None = None
    no_room: bool = False
    """It failed because this machine could not open a socket to ask."""
    ttl_s: float


class Resolver:
    """Looks names up in the hosts file and at the name servers, and remembers what it found, failures too.

    Search domains are not applied: `shop` means `shop`, not `shop.example.com`. Bound to the running event loop.
    """

    def __init__(self, *, nameservers: tuple[str, ...] = (), limits: ResolverLimits | None = None) -> None:
        """*nameservers* (`10.0.0.2` or `10.0.0.2:5353`) replace the system's."""
        self._limits = limits or ResolverLimits()
        self._loop = asyncio.get_running_loop()
        self._nameservers = nameservers
        self._dns = self._opened()
        self._asked = 0
        self._cache: OrderedDict[str, tuple[float, Resolution]] = OrderedDict()
        self._pending: dict[tuple[str, str], asyncio.Task[Resolution]] = {}
        self._gates: dict[str, _Gate] = {}

    async def resolve(self, tenant_id: str, name: str) -> Resolution:
        """The addresses of *name*, best first. A cancelled caller leaves the look-up to others who wait for it."""
        known = self.known(name)
        if known is not None:
            return known
        task = self._pending.get((tenant_id, name)) or self._begin(tenant_id, name)
        if task is None:
            return Resolution(failure="too many of this tenant's names are being looked up", ttl_s=0)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            return Resolution(failure="Cronicorn is stopping", ttl_s=0)

    async def aclose(self) -> None:
        """End all look-ups; whoever waits for one is told so."""
        tasks = list(self._pending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._dns.close()

    def __len__(self) -> int:
        """How many names are remembered."""
        return len(self._cache)

    def known(self, name: str) -> Resolution | None:
        """What `resolve` would answer at once; None when it has to ask."""
        entry = self._cache.get(name)
        if entry is None:
            return None
        until, resolution = entry
        if until <= self._loop.time():
            del self._cache[name]
            return None
        self._cache.move_to_end(name)
        return resolution

    def _begin(self, tenant_id: str, name: str) -> asyncio.Task[Resolution] | None:
        gate = self._gates.setdefault(tenant_id, _Gate(self._limits.lookups_per_tenant))
        if gate.users >= self._limits.waiting_per_tenant:
            return None
        gate.users += 1
        task = self._loop.create_task(self._look_up(gate, name))
        self._pending[tenant_id, name] = task
        task.add_done_callback(lambda _: self._end(tenant_id, name, gate))
        return task

    def _end(self, tenant_id: str, name: str, gate: "_Gate") -> None:
        del self._pending[tenant_id, name]
        gate.users -= 1
        if not gate.users:
            del self._gates[tenant_id]

    async def _look_up(self, gate: "_Gate", name: str) -> Resolution:
        async with gate.room:
            resolution = self.known(name) or await self._ask(name)
        self._cache[name] = (self._loop.time() + resolution.ttl_s, resolution)
        while len(self._cache) > self._limits.cached:
            self._cache.popitem(last=False)
        return resolution

    def _channel(self) -> DNSResolver:
        """What to ask. One that is replaced closes when the last look-up that holds it has ended."""
        self._asked += 1
        if self._asked > self._limits.per_channel:
            self._dns = self._opened()
            self._asked = 1
        return self._dns

    def _opened(self) -> DNSResolver:
        return DNSResolver(
            nameservers=self._nameservers or None,
            loop=self._loop,
            timeout=self._limits.lookup_s / (_TRIES + 1),
            tries=_TRIES,
            flags=pycares.ARES_FLAG_NOSEARCH | pycares.ARES_FLAG_EDNS,
        )

    async def _ask(self, name: str) -> Resolution:
        limits = self._limits
        dns = self._channel()
        try:
            async with asyncio.timeout(limits.lookup_s):
                found = await dns.getaddrinfo(name, family=AF_UNSPEC, type=SOCK_STREAM)
        except TimeoutError:
            return Resolution(failure="its name servers did not answer in time", ttl_s=limits.ttl_failure_s)
        except (DNSError, UnicodeError) as error:
            return _failed(error, limits)
        nodes = [node for node in found.nodes if node.family in {AF_INET, AF_INET6}]
        ttl_s = min((node.ttl for node in nodes), default=0)
        return Resolution(
            addresses=tuple(dict.fromkeys(ip_address(node.addr[0].decode("ascii")) for node in nodes)),
            failure=None if nodes else "it has no address",
            ttl_s=min(max(ttl_s, limits.ttl_min_s), limits.ttl_max_s),
        )


class _Gate:
    """One tenant's look-ups: how many run at once, and how many run or wait."""

    __slots__ = ("room", "users")

    def __init__(self, at_once: int) -> None:
        self.room = asyncio.Semaphore(at_once)
        self.users = 0


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _failed(error: DNSError | UnicodeError, limits: ResolverLimits) -> Resolution:
    if isinstance(error, UnicodeError) or error.args[0] in _NO_SUCH_NAME:
        return Resolution(failure="there is no such name, or it has no address", ttl_s=limits.ttl_no_such_name_s)
    if not has_room():
        return Resolution(failure="this machine can open no socket", no_room=True, ttl_s=0)
    return Resolution(failure=f"its name servers failed ({error.args[1]})", ttl_s=limits.ttl_failure_s)
