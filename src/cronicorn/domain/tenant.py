"""Tenants and the keys that act for them."""

from dataclasses import dataclass, field
from datetime import datetime

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
