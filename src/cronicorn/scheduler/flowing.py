"""Flow control: claimed slots whose turn has not come are put back for later, before anybody calls."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from cronicorn.domain.editing import called_on, held_back
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.errors import LeaseLostError, NotFoundError, UnavailableError
from cronicorn.domain.flow.admitting import FlowAsk, admitted, next_in_line
from cronicorn.domain.flow.limits import EVERY_HOST, FlowLimits, HeldBack
from cronicorn.domain.flow.ports import FlowBook
from cronicorn.domain.flow.record import FlowKey, FlowRecord, Waiting
from cronicorn.domain.flow.slowing import asks_for_less, held_by_slow_host, slowed
from cronicorn.domain.instant import microseconds_of
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.ports import Clock, Decide, EndpointCatalog, JobStore
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Change, Settlement, Stored
from cronicorn.domain.target import host_of

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
"""So often the slowed hosts are read: a 429 that another worker got is heeded a second later at most."""
_TO_SETTLE = timedelta(seconds=15)
"""A call that has ended is recorded within so long, or its place goes to others."""

Wants = tuple[tuple[FlowKey, FlowLimits], ...]


class FlowingJobStore(JobStore):
    """Hands out those leases of *inner* whose calls may begin now, by their flow, by *hosts* and by what hosts ask for.

    The others are settled without a run: the slot stays due, later, with the reason. A call is counted when its lease
    is handed out, by the store's clock, whoever claimed it. Where nothing is limited and no host slowed, *book* is read
    once a second and no lease is looked at twice.
    """

    def __init__(
        self, inner: JobStore, book: FlowBook, catalog: EndpointCatalog, clock: Clock, hosts: Mapping[str, FlowLimits]
    ) -> None:
        self._inner = inner
        self._book = book
        self._catalog = catalog
        self._clock = clock
        self._hosts = hosts
        self._slowed: Mapping[FlowKey, int] = {}
        self._look_at = float("-inf")
        self._placed: dict[str, Wants] = {}
        """What the leases handed out hold places of, by claim id."""
        self._wake: Callable[[], None] | None = None

    def on_due(self, wake: Callable[[], None]) -> None:
        """Call *wake* whenever a slot that was held back is due at once."""
        self._wake = wake

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        leases = await self._inner.claim_due(worker_id=worker_id, limit=limit, ttl=ttl, endpoint_id=endpoint_id)
        if not leases:
            return leases
        try:
            held = await self._held_back(leases)
        except BaseException:
            await self._give_back(leases)
            raise
        if not held:
            return leases
        await asyncio.gather(
            *(self._put_back(lease, held[lease.claim_id]) for lease in leases if lease.claim_id in held)
        )
        return [lease for lease in leases if lease.claim_id not in held]

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        return self._inner.renew(leases, ttl=ttl)

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        if run is not None and asks_for_less(run.outcome):
            await self._slow_down(lease, run)
        try:
            settlement = await self._inner.settle(lease, run, decide)
        except LeaseLostError:
            await self._leave(lease)
            raise
        if lease.claim_id in self._placed:
            await self._leave(lease)
        return settlement

    async def abandon(self, leases: Sequence[Lease]) -> None:
        await self._inner.abandon(leases)
        for lease in leases:
            await self._leave(lease)

    async def next_due(self) -> NextDue | None:
        return await self._inner.next_due()

    async def _held_back(self, leases: Sequence[Lease]) -> Mapping[str, HeldBack]:
        """Which of *leases* may not begin now, and until when, by claim id. Counts the others."""
        if self._clock.monotonic() >= self._look_at:
            self._slowed = await self._book.slowed()
            self._look_at = self._clock.monotonic() + _LOOK_EVERY_S
        held = self._of_slowed_hosts(leases) if self._slowed else {}
        asks = []
        for lease in leases:
            if (lease.endpoint.flow is not None or self._hosts) and not lease.exhausted and lease.claim_id not in held:
                wants = self._wants(lease.endpoint)
                if wants:
                    asks.append(_ask(lease, wants))
        if not asks:
            return held
        verdicts = await self._book.change(
            {key for ask in asks for key, _ in ask.wants}, lambda records, now: admitted(records, asks, now)
        )
        self._placed |= {ask.claim_id: places for ask in asks if (places := _places(ask, verdicts[ask.claim_id]))}
        return held | {claim_id: verdict for claim_id, verdict in verdicts.items() if verdict is not None}

    def _of_slowed_hosts(self, leases: Sequence[Lease]) -> dict[str, HeldBack]:
        held = {}
        for lease in leases:
            endpoint = lease.endpoint
            host = host_of(endpoint.request.url)
            until_us = self._slowed.get(FlowKey.of_host(endpoint.tenant_id, host), 0)
            if until_us > microseconds_of(lease.claimed_at):
                held[lease.claim_id] = held_by_slow_host(host, until_us, lease.claimed_at, endpoint.id)
        return held

    def _wants(self, endpoint: JobEndpoint) -> Wants:
        found = []
        flow = endpoint.flow
        if flow is not None:
            tenant_id = endpoint.tenant_id
            name = FlowKey.of_key(tenant_id, flow.key) if flow.key is not None else None
            found.append((name or FlowKey.of_host(tenant_id, host_of(endpoint.request.url)), flow.limits))
        if self._hosts:
            host = host_of(endpoint.request.url)
            limits = self._hosts.get(host) or self._hosts.get(EVERY_HOST)
            if limits is not None:
                found.append((FlowKey.of_host("", host), limits))
        return tuple(found)

    async def _put_back(self, lease: Lease, held: HeldBack) -> None:
        """Settle *lease* without a run: its slot is due again when *held* says."""

        def decide(endpoint: JobEndpoint, _: Stored) -> Settlement:
            return held_back(endpoint, held)

        try:
            await self._inner.settle(lease, None, decide)
        except LeaseLostError:
            log.warning("lease_lost", extra=lease.facts())
        except UnavailableError as error:  # It is due again when its lease ends, and asks anew.
            log.warning("leases_left_to_expire", extra={"leases": 1, "reason": str(error)})

    async def _slow_down(self, lease: Lease, run: Run) -> None:
        """Leave the host alone, for all endpoints of the tenant."""
        host = host_of(lease.endpoint.request.url)
        key = FlowKey.of_host(lease.endpoint.tenant_id, host)

        def edit(records: Mapping[FlowKey, FlowRecord], now: datetime) -> tuple[dict[FlowKey, FlowRecord], int]:
            record = slowed(records[key], run.outcome, now)
            return {key: record}, record.slowed_us

        async def slow() -> None:
            until_us = await self._book.change([key], edit)
            self._slowed = {**self._slowed, key: until_us}

        await self._if_possible(slow)

    async def _leave(self, lease: Lease) -> None:
        """Give up the places that *lease* holds, and call on who waits for them."""
        places = self._placed.pop(lease.claim_id, ())
        if not places:
            return
        limits = dict(places)

        def edit(
            records: Mapping[FlowKey, FlowRecord], now: datetime
        ) -> tuple[dict[FlowKey, FlowRecord], list[Waiting]]:
            left = {key: record.left_by(lease.claim_id) for key, record in records.items()}
            most = {key: limits[key].parallelism or 0 for key in left}
            now_us = microseconds_of(now)
            return left, [each for key, record in left.items() for each in next_in_line(record, most[key], now_us)]

        async def leave() -> None:
            for waiting in dict.fromkeys(await self._book.change(limits.keys(), edit)):
                await self._call_on(waiting)

        await self._if_possible(leave)

    async def _call_on(self, waiting: Waiting) -> None:
        def edit(endpoint: JobEndpoint, _: Job, stored: Stored) -> Change:
            return called_on(endpoint, stored)

        try:
            await self._catalog.change(waiting.tenant_id, waiting.endpoint_id, edit)
        except NotFoundError:
            return
        if self._wake is not None:
            self._wake()

    async def _if_possible(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do *work*. What fails heals by itself: places end with their calls, and who waits asks again."""
        try:
            await work()
        except UnavailableError as error:
            log.warning("flow_not_written", extra={"reason": str(error)})
        except Exception:  # A bug here must not cost the record of a run.
            log.exception("flow_crashed")

    async def _give_back(self, leases: Sequence[Lease]) -> None:
        try:
            await self._inner.abandon(leases)
        except UnavailableError as error:
            log.warning("leases_left_to_expire", extra={"leases": len(leases), "reason": str(error)})


def _ask(lease: Lease, wants: Wants) -> FlowAsk:
    endpoint, request, held = lease.endpoint, lease.endpoint.request, lease.endpoint.state.held
    return FlowAsk(
        claim_id=lease.claim_id,
        tenant_id=endpoint.tenant_id,
        endpoint_id=endpoint.id,
        returning=held is not None,
        turn_us=microseconds_of(held.turn_at) if held is not None and held.turn_at is not None else 0,
        call_max=min(request.timeout, request.execution_max) + _TO_SETTLE,
        wants=wants,
    )


def _places(ask: FlowAsk, verdict: HeldBack | None) -> Wants:
    """What the ask holds places of."""
    return () if verdict is not None else tuple(want for want in ask.wants if want[1].parallelism is not None)
