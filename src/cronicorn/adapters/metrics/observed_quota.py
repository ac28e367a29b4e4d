"""A quota whose decisions are counted and told."""

import logging
from collections import OrderedDict
from datetime import timedelta

from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.decision import Decision, Denied, Mode, QuotaView
from cronicorn.domain.quota.ports import Quota

log = logging.getLogger(__name__)

GRANTS_MAX = 10_000
"""So many grants are remembered until they end; those of killed calls are forgotten."""


class ObservedQuota(Quota):
    """Does what *inner* does in *mode*, and tells *metrics*."""

    def __init__(self, inner: Quota, metrics: Metrics, mode: Mode) -> None:
        self._inner = inner
        self._metrics = metrics
        self._mode = mode
        self._tenants: OrderedDict[str, tuple[str, int]] = OrderedDict()
        """The tenant and the estimate of each grant in progress."""

    async def reserve(self, tenant_id: str, estimate: int, *, budget: Budget, key: str, ttl: timedelta) -> Decision:
        decision = await self._inner.reserve(tenant_id, estimate, budget=budget, key=key, ttl=ttl)
        if isinstance(decision, Denied):
            self._metrics.quota_denied(budget, decision.reason)
            log.info(
                "quota_denied",
                extra={
                    "tenant": tenant_id,
                    "budget": budget.value,
                    "reason": decision.reason.value,
                    "remaining": decision.remaining,
                    "retry_after_s": decision.retry_after.total_seconds(),
                    "reset_at": decision.reset_at.isoformat(),
                },
            )
        elif decision.grant_id not in self._tenants:
            self._metrics.quota_reserved(budget, estimate)
            self._tenants[decision.grant_id] = (tenant_id, estimate)
            if len(self._tenants) > GRANTS_MAX:
                self._tenants.popitem(last=False)
        return decision

    async def commit(self, grant_id: str, actual: int | None) -> None:
        await self._inner.commit(grant_id, actual)
        tenant_id, estimate = self._tenants.pop(grant_id, (None, None))
        charged = actual if actual is not None else estimate
        if tenant_id is None or charged is None:  # Sent again, or granted by another process.
            return
        self._metrics.quota_committed(charged)
        if estimate is not None and charged > estimate:
            self._metrics.quota_exceeded(charged - estimate)
            log.warning("grant_exceeded", extra={"tenant": tenant_id, "granted": estimate, "charged": charged})
        if self._mode is Mode.SOFT:
            await self._tell_overrun(tenant_id, charged)

    async def release(self, grant_id: str) -> None:
        await self._inner.release(grant_id)
        self._tenants.pop(grant_id, None)

    async def remaining(self, tenant_id: str) -> QuotaView:
        return await self._inner.remaining(tenant_id)

    async def _tell_overrun(self, tenant_id: str, charged: int) -> None:
        seen = await self._inner.remaining(tenant_id)
        over = min(seen.used - seen.limit, charged)
        if over > 0:
            self._metrics.quota_overrun(over)
            log.warning("quota_overrun", extra={"tenant": tenant_id, "used": seen.used, "limit": seen.limit})
