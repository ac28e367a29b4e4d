"""How long the slots of killed workers waited for another."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.takeover import recovery_bound
from tests.chaos.facts import Claim, Facts
from tests.chaos.generator import Kind
from tests.chaos.plan import Plan

MARGIN_S = 2.5
"""What a busy machine may add to the formula."""
_OF_ALL = {Kind.RESTART, Kind.TERMINATE, Kind.HANG, Kind.SERVICE}
_COUNTED = {Mechanism.LEASE, Mechanism.LEGACY}
"""Their fences go up by one, so that a missing one shows a claim whose answer was lost."""
_AWAKENING_S = 2.5
"""After the database is back, until every worker has found it again: their waits double up to the poll interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """A slot whose worker was killed, and the next claim of its endpoint."""

    orphan: Claim
    killed: float
    allowed_s: float
    """By the settings: the lease, a look at the store, and the rest that a slot gets which loses leases in a row."""
    took_s: float | None
    """None when it was never claimed again."""


def recoveries(plan: Plan, facts: Facts) -> Iterator[Recovery]:
    """One for each lease that its holder did not live to end, on an endpoint that was left alone meanwhile."""
    if plan.mechanism is Mechanism.OPTIMISTIC:
        return  # Nobody holds anything that another has to wait for.
    killed = {each.worker: each.began for each in facts.struck if each.kind == Kind.KILL}
    edited = defaultdict(list)
    for edit in facts.edits:
        edited[edit.endpoint].append(edit.sent)
    for claims in facts.of_endpoint.values():
        for number, claim in enumerate(claims):
            if claim.worker not in killed or claim.ended:
                continue
            after = claims[number + 1] if number + 1 < len(claims) else None
            until = after.at if after is not None else float("inf")
            if any(claim.sent - 1 <= sent <= until for sent in edited[claim.endpoint]):
                continue
            at = max(killed[claim.worker], claim.at)
            allowed_s = _allowed_s(plan, claims[: number + 1], after)
            yield Recovery(
                orphan=claim,
                killed=at,
                allowed_s=allowed_s + _away_s(plan, facts, claim.worker, at, allowed_s),
                took_s=after.at - at if after is not None else None,
            )


def slow_recoveries(plan: Plan, facts: Facts) -> Iterator[str]:
    """Those that took longer than the settings allow."""
    for each in recoveries(plan, facts):
        if each.took_s is None or each.took_s > each.allowed_s + MARGIN_S:
            claim = each.orphan
            yield f"{claim.attempted} of {claim.worker} waited {each.took_s} s, allowed are {each.allowed_s} s"


def _allowed_s(plan: Plan, claims: list[Claim], after: Claim | None) -> float:
    """Claims whose answers nobody saw are leases that have to expire as well."""
    losses, unseen = _losses(plan, claims), 1
    if plan.mechanism in _COUNTED:
        unseen = after.fence - claims[-1].fence - 1 if after is not None else 0
    ttl, poll = timedelta(seconds=plan.ttl_s), timedelta(seconds=plan.poll_s)
    return sum(recovery_bound(ttl, poll, losses + number).total_seconds() for number in range(unseen + 1))


def _losses(plan: Plan, claims: list[Claim]) -> int:
    """How many leases of the endpoint were lost in a row by the end of the last one, on whatever slots."""
    settled = max((number for number, claim in enumerate(claims) if claim.accepted is not None), default=-1)
    since = claims[settled + 1 :]
    seen = sum(claim.abandoned is None for claim in since)
    if plan.mechanism not in _COUNTED:
        return seen
    before = claims[settled].fence if settled >= 0 else since[0].fence - 1
    return since[-1].fence - before - (len(since) - seen)


def _away_s(plan: Plan, facts: Facts, worker: str, since: float, allowed_s: float) -> float:
    """How much longer it may take because the database was away, or silent to a renewal on its way."""
    away = 0.0
    for each in sorted(facts.struck, key=lambda struck: struck.began):
        everybody = each.kind in _OF_ALL or (plan.backend == "sqlite" and each.kind == Kind.FREEZE)
        concerns = everybody or (each.kind == Kind.BLACK_HOLE and each.worker == worker)
        if concerns and each.ended >= since - plan.ttl_s and each.began <= since + allowed_s + away:
            away += each.ended - max(each.began, since - plan.ttl_s) + (_AWAKENING_S if everybody else 0)
    return away
