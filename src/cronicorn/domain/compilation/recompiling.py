"""When a description is to be compiled again. Until then the rules hold, and what they wrote ends by itself."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from cronicorn.domain.compilation.answer_profile import response_class
from cronicorn.domain.compilation.difference import says_the_same
from cronicorn.domain.compilation.draft import COMPILER_VERSION, CompileReason, Draft, DraftStatus, brought, text_of
from cronicorn.domain.compilation.judging import FLIPS_AN_HOUR_MAX
from cronicorn.domain.endpoint import CompileMode, JobEndpoint
from cronicorn.domain.instant import DAY, HOUR
from cronicorn.domain.policy.stepping import UNKNOWNS_MAX
from cronicorn.domain.run import Run
from cronicorn.domain.signals.conditional import says_something
from cronicorn.domain.steering_record import SteeringRecord

SPACING = timedelta(hours=6)
"""So long after one compile of an endpoint the next one begins at the earliest, unless a person asks."""
A_DAY_MAX = 3
"""So many compiles of an endpoint begin within a day, unless a person asks."""
BACK_OFF_MAX = timedelta(days=8)
IN_FORCE_MAX = timedelta(hours=24)
ANSWERS_LEAST = 5
"""Before so many answers are known, nothing is compiled unless a person asks."""
_TWICE = 2
_IN_FORCE = {DraftStatus.ACTIVE, DraftStatus.UNCHANGED}


def recompilation(
    endpoint: JobEndpoint, runs: Sequence[Run], drafts: Sequence[Draft], now: datetime
) -> CompileReason | None:
    """Why the description of *endpoint* is to be compiled at *now*; None while it is not.

    The first compile of a description is a person's, but in the mode `auto`. *runs* are the endpoint's last ones,
    *drafts* its newest first. One compile in SPACING and A_DAY_MAX in a day; after failures
    the spacing doubles with each, up to BACK_OFF_MAX. While a proposal waits, a person has to look at that first.
    """
    if endpoint.compile_mode is CompileMode.OFF or not endpoint.description or endpoint.archived_at is not None:
        return None
    if drafts and drafts[0].reason is CompileReason.PROPOSED and drafts[0].status is DraftStatus.DRAFT:
        return None
    drafts = [draft for draft in drafts if draft.reason is not CompileReason.PROPOSED]  # Nothing was compiled for them.
    reason = _reason(endpoint, runs, drafts, now)
    if reason is None or reason.only_suggested:
        return reason
    return reason if _allowed(drafts, now) else None


def allowed_at(drafts: Sequence[Draft]) -> datetime | None:
    """When the next compile may begin that nobody asked for; None when it may at once."""
    made = [draft for draft in drafts if draft.reason is not CompileReason.ASKED]
    if not made:
        return None
    wait: timedelta = min(SPACING * (1 << min(_failures(drafts), 16)), BACK_OFF_MAX)
    earliest = made[0].created_at + wait
    return max(earliest, made[A_DAY_MAX - 1].created_at + DAY) if len(made) >= A_DAY_MAX else earliest


def stands(draft: Draft, endpoint: JobEndpoint) -> bool:
    """Whether *draft*, made of the same description, says all there is to say: in force, waiting or not wanted."""
    match draft.status:
        case DraftStatus.ACTIVE:
            return text_of(draft.policy) == text_of(endpoint.policy)
        case DraftStatus.UNCHANGED:
            return says_the_same(draft.policy, endpoint.policy)
        case DraftStatus.DRAFT:
            return draft.replaces == text_of(endpoint.policy)
        case _:
            return draft.status is DraftStatus.REJECTED


def _allowed(drafts: Sequence[Draft], now: datetime) -> bool:
    at = allowed_at(drafts)
    return at is None or at <= now


def _failures(drafts: Sequence[Draft]) -> int:
    """How many compiles failed in a row, the newest ones."""
    count = 0
    for draft in drafts:
        if draft.status is not DraftStatus.NEEDS_ATTENTION:
            break
        count += 1
    return count


def _reason(endpoint: JobEndpoint, runs: Sequence[Run], drafts: Sequence[Draft], now: datetime) -> CompileReason | None:
    if len(runs) < ANSWERS_LEAST:
        return None
    if not drafts:
        first = endpoint.policy is None and endpoint.compile_mode is CompileMode.AUTO
        return CompileReason.FIRST if first else None
    newest = drafts[0]
    of_this = [draft for draft in drafts if draft.description == endpoint.description]
    if newest not in of_this and not any(stands(draft, endpoint) for draft in of_this):
        return CompileReason.CHANGED
    if newest.compiler != COMPILER_VERSION:
        return CompileReason.COMPILER
    if brought(drafts, endpoint.policy) is None or newest.status is DraftStatus.DRAFT:
        return None  # A person wrote what is in force, or has to look at the next one first.
    same = (draft for draft in drafts if draft.status in _IN_FORCE and stands(draft, endpoint))
    return _of_answers(endpoint, runs, next(same), now)


def _of_answers(endpoint: JobEndpoint, runs: Sequence[Run], newest: Draft, now: datetime) -> CompileReason | None:
    """What the answers say against the policy in force since *newest*, which says the same, came of them."""
    assert endpoint.policy is not None
    stands = [endpoint.state.memory.rules.rule(rule.id) for rule in endpoint.policy.rules]
    if any(memory.unknowns >= UNKNOWNS_MAX for memory in stands):
        return CompileReason.DRIFT
    since = newest.decided_at or newest.created_at
    newer = [run for run in runs if run.started_at >= since]
    records = [SteeringRecord.decode(run.steering) for run in newer if run.steering is not None]
    own = [record.own for record in records if record.own is not None]
    surprises = Counter(name for steps in own for name in steps.unexpected)
    if any(count >= _TWICE for count in surprises.values()):
        return CompileReason.NEW_VALUE
    told = [run.outcome for run in newer if says_something(run.outcome)]
    strange = Counter(response_class(outcome) for outcome in told if outcome.status_code is not None)
    if any(count >= _TWICE for kind, count in strange.items() if kind not in newest.classes):
        return CompileReason.NEW_KIND
    flips = sum(step.was.phase.acting != step.phase.acting for steps in own for step in steps.rules)
    hours = max((newer[-1].started_at - newer[0].started_at) / HOUR, 1.0) if newer else 1.0
    if flips / hours > FLIPS_AN_HOUR_MAX:
        return CompileReason.FLIPS
    stuck = [memory for memory in stands if memory.phase.acting and memory.entered_at is not None]
    return CompileReason.STUCK if any(now - (each.entered_at or now) > IN_FORCE_MAX for each in stuck) else None
