"""The planner: looks at what watched endpoints answered, and asks a model about what is new. Beside the loop.

It reads recorded runs and writes hints the way a person does, so no run waits for it, whatever the model does. A look
that is cut short changes nothing: its claim runs out, its grant is charged in time, and another look is made.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.analysis.features import Features, features_of
from cronicorn.domain.analysis.follow_up import FollowUp
from cronicorn.domain.analysis.ports import WatchStore
from cronicorn.domain.analysis.proposing import Staged, applied
from cronicorn.domain.analysis.watch import Look, Watch
from cronicorn.domain.analysis.watching import (
    LOOK_EVERY,
    Occasion,
    WatchMemory,
    Why,
    analysed,
    due,
    failed,
    postponed,
    read,
)
from cronicorn.domain.compilation.ports import DraftMaker
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import ConflictError, NotFoundError, QuotaExceededError, UnavailableError
from cronicorn.domain.history import SpanQuery
from cronicorn.domain.instant import MICROSECOND, shifted, stable_fraction
from cronicorn.domain.ports import Clock, Cron, EndpointCatalog, EndpointEdit, RunHistory
from cronicorn.domain.principal import Principal
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.decision import Denied
from cronicorn.domain.quota.ports import Quota
from cronicorn.domain.quota.soft import CALLS_MAX
from cronicorn.scheduler.ai import AIClient, AIFatalError, AITransientError, Planner, Session, SessionWarning
from cronicorn.scheduler.analysing import Bounds, kept, question, spent
from cronicorn.scheduler.asking import Account, TokensDeniedError, asked_within
from cronicorn.scheduler.endpoint_tools import Desk
from cronicorn.scheduler.patience import WAIT_MOST, Patience

log = logging.getLogger(__name__)

ACTOR = "planner"
_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerPorts:
    """What a planner reads, writes and asks."""

    watches: WatchStore
    endpoints: EndpointCatalog
    history: RunHistory
    quota: Quota
    client: AIClient
    drafts: DraftMaker | None = None
    """Compiles descriptions again when answers no longer fit; None where nobody does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerSettings:
    """How a planner works."""

    model: str
    """The name of the model, as it is kept with each analysis."""
    bounds: Bounds = field(default_factory=Bounds)
    parallel: int = CALLS_MAX
    """So many endpoints are looked at at once, and each asks a model once at a time."""
    poll: timedelta = timedelta(seconds=5)
    """How long to rest when nothing is to be looked at."""
    claim_ttl: timedelta = timedelta(minutes=6)
    """Longer than an analysis and a compile together."""
    fatal_pause: timedelta = timedelta(hours=1)
    """How long nobody is asked about anything after the model refused us."""

    def __post_init__(self) -> None:
        assert self.claim_ttl > self.bounds.deadline, "a claim outlives an analysis"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """What came of asking the model."""

    session: Session
    staged: Staged
    seen: Features | None
    """The newest answer when it was asked."""


class ModelPlanner(Planner):
    """Asks one model about endpoints whose analysis is switched on, and has descriptions compiled again that may be."""

    def __init__(
        self, ports: PlannerPorts, settings: PlannerSettings, clock: Clock, cron: Cron, new_id: Callable[[str], str]
    ) -> None:
        self._ports = ports
        self._settings = settings
        self._clock = clock
        self._cron = cron
        self._new_id = new_id
        self._stopped_until = float("-inf")
        self._compiling = Patience(clock)

    async def run(self) -> None:
        """Look at what is due, again and again, until cancelled."""
        while True:
            if not await self.look_once():
                await asyncio.sleep(self._settings.poll.total_seconds())

    async def look_once(self) -> int:
        """Look at what is due now, and answer at how many endpoints that was. Never raises for what may go wrong."""
        ports, settings = self._ports, self._settings
        try:
            claimed = await ports.watches.claim_due(
                claim_id=self._new_id("claim"), limit=settings.parallel, ttl=settings.claim_ttl
            )
        except UnavailableError as error:
            log.warning("watches_not_claimed", extra={"reason": str(error)})
            return 0
        await asyncio.gather(*(self._contained(watch) for watch in claimed))
        return len(claimed)

    async def analyse(self, tenant_id: str, endpoint_id: str) -> Session:
        """One analysis of one endpoint, which changes nothing; see `Planner`."""
        endpoint, stored = await self._ports.endpoints.get(tenant_id, endpoint_id)
        if not endpoint.analysis.enabled:
            raise ConflictError(f"The analysis of endpoint {endpoint_id} is off; switch it on first.")
        why = Why(occasion=Occasion.REQUEST, detail="")
        return (await self._asked(endpoint, why, stored.now, self._new_id("session"))).session

    async def _contained(self, watch: Watch) -> None:
        """Look at one endpoint; whatever goes wrong with it stops nobody else."""
        facts = {"tenant": watch.endpoint.tenant_id, "endpoint": watch.endpoint.id}
        try:
            look = await self._looked(watch, facts)
            if look.cursor > watch.cursor:
                await self._compile_again(watch.endpoint)
            await self._ports.watches.settle(watch, look)
            if look.analysis is not None:
                _tell(look.analysis)
        except (ConflictError, NotFoundError) as error:
            log.warning("look_lost", extra={**facts, "reason": str(error)})
        except UnavailableError as error:
            log.warning("look_not_recorded", extra={**facts, "reason": str(error)})
        except Exception:  # A bug met in one endpoint must not end the looking.
            log.exception("look_not_settled", extra=facts)

    async def _looked(self, watch: Watch, facts: dict[str, str]) -> Look:
        """A look; one that met a bug is made again later, and later each time: it may have cost tokens."""
        try:
            return await self._look(watch)
        except (ConflictError, NotFoundError, UnavailableError):
            raise
        except Exception:
            log.exception("look_crashed", extra=facts)
            now = watch.claimed_at
            return Look(memory=failed(watch.memory, None, now), cursor=watch.cursor, look_at=shifted(now, LOOK_EVERY))

    async def _look(self, watch: Watch) -> Look:
        memory, cursor = await self._read(watch)
        look = Look(memory=memory, cursor=cursor, look_at=shifted(watch.claimed_at, LOOK_EVERY))
        now = watch.claimed_at
        why = due(memory, watch.endpoint.analysis, watch.requested_by, now)
        if why is None or self._stopped or not watch.endpoint.analysis.enabled:
            return look
        analysis = Analysis(
            id=self._new_id("session"), tenant_id=watch.endpoint.tenant_id, endpoint_id=watch.endpoint.id, at=now,
            why=why, model=self._settings.model,
        )  # fmt: skip
        facts = {"tenant": analysis.tenant_id, "endpoint": analysis.endpoint_id, "why": why.occasion.value}
        try:
            answered = await self._asked(watch.endpoint, why, now, analysis.id)
        except TokensDeniedError as error:
            log.warning("analysis_postponed", extra={**facts, "reason": error.denied.reason.value})
            return _postponed(look, analysis, error.denied, now)
        except (AIFatalError, AITransientError) as error:
            self._note(error, facts)
            return _unanswered(look, analysis, error, now)
        return _after(look, analysis, answered, watch.endpoint.analysis.cooldown, self._edit(answered))

    @property
    def _stopped(self) -> bool:
        """Whether nobody is asked about anything for a while."""
        return self._clock.monotonic() < self._stopped_until

    async def _compile_again(self, endpoint: JobEndpoint) -> None:
        """Have the description compiled again if there is a reason. What fails is tried again, later each time."""
        drafts = self._ports.drafts
        if drafts is None or self._stopped or not endpoint.compiles_again or not self._compiling.may(endpoint.id):
            return
        principal = Principal(tenant_id=endpoint.tenant_id, actor=ACTOR)
        facts = {"tenant": endpoint.tenant_id, "endpoint": endpoint.id, "why": "compile"}
        try:
            reason = await drafts.consider(principal, endpoint.id)
            if reason is None:
                return
            if reason.only_suggested:
                log.info("compile_suggested", extra={**facts, "reason": reason.value})
            else:
                await drafts.make(principal, endpoint.id, reason)
        except (AIFatalError, AITransientError) as error:
            self._note(error, facts)
            self._compiling.failed(endpoint.id, error.retry_after if isinstance(error, AITransientError) else None)
        except (ConflictError, QuotaExceededError, UnavailableError) as error:
            log.warning("compile_postponed", extra={**facts, "reason": str(error)})
            self._compiling.failed(endpoint.id, _bounded_wait(error))
        except Exception:  # A bug met while compiling must not cost the analysis.
            log.exception("compile_crashed", extra=facts)
            self._compiling.failed(endpoint.id)
        else:
            self._compiling.worked(endpoint.id)

    async def _read(self, watch: Watch) -> tuple[WatchMemory, datetime]:
        """What is remembered after the runs that began since the last look, and up to where they were read."""
        memory, cursor, endpoint = watch.memory, watch.cursor, watch.endpoint
        while True:
            query = SpanQuery(since=shifted(cursor, MICROSECOND), until=watch.claimed_at, limit=_PAGE)
            runs = await self._ports.history.recorded(endpoint.tenant_id, endpoint.id, query)
            memory = read(memory, runs)
            cursor = runs[-1].started_at if runs else cursor
            if len(runs) < _PAGE:
                return memory, cursor

    async def _asked(self, endpoint: JobEndpoint, why: Why, now: datetime, key: str) -> _Answered:
        """Ask the model inside the budget. Raises TokensDeniedError and the errors of `AIClient`."""
        ports = self._ports
        desk = Desk(endpoint=endpoint, catalog=ports.endpoints, history=ports.history)
        account = Account(tenant_id=endpoint.tenant_id, budget=Budget.ANALYSIS, key=key)
        newest = await desk.newest_run()
        session = await asked_within(
            ports.quota, account, ports.client, question(desk, why, now, self._settings.bounds)
        )
        seen = features_of(newest.outcome) if newest is not None and not newest.outcome.kind.tells_nothing else None
        return _Answered(session=session, staged=desk.staged, seen=seen)

    def _edit(self, answered: _Answered) -> EndpointEdit | None:
        """What the endpoint becomes; None where the model did not come to an end, or wants nothing."""
        if answered.session.final is None or not answered.staged.steers:
            return None
        return lambda endpoint, _job, stored: applied(endpoint, answered.staged, stored, self._cron)

    def _note(self, error: AIFatalError | AITransientError, facts: dict[str, str]) -> None:
        """Tell what went wrong; after a refusal that only a person can mend nobody is asked for a while."""
        if isinstance(error, AIFatalError):
            self._stopped_until = self._clock.monotonic() + self._settings.fatal_pause.total_seconds()
            log.error("planner_stopped", extra={**facts, "reason": str(error)})
        else:
            log.warning("analysis_failed", extra={**facts, "reason": str(error)})


def _tell(kept: Analysis) -> None:
    """Tell of an analysis that the model ended; why there is none was told at once."""
    if kept.error is None and kept.denied is None:
        facts = {"tenant": kept.tenant_id, "endpoint": kept.endpoint_id, "why": kept.why.occasion.value}
        log.info("analysis_made", extra={**facts, "tokens": kept.spent.tokens})


def _after(look: Look, analysis: Analysis, answered: _Answered, cooldown: timedelta, edit: EndpointEdit | None) -> Look:
    rule = answered.staged.rule if answered.session.final is not None else None
    analysis = kept(analysis, answered.session, rule, cooldown)
    again_at = analysis.next_analysis_at
    follow_up = FollowUp(at=again_at, seen=answered.seen) if again_at is not None else None
    return replace(
        look,
        memory=analysed(look.memory, analysis.why, analysis.at, follow_up),
        answers_request=analysis.why.occasion is Occasion.REQUEST,
        analysis=analysis,
        edit=edit,
    )


def _bounded_wait(error: Exception) -> timedelta | None:
    """How long the budget does not cover a compile, at most WAIT_MOST: somebody may raise the limit before."""
    wait = error.retry_after if isinstance(error, QuotaExceededError) else None
    return min(wait, WAIT_MOST) if wait is not None else None


def _postponed(look: Look, analysis: Analysis, denied: Denied, now: datetime) -> Look:
    """The reason stays; somebody who asked sees why there is no analysis."""
    asked_for = analysis.why.occasion is Occasion.REQUEST
    return replace(
        look,
        memory=postponed(look.memory, denied.retry_after, now, stable_fraction(analysis.id)),
        answers_request=asked_for,
        analysis=replace(analysis, denied=denied) if asked_for else None,
    )


def _unanswered(look: Look, analysis: Analysis, error: AIFatalError | AITransientError, now: datetime) -> Look:
    retry_after = error.retry_after if isinstance(error, AITransientError) else None
    warnings = (SessionWarning.GRANT_EXCEEDED.value,) if error.usage.excess else ()
    failure = replace(analysis, error=str(error), warnings=warnings, spent=spent(error.usage, timedelta(0)))
    return replace(look, memory=failed(look.memory, retry_after, now), analysis=failure)
