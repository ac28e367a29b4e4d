"""Who holds what: the leases of all workers, as one look at the store shows them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from cronicorn.domain.cells import UNREADABLE, Cell
from cronicorn.domain.endpoint import EndpointState, JobEndpoint
from cronicorn.domain.instant import instant_of
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.rows import endpoint_from, number_or_zero


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSlot:
    """A lease, and what it is on."""

    worker_id: str
    mechanism: str
    """A `Mechanism`, or what another version of this program calls its own."""
    tenant_id: str
    tenant: str
    """The tenant's name; its id where it has none."""
    endpoint_id: str
    endpoint: str
    """As job/endpoint; its id where that can't be read."""
    slot: int
    attempt: int
    manual: bool
    claimed_at: datetime
    expires_at: datetime
    due_at: datetime | None = None
    """Since when it has been due; None where that can't be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """All leases at one instant by the store's clock, expired ones that nobody took over included."""

    now: datetime
    slots: Sequence[HeldSlot]

    @property
    def live(self) -> Sequence[HeldSlot]:
        """Those that have not expired."""
        return [slot for slot in self.slots if slot.expires_at > self.now]

    def of_tenant(self, tenant: str) -> "Fleet":
        """What is held of the tenant of this name or id."""
        return Fleet(now=self.now, slots=[slot for slot in self.slots if tenant in {slot.tenant, slot.tenant_id}])

    def holders(self) -> Sequence["Holder"]:
        """One for each worker and mechanism, in the order of their names."""
        ordered = sorted(self.slots, key=_holder)
        return [
            Holder(worker_id=worker_id, mechanism=mechanism, now=self.now, slots=tuple(slots))
            for (worker_id, mechanism), slots in groupby(ordered, key=_holder)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A worker, and what it holds by one mechanism."""

    worker_id: str
    mechanism: str
    now: datetime
    slots: tuple[HeldSlot, ...]

    @property
    def expired(self) -> int:
        """How many of its leases have expired: it died, it is frozen, or the store was away."""
        return sum(slot.expires_at <= self.now for slot in self.slots)

    @property
    def age_max(self) -> timedelta:
        """How long it has held the lease that it has held longest."""
        return self.now - min(slot.claimed_at for slot in self.slots)

    @property
    def first_expiry_at(self) -> datetime:
        """When the first of its leases ends unless renewed."""
        return min(slot.expires_at for slot in self.slots)


def _holder(slot: HeldSlot) -> tuple[str, str]:
    return slot.worker_id, slot.mechanism


def fleet_from(now: datetime, rows: Iterable[Mapping[str, Cell]]) -> Fleet:
    """The leases that *rows* of `schedule`, with names of tenant and job and the endpoint's document, tell of."""
    return Fleet(now=now, slots=[_slot_from(row) for row in rows])


def due_of(state: EndpointState, *, manual: bool) -> datetime | None:
    """Since when the slot has been due that is leased in *state*."""
    if manual and state.manual is not None:
        return state.manual.requested_at
    return state.plan.next_run_at if state.plan is not None else None


def _slot_from(row: Mapping[str, Cell]) -> HeldSlot:
    endpoint, manual = _endpoint(row), bool(row["leased_manual"])
    return HeldSlot(
        worker_id=_text(row["worker_id"], ""),
        mechanism=_text(row["mechanism"], Mechanism.LEASE.value),
        tenant_id=_text(row["tenant_id"], ""),
        tenant=_text(row["tenant_name"], _text(row["tenant_id"], "")),
        endpoint_id=_text(row["endpoint_id"], ""),
        endpoint=_endpoint_name(row, endpoint),
        slot=number_or_zero(row["leased_slot"]),
        attempt=number_or_zero(row["leased_attempt"]),
        manual=manual,
        claimed_at=instant_of(number_or_zero(row["claimed_us"])),
        expires_at=instant_of(number_or_zero(row["lease_until_us"])),
        due_at=due_of(endpoint.state, manual=manual) if endpoint is not None else None,
    )


def _endpoint(row: Mapping[str, Cell]) -> JobEndpoint | None:
    try:
        return endpoint_from(_text(row["document"], ""), _text(row["state"], ""))
    except UNREADABLE:
        return None


def _endpoint_name(row: Mapping[str, Cell], endpoint: JobEndpoint | None) -> str:
    if endpoint is None:
        return _text(row["endpoint_id"], "")
    return f"{_text(row['job_name'], endpoint.job_id)}/{endpoint.name}"


def _text(cell: Cell, default: str) -> str:
    return cell if isinstance(cell, str) else default
