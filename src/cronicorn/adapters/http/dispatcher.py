"""Make calls with libcurl, each to a checked address, each within its limits."""

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address

import pycurl

from cronicorn.adapters.http.addresses import EgressPolicy
from cronicorn.adapters.http.ending import Ending, outcome_of
from cronicorn.adapters.http.exchange import Exchange, ExchangeLimits, Stop
from cronicorn.adapters.http.limits import DispatcherLimits
from cronicorn.adapters.http.multi import OK, MultiDriver
from cronicorn.adapters.http.pools import Pool, Pools
from cronicorn.adapters.http.redirects import location_of, redirected
from cronicorn.adapters.http.request import WireRequest
from cronicorn.adapters.http.resolver import Resolver
from cronicorn.adapters.http.room import no_room
from cronicorn.adapters.http.transfer import Transfer, Trust, fixed_options
from cronicorn.adapters.http.url import target_of
from cronicorn.domain.call import Call, Outcome, OutcomeKind
from cronicorn.domain.errors import InvalidInputError, UnavailableError
from cronicorn.domain.ports import Dispatcher
from cronicorn.domain.sentence import as_sentence
from cronicorn.domain.target import Target

_SWEEP_S = 1.0

log = logging.getLogger(__name__)


class CurlDispatcher(Dispatcher):
    """Calls endpoints over HTTP/1.1. Belongs to the event loop it was made on; close it with `aclose`.

    Each address is checked against *policy* before a socket is opened, and the connection is held to that address.
    Connections are kept for a tenant's next call for a few seconds and never shared between tenants. Proxy settings
    of the environment are ignored.
    """

    def __init__(
        self,
        *,
        policy: EgressPolicy,
        resolver: Resolver,
        limits: DispatcherLimits | None = None,
        trust: Trust | None = None,
    ) -> None:
        """*resolver* is closed with the dispatcher."""
        self._loop = asyncio.get_running_loop()
        self._policy = policy
        self._resolver = resolver
        self._limits = limits or DispatcherLimits.for_this_process()
        self._options = fixed_options(trust or Trust.of_this_machine())
        self._room = asyncio.Semaphore(self._limits.calls)
        self._driver = MultiDriver(connections_max=self._limits.calls + self._limits.connections)
        self._pools = Pools(clock=self._loop.time, connections_max=self._limits.connections)
        self._live: dict[pycurl.Curl, Exchange] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._calls = 0
        self._quiet = asyncio.Event()
        self._closed = False

    async def dispatch(self, call: Call) -> Outcome:
        """Make *call* and say how it ended. Its clock starts when there is room for it.

        Raises UnavailableError when this machine can open no socket for it; nothing was sent then.
        """
        self._calls += 1
        try:
            async with self._room:
                watch = _Stopwatch(loop=self._loop, started_at=self._loop.time(), limit=call.timeout)
                return await self._guarded(call, watch)
        finally:
            self._calls -= 1
            if not self._calls:
                self._quiet.set()

    async def aclose(self) -> None:
        """End all calls in progress as cancelled, and close all connections."""
        self._closed = True
        for curl, exchange in list(self._live.items()):
            self._stop(curl, exchange, Stop.CLOSING)
        await self._resolver.aclose()
        while self._calls:
            self._quiet.clear()
            await self._quiet.wait()
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._pools.close()
        self._driver.close()

    async def _guarded(self, call: Call, watch: "_Stopwatch") -> Outcome:
        try:
            return await self._follow(call, watch)
        except InvalidInputError as error:
            return Outcome(kind=OutcomeKind.REFUSED, duration=watch.elapsed, error=str(error))

    async def _follow(self, call: Call, watch: "_Stopwatch") -> Outcome:
        request = WireRequest(target=target_of(call.url), method=call.method, headers=call.headers, body=call.body)
        outcome = await self._send(call, request, watch)
        for _ in range(call.redirects_max):
            location = location_of(outcome)
            if location is None:
                return outcome
            try:
                following = redirected(request, outcome.status_code, location)
                outcome = await self._send(call, following, watch)
            except InvalidInputError as error:
                return _not_followed(outcome, OutcomeKind.REFUSED, request.target, str(error))
            except UnavailableError as error:  # Too late to raise: the requests before this one were sent.
                return _not_followed(outcome, OutcomeKind.UNREACHABLE, request.target, str(error))
            request = following
        if call.redirects_max and location_of(outcome) is not None:
            why = f"It is one more than the {call.redirects_max} that may be followed."
            return _not_followed(outcome, OutcomeKind.BROKEN, request.target, why)
        return outcome

    async def _send(self, call: Call, request: WireRequest, watch: "_Stopwatch") -> Outcome:
        """Try the checked addresses of the request's host in turn, until one can be connected."""
        found = await self._addresses(call.tenant_id, request.target, watch)
        if isinstance(found, Outcome):
            return found
        ending = None
        for tried, address in enumerate(found):
            transfer = Transfer(
                request=request,
                address=address,
                total_s=watch.remaining_s,
                connect_s=min(self._limits.connect_s, watch.remaining_s / (len(found) - tried)),
                body_bytes_max=call.response_bytes_max,
            )
            ending = await self._attempt(call.tenant_id, transfer, watch)
            if not ending.is_connect_failure or not ending.in_time:
                break
        assert ending is not None, "A host without an address that may be called has an outcome."
        return outcome_of(ending, body_bytes_max=call.response_bytes_max)

    async def _addresses(
        self, tenant_id: str, target: Target, watch: "_Stopwatch"
    ) -> tuple[IPv4Address | IPv6Address, ...] | Outcome:
        """The addresses of *target* that may be called, or why there is none."""
        if target.address is not None:
            return self._checked(target, (target.address,), watch)
        try:
            async with asyncio.timeout(watch.remaining_s):
                resolution = await self._resolver.resolve(tenant_id, target.host)
        except TimeoutError:
            error = f"The name {target.host} was not resolved in time."
            return Outcome(kind=OutcomeKind.TIMED_OUT, duration=watch.elapsed, error=error)
        if resolution.no_room:
            raise no_room()
        if resolution.addresses:
            return self._checked(target, resolution.addresses, watch)
        error = as_sentence(f"The name {target.host} could not be resolved: {resolution.failure}")
        return Outcome(kind=OutcomeKind.UNRESOLVED, duration=watch.elapsed, error=error)

    def _checked(
        self, target: Target, addresses: tuple[IPv4Address | IPv6Address, ...], watch: "_Stopwatch"
    ) -> tuple[IPv4Address | IPv6Address, ...] | Outcome:
        refusals = {address: self._policy.refusal(address) for address in addresses}
        allowed = tuple(address for address, refusal in refusals.items() if refusal is None)
        if allowed:
            return allowed[: self._limits.addresses_tried]
        error = f"{target.authority} may not be called: {'; '.join(filter(None, refusals.values()))}."
        return Outcome(kind=OutcomeKind.REFUSED, duration=watch.elapsed, error=error)

    async def _attempt(self, tenant_id: str, transfer: Transfer, watch: "_Stopwatch") -> Ending:
        """Make *transfer*, on a kept connection if there is a clean one."""
        pool, curl = self._pools.borrow(tenant_id)
        try:
            ending = await self._exchange(pool, curl, transfer, watch, fresh=False)
            if ending.exchange.stop is Stop.NOT_REUSABLE:
                curl.reset()
                ending = await self._exchange(pool, curl, transfer, watch, fresh=True)
            return ending
        finally:
            self._pools.give_back(pool, curl)
            self._sweep_later()

    async def _exchange(
        self, pool: Pool, curl: pycurl.Curl, transfer: Transfer, watch: "_Stopwatch", *, fresh: bool
    ) -> Ending:
        limits = ExchangeLimits(body_bytes=transfer.body_bytes_max, header_bytes=self._limits.header_bytes)
        exchange = Exchange(pinned=transfer.address, pool=pool, limits=limits, may_repeat=transfer.may_repeat)
        for option, value in self._options:
            curl.setopt(option, value)
        for option, value in transfer.options(exchange, fresh=fresh, keep=self._pools.may_keep):
            curl.setopt(option, value)
        code, message = await self._perform(curl, exchange)
        if code == OK and exchange.ends is not None and (fd := curl.getinfo(pycurl.ACTIVESOCKET)) >= 0:
            pool.keep(exchange.ends, fd)
        return Ending(
            target=transfer.request.target,
            exchange=exchange,
            code=code,
            message=message,
            connected=exchange.ends is not None or curl.getinfo(pycurl.CONNECT_TIME) > 0,
            in_time=watch.remaining_s > 0,
            duration=watch.elapsed,
        )

    async def _perform(self, curl: pycurl.Curl, exchange: Exchange) -> tuple[int, str]:
        if self._closed:
            exchange.stop = Stop.CLOSING
            return OK, ""
        self._live[curl] = exchange
        self._sweep_later()
        try:
            code, message = await self._driver.perform(curl)
        finally:
            del self._live[curl]
        if exchange.crash is not None:
            log.error("exchange_crashed", exc_info=exchange.crash)
            if not isinstance(exchange.crash, Exception):
                raise exchange.crash
        return code, message

    def _stop(self, curl: pycurl.Curl, exchange: Exchange, stop: Stop) -> None:
        exchange.stop = stop
        self._driver.abort(curl, pycurl.E_ABORTED_BY_CALLBACK)

    def _sweep_later(self) -> None:
        if self._sweeper is None and not self._closed:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        """End answers that stalled, and close connections that nobody uses."""
        self._sweeper = None
        silent_since = self._loop.time() - self._limits.stall_s
        for curl, exchange in list(self._live.items()):
            if exchange.touched_at is not None and exchange.touched_at < silent_since:
                self._stop(curl, exchange, Stop.STALLED)
        self._pools.sweep()
        if self._live or len(self._pools):
            self._sweep_later()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stopwatch:
    """How long a call has taken, and how long it may still take."""

    loop: asyncio.AbstractEventLoop
    started_at: float
    limit: timedelta

    @property
    def elapsed(self) -> timedelta:
        return timedelta(seconds=self.loop.time() - self.started_at)

    @property
    def remaining_s(self) -> float:
        return self.started_at + self.limit.total_seconds() - self.loop.time()


def _not_followed(outcome: Outcome, kind: OutcomeKind, target: Target, why: str) -> Outcome:
    return replace(outcome, kind=kind, error=f"The redirect of {target.authority} was not followed. {why}")
