"""What a tenant's tier lets it have, at every door."""

from dataclasses import replace

from cronicorn.control.document import MILLISECOND
from cronicorn.control.findings import Findings
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.execution.limits import UNLIMITED, ExecutionLimits, TierLimits
from cronicorn.domain.execution.ports import RunBook
from cronicorn.domain.instant import EPOCH


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
