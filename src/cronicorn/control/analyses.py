"""Analyses by the model: what was made of an endpoint, and asking for another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.control.permissions import operation
from cronicorn.control.quota import Quotas, QuotaStanding, never_made
from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.analysis.ports import WatchStore
from cronicorn.domain.analysis.watching import MODEL_PAUSE, NOT_ASKED_BEFORE
from cronicorn.domain.durations import coarse
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.instant import ZERO, shifted
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import EndpointCatalog
from cronicorn.domain.principal import Principal
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.bounds import ANALYSIS_TOKENS_MAX
from cronicorn.domain.quota.decision import Mode

SESSIONS_MAX = 100
UNENDED = "missing_final_tool"
WARNINGS_TOLD: Mapping[str, str] = {
    "output_truncated": "An answer of the model was cut off at its limit.",
    UNENDED: "The model did not end its analysis: nothing was changed.",
    "grant_exceeded": "The provider billed more tokens than were reserved: all are charged.",
    "missing_reasoning": "The model gave no reasoning.",
}
"""The codes of the contract, and one more; `warning_codes` tells all."""
PLANNERS_GONE = timedelta(minutes=10)
"""A look that nobody made for so long is one that no planner makes, or planners are far behind."""


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

    def __init__(self, watches: WatchStore, catalog: EndpointCatalog, quotas: Quotas, *, model_named: bool) -> None:
        self._watches = watches
        self._catalog = catalog
        self._quotas = quotas
        self.model_named = model_named

    @operation(Operation.ANALYSIS_LIST)
    async def list(
        self, principal: Principal, endpoint_id: str, *, limit: int = 10, offset: int = 0, after: str | None = None
    ) -> AnalysisList:
        """Analyses of an endpoint, newest first; those after the one with the id *after*, if it is given."""
        endpoint, _ = await self._catalog.get(principal.tenant_id, endpoint_id)
        page = await self._watches.list(principal.tenant_id, endpoint_id, limit=limit, offset=offset, after=after)
        views = tuple(AnalysisView(analysis=each, endpoint_name=endpoint.name) for each in page.analyses)
        follow_up_at = page.follow_up_at if endpoint.analysis.enabled else None
        return AnalysisList(views=views, total=page.total, follow_up_at=follow_up_at)

    @operation(Operation.ANALYSIS_GET)
    async def get(self, principal: Principal, analysis_id: str) -> AnalysisView:
        """One analysis."""
        analysis = await self._watches.get(principal.tenant_id, analysis_id)
        endpoint, _ = await self._catalog.get(principal.tenant_id, analysis.endpoint_id)
        return AnalysisView(analysis=analysis, endpoint_name=endpoint.name)

    @operation(Operation.ANALYSIS_REQUEST)
    async def request(self, principal: Principal, endpoint_id: str) -> tuple[str, ...]:
        """Ask for an analysis at the planner's next look, and answer what may keep it from being made, as sentences.

        Raises ConflictError when the endpoint's switch is off. Books of tokens that can't be reached keep nobody from
        asking: that is one of the sentences then.
        """
        unattended = self._unattended(await self._watches.request(principal.tenant_id, endpoint_id, principal.actor))
        newest = (await self._watches.list(principal.tenant_id, endpoint_id, limit=1)).analyses
        doubts = [unattended]
        try:
            standing = await self._quotas.show(principal)
        except UnavailableError as error:
            doubts.append(f"Nobody can say now what is left of the tenant's tokens: {error}")
        else:
            now = shifted(standing.reset_at, -standing.resets_in)
            doubts += [_unaffordable(standing), _failed(newest[0], now) if newest else None]
        return tuple(doubt for doubt in doubts if doubt is not None)

    def _unattended(self, late: timedelta) -> str | None:
        """Why nobody may look; None where a planner has looked lately, or may be about to."""
        start = "start `cronicorn planner`, or `cronicorn up`, with CRONICORN_AI_MODEL on this database"
        if late >= PLANNERS_GONE:
            return f"No planner has looked at the endpoint for {late // timedelta(minutes=1)} minutes: {start}."
        if late >= ZERO and not self.model_named:
            return f"No model is named here, and no planner has looked lately: unless one runs elsewhere, {start}."
        return None


def warning_told(code: str) -> str:
    """What a warning of an analysis says to a person."""
    return WARNINGS_TOLD.get(code, code.replace("_", " "))


def _unaffordable(standing: QuotaStanding) -> str | None:
    never = never_made(standing).get(Budget.ANALYSIS)
    if never is not None:
        return f"{never} `cronicorn tenant set NAME --limit TOKENS` does."
    left, needed = standing.left[Budget.ANALYSIS], 1 if standing.mode is Mode.SOFT else ANALYSIS_TOKENS_MAX
    if left >= needed:
        return None
    return (
        f"The tenant has {left:,} tokens left for analyses, and one reserves {ANALYSIS_TOKENS_MAX:,}: it is denied"
        f" unless some come back, the window begins anew in {coarse(standing.resets_in)} with more, or"
        " `cronicorn tenant set NAME --limit TOKENS` raises the limit."
    )


def _failed(newest: Analysis, now: datetime) -> str | None:
    """Why the newest analysis failed, and until when nobody may be asked for that reason."""
    if newest.error is None:
        return None
    told, until = f"The last analysis failed: {newest.error}", shifted(newest.at, MODEL_PAUSE)
    if until <= now or newest.error.startswith(NOT_ASKED_BEFORE):
        return told
    return (
        f"{told} If only a person can mend that (a key, credit, the name of the model), no model is asked until"
        f" {until:%H:%M}Z, or until the planner is started anew."
    )
