"""Several mechanisms side by side, each for a share of the tenants."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from cronicorn.domain.errors import CronicornError, LeaseLostError, UnavailableError
from cronicorn.domain.instant import LAST_INSTANT
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.ports import Decide, JobStore
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement

log = logging.getLogger(__name__)

_REST_FIRST = 0.1
_REST_MAX = 5.0
T = TypeVar("T")


@dataclass(slots=True, kw_only=True, eq=False)
class _Part:
    """A mechanism's store. One that fails rests, so that waiting for it does not keep the others back each time."""

    mechanism: Mechanism
    store: JobStore
    rest: float = 0.0
    resting_until: float = 0.0

    def failed(self, now: float) -> None:
        self.rest = min(self.rest * 2 or _REST_FIRST, _REST_MAX)
        self.resting_until = now + self.rest


class MixedJobStore(JobStore):
    """Serves each tenant through the store of its mechanism. The stores' shares must not overlap.

    All that there is room for are asked for claims at the same time, and another one has the first turn each time; one
    that is away stops none of the others. A lease whose mechanism is none of them can't come from here: it counts as
    lost, and is left to end by itself.
    """

    def __init__(self, parts: Sequence[tuple[Mechanism, JobStore]]) -> None:
        assert parts
        self._parts = [_Part(mechanism=mechanism, store=store) for mechanism, store in parts]
        self._turn = 0

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        claimed: list[Lease] = []
        if limit <= 0:
            return claimed

        async def claim(part: _Part, room: int) -> bool:
            """Claim up to *room*; say whether there may be more."""
            leases = await part.store.claim_due(worker_id=worker_id, limit=room, ttl=ttl, endpoint_id=endpoint_id)
            claimed.extend(leases)
            return len(leases) == room

        awake = self._awake()
        rooms = self._rooms(limit, awake)
        first = [part for part in awake if rooms[part.mechanism]]
        unasked = {part.mechanism: True for part in awake if part not in first}
        try:
            answers = await self._ask(first, lambda part: claim(part, rooms[part.mechanism]), otherwise=unasked or None)
            full = {**unasked, **answers}
            # What the others left of their room goes to those that may have more.
            for part in awake:
                if full.get(part.mechanism) and limit > len(claimed):
                    await self._ask([part], lambda more: claim(more, limit - len(claimed)), otherwise=full)
        except asyncio.CancelledError:
            await self._give_back(claimed)
            raise
        return sorted(claimed, key=_due_at)

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        groups = self._groups(leases)
        served = {lease.claim_id for group in groups.values() for lease in group}
        lost = {lease.claim_id for lease in leases} - served
        cancelled: set[str] = set()
        unextended: set[str] = set()
        # Those that failed when they were asked for slots come last: the others' leases must not end meanwhile.
        for part in sorted(self._parts, key=lambda part: part.rest):
            group = groups[part.mechanism]
            try:
                renewal = part.store.renew(group, ttl=ttl) if group else Renewal()
            except UnavailableError as error:
                facts = {"mechanism": part.mechanism.value, "leases": len(group), "reason": str(error)}
                log.warning("renewal_failed", extra=facts)
                renewal = _nobody_asked(group)
            except Exception:
                log.exception("renewal_crashed", extra={"mechanism": part.mechanism.value, "leases": len(group)})
                renewal = _nobody_asked(group)
            lost |= renewal.lost
            cancelled |= renewal.cancelled
            unextended |= renewal.unextended
        return Renewal(lost=frozenset(lost), cancelled=frozenset(cancelled), unextended=frozenset(unextended))

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        for part in self._parts:
            if part.mechanism is lease.mechanism:
                return await part.store.settle(lease, run, decide)
        raise LeaseLostError(f"The lease on {lease.run_id} is by {lease.mechanism.value}, which nobody runs here.")

    async def abandon(self, leases: Sequence[Lease]) -> None:
        groups = self._groups(leases)
        failure: CronicornError | None = None
        for part in self._parts:
            group = groups[part.mechanism]
            try:
                if group:
                    await part.store.abandon(group)
            except UnavailableError as error:
                failure = error
            except Exception:
                log.exception("abandon_crashed", extra={"mechanism": part.mechanism.value, "leases": len(group)})
        if failure is not None:
            raise failure

    async def next_due(self) -> NextDue | None:
        answers = await self._ask(self._awake(), lambda part: part.store.next_due())
        known = (next_due for next_due in answers.values() if next_due is not None)
        return min(known, key=lambda next_due: next_due.wait, default=None)

    async def _ask(
        self,
        parts: Iterable[_Part],
        question: Callable[[_Part], Awaitable[T]],
        *,
        otherwise: Mapping[Mechanism, T] | None = None,
    ) -> Mapping[Mechanism, T]:
        """Ask all *parts* at the same time. When nobody answers: *otherwise*, or raise what the last one raised."""
        now = asyncio.get_running_loop().time
        answers: dict[Mechanism, T] = {}
        failure: Exception = UnavailableError("No mechanism has answered lately; they are asked again soon.")

        async def ask(part: _Part) -> None:
            nonlocal failure
            try:
                answers[part.mechanism] = await question(part)
                part.rest = 0.0
            except UnavailableError as error:
                part.failed(now())
                failure = error
                log.warning("mechanism_unavailable", extra={"mechanism": part.mechanism.value, "reason": str(error)})
            except Exception as error:
                part.failed(now())
                failure = error
                log.exception("mechanism_crashed", extra={"mechanism": part.mechanism.value})

        async with asyncio.TaskGroup() as tasks:
            for part in parts:
                tasks.create_task(ask(part))
        if answers or otherwise is not None:
            return answers or otherwise or {}
        raise failure

    def _awake(self) -> list[_Part]:
        """The parts that don't rest, another one first each time."""
        self._turn = (self._turn + 1) % len(self._parts)
        now = asyncio.get_running_loop().time()
        return [part for part in self._parts[self._turn :] + self._parts[: self._turn] if part.resting_until <= now]

    def _groups(self, leases: Iterable[Lease]) -> Mapping[Mechanism, list[Lease]]:
        groups: dict[Mechanism, list[Lease]] = {part.mechanism: [] for part in self._parts}
        for lease in leases:
            groups.get(lease.mechanism, []).append(lease)
        return groups

    @staticmethod
    def _rooms(limit: int, awake: Sequence[_Part]) -> Mapping[Mechanism, int]:
        """How much each part may claim at first: equal shares, and one more for the first few."""
        share, over = divmod(limit, max(len(awake), 1))
        return {part.mechanism: share + int(number < over) for number, part in enumerate(awake)}

    async def _give_back(self, leases: Sequence[Lease]) -> None:
        try:
            await self.abandon(leases)
        except UnavailableError as error:
            log.warning("leases_left_to_expire", extra={"leases": len(leases), "reason": str(error)})


def _nobody_asked(leases: Sequence[Lease]) -> Renewal:
    return Renewal(unextended=frozenset(lease.claim_id for lease in leases))


def _due_at(lease: Lease) -> datetime:
    return lease.endpoint.state.due_at or LAST_INSTANT
