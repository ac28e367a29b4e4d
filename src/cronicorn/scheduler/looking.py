"""One look at a watched endpoint: what was read, and what follows once a model was asked, or could not be."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.analysis.fingerprint import Fingerprint
from cronicorn.domain.analysis.follow_up import FollowUp
from cronicorn.domain.analysis.proposing import Staged, applied
from cronicorn.domain.analysis.watch import Look, Watch
from cronicorn.domain.analysis.watching import LOOK_EVERY, Occasion, WatchMemory, analysed, failed, postponed, read
from cronicorn.domain.history import SpanQuery
from cronicorn.domain.instant import MICROSECOND, shifted, stable_fraction
from cronicorn.domain.ports import Cron, EndpointEdit, RunHistory
from cronicorn.domain.quota.decision import Denied
from cronicorn.scheduler.ai import AIFatalError, AITransientError, Session, SessionWarning
from cronicorn.scheduler.analysing import kept, spent

_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of asking the model."""

    session: Session
    staged: Staged
    seen: Fingerprint | None
    """The newest answer when it was asked."""


async def read_runs(history: RunHistory, watch: Watch) -> tuple[WatchMemory, datetime]:
    """What is remembered after the runs that began since the last look, and up to where they were read."""
    memory, cursor, endpoint = watch.memory, watch.cursor, watch.endpoint
    query = SpanQuery(since=shifted(cursor, MICROSECOND), until=watch.claimed_at, limit=_PAGE)
    while True:
        runs = await history.recorded(endpoint.tenant_id, endpoint.id, query)
        memory = read(memory, runs)
        if runs:
            cursor, query = runs[-1].started_at, replace(query, after=runs[-1])
        if len(runs) < _PAGE:
            return memory, cursor


def after_answer(look: Look, analysis: Analysis, answered: Answered, cooldown: timedelta, cron: Cron) -> Look:
    """The analysis is kept, and what it staged is applied if the model ended it."""
    rule = answered.staged.rule if answered.session.final is not None else None
    analysis = kept(analysis, answered.session, rule, cooldown)
    again_at = analysis.next_analysis_at
    follow_up = FollowUp(at=again_at, seen=answered.seen) if again_at is not None else None
    return replace(
        look,
        memory=analysed(look.memory, analysis.why, analysis.at, follow_up),
        answers_request=analysis.why.occasion is Occasion.REQUEST,
        analysis=analysis,
        edit=_edit(answered, cron),
    )


def after_denial(look: Look, analysis: Analysis, denied: Denied) -> Look:
    """The reason stays; somebody who asked sees why there is no analysis."""
    asked_for = analysis.why.occasion is Occasion.REQUEST
    return replace(
        look,
        memory=postponed(look.memory, denied.retry_after, analysis.at, stable_fraction(analysis.id)),
        answers_request=asked_for,
        analysis=replace(analysis, denied=denied) if asked_for else None,
    )


def after_error(look: Look, analysis: Analysis, error: AIFatalError | AITransientError) -> Look:
    """The reason stays, and so does the question of somebody who asked; the failure is kept with what it took."""
    retry_after = error.retry_after if isinstance(error, AITransientError) else None
    warnings = (SessionWarning.GRANT_EXCEEDED.value,) if error.usage.excess else ()
    failure = replace(analysis, error=str(error), warnings=warnings, spent=spent(error.usage, timedelta(0)))
    return replace(look, memory=failed(look.memory, retry_after, analysis.at), analysis=failure)


def put_off(look: Look, analysis: Analysis, refused: AITransientError) -> Look:
    """The model is not asked: whoever asked for an analysis reads why, once, and gets it later."""
    if analysis.why.occasion is not Occasion.REQUEST or look.memory.failures:
        return look
    return after_error(look, analysis, refused)


def after_bug(watch: Watch) -> Look:
    """Nothing was read; the next look waits as after a failure."""
    now = watch.claimed_at
    return Look(memory=failed(watch.memory, None, now), cursor=watch.cursor, look_at=shifted(now, LOOK_EVERY))


def _edit(answered: Answered, cron: Cron) -> EndpointEdit | None:
    """What the endpoint becomes; None where the model did not come to an end, or wants nothing."""
    if answered.session.final is None or not answered.staged.steers:
        return None
    return lambda endpoint, _job, stored: applied(endpoint, answered.staged, stored, cron)
