"""Tenants and the keys that act for them."""

from dataclasses import dataclass, field
from datetime import datetime

from cronicorn.domain.permission import Permission, Role
from cronicorn.domain.quota.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Owns jobs."""

    id: str
    name: str
    created_at: datetime
    terms: Terms = field(default_factory=Terms)
    """What was agreed with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is stored: hashed, with a prefix by which a person knows it again."""

    id: str
    tenant_id: str
    prefix: str
    hash: str
    """SHA-256 of the key, in hex. Keys are long and random, so no slow hash is needed."""
    created_at: datetime
    name: str = ""
    """What its owner calls it; empty for the first key of a tenant."""
    role: Role = Role.OWNER
    scopes: frozenset[Permission] | None = None
    """What it is confined to of what its role may do; None where it may do all of that."""
    runs_installation: bool = False
    """Whether it may see and add tenants."""
    agent: bool = False
    """Whether an agent was given it: what it does is then told of as an agent's."""
    rate: int | None = None
    """Requests a minute at most; None where they are not counted."""
    expires_at: datetime | None = None
    used_at: datetime | None = None
    """About when it was used last."""
    revoked_at: datetime | None = None

    def opens(self, now: datetime) -> bool:
        """Whether it opens anything *now*."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
