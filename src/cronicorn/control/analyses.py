"""Analyses by the model: what was made of an endpoint, and asking for another one."""

from dataclasses import dataclass
from datetime import datetime

from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.analysis.ports import WatchStore
from cronicorn.domain.ports import EndpointCatalog
from cronicorn.domain.principal import Principal

SESSIONS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisView:
    """An analysis and the name of its endpoint."""

    analysis: Analysis
    endpoint_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisList:
    """Analyses of an endpoint, newest first, and how many there are in all."""

    views: tuple[AnalysisView, ...]
    total: int
    follow_up_at: datetime | None
    """From then on the model is asked again once answers are unlike those it saw; None: it did not ask for that."""


class Analyses:
    """What can be asked about analyses. All raise NotFoundError."""

    def __init__(self, watches: WatchStore, catalog: EndpointCatalog) -> None:
        self._watches = watches
        self._catalog = catalog

    async def list(self, principal: Principal, endpoint_id: str, *, limit: int = 10, offset: int = 0) -> AnalysisList:
        """Analyses of an endpoint, newest first."""
        endpoint, _ = await self._catalog.get(principal.tenant_id, endpoint_id)
        page = await self._watches.list(principal.tenant_id, endpoint_id, limit=limit, offset=offset)
        views = tuple(AnalysisView(analysis=each, endpoint_name=endpoint.name) for each in page.analyses)
        follow_up_at = page.follow_up_at if endpoint.analysis.enabled else None
        return AnalysisList(views=views, total=page.total, follow_up_at=follow_up_at)

    async def get(self, principal: Principal, analysis_id: str) -> AnalysisView:
        """One analysis."""
        analysis = await self._watches.get(principal.tenant_id, analysis_id)
        endpoint, _ = await self._catalog.get(principal.tenant_id, analysis.endpoint_id)
        return AnalysisView(analysis=analysis, endpoint_name=endpoint.name)

    async def request(self, principal: Principal, endpoint_id: str) -> None:
        """Ask for an analysis at the planner's next look. Raises ConflictError when the endpoint's switch is off."""
        await self._watches.request(principal.tenant_id, endpoint_id, principal.actor)
