"""Workers on the wire."""

from datetime import datetime

from cronicorn.api.wire_values import Answer, Instant, Omittable, milliseconds
from cronicorn.control.workers import WorkerList, WorkerView
from cronicorn.domain.fleet import HeldSlot


class HeldLeaseAnswer(Answer):
    """A lease on an endpoint of the tenant. Where it is `expired` the slot is due again."""

    endpoint_id: str
    endpoint: str
    """As job/endpoint."""
    slot: int
    attempt: int
    manual: bool
    mechanism: str
    claimed_at: Instant
    ends_at: Instant
    expired: bool
    due_at: Omittable[Instant] = None
    late_ms: Omittable[float] = None
    """How long it had been due when it was claimed."""


class HeldCountAnswer(Answer):
    """How many leases of all tenants a worker holds."""

    held: int
    expired: int


class WorkerAnswer(Answer):
    """A worker, and what it holds of the tenant."""

    name: str
    alive: bool
    version: Omittable[str] = None
    """Absent of one that has not reported itself."""
    since: Omittable[Instant] = None
    seen_at: Omittable[Instant] = None
    leases: list[HeldLeaseAnswer]
    in_all: Omittable[HeldCountAnswer] = None
    """Only for whoever runs the installation."""


class WorkersAnswer(Answer):
    """The workers at `now`, by the store's clock."""

    now: Instant
    workers: list[WorkerAnswer]


def workers_answer(found: WorkerList) -> WorkersAnswer:
    """*found* on the wire."""
    return WorkersAnswer(now=found.now, workers=[_worker(view, found.now) for view in found.workers])


def _worker(view: WorkerView, now: datetime) -> WorkerAnswer:
    count = view.in_all
    return WorkerAnswer(
        name=view.name, alive=view.alive, version=view.version, since=view.since, seen_at=view.seen_at,
        leases=[_lease(slot, now) for slot in view.leases],
        in_all=HeldCountAnswer(held=count.held, expired=count.expired) if count is not None else None,
    )  # fmt: skip


def _lease(slot: HeldSlot, now: datetime) -> HeldLeaseAnswer:
    late = slot.claimed_at - slot.due_at if slot.due_at is not None else None
    return HeldLeaseAnswer(
        endpoint_id=slot.endpoint_id, endpoint=slot.endpoint, slot=slot.slot, attempt=slot.attempt, manual=slot.manual,
        mechanism=slot.mechanism, claimed_at=slot.claimed_at, ends_at=slot.expires_at, expired=slot.expires_at <= now,
        due_at=slot.due_at, late_ms=milliseconds(late) if late is not None else None,
    )  # fmt: skip
