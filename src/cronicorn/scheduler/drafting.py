"""Making drafts: what is compiled is looked up, judged, kept, and activated where the owner lets that happen."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.domain.compilation.answer_profile import RUNS_MAX, profile_of
from cronicorn.domain.compilation.deciding import activated
from cronicorn.domain.compilation.difference import says_the_same
from cronicorn.domain.compilation.draft import (
    CompileReason,
    CompileUsage,
    Draft,
    DraftStatus,
    Finding,
    FindingCheck,
    Severity,
    cache_key,
    errors_in,
    text_of,
)
from cronicorn.domain.compilation.envelope import outside
from cronicorn.domain.compilation.judging import backtested, figures_of, judged
from cronicorn.domain.compilation.ports import Backtester, DraftMaker, Drafts
from cronicorn.domain.compilation.recompiling import recompilation, stands
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import ConflictError, NotFoundError, QuotaExceededError, UnavailableError
from cronicorn.domain.history import RunQuery, SpanQuery
from cronicorn.domain.permission import Operation, Permission
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.ports import Cron, EndpointCatalog, RunHistory
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.domain.run import Run
from cronicorn.scheduler.brief import Brief
from cronicorn.scheduler.compiling import Compiled, Compiler, Judge, PolicyJudgement
from cronicorn.scheduler.last_answers import LOOKED_THROUGH_MAX, last_answers

log = logging.getLogger(__name__)

BACKTEST_OVER = timedelta(days=7)
AUTHOR = "compiler"
"""Who activates a draft inside the safe envelope."""
_UNWANTED = {DraftStatus.REJECTED, DraftStatus.NEEDS_ATTENTION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Where endpoints, their runs and drafts are, and who replays them."""

    endpoints: EndpointCatalog
    runs: RunHistory
    drafts: Drafts
    backtester: Backtester


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Why a draft was made, when, and by whom."""

    reason: CompileReason
    at: datetime
    by: str


class Drafting(DraftMaker):
    """Makes drafts with a compiler. One of an endpoint at a time in each process."""

    def __init__(
        self,
        records: Records,
        compiler: Compiler,
        cron: Cron,
        new_id: Callable[[str], str],
        wake: Callable[[], None],
    ) -> None:
        self._records = records
        self._compiler = compiler
        self._cron = cron
        self._new_id = new_id
        self._wake = wake
        self._under_way: set[str] = set()

    async def make(self, principal: Principal, endpoint_id: str, reason: CompileReason) -> Draft:
        endpoint, stored = await self._records.endpoints.get(principal.tenant_id, endpoint_id)
        if not (endpoint.description or "").strip():
            raise ConflictError(f"Endpoint {endpoint.name} has no description to compile; describe it first.")
        if endpoint_id in self._under_way:
            raise ConflictError(f"A draft for endpoint {endpoint.name} is being made; look at it when it is done.")
        self._under_way.add(endpoint_id)
        try:
            return await self._made(principal, endpoint, reason, stored.now)
        finally:
            self._under_way.remove(endpoint_id)

    async def consider(self, principal: Principal, endpoint_id: str) -> CompileReason | None:
        endpoint, stored = await self._records.endpoints.get(principal.tenant_id, endpoint_id)
        drafts = await self._records.drafts.list(principal.tenant_id, endpoint_id)
        if not endpoint.compiles_again or (not drafts and endpoint.policy is not None):
            return None  # No answer could be a reason.
        return recompilation(endpoint, await self._latest(endpoint, stored.now), drafts, stored.now)

    async def _made(self, principal: Principal, endpoint: JobEndpoint, reason: CompileReason, now: datetime) -> Draft:
        job = await self._records.endpoints.list(endpoint.tenant_id, endpoint.job_id)
        siblings = [each.name for each, _ in job if each.id != endpoint.id and each.archived_at is None]
        profile = await asyncio.to_thread(profile_of, await self._answers(endpoint, now))
        key = cache_key(endpoint, siblings, profile, self._compiler.model)
        earlier = await self._records.drafts.list(endpoint.tenant_id, endpoint.id)
        known = next((draft for draft in earlier if draft.hash == key), None)
        anew = known is not None and known.status is DraftStatus.REJECTED and reason is CompileReason.ASKED
        if known is not None and stands(known, endpoint) and not anew:
            return known
        brief = Brief(endpoint=endpoint, siblings=siblings, profile=profile)
        draft_id = self._new_id("dr")

        async def judge(policy: Policy) -> PolicyJudgement:
            # It may take seconds of a processor: calls that are due do not wait for it.
            findings = await asyncio.to_thread(judged, policy, endpoint, profile, siblings)
            return (
                PolicyJudgement(findings=findings)
                if errors_in(findings)
                else await self._tried(brief, policy, findings)
            )

        compiled = await self._again(known, judge) or await self._compiler.compile(brief, judge, f"compile:{draft_id}")
        draft = _draft(compiled, brief, draft_id, key, Made(reason=reason, at=now, by=principal.actor))
        await self._records.drafts.add(draft, principal)
        log.info("policy_drafted", extra={"endpoint": endpoint.id, "draft": draft.id, "status": draft.status.value})
        if compiled.error is not None:
            raise compiled.error  # What it took is on record, so limits on compiles hold.
        if outside(draft, endpoint, earlier) is not None:
            return draft
        return await self._activated(draft)

    async def _again(self, known: Draft | None, judge: Judge) -> Compiled | None:
        """The policy of *known*, which was made of the same, judged anew; None where a model has to be asked."""
        if known is None or known.policy is None or known.status in _UNWANTED:
            return None
        judgement = await judge(known.policy)
        compiled = Compiled(policy=known.policy, judgement=judgement, spent=CompileUsage(model=self._compiler.model))
        return compiled if compiled.accepted else None

    async def _activated(self, draft: Draft) -> Draft:
        """*draft* in force; as it was when the endpoint has changed meanwhile."""
        try:
            done, _, _ = await self._records.drafts.decide(
                draft.tenant_id,
                draft.endpoint_id,
                draft.id,
                lambda found, endpoint, stored: activated(found, endpoint, stored, self._cron, AUTHOR),
                Principal(
                    tenant_id=draft.tenant_id,
                    actor=AUTHOR,
                    kind=ActorKind.MODEL,
                    permissions=frozenset(),
                    operation=Operation.DRAFT_ACTIVATE,
                ),
            )
        except (ConflictError, NotFoundError) as error:
            log.info("draft_left_to_review", extra={"draft": draft.id, "reason": str(error)})
            return draft
        log.info("policy_activated", extra={"endpoint": draft.endpoint_id, "draft": draft.id, "by": AUTHOR})
        self._wake()
        return done

    async def _latest(self, endpoint: JobEndpoint, now: datetime) -> Sequence[Run]:
        """The last runs, with their bodies, oldest first."""
        page = await self._records.runs.list(endpoint.tenant_id, endpoint.id, RunQuery(limit=RUNS_MAX))
        if not page.runs:
            return ()
        span = SpanQuery(since=min(run.started_at for run in page.runs), until=now, limit=RUNS_MAX)
        return await self._records.runs.recorded(endpoint.tenant_id, endpoint.id, span)

    async def _answers(self, endpoint: JobEndpoint, now: datetime) -> Sequence[Run]:
        """The runs since the last RUNS_MAX answers, with their bodies; those between only say that nothing changed."""
        found = await last_answers(self._records.runs, endpoint, RUNS_MAX)
        if not found:
            return ()
        span = SpanQuery(since=min(run.started_at for run in found), until=now, limit=LOOKED_THROUGH_MAX)
        return await self._records.runs.recorded(endpoint.tenant_id, endpoint.id, span)

    async def _tried(self, brief: Brief, policy: Policy, findings: tuple[Finding, ...]) -> PolicyJudgement:
        """What the record says of *policy*, beside what was found already."""
        endpoint = brief.endpoint
        principal = Principal(
            tenant_id=endpoint.tenant_id,
            actor=AUTHOR,
            kind=ActorKind.MODEL,
            permissions=frozenset({Permission.JOBS_READ}),
        )
        try:
            replayed = await self._records.backtester.replayed(principal, endpoint.id, policy, BACKTEST_OVER)
        except (QuotaExceededError, UnavailableError) as error:
            message = f"Not tried on the record: {error}"
            untried = Finding(check=FindingCheck.BACKTEST, severity=Severity.WARNING, pointer="", message=message)
            return PolicyJudgement(findings=(*findings, untried))
        figures = figures_of(replayed)
        return PolicyJudgement(findings=(*findings, *backtested(figures)), figures=figures)


def _draft(compiled: Compiled, brief: Brief, draft_id: str, key: str, made: Made) -> Draft:
    endpoint = brief.endpoint
    return Draft(
        id=draft_id, tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, hash=key,
        status=_status(compiled, endpoint), policy=compiled.policy,
        description=endpoint.description or "", replaces=text_of(endpoint.policy), reason=made.reason,
        findings=(*compiled.judgement.findings, *_of_tokens(compiled.spent)), figures=compiled.judgement.figures,
        spent=compiled.spent,
        classes=brief.profile.classes, created_at=made.at, created_by=made.by,
    )  # fmt: skip


def _status(compiled: Compiled, endpoint: JobEndpoint) -> DraftStatus:
    if not compiled.accepted:
        return DraftStatus.NEEDS_ATTENTION
    same = says_the_same(compiled.policy, endpoint.policy)
    return DraftStatus.UNCHANGED if same else DraftStatus.DRAFT


def _of_tokens(spent: CompileUsage) -> tuple[Finding, ...]:
    if not spent.excess:
        return ()
    message = (
        f"The provider billed {spent.excess:,} tokens more than were reserved; they are charged, and the limit may be "
        "exceeded by them: name a model that keeps to the maximum of output tokens it is sent."
    )
    return (Finding(check=FindingCheck.TOKENS, severity=Severity.WARNING, pointer="", message=message),)
