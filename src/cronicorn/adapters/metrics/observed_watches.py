"""Watches and drafts whose results are counted."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.analysis.ports import WatchStore
from cronicorn.domain.analysis.watch import AnalysisPage, Look, Watch
from cronicorn.domain.compilation.deciding import Decided
from cronicorn.domain.compilation.draft import Draft
from cronicorn.domain.compilation.ports import Drafts
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.principal import Principal
from cronicorn.domain.settlement import Stored


class ObservedWatchStore(WatchStore):
    """Does what *inner* does, and tells *metrics* what became of the analyses that were kept."""

    def __init__(self, inner: WatchStore, metrics: Metrics) -> None:
        self._inner = inner
        self._metrics = metrics

    async def claim_due(self, *, claim_id: str, limit: int, ttl: timedelta) -> Sequence[Watch]:
        return await self._inner.claim_due(claim_id=claim_id, limit=limit, ttl=ttl)

    async def settle(self, watch: Watch, look: Look) -> None:
        await self._inner.settle(watch, look)
        if look.analysis is not None:
            self._metrics.analysed(_outcome(look))

    async def request(self, tenant_id: str, endpoint_id: str, by: str) -> timedelta:
        return await self._inner.request(tenant_id, endpoint_id, by)

    async def list(
        self, tenant_id: str, endpoint_id: str, *, limit: int, offset: int = 0, after: str | None = None
    ) -> AnalysisPage:
        return await self._inner.list(tenant_id, endpoint_id, limit=limit, offset=offset, after=after)

    async def get(self, tenant_id: str, analysis_id: str) -> Analysis:
        return await self._inner.get(tenant_id, analysis_id)


class ObservedDrafts(Drafts):
    """Does what *inner* does, and tells *metrics* of the drafts that are made."""

    def __init__(self, inner: Drafts, metrics: Metrics) -> None:
        self._inner = inner
        self._metrics = metrics

    async def add(self, draft: Draft, by: Principal | None = None) -> None:
        await self._inner.add(draft, by)
        self._metrics.compiled(draft.status)

    async def get(self, tenant_id: str, endpoint_id: str, draft_id: str) -> Draft:
        return await self._inner.get(tenant_id, endpoint_id, draft_id)

    async def list(self, tenant_id: str, endpoint_id: str) -> Sequence[Draft]:
        return await self._inner.list(tenant_id, endpoint_id)

    async def decide(
        self,
        tenant_id: str,
        endpoint_id: str,
        draft_id: str,
        decision: Callable[[Draft, JobEndpoint, Stored], Decided],
        by: Principal | None = None,
    ) -> tuple[Draft, JobEndpoint, Stored]:
        return await self._inner.decide(tenant_id, endpoint_id, draft_id, decision, by)


def _outcome(look: Look) -> str:
    """What became of the analysis of *look*, in one word."""
    assert look.analysis is not None
    if look.analysis.denied is not None:
        return "denied"
    if look.analysis.error is not None:
        return "failed"
    return "applied" if look.edit is not None else "unchanged"
