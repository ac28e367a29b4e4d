"""The planner: looks at what watched endpoints answered, and asks a model about what is new. Beside the loop.

It reads recorded runs and writes hints the way a person does, so no run waits for it, whatever the model does. A look
that is cut short changes nothing: its claim runs out, its grant is charged in time, and another look is made. What an
analysis bought is kept before a description is compiled again, which takes longer; the claim stays until that is done.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.analysis.ports import WatchStore
from cronicorn.domain.analysis.watch import Look, Watch
from cronicorn.domain.analysis.watching import LOOK_EVERY, MODEL_PAUSE, due
from cronicorn.domain.compilation.ports import DraftMaker
from cronicorn.domain.errors import ConflictError, NotFoundError, UnavailableError
from cronicorn.domain.instant import shifted
from cronicorn.domain.ports import Clock, Cron, EndpointCatalog, RunHistory
from cronicorn.domain.quota.bounds import CALLS_MAX
from cronicorn.domain.quota.ports import Quota
from cronicorn.scheduler.ai import AIClient, AIFatalError, AITransientError
from cronicorn.scheduler.analysing import AnalysisBounds
from cronicorn.scheduler.analyst import Analyst
from cronicorn.scheduler.asking import TokensDeniedError
from cronicorn.scheduler.backoff import ModelPause
from cronicorn.scheduler.compiling import DEADLINE, ROUNDS_MAX
from cronicorn.scheduler.looking import after_answer, after_bug, after_denial, after_error, put_off, read_runs
from cronicorn.scheduler.ports import Planner
from cronicorn.scheduler.recompiling import Recompiler

log = logging.getLogger(__name__)

_GIVING_BACK_S = 3.0
"""So long a store may take to take a claim back from a look that is cut off."""


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
    bounds: AnalysisBounds = field(default_factory=AnalysisBounds)
    parallel: int = CALLS_MAX
    """So many endpoints are looked at at once, and each asks a model once at a time."""
    poll: timedelta = timedelta(seconds=5)
    """How long to rest when nothing is to be looked at."""
    claim_ttl: timedelta = timedelta(minutes=6)
    """Longer than an analysis and all rounds of a compile together: both are made under one claim."""
    fatal_pause: timedelta = MODEL_PAUSE
    """How long nobody is asked about anything after the model refused us."""

    def __post_init__(self) -> None:
        asking = self.bounds.deadline + ROUNDS_MAX * DEADLINE
        assert self.claim_ttl > asking, "a claim outlives an analysis and all rounds of a compile"


class ModelPlanner(Planner):
    """Asks one model about endpoints whose analysis is switched on, and has descriptions compiled again that may be."""

    def __init__(
        self, ports: PlannerPorts, settings: PlannerSettings, clock: Clock, cron: Cron, new_id: Callable[[str], str]
    ) -> None:
        self._ports = ports
        self.settings = settings
        self._new_id = new_id
        self._pause = ModelPause(clock, settings.fatal_pause)
        self._analyst = Analyst(ports.endpoints, ports.history, ports.quota, ports.client, settings.bounds)
        self._recompiler = Recompiler(ports.drafts, clock, self._pause)
        self._cron = cron
        self._stopping = asyncio.Event()
        self._limit: asyncio.Timeout | None = None
        """Of the looks in progress, once a stop was asked for."""

    def stop(self, grace: timedelta) -> None:
        self._stopping.set()
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + grace.total_seconds())

    async def run(self) -> None:
        try:
            async with asyncio.timeout(None) as self._limit:
                while not self._stopping.is_set():
                    if not await self.look_once():
                        await self._rest()
        except TimeoutError:
            if self._limit is None or not self._limit.expired():
                raise
            log.warning("looks_cut_off")
        finally:
            self._limit = None

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), self.settings.poll.total_seconds())

    async def look_once(self) -> int:
        watches, settings = self._ports.watches, self.settings
        try:
            claimed = await watches.claim_due(
                claim_id=self._new_id("claim"), limit=settings.parallel, ttl=settings.claim_ttl
            )
        except UnavailableError as error:
            log.warning("watches_not_claimed", extra={"reason": str(error)})
            return 0
        await asyncio.gather(*(self._contained(watch) for watch in claimed))
        return len(claimed)

    async def _contained(self, watch: Watch) -> None:
        """Look at one endpoint; whatever goes wrong with it stops nobody else."""
        facts = {"tenant": watch.endpoint.tenant_id, "endpoint": watch.endpoint.id}
        untouched: Look | None = Look(memory=watch.memory, cursor=watch.cursor, look_at=watch.claimed_at)
        try:
            look = await self._looked(watch, facts)
            untouched = None if look.analysis is not None else untouched
            if look.cursor > watch.cursor and self._recompiler.may(watch.endpoint):
                look = await self._bought(watch, look)
                untouched = replace(look, look_at=watch.claimed_at)
                await self._recompiler.consider(watch.endpoint)
            untouched = None
            await self._settled(watch, look)
        except asyncio.CancelledError:
            if untouched is not None:  # Otherwise it is being written, and nobody knows how far that went.
                await self._given_back(watch, untouched)
            raise
        except (ConflictError, NotFoundError) as error:
            log.warning("look_lost", extra={**facts, "reason": str(error)})
        except UnavailableError as error:
            log.warning("look_not_recorded", extra={**facts, "reason": str(error)})
        except Exception:  # A bug met in one endpoint must not end the looking.
            log.exception("look_not_settled", extra=facts)

    async def _given_back(self, watch: Watch, look: Look) -> None:
        """End the claim, so that another look may be made at once; where that fails, its time ends it."""
        with suppress(ConflictError, NotFoundError, UnavailableError, TimeoutError):
            async with asyncio.timeout(_GIVING_BACK_S):
                await self._ports.watches.settle(watch, look)

    async def _bought(self, watch: Watch, look: Look) -> Look:
        """What is left of *look* once an analysis, which may have cost tokens, is kept; the claim stays."""
        if look.analysis is None:
            return look
        await self._settled(watch, replace(look, claim_stays=True))
        return replace(look, analysis=None, edit=None, answers_request=False)

    async def _settled(self, watch: Watch, look: Look) -> None:
        await self._ports.watches.settle(watch, look)
        if look.analysis is not None:
            _tell(look.analysis)

    async def _looked(self, watch: Watch, facts: dict[str, str]) -> Look:
        """A look; one that met a bug is made again later, and later each time: it may have cost tokens."""
        try:
            return await self._look(watch)
        except (ConflictError, NotFoundError, UnavailableError):
            raise
        except Exception:
            log.exception("look_crashed", extra=facts)
            return after_bug(watch)

    async def _look(self, watch: Watch) -> Look:
        now, endpoint = watch.claimed_at, watch.endpoint
        memory, cursor = await read_runs(self._ports.history, watch)
        look = Look(memory=memory, cursor=cursor, look_at=shifted(now, LOOK_EVERY))
        why = due(memory, endpoint.analysis, watch.requested_by, now)
        if why is None or not endpoint.analysis.enabled:
            return look
        analysis = Analysis(
            id=self._new_id("session"), tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, at=now,
            why=why, model=self.settings.model,
        )  # fmt: skip
        if self._pause.holds:
            return put_off(look, analysis, self._pause.told(now))
        facts = {"tenant": analysis.tenant_id, "endpoint": analysis.endpoint_id, "why": why.occasion.value}
        try:
            answered = await self._analyst.asked(endpoint, why, now, analysis.id)
        except TokensDeniedError as error:
            log.warning("analysis_postponed", extra={**facts, "reason": error.denied.reason.value})
            return after_denial(look, analysis, error.denied)
        except (AIFatalError, AITransientError) as error:
            self._pause.note(error, facts)
            return after_error(look, analysis, error)
        return after_answer(look, analysis, answered, endpoint.analysis.cooldown, self._cron)


def _tell(kept: Analysis) -> None:
    """Tell of an analysis that the model ended; why there is none was told at once."""
    if kept.error is None and kept.denied is None:
        facts = {"tenant": kept.tenant_id, "endpoint": kept.endpoint_id, "why": kept.why.occasion.value}
        log.info("analysis_made", extra={**facts, "tokens": kept.spent.tokens})
