"""What is wrong with an endpoint, or is over: judged by its state, and by how its last runs ended. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

from cronicorn.domain.alert.alerting import AlertRules, IncidentKind
from cronicorn.domain.alert.ports import Suspect
from cronicorn.domain.durations import coarse
from cronicorn.domain.editing import edited
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.hint import Author, Hint, HintKind, fresh_hints, paused_until, replaced
from cronicorn.domain.instant import shifted
from cronicorn.domain.permission import Operation
from cronicorn.domain.policy.stepping import UNKNOWNS_MAX
from cronicorn.domain.ports import Cron, EndpointEdit
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.domain.run import RunStatus
from cronicorn.domain.settlement import Change, Stored

PAUSE_KEY = "too-many-failures"
"""Tells the pause that nobody wrote by hand from others."""
PAUSED_FOR = timedelta(days=3_650)
"""Until somebody resumes: no pause is without an end."""
LATE_MAX = 20
"""Where more endpoints of a tenant are late, that is one incident: it is not their fault."""


class Verdict(NamedTuple):
    """Whether something is wrong, and a sentence that says what, or how it ended."""

    kind: IncidentKind
    wrong: bool
    sentence: str


def asks_for_runs(suspect: Suspect, rules: AlertRules, *, failing: bool) -> bool:
    """Whether how the last runs ended decides; *failing* says whether an incident is open.

    A streak of failures is in the state already. While it lasts nothing has recovered.
    """
    count = suspect.endpoint.state.failure_count
    return count == 0 if failing else rules.share is not None


def verdicts(
    suspect: Suspect, rules: AlertRules, recent: Sequence[RunStatus] | None, now: datetime
) -> Iterator[Verdict]:
    """What is to be said of an endpoint *now*; nothing of a kind that can't be told. *recent* is newest first."""
    endpoint, state = suspect.endpoint, suspect.endpoint.state
    if endpoint.archived_at is not None or state.suspended:
        ending = "The endpoint or its job was archived or paused."
        yield from (Verdict(kind, wrong=False, sentence=ending) for kind in IncidentKind if kind.of_endpoints)
        return
    failing = _failing(endpoint, rules, recent)
    if failing is not None:
        yield failing
    yield _late(suspect, rules, now)
    yield _paused(endpoint, rules, now)
    yield _drifted(endpoint)
    yield _frozen(endpoint, now)


def pausing(rules: AlertRules, cron: Cron) -> EndpointEdit:
    """Pauses an endpoint that still fails so often. Its failures are forgiven: resumed, it may fail as often again."""

    def edit(before: JobEndpoint, _job: Job, stored: Stored) -> Change:
        count = before.state.failure_count
        if not must_pause(before, rules, stored.now):
            return Change(endpoint=before)
        until = shifted(stored.now, PAUSED_FOR)
        pause = Hint(
            kind=HintKind.PAUSE, author=Author.PERSON, written_at=stored.now, expires_at=until, at=until, key=PAUSE_KEY,
            reason=f"Paused by the alert rules after {count} failures in a row; resume it to run it again.",
        )  # fmt: skip
        hints = replaced(before.state.hints, pause, stored.now)
        after = before.standing(replace(before.state, hints=hints, failure_count=0))
        return edited(before, after, stored, cron)

    return edit


def by_rules(tenant_id: str) -> Principal:
    """Who pauses, as the audit log tells it."""
    return Principal(
        tenant_id=tenant_id, actor="alert rules", kind=ActorKind.RULE, permissions=frozenset(),
        operation=Operation.ENDPOINT_PAUSE,
    )  # fmt: skip


def must_pause(endpoint: JobEndpoint, rules: AlertRules, now: datetime) -> bool:
    """Whether *endpoint* failed so often that it is to be paused."""
    state = endpoint.state
    resting = state.suspended or endpoint.archived_at is not None or paused_until(state.hints, now) is not None
    return rules.pause_after is not None and state.failure_count >= rules.pause_after and not resting


def late_together(late: int, *, going_on: bool) -> Verdict:
    """What is to be said of a tenant with so many *late* endpoints; what is *going_on* is over when none is."""
    wrong = late > (0 if going_on else LATE_MAX)
    sentence = f"{late} endpoints are overdue and nobody runs them: is a scheduler alive, and has it room?"
    return Verdict(IncidentKind.LATE, wrong, sentence if wrong else "Endpoints run in time again.")


def used_up(
    what: str, taken: int, limit: int, near_percent: int, kinds: tuple[IncidentKind, IncidentKind]
) -> Iterator[Verdict]:
    """What is to be said of *what* of which *taken* are gone of *limit*: *kinds* are nearly and quite used up."""
    near, out = kinds
    gone = f"{taken:,} of {limit:,} {what} are used."
    yield Verdict(near, taken * 100 >= limit * near_percent and taken < limit, gone)
    yield Verdict(out, taken >= limit, gone)


def _failing(endpoint: JobEndpoint, rules: AlertRules, recent: Sequence[RunStatus] | None) -> Verdict | None:
    count = endpoint.state.failure_count
    if count >= rules.failures:
        return Verdict(IncidentKind.FAILING, wrong=True, sentence=f"{count} slots in a row failed.")
    if recent is None:
        return None
    told = [status for status in recent if status is not RunStatus.CANCELLED]
    share = rules.share
    failed = 0 if share is None else told[: share.runs].count(RunStatus.FAILED)
    if share is not None and failed >= share.failures:
        sentence = f"{failed} of the last {min(len(told), share.runs)} runs failed."
        return Verdict(IncidentKind.FAILING, wrong=True, sentence=sentence)
    successes = len(list(takewhile(lambda status: status is RunStatus.SUCCESS, told)))
    if successes < rules.successes:
        return None
    last = "The last run succeeded." if successes == 1 else f"The last {successes} runs succeeded."
    return Verdict(IncidentKind.FAILING, wrong=False, sentence=last)


def _late(suspect: Suspect, rules: AlertRules, now: datetime) -> Verdict:
    due_at = suspect.endpoint.state.due_at
    if due_at is None or suspect.leased or now - due_at < rules.late_after:
        return Verdict(IncidentKind.LATE, wrong=False, sentence="It runs in time again.")
    sentence = f"It has been due for {coarse(now - due_at)} and nobody runs it: is a scheduler alive, and has it room?"
    return Verdict(IncidentKind.LATE, wrong=True, sentence=sentence)


def _paused(endpoint: JobEndpoint, rules: AlertRules, now: datetime) -> Verdict:
    hints = fresh_hints(endpoint.state.hints, now)
    if any(hint.kind is HintKind.PAUSE and hint.key == PAUSE_KEY for hint in hints):
        return Verdict(IncidentKind.PAUSED, wrong=True, sentence="It failed too often and is paused.")
    count = endpoint.state.failure_count
    if must_pause(endpoint, rules, now):
        sentence = f"{count} slots in a row failed, so it was paused. Resume it to run it again."
        return Verdict(IncidentKind.PAUSED, wrong=True, sentence=sentence)
    return Verdict(IncidentKind.PAUSED, wrong=False, sentence="It was resumed.")


def _drifted(endpoint: JobEndpoint) -> Verdict:
    rules = endpoint.state.memory.rules.rules
    names = ", ".join(sorted(name for name, memory in rules.items() if memory.unknowns >= UNKNOWNS_MAX))
    if not names:
        return Verdict(IncidentKind.DRIFTED, wrong=False, sentence="Answers say again what rules ask for.")
    sentence = f"Answers no longer say what these rules of its policy ask for: {names}."
    return Verdict(IncidentKind.DRIFTED, wrong=True, sentence=sentence)


def _frozen(endpoint: JobEndpoint, now: datetime) -> Verdict:
    if not endpoint.state.memory.governor.frozen(now):
        return Verdict(IncidentKind.FROZEN, wrong=False, sentence="It is steered again.")
    sentence = "Its answers made its steering go to and fro, so it keeps to its baseline for an hour."
    return Verdict(IncidentKind.FROZEN, wrong=True, sentence=sentence)
