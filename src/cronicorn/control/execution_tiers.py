"""What a tenant's tier lets it have, at every door."""

from dataclasses import dataclass, replace
from datetime import datetime

from cronicorn.control.findings import Findings
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.execution.limits import UNLIMITED, ExecutionLimits, Ration, TierLimits, month_of
from cronicorn.domain.execution.ports import RunBook
from cronicorn.domain.instant import EPOCH, MILLISECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionStanding:
    """What a tenant may do, and where it stands."""

    limits: ExecutionLimits
    runs: Ration | None
    """Runs of the present month; None where they are not limited."""


class ExecutionTiers:
    """The limits of tenants. Where no tier has one that doors look at, no store is asked."""

    def __init__(self, book: RunBook, limits: TierLimits) -> None:
        self._book = book
        self._limits = limits

    async def of(self, tenant_id: str) -> ExecutionLimits:
        """What the tenant may do. Raises UnavailableError."""
        if not self._limits.limits_endpoints:
            return UNLIMITED
        standing = await self._book.standing([tenant_id], EPOCH)
        return self._limits.of(standing[tenant_id].tier)

    @property
    def counts_runs(self) -> bool:
        """Whether any tenant's runs are limited."""
        return self._limits.counts_runs

    async def standing(self, tenant_id: str, now: datetime) -> ExecutionStanding:
        """What the tenant may do, and has done in the month of *now*. Raises UnavailableError."""
        if not self._limits.limits_endpoints and not self.counts_runs:
            return ExecutionStanding(limits=UNLIMITED, runs=None)
        month = month_of(now)
        stands = (await self._book.standing([tenant_id], month.start_at))[tenant_id]
        limits = self._limits.of(stands.tier)
        runs = Ration(limit=limits.runs, month=month, used=stands.runs) if limits.runs is not None else None
        return ExecutionStanding(limits=limits, runs=runs)


def spaced(endpoint: JobEndpoint, before: JobEndpoint, limits: ExecutionLimits, findings: Findings) -> JobEndpoint:
    """*endpoint*, drafted on *before*, with a minimum that the tier allows, so that plans and hints keep to it.

    Reports what was asked for below it. What stood below it before, under another tier, is raised.
    """
    least = limits.interval_min
    if least is None:
        return endpoint
    more = f"the tier allows no less than {least // MILLISECOND} ms; a higher tier may"
    given, interval = endpoint.interval_min, endpoint.baseline.interval
    if given is not None and given < least and given != before.interval_min:
        findings.refuse("/minIntervalMs", f"It is too short: {more}.")
    if interval is not None and interval < least and interval != before.baseline.interval:
        findings.refuse("/baselineIntervalMs", f"It is too short: {more}.")
    return endpoint if given is not None and given >= least else replace(endpoint, interval_min=least)
