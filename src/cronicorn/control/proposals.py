"""Policies that somebody wrote and asks to be put in force: drafts that wait for a person, made without a model."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from cronicorn.control.drafts import DraftView
from cronicorn.control.findings import FINDINGS_MAX, invalid
from cronicorn.control.identity import NewId
from cronicorn.control.permissions import operation
from cronicorn.control.policies import BacktestDocument, PolicyDocument, policy_to_try
from cronicorn.control.recorded_runs import latest_runs
from cronicorn.control.turns import Turns
from cronicorn.domain.compilation.answer_profile import RUNS_MAX, AnswerProfile, profile_of
from cronicorn.domain.compilation.difference import difference, says_the_same
from cronicorn.domain.compilation.draft import CompileReason, Draft, DraftStatus, Finding, errors_in, text_of
from cronicorn.domain.compilation.judging import backtested, figures_of, judged, read_draft
from cronicorn.domain.compilation.ports import Backtester, Drafts
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import ConflictError, FieldError
from cronicorn.domain.permission import Operation
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.ports import EndpointCatalog, RunHistory
from cronicorn.domain.principal import Principal

log = logging.getLogger(__name__)

BACKTEST_OVER = timedelta(days=7)


class Proposals:
    """What can be proposed."""

    def __init__(
        self, drafts: Drafts, endpoints: EndpointCatalog, history: RunHistory, backtester: Backtester, new_id: NewId
    ) -> None:
        self._drafts = drafts
        self._endpoints = endpoints
        self._history = history
        self._backtester = backtester
        self._new_id = new_id
        self._turns = Turns()

    @operation(Operation.DRAFT_PROPOSE)
    async def propose(self, principal: Principal, endpoint_id: str, document: PolicyDocument) -> DraftView:
        """Keep the policy of *document* as a draft that waits for a person, in the place of one that waits already.

        It is judged as one that a model wrote, and tried on what was recorded; the draft says what came of that. To
        propose what the newest draft says already changes nothing. Raises NotFoundError, InvalidInputError with all
        that is wrong, ConflictError where it is in force already or the endpoint is archived, and what a backtest does.
        """
        endpoint, stored = await self._endpoints.get(principal.tenant_id, endpoint_id)
        async with self._turns.turn(principal.tenant_id):
            policy = await asyncio.to_thread(_policy_of, document)
        if endpoint.archived_at is not None:
            raise ConflictError(f"Endpoint {endpoint_id} is archived; unarchive it first.")
        if says_the_same(policy, endpoint.policy):
            raise ConflictError("The endpoint has this policy already: there is nothing to decide.")
        earlier = await self._drafts.list(principal.tenant_id, endpoint_id)
        if earlier and _is_the_same(earlier[0], policy, endpoint):
            return _view(earlier[0], endpoint)
        found, profile = await self._judged(policy, endpoint)
        _refuse(errors_in(found))
        figures = figures_of(await self._backtester.replayed(principal, endpoint_id, policy, BACKTEST_OVER))
        found = (*found, *backtested(figures))
        _refuse(errors_in(found))
        draft = Draft(
            id=self._new_id("dr"), tenant_id=principal.tenant_id, endpoint_id=endpoint_id,
            hash=sha256(f"proposed {text_of(policy)}".encode()).hexdigest(), status=DraftStatus.DRAFT, policy=policy,
            description=endpoint.description or "", replaces=text_of(endpoint.policy), reason=CompileReason.PROPOSED,
            findings=found, figures=figures, classes=profile.classes, created_at=stored.now,
            created_by=principal.actor,
        )  # fmt: skip
        await self._drafts.add(draft, principal)
        log.info("policy_drafted", extra={"endpoint": endpoint_id, "draft": draft.id, "status": draft.status.value})
        return _view(draft, endpoint)

    async def _judged(self, policy: Policy, endpoint: JobEndpoint) -> tuple[Sequence[Finding], AnswerProfile]:
        """What can be said of *policy* before it is tried, and what was answered lately.

        It can take seconds of a processor. They are a thread's: no call that is due waits for them.
        """
        siblings = await self._siblings(endpoint)
        async with self._turns.turn(endpoint.tenant_id):
            runs = await latest_runs(self._history, endpoint, RUNS_MAX)
            profile = await asyncio.to_thread(profile_of, runs)
            return await asyncio.to_thread(judged, policy, endpoint, profile, siblings), profile

    async def _siblings(self, endpoint: JobEndpoint) -> Sequence[str]:
        job = await self._endpoints.list(endpoint.tenant_id, endpoint.job_id)
        return [each.name for each, _ in job if each.id != endpoint.id and each.archived_at is None]


def _is_the_same(draft: Draft, policy: Policy, endpoint: JobEndpoint) -> bool:
    """Whether *draft* waits, says what *policy* does, and was made of *endpoint* as it is."""
    waits = draft.status is DraftStatus.DRAFT and draft.description == (endpoint.description or "")
    return waits and text_of(draft.policy) == text_of(policy) and draft.replaces == text_of(endpoint.policy)


def _policy_of(document: PolicyDocument) -> Policy:
    """The policy that *document* writes. Raises InvalidInputError; texts hold no character that nobody sees."""
    checked = policy_to_try(BacktestDocument(policy=document.policy))
    _, found = read_draft(document.policy)
    _refuse(errors_in(found))
    return checked


def _refuse(errors: Sequence[Finding]) -> None:
    """Raise InvalidInputError where there are *errors*."""
    if errors:
        told = errors[:FINDINGS_MAX]
        raise invalid(tuple(FieldError(pointer=f"/policy{each.pointer}", message=each.message) for each in told))


def _view(draft: Draft, endpoint: JobEndpoint) -> DraftView:
    return DraftView(draft=draft, endpoint=endpoint, differences=difference(endpoint.policy, draft.policy))
