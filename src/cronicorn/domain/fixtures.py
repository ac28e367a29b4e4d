"""Builders of valid values, for tests and examples: say only what matters to you."""

from datetime import UTC, datetime, timedelta

from cronicorn.domain.call import Outcome, OutcomeKind, Request
from cronicorn.domain.endpoint import Baseline, EndpointState, Job, JobEndpoint
from cronicorn.domain.hint import Author, Hint, HintKind
from cronicorn.domain.instant import shifted
from cronicorn.domain.lease import Lease
from cronicorn.domain.plan import Source
from cronicorn.domain.run import Run, RunStatus

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
"""An instant to count from."""


def at(text: str) -> datetime:
    """The instant an ISO 8601 *text* means; UTC when it names no offset."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def a_job(**changes: object) -> Job:
    """A job of tenant `t1`."""
    values: dict[str, object] = {
        "id": "job1",
        "tenant_id": "t1",
        "name": "shop",
        "created_at": MIDNIGHT,
        "updated_at": MIDNIGHT,
    }
    return Job(**(values | changes))  # type: ignore[arg-type]


def an_endpoint(**changes: object) -> JobEndpoint:
    """An endpoint of `job1` that runs every minute from MIDNIGHT on."""
    values: dict[str, object] = {
        "id": "ep1",
        "tenant_id": "t1",
        "job_id": "job1",
        "name": "stock",
        "request": Request(url="http://127.0.0.1:8000/stock"),
        "baseline": Baseline(interval=timedelta(minutes=1), anchor_at=MIDNIGHT),
        "created_at": MIDNIGHT,
        "updated_at": MIDNIGHT,
        "state": EndpointState(),
    }
    return JobEndpoint(**(values | changes))  # type: ignore[arg-type]


def an_interval_hint(interval: timedelta, *, now: datetime = MIDNIGHT, ttl: timedelta = timedelta(hours=1)) -> Hint:
    """A person's interval hint."""
    return Hint(
        kind=HintKind.INTERVAL,
        author=Author.PERSON,
        written_at=now,
        expires_at=shifted(now, ttl),
        interval=interval,
    )


def a_one_shot(when: datetime, *, now: datetime = MIDNIGHT, ttl: timedelta = timedelta(hours=1)) -> Hint:
    """A person's one-shot hint."""
    return Hint(kind=HintKind.ONE_SHOT, author=Author.PERSON, written_at=now, expires_at=shifted(now, ttl), at=when)


def a_defer(until: datetime, *, author: Author = Author.SIGNAL, now: datetime = MIDNIGHT) -> Hint:
    """A defer hint, a signal's unless said otherwise."""
    return Hint(kind=HintKind.DEFER, author=author, written_at=now, expires_at=until, at=until)


def a_pause(until: datetime, *, now: datetime = MIDNIGHT) -> Hint:
    """A person's pause."""
    return Hint(kind=HintKind.PAUSE, author=Author.PERSON, written_at=now, expires_at=until, at=until)


def an_outcome(status_code: int = 200, **changes: object) -> Outcome:
    """A complete answer after 5 ms."""
    values: dict[str, object] = {
        "kind": OutcomeKind.RESPONDED, "duration": timedelta(milliseconds=5), "status_code": status_code,
    }  # fmt: skip
    return Outcome(**(values | changes))  # type: ignore[arg-type]


def a_lease(endpoint: JobEndpoint, *, now: datetime = MIDNIGHT, manual: bool = False, fence: int = 1) -> Lease:
    """A lease of 30 s on the planned (or manual) slot of *endpoint*."""
    state = endpoint.state
    slot = state.manual.slot if manual and state.manual is not None else state.slot
    return Lease(
        endpoint=endpoint, claim_id="claim1", fence=fence, slot=slot, attempt=1 if manual else state.attempt,
        manual=manual, claimed_at=now, expires_at=shifted(now, timedelta(seconds=30)),
    )  # fmt: skip


def a_run(lease: Lease, outcome: Outcome | None = None, **changes: object) -> Run:
    """The run of *lease*, begun when it was claimed; its status follows the endpoint's success criteria."""
    outcome = outcome if outcome is not None else an_outcome()
    plan = lease.endpoint.state.plan
    source = Source.MANUAL if lease.manual or plan is None else plan.source
    due_at = plan.next_run_at if plan is not None and plan.next_run_at is not None else lease.claimed_at
    success = lease.endpoint.success.accepts(outcome)
    values: dict[str, object] = {
        "tenant_id": lease.endpoint.tenant_id, "endpoint_id": lease.endpoint.id, "slot": lease.slot,
        "attempt": lease.attempt, "fence": lease.fence, "source": source,
        "trace": plan.trace.encode() if plan is not None else "", "due_at": min(due_at, lease.claimed_at),
        "nominal_at": plan.nominal_at if plan is not None and not lease.manual else None,
        "started_at": lease.claimed_at, "finished_at": shifted(lease.claimed_at, outcome.duration),
        "status": RunStatus.SUCCESS if success else RunStatus.FAILED, "outcome": outcome,
    }  # fmt: skip
    return Run(**(values | changes))  # type: ignore[arg-type]
