"""Whether a history keeps its promises. Pure: looks at facts, never at a store."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of
from cronicorn.domain.mechanism import KEPT, Invariant, Mechanism
from cronicorn.testing.store_machine.books import check_books
from cronicorn.testing.store_machine.fleet import BrokenPromiseError
from tests.chaos.editor import INTERVAL_EDIT, Rest
from tests.chaos.facts import Claim, Facts
from tests.chaos.plan import Plan
from tests.chaos.recovery import slow_recoveries

_CLOCK_SLACK_US = 20_000
"""Instants of different clocks are compared this loosely: they drift, and are not read at once."""
_EXPECTED = {
    "lease_lost",
    "run_not_recorded",
    "store_unavailable",
    "renewal_failed",
    "clock_stepped",
    "leases_left_to_expire",
    "runs_abandoned",
    "claim_recovered",
    "claim_left_to_expire",
    "listener_lost",
    "partitions_not_made",
    "renewal_not_stored",
}
"""What a worker may say when all around it breaks."""
_NOISE = "unexpected connection_lost() call"
"""Of asyncpg, when a connection that it has given up is cut while it asks for TLS."""
_ESCAPED = ("deadlock", "serialize", "serialization")


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, and by what."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


def violations(plan: Plan, facts: Facts, rest: Rest | None) -> list[Violation]:
    """All broken promises; without *rest*, while the run goes on, those that can be seen by then."""
    facts.sort()
    found = [
        *_settled_once(facts),
        *_never_stale(facts),
        *_fences_grow(facts),
        *_never_overlap(plan, facts),
        *_never_early(plan, facts),
        *_abandoned_as_it_was(plan, facts),
        *_clean_logs(facts),
    ]
    if rest is not None:
        found += [
            *_recorded(facts, rest),
            *_nothing_lost(rest),
            *_balanced(facts, rest),
            *(Violation(Invariant.I6.name, slow) for slow in slow_recoveries(plan, facts)),
        ]
    promised = {invariant.name for invariant in KEPT[plan.mechanism]} | {"books", "process"}
    return [violation for violation in found if violation.invariant in promised]


def _settled_once(facts: Facts) -> Iterator[Violation]:
    holders: dict[tuple[str, int, int], list[Claim]] = defaultdict(list)
    for claim in facts.claims.values():
        if claim.accepted is not None and claim.accepted.ran:  # A slot that came too late keeps its number.
            holders[claim.attempted].append(claim)
    for attempted, claims in holders.items():
        if len(claims) > 1:
            fences = [claim.fence for claim in claims]
            yield Violation("I1", f"{attempted} was settled by the holders of fences {fences}")


def _never_stale(facts: Facts) -> Iterator[Violation]:
    for claims in facts.of_endpoint.values():
        for number, claim in enumerate(claims):
            settling = claim.accepted
            if settling is None:
                continue
            for later in claims[number + 1 :]:
                if later.fence == claim.fence:
                    continue
                same = (later.attempted, later.manual) == (claim.attempted, claim.manual)
                if later.at < settling.sent or (same and settling.ran):
                    yield Violation("I2", f"{claim.attempted} with fence {claim.fence} after fence {later.fence}")


def _fences_grow(facts: Facts) -> Iterator[Violation]:
    for claim in facts.twice:
        yield Violation("I3", f"claim {claim.claim_id} of {claim.endpoint} was issued twice")
    for claims in facts.of_endpoint.values():
        for before, after in pairwise(claims):
            if before.fence == after.fence:
                yield Violation("I3", f"fence {after.fence} of {after.endpoint} was issued twice")
            elif after.at < before.sent:
                yield Violation("I3", f"{after.endpoint}: fence {before.fence} came after {after.fence}")


def _never_overlap(plan: Plan, facts: Facts) -> Iterator[Violation]:
    offset_us = round(plan.wall_minus_monotonic * 1_000_000)
    ttl_us = round(plan.ttl_s * 1_000_000)
    for claims in facts.of_endpoint.values():
        for before, after in pairwise(claims):
            if before.settlings or before.abandoning is not None:
                continue
            until_us = before.claimed_us + ttl_us
            if before.renewed:
                until_us = max(until_us, round(before.renewed[-1] * 1_000_000) + offset_us + ttl_us - _CLOCK_SLACK_US)
            if after.claimed_us < until_us:
                early = (until_us - after.claimed_us) / 1_000
                yield Violation("I4", f"{before.attempted}: fence {after.fence} came {early} ms before expiry")


def _never_early(plan: Plan, facts: Facts) -> Iterator[Violation]:
    two_steps = plan.mechanism in {Mechanism.REDIS, Mechanism.ETCD}
    for claim in facts.claims.values():
        # What the service granted is stamped later; a slot that is asked for meanwhile is due before the call begins.
        later_us = round((claim.at - claim.sent) * 1_000_000) if two_steps else 0
        if claim.due_us is None or claim.claimed_us + later_us < claim.due_us:
            yield Violation("I7", f"{claim.attempted} was claimed at {claim.claimed_us}, due at {claim.due_us}")


def _abandoned_as_it_was(plan: Plan, facts: Facts) -> Iterator[Violation]:
    step = 0 if plan.mechanism is Mechanism.OPTIMISTIC else 1
    edited = defaultdict(list)
    for edit in facts.edits:
        edited[edit.endpoint].append(edit)
    for endpoint, claims in facts.of_endpoint.items():
        for before, after in pairwise(claims):
            if before.abandoned is None or after.fence != before.fence + step or before.manual != after.manual:
                continue  # Others were there in between.
            if before.settlings:
                continue  # One that was stopped on its way may have been accepted before.
            touched = any(before.sent < edit.at and edit.sent < after.at for edit in edited[endpoint])
            if not touched and after.attempted != before.attempted:
                yield Violation("I13", f"{before.attempted} was abandoned, and {after.attempted} came next")


def _clean_logs(facts: Facts) -> Iterator[Violation]:
    for line in facts.logs:
        said = f"{line['event']} {line['reason']} {line['error']}"
        if any(word in said.lower() for word in _ESCAPED):
            yield Violation("I18", said)
        elif line["event"] not in _EXPECTED and _NOISE not in said:
            yield Violation("process", said)
    for line in facts.notes:
        if line["what"] == "died":
            yield Violation("process", f"{line['worker']} ended with exit code {line['code']}: {line['log']}")


def _recorded(facts: Facts, rest: Rest) -> Iterator[Violation]:
    for final in rest.endpoints:
        claims = facts.of_endpoint.get(final.endpoint.id, [])
        rows = {(run.slot, run.attempt): run for run in final.runs}
        if len(rows) != len(final.runs):
            yield Violation("I1", f"{final.endpoint.id} has {len(final.runs)} runs for {len(rows)} attempts")
        for claim in claims:
            run = rows.get((claim.slot, claim.attempt))
            if claim.accepted is not None and claim.accepted.ran and (run is None or run.fence != claim.fence):
                yield Violation("I1", f"{claim.attempted} was settled with fence {claim.fence}; recorded is {run}")
            if run is not None and claim.fence > run.fence:
                yield Violation("I2", f"{claim.attempted} was recorded with fence {run.fence} after {claim.fence}")
        for run in final.runs:
            if run.started_at < run.due_at:
                yield Violation("I7", f"{run.id} began at {run.started_at}, due at {run.due_at}")


def _nothing_lost(rest: Rest) -> Iterator[Violation]:
    if rest.overdue:
        yield Violation("I5", f"{rest.overdue} slots are due and nobody takes them")
    for final in rest.endpoints:
        state = final.endpoint.state
        if final.leased:
            yield Violation("I19", f"{final.endpoint.id} is leased although all workers have drained")
        if state.due_at is None and not state.suspended:
            yield Violation("I5", f"{final.endpoint.id} is neither due nor resting on purpose: {state}")


def _balanced(facts: Facts, rest: Rest) -> Iterator[Violation]:
    since_us = {edit.endpoint: edit.since_us for edit in facts.edits if edit.edit == "add"}
    rescheduled = {edit.endpoint for edit in facts.edits if edit.edit == INTERVAL_EDIT}
    there = {final.endpoint.id for final in rest.endpoints}
    deleted = {edit.endpoint for edit in facts.edits if edit.edit == "delete"}
    for edit in facts.edits:
        if edit.edit == "add" and edit.answer == "done" and edit.endpoint not in there | deleted:
            yield Violation("I5", f"{edit.endpoint} is gone")
    for final in rest.endpoints:
        since = since_us.get(final.endpoint.id)
        if since is None or final.endpoint.id in rescheduled:
            continue
        try:
            check_books(final.endpoint, instant_of(since), final.read_at, final.runs, final.skips)
        except BrokenPromiseError as error:
            yield Violation("books", f"{error} (read at {us(final.read_at)})"[:1500])
