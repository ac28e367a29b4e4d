"""Asking a model about one endpoint, inside the budget of its tenant."""

from datetime import datetime

from cronicorn.domain.analysis.fingerprint import fingerprint_of
from cronicorn.domain.analysis.watching import Why
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.ports import EndpointCatalog, RunHistory
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.ports import Quota
from cronicorn.scheduler.ai import AIClient
from cronicorn.scheduler.analysing import AnalysisBounds, question
from cronicorn.scheduler.asking import Account, asked_within
from cronicorn.scheduler.endpoint_tools import Desk
from cronicorn.scheduler.looking import Answered


class Analyst:
    """Has a model look around an endpoint and stage what it wants of it. Nothing is written."""

    def __init__(
        self, endpoints: EndpointCatalog, history: RunHistory, quota: Quota, client: AIClient, bounds: AnalysisBounds
    ) -> None:
        self._endpoints = endpoints
        self._history = history
        self._quota = quota
        self._client = client
        self._bounds = bounds

    async def asked(self, endpoint: JobEndpoint, why: Why, now: datetime, key: str) -> Answered:
        """What came of asking; *key* names it in the tenant's books. Raises as `asked_within` does."""
        desk = Desk(endpoint=endpoint, catalog=self._endpoints, history=self._history)
        account = Account(tenant_id=endpoint.tenant_id, budget=Budget.ANALYSIS, key=key)
        newest = await desk.newest_answer()
        session = await asked_within(self._quota, account, self._client, question(desk, why, now, self._bounds))
        seen = fingerprint_of(newest.outcome) if newest is not None else None
        return Answered(session=session, staged=desk.staged, seen=seen)
