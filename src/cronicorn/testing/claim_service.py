"""A lock service without a server, which judges expiry by the clock of a test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from cronicorn.domain.claims import Claim
from cronicorn.domain.instant import shifted
from cronicorn.domain.ports import ClaimService, Clock


@dataclass(slots=True)
class ClockedClaimService(ClaimService):
    """Keeps claims in this process; tokens count from 1 for each key."""

    clock: Clock
    _held: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _tokens: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    async def acquire(self, claims: Sequence[Claim], *, ttl: timedelta) -> Mapping[str, int]:
        return self._taken(claims, ttl)

    def renew(self, claims: Sequence[Claim], *, ttl: timedelta) -> frozenset[str]:
        until = shifted(self.clock.now(), ttl)
        with self._lock:
            kept = [claim for claim in claims if self._holder(claim.key) == claim.claim_id]
            self._held.update({claim.key: (claim.claim_id, until) for claim in kept})
        return frozenset(claim.claim_id for claim in kept)

    def revive(self, claims: Sequence[Claim], *, ttl: timedelta) -> frozenset[str]:
        return frozenset(self._taken(claims, ttl))

    async def release(self, claims: Sequence[Claim]) -> None:
        with self._lock:
            for claim in claims:
                if self._holder(claim.key) == claim.claim_id:
                    del self._held[claim.key]

    async def aclose(self) -> None:
        """Nothing is open."""

    def _taken(self, claims: Sequence[Claim], ttl: timedelta) -> dict[str, int]:
        until = shifted(self.clock.now(), ttl)
        taken = {}
        with self._lock:
            for claim in claims:
                if self._holder(claim.key) in {None, claim.claim_id}:
                    self._held[claim.key] = (claim.claim_id, until)
                    taken[claim.claim_id] = self._tokens[claim.key] = self._tokens.get(claim.key, 0) + 1
        return taken

    def _holder(self, key: str) -> str | None:
        claim_id, until = self._held.get(key, ("", None))
        return claim_id if until is not None and self.clock.now() < until else None
