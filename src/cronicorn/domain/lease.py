"""The right to run one slot."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from cronicorn.domain.endpoint import EndpointState, JobEndpoint
from cronicorn.domain.execution.limits import Ration
from cronicorn.domain.mechanism import Mechanism

_RUN_ID = re.compile(r"(.*):(0|[1-9][0-9]{0,17}):(0|[1-9][0-9]{0,17})", re.ASCII | re.DOTALL)


class Lease(NamedTuple):
    """One worker's right to run one slot until `expires_at`, by the store's clock."""

    endpoint: JobEndpoint
    """The whole endpoint as it was when claimed."""
    claim_id: str
    """Random, one for each claim; with `fence` it proves who may write."""
    fence: int
    """Grows with every claim of this endpoint."""
    slot: int
    attempt: int
    manual: bool
    claimed_at: datetime
    expires_at: datetime
    taken_over: bool = False
    """A lease before this one was lost, so the slot may have been called already."""
    watched: bool = False
    """Rules of other endpoints of the job read siblings: this one's answer may concern them."""
    mechanism: Mechanism = Mechanism.LEASE
    """What keeps others away meanwhile, and so who renews, settles and abandons it."""
    ration: Ration | None = None
    """What is left of its tenant's runs of the month; None where they are not limited, and so not counted."""

    @property
    def ttl(self) -> timedelta:
        """How long it stands unless renewed."""
        return self.expires_at - self.claimed_at

    @property
    def run_id(self) -> str:
        """The id under which this attempt is recorded, whoever makes it."""
        return run_id(self.endpoint.id, self.slot, self.attempt)

    @property
    def due_at(self) -> datetime | None:
        """Since when its slot has been due; None when the endpoint does not say."""
        if self.manual and self.endpoint.state.manual is not None:
            return self.endpoint.state.manual.requested_at
        return _instants(self.endpoint.state)[0]

    @property
    def exhausted(self) -> bool:
        """Whether its tenant has no run left this month: the slot ends without a call."""
        return self.ration is not None and self.ration.exhausted

    def fits(self, state: EndpointState) -> bool:
        """Whether the slot still stands in *state* as it was claimed.

        An edit after the lease expired may have put it aside and recorded what became of its instant; a manual slot may
        have been taken back. Such a slot can't run as well.
        """
        if self.manual:
            return state.manual is not None and state.manual.slot == self.slot
        return (state.slot, state.attempt) == (self.slot, self.attempt) and _instants(state) == _instants(
            self.endpoint.state
        )

    def facts(self) -> dict[str, object]:
        """What logs say about a lease."""
        return {
            "tenant": self.endpoint.tenant_id,
            "endpoint": self.endpoint.id,
            "slot": self.slot,
            "attempt": self.attempt,
            "fence": self.fence,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """What became of a batch of leases when their holder renewed them. Claim ids; those in no set are held longer."""

    lost: frozenset[str] = frozenset()
    cancelled: frozenset[str] = frozenset()
    """Still held, but a person asked for the run to be cancelled."""
    unextended: frozenset[str] = frozenset()
    """Not lost, and held no longer than before: nobody could be asked, or their mechanism extends nothing."""

    def extending_none(self, leases: Sequence[Lease]) -> "Renewal":
        """The same of *leases* whose mechanism extends nothing."""
        return replace(self, unextended=frozenset(lease.claim_id for lease in leases) - self.lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDue:
    """When a store will next have something to claim. Both instants are by its own clock, whatever others say."""

    due_at: datetime
    now: datetime
    """When it was asked."""

    @property
    def wait(self) -> timedelta:
        """How long until then, counted from the answer; zero when something is due already."""
        return max(self.due_at - self.now, timedelta())

    @classmethod
    def when(cls, due_at: datetime | None, now: datetime) -> Self | None:
        """The answer of a store whose first instant is *due_at*: None when nothing is planned."""
        return cls(due_at=due_at, now=now) if due_at is not None else None


def _instants(state: EndpointState) -> tuple[datetime | None, datetime | None]:
    return (state.plan.next_run_at, state.plan.nominal_at) if state.plan is not None else (None, None)


def run_id(endpoint_id: str, slot: int, attempt: int) -> str:
    """The id of an attempt: known before it is made, the same whoever makes it."""
    return f"{endpoint_id}:{slot}:{attempt}"


def run_parts(identity: str) -> tuple[str, int, int] | None:
    """Endpoint, slot and attempt of what `run_id` made; None of what it never makes."""
    match = _RUN_ID.fullmatch(identity)
    return (match[1], int(match[2]), int(match[3])) if match is not None else None
