"""Runs of tenants whose tier limits them: asked for at each claim, counted by each settlement."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from cronicorn.domain.calendar import Window
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.execution.limits import Ration, Standing, TierLimits, month_of
from cronicorn.domain.execution.ports import RunBook
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.ports import Decide, JobStore
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement

log = logging.getLogger(__name__)

_TOLD_MAX = 10_000
"""Of more tenants those told first are forgotten: they may be told again."""


class RationedJobStore(JobStore):
    """Gives each lease of *inner* what its tenant's tier leaves it, by *limits* and what *book* has counted.

    One look at *book* for a claim, and none where no tier limits runs. Slots of one claim are counted among themselves,
    those that others are running are not: a limit is passed by at most the calls that were in progress when it was
    reached.
    """

    def __init__(self, inner: JobStore, book: RunBook, limits: TierLimits) -> None:
        self._inner = inner
        self._book = book
        self._limits = limits
        self._told: dict[str, tuple[datetime, int]] = {}
        """The month, and the limit, whose end was told last, by tenant."""

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        leases = await self._inner.claim_due(worker_id=worker_id, limit=limit, ttl=ttl, endpoint_id=endpoint_id)
        if not leases or not self._limits.counts_runs:
            return leases
        try:
            month = month_of(max(lease.claimed_at for lease in leases))
            standing = await self._book.standing({lease.endpoint.tenant_id for lease in leases}, month.start_at)
        except BaseException as error:
            # Nobody would know of these leases: they are given back, as far as the store can be reached.
            await self._give_back(leases, error)
            raise
        rationed = _rationed(leases, standing, self._limits, month)
        self._tell_used_up(rationed)
        return rationed

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        return self._inner.renew(leases, ttl=ttl)

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        return await self._inner.settle(lease, run, decide)

    async def abandon(self, leases: Sequence[Lease]) -> None:
        await self._inner.abandon(leases)

    async def next_due(self) -> NextDue | None:
        return await self._inner.next_due()

    def _tell_used_up(self, leases: Sequence[Lease]) -> None:
        """Tell whose runs are used up: once for a tenant, a month and a limit, and not with each claim."""
        spent = {lease.endpoint.tenant_id: lease.ration for lease in leases if lease.exhausted}
        for tenant_id, ration in spent.items():
            assert ration is not None, "it is exhausted"
            told = (ration.month.start_at, ration.limit)
            if self._told.get(tenant_id) != told:
                self._told.pop(tenant_id, None)
                self._told[tenant_id] = told
                while len(self._told) > _TOLD_MAX:
                    del self._told[next(iter(self._told))]
                facts = {"tenant": tenant_id, "limit": ration.limit, "until": ration.month.end_at.isoformat()}
                log.warning("runs_used_up", extra=facts)

    async def _give_back(self, leases: Sequence[Lease], why: BaseException) -> None:
        try:
            await self._inner.abandon(leases)
        except UnavailableError:
            log.warning("leases_left_to_expire", extra={"leases": len(leases), "reason": str(why)})


def _rationed(
    leases: Sequence[Lease], standing: Mapping[str, Standing], limits: TierLimits, month: Window
) -> list[Lease]:
    begun: dict[str, int] = {}
    rationed = []
    for lease in leases:
        tenant_id = lease.endpoint.tenant_id
        stands = standing.get(tenant_id, Standing())
        most = limits.of(stands.tier).runs
        if most is None:
            rationed.append(lease)
            continue
        ration = Ration(limit=most, month=month, used=stands.runs + begun.get(tenant_id, 0))
        if not ration.exhausted:
            begun[tenant_id] = begun.get(tenant_id, 0) + 1
        rationed.append(lease._replace(ration=ration))
    return rationed
