"""One endpoint as the stores in memory keep it, with all that belongs to it."""

from dataclasses import dataclass, field
from datetime import datetime

from cronicorn.domain.compilation.draft import Draft
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement
from cronicorn.domain.slot import Skip


@dataclass(slots=True, kw_only=True)
class Claim:
    """A claim on an endpoint that has not ended yet. It is live until `expires_at`."""

    id: str
    slot: int
    attempt: int
    manual: bool
    worker_id: str
    claimed_at: datetime
    expires_at: datetime
    takeover_at: datetime
    """When another worker may claim the endpoint, if it is not renewed."""
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The last accepted settlement of an endpoint, by which a repeated one is known."""

    claim_id: str
    fence: int
    settlement: Settlement


@dataclass(slots=True, kw_only=True)
class Row:
    """One endpoint with all that belongs to it. Runs and skips carry the number under which they were recorded."""

    number: int
    endpoint: JobEndpoint
    fence: int = 0
    claim: Claim | None = None
    lost_claims: int = 0
    done: Done | None = None
    runs: dict[tuple[int, int], tuple[int, Run]] = field(default_factory=dict)
    skips: list[tuple[int, Skip]] = field(default_factory=list)
    drafts: dict[str, Draft] = field(default_factory=dict)
    """By id, oldest first."""

    def leased(self, now: datetime) -> bool:
        return self.claim is not None and self.claim.expires_at > now

    def leased_slot(self, now: datetime) -> int | None:
        return self.claim.slot if self.claim is not None and self.leased(now) else None

    def claimable_at(self) -> datetime | None:
        """When `claim_due` may take the row; None for never."""
        due_at = self.endpoint.state.due_at
        if due_at is None or self.claim is None:
            return due_at
        return max(due_at, self.claim.takeover_at)
