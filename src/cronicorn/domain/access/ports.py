"""The ports of access. What holds of the others in `cronicorn.domain.ports` holds of these."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cronicorn.domain.rate import Rate, RateStanding
from cronicorn.domain.tenant import ApiKey


class IssuedKeys(Protocol):
    """The API keys of tenants, as their owners see them. Every call but `used` is confined to one tenant."""

    async def issue(self, key: ApiKey, keys_max: int) -> None:
        """Store a new *key*. Raises NotFoundError for its tenant, ConflictError for a taken hash or id.

        Raises ConflictError, too, where the tenant has *keys_max* keys that are not revoked.
        """
        ...

    async def list(self, tenant_id: str, *, limit: int, offset: int = 0) -> Sequence[ApiKey]:
        """The tenant's keys, newest first, revoked and expired ones included."""
        ...

    async def revoke(self, tenant_id: str, key_id: str) -> ApiKey:
        """Let a key open nothing from now on, and answer it. Doing so again changes nothing. Raises NotFoundError."""
        ...

    async def used(self, key_hash: str, at: datetime) -> None:
        """Remember that the key was used *at*, unless a later use is known. A key that is not there is passed over."""
        ...


class RateCounter(Protocol):
    """Counts how often something happens, for all processes together, by the store's clock."""

    async def take(self, name: str, rate: Rate) -> RateStanding:
        """Count one time more of *name* if *rate* allows it, and say where that leaves it.

        What was refused is not counted. What is counted is forgotten once it no longer matters.
        """
        ...

    async def forget(self, name: str) -> None:
        """Count *name* anew."""
        ...
