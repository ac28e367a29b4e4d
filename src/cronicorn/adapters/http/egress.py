"""Whom each tenant may call: what is open to all, and what the operator has opened for one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from cronicorn.adapters.http.addresses import EgressPolicy, Peer
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.provision.allowed import PRIVATE, Allowed

_ADDRESSES_REMEMBERED = 4_096
_OF_A_TENANT_REMEMBERED = 256
_READ_EVERY_S = 5.0
_READ_AGAIN_S = 1.0
"""After a read that failed."""
_BELIEVED_S = 60.0
"""For longer nobody trusts what was read last: what was open then may have been closed since."""

ReadAllowed = Callable[[], Awaitable[Mapping[str, Allowed]]]
"""Reads what is open to each tenant beside what is open to all. Raises UnavailableError."""

log = logging.getLogger(__name__)


class AddressJudge:
    """Says of addresses whether one tenant may call them. What it remembers is its own."""

    def __init__(
        self, policy: EgressPolicy, *, hosts: tuple[str, ...] = (), remembered: int = _ADDRESSES_REMEMBERED
    ) -> None:
        """*policy* holds for every name; the private addresses of *hosts* are open besides."""
        self._peer = lru_cache(remembered)(policy.peer)  # A policy never changes.
        self._spelled = lru_cache(remembered)(self._of_literal)
        self._hosts = frozenset(hosts)
        opened = EgressPolicy((*policy.allow, *PRIVATE), setting=policy.setting) if hosts else policy
        self._peer_of_host = lru_cache(remembered)(opened.peer)

    def of_literal(self, host: str) -> tuple[Peer, ...] | str:
        """As `of_name`, of the address that a URL spells as *host*."""
        return self._spelled(host)

    def of_name(self, name: str, addresses: tuple[IPv4Address | IPv6Address, ...]) -> tuple[Peer, ...] | str:
        """Those of the *addresses* of *name* that may be called; where there are none, why."""
        return _allowed(self._peer_of_host if name in self._hosts else self._peer, addresses)

    def _of_literal(self, host: str) -> tuple[Peer, ...] | str:
        return _allowed(self._peer, (ip_address(host),))


class Egress:
    """The judges of all tenants. What is open to one of them is read again every few seconds, beside the calls.

    Who was let in before is judged anew with every call, on a kept connection too, so what is closed again is closed
    once that was read. Bound to the running event loop.
    """

    def __init__(self, policy: EgressPolicy, read: ReadAllowed | None = None) -> None:
        """*policy* holds for all; without *read* nothing is open to anybody besides."""
        self._policy = policy
        self._read = read
        self._now = asyncio.get_running_loop().time
        self._common = AddressJudge(policy)
        self._own: dict[str, AddressJudge] = {}
        self._allowed: Mapping[str, Allowed] = {}
        self._fresh_until = float("inf") if read is None else float("-inf")
        self._believed_until = self._fresh_until
        self._reading: asyncio.Task[None] | None = None

    async def judge(self, tenant_id: str) -> AddressJudge:
        """Who judges the calls of the tenant. Raises UnavailableError when what is open to it can't be read."""
        now = self._now()
        if now >= self._fresh_until:
            reading = self._begin()
            if now >= self._believed_until:
                await asyncio.shield(reading)
                if self._now() >= self._believed_until:
                    raise UnavailableError("Which addresses the tenant may call can't be read: the store is away.")
        return self._own.get(tenant_id, self._common)

    async def aclose(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _begin(self) -> "asyncio.Task[None]":
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._refresh())
        return self._reading

    async def _refresh(self) -> None:
        assert self._read is not None
        try:
            allowed = await self._read()
        except UnavailableError as error:
            log.warning("egress_not_read", extra={"reason": str(error)})
            self._fresh_until = self._now() + _READ_AGAIN_S
            return
        except Exception:  # A bug there must not end a call of everybody.
            log.exception("egress_read_crashed")
            self._fresh_until = self._now() + _READ_AGAIN_S
            return
        kept = {name: judge for name, judge in self._own.items() if self._allowed[name] == allowed.get(name)}
        self._own = {name: kept.get(name) or self._of(each) for name, each in allowed.items()}
        self._allowed = allowed
        self._fresh_until = self._now() + _READ_EVERY_S
        self._believed_until = self._now() + _BELIEVED_S

    def _of(self, allowed: Allowed) -> AddressJudge:
        policy = EgressPolicy((*self._policy.allow, *allowed.ranges), setting=self._policy.setting)
        return AddressJudge(policy, hosts=allowed.hosts, remembered=_OF_A_TENANT_REMEMBERED)


def _allowed(
    peer_of: Callable[[IPv4Address | IPv6Address], Peer], addresses: tuple[IPv4Address | IPv6Address, ...]
) -> tuple[Peer, ...] | str:
    peers = [peer_of(address) for address in addresses]
    allowed = tuple(peer for peer in peers if peer.refusal is None)
    return allowed or "; ".join(peer.refusal for peer in peers if peer.refusal is not None)
