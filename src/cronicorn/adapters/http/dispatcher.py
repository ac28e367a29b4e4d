"""Make calls with libcurl, each to a checked address, each within its limits."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

import pycurl

from cronicorn.adapters.http.addresses import Peer
from cronicorn.adapters.http.egress import AddressJudge, Egress
from cronicorn.adapters.http.ending import is_connect_failure, outcome_of
from cronicorn.adapters.http.exchange import Stop
from cronicorn.adapters.http.handle import Handle, Options
from cronicorn.adapters.http.limits import DispatcherLimits
from cronicorn.adapters.http.multi import MultiDriver
from cronicorn.adapters.http.pools import Pools
from cronicorn.adapters.http.redirects import location_of, redirected
from cronicorn.adapters.http.request import request_options
from cronicorn.adapters.http.resolver import Resolver
from cronicorn.adapters.http.room import no_room
from cronicorn.adapters.http.transfer import Trust, attempt_options, fixed_options
from cronicorn.adapters.http.url import target_of
from cronicorn.domain.call import Call, Outcome, OutcomeKind
from cronicorn.domain.errors import InvalidInputError, UnavailableError
from cronicorn.domain.outgoing import call_facts
from cronicorn.domain.ports import Dispatcher
from cronicorn.domain.sentence import as_sentence
from cronicorn.domain.target import Site

_SWEEP_S = 1.0

log = logging.getLogger(__name__)


class CurlDispatcher(Dispatcher):
    """Calls endpoints over HTTP/1.1. Belongs to the event loop it was made on; close it with `aclose`.

    Each address is checked by *egress* before a socket is opened, and the connection is held to that address.
    Connections are kept for a tenant's next call for a few seconds and never shared between tenants. Proxy settings
    of the environment are ignored.
    """

    def __init__(
        self,
        *,
        egress: Egress,
        resolver: Resolver,
        limits: DispatcherLimits | None = None,
        trust: Trust | None = None,
    ) -> None:
        """*egress* and *resolver* are closed with the dispatcher."""
        self._loop = asyncio.get_running_loop()
        self._egress = egress
        self._resolver = resolver
        self._limits = limits or DispatcherLimits.for_this_process()
        self._room = asyncio.Semaphore(self._limits.calls)
        self._driver = MultiDriver(connections_max=self._limits.calls + self._limits.connections)
        self._pools = Pools(
            clock=self._loop.time,
            fixed=fixed_options(trust or Trust.of_this_machine()),
            connections_max=self._limits.connections,
            on_new_socket=self._driver.forget,
        )
        self._live: set[Handle] = set()
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
            await self._room.acquire()
            try:
                watch = _Stopwatch(self._loop.time, call.timeout)
                return await self._follow(call, watch)
            finally:
                self._room.release()
        finally:
            self._calls -= 1
            if not self._calls:
                self._quiet.set()

    async def aclose(self) -> None:
        """End all calls in progress as cancelled, and close all connections."""
        self._closed = True
        for handle in list(self._live):
            self._stop(handle, Stop.CLOSING)
        await self._egress.aclose()
        await self._resolver.aclose()
        while self._calls:
            self._quiet.clear()
            await self._quiet.wait()
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._pools.close()
        self._driver.close()

    async def _follow(self, call: Call, watch: "_Stopwatch") -> Outcome:
        try:
            outcome = await self._send(call, watch)
        except InvalidInputError as error:
            return Outcome(kind=OutcomeKind.REFUSED, duration=watch.elapsed, error=str(error))
        for _ in range(call.redirects_max):
            location = location_of(outcome)
            if location is None:
                return outcome
            try:
                following = redirected(call, outcome.status_code, location)
                outcome = await self._send(following, watch)
            except InvalidInputError as error:
                return _not_followed(outcome, OutcomeKind.REFUSED, call, str(error))
            except UnavailableError as error:  # Too late to raise: the requests before this one were sent.
                return _not_followed(outcome, OutcomeKind.UNREACHABLE, call, str(error))
            call = following
        if call.redirects_max and location_of(outcome) is not None:
            why = f"It is one more than the {call.redirects_max} that may be followed."
            return _not_followed(outcome, OutcomeKind.BROKEN, call, why)
        return outcome

    async def _send(self, call: Call, watch: "_Stopwatch") -> Outcome:
        """Try the checked addresses of the call's host in turn, until one can be connected."""
        target = target_of(call.url)
        judge = await self._egress.judge(call.tenant_id)
        if target.site.address is None:
            found = await self._resolved(judge, call.tenant_id, target.site.host, watch)
            if isinstance(found, Outcome):
                return found
        else:
            found = judge.of_literal(target.site.host)
        if isinstance(found, str):
            error = f"{target.site.authority} may not be called: {found}."
            return Outcome(kind=OutcomeKind.REFUSED, duration=watch.elapsed, error=error)
        options = request_options(call, target)
        found = found[: self._limits.addresses_tried]
        while True:
            outcome, may_go_on = await self._attempt(call, target.site, found, options, watch)
            found = found[1:]
            if not may_go_on or not found:
                return outcome

    async def _resolved(
        self, judge: AddressJudge, tenant_id: str, name: str, watch: "_Stopwatch"
    ) -> tuple[Peer, ...] | str | Outcome:
        """As `AddressJudge.of_name`, of the addresses of *name*; or what came of looking it up in vain."""
        resolution = self._resolver.known(name)
        if resolution is None:
            try:
                async with asyncio.timeout(watch.remaining_s):
                    resolution = await self._resolver.resolve(tenant_id, name)
            except TimeoutError:
                error = f"The name {name} was not resolved in time."
                return Outcome(kind=OutcomeKind.TIMED_OUT, duration=watch.elapsed, error=error)
        if resolution.no_room:
            raise no_room()
        if resolution.addresses:
            return judge.of_name(name, resolution.addresses)
        error = as_sentence(f"The name {name} could not be resolved: {resolution.failure}")
        return Outcome(kind=OutcomeKind.UNRESOLVED, duration=watch.elapsed, error=error)

    async def _attempt(
        self, call: Call, site: Site, peers: tuple[Peer, ...], options: Options, watch: "_Stopwatch"
    ) -> tuple[Outcome, bool]:
        """Call the first of *peers*, on a kept connection if there is a clean one. Tells whether another may do better.

        The time to connect is shared by all of them.
        """
        peer = peers[0]
        pool, handle = self._pools.borrow(call.tenant_id)
        exchange = handle.exchange
        if self._sweeper is None:
            self._sweep_later()
        try:
            total_s = watch.remaining_s
            connect_s = min(self._limits.connect_s, total_s / len(peers))
            options = options | attempt_options(peer, site.port, total_s, connect_s, keep=self._pools.may_keep)
            await self._perform(handle, call, peer, options)
            if exchange.stop is Stop.NOT_REUSABLE:
                await self._perform(handle, call, peer, options | {pycurl.FRESH_CONNECT: 1})
            duration = watch.elapsed
            in_time = duration < call.timeout
            outcome = outcome_of(exchange, site, duration, in_time=in_time)
            return outcome, in_time and is_connect_failure(exchange)
        finally:
            self._pools.give_back(pool, handle)

    async def _perform(self, handle: Handle, call: Call, peer: Peer, options: Options) -> None:
        handle.begin(call, peer, options, header_bytes_max=self._limits.header_bytes)
        exchange = handle.exchange
        if self._closed:
            exchange.stop = Stop.CLOSING
            return
        self._live.add(handle)
        try:
            handle.end(*await self._driver.start(handle.curl))
        finally:
            self._live.discard(handle)
            self._driver.release(handle.curl)
        if exchange.crash is not None:
            log.error("exchange_crashed", exc_info=exchange.crash, extra=call_facts(call))
            if not isinstance(exchange.crash, Exception):
                raise exchange.crash

    def _stop(self, handle: Handle, stop: Stop) -> None:
        handle.exchange.stop = stop
        self._driver.abort(handle.curl, pycurl.E_ABORTED_BY_CALLBACK)

    def _sweep_later(self) -> None:
        if self._sweeper is None and not self._closed:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        """End answers that stalled, and close connections that nobody uses."""
        self._sweeper = None
        now = self._loop.time()
        for handle in list(self._live):
            if handle.exchange.has_stalled(now, self._limits.stall_s):
                self._stop(handle, Stop.STALLED)
        self._pools.sweep()
        if self._live or len(self._pools):
            self._sweep_later()


class _Stopwatch:
    """How long a call has taken, and how long it may still take."""

    __slots__ = ("_ends_at", "_now", "_started_at")

    def __init__(self, now: Callable[[], float], limit: timedelta) -> None:
        self._now = now
        self._started_at = now()
        self._ends_at = self._started_at + limit.total_seconds()

    @property
    def elapsed(self) -> timedelta:
        return timedelta(seconds=self._now() - self._started_at)

    @property
    def remaining_s(self) -> float:
        return self._ends_at - self._now()


def _not_followed(outcome: Outcome, kind: OutcomeKind, call: Call, why: str) -> Outcome:
    site = target_of(call.url).site
    return outcome._replace(kind=kind, error=f"The redirect of {site.authority} was not followed. {why}")
