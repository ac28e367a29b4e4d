"""Tenants on the wire."""

from collections.abc import Sequence

from cronicorn.api.wire_values import Answer, Instant, Omittable
from cronicorn.control.tenants import NewTenant
from cronicorn.domain.tenant import Tenant


class TenantAnswer(Answer):
    """A tenant."""

    id: str
    name: str
    created_at: Instant
    tier: Omittable[str] = None


class TenantsAnswer(Answer):
    """Tenants, oldest first."""

    tenants: list[TenantAnswer]


class NewTenantAnswer(TenantAnswer):
    """A new tenant with its first key, which nobody can read again."""

    key: str


def tenants_answer(tenants: Sequence[Tenant]) -> TenantsAnswer:
    """*tenants* on the wire."""
    return TenantsAnswer(tenants=[_tenant_answer(tenant) for tenant in tenants])


def new_tenant_answer(made: NewTenant) -> NewTenantAnswer:
    """A new tenant on the wire, with its key."""
    return NewTenantAnswer(**dict(_tenant_answer(made.tenant)), key=made.key)


def _tenant_answer(tenant: Tenant) -> TenantAnswer:
    return TenantAnswer(id=tenant.id, name=tenant.name, created_at=tenant.created_at, tier=tenant.terms.tier)
