"""Tenants on the wire."""

from collections.abc import Sequence

from cronicorn.api.wire_values import (
    Answer,
    Instant,
    Omittable,
    WarningAnswer,
    warning_answers,
    whole_milliseconds,
)
from cronicorn.control.tenant_settings import TenantView
from cronicorn.control.tenants import NewTenant
from cronicorn.domain.calendar import Period
from cronicorn.domain.tenant import Tenant


class TenantAnswer(Answer):
    """A tenant."""

    id: str
    name: str
    created_at: Instant
    tier: Omittable[str] = None
    limit: Omittable[int] = None
    period: Omittable[Period] = None
    zone: Omittable[str] = None


class TenantsAnswer(Answer):
    """Tenants, oldest first."""

    tenants: list[TenantAnswer]


class NewTenantAnswer(TenantAnswer):
    """A new tenant with its first key, which nobody can read again."""

    key: str


class EgressAnswer(Answer):
    """What a tenant may call beside what all may: ranges of addresses, and names of hosts."""

    tenant_id: str
    allow: list[str]


class RetentionAnswer(Answer):
    """How long a tenant's history is kept; null: as the settings say."""

    tenant_id: str
    runs_ms: int | None
    """Of runs that did not fail, and of what did not run."""
    failures_ms: int | None


class TermsAnswer(Answer):
    """What was agreed with a tenant about its tokens; null: as its tier or the settings say."""

    tenant_id: str
    tier: str | None
    limit: int | None
    period: Period | None
    zone: str | None
    warnings: list[WarningAnswer]


def tenants_answer(tenants: Sequence[Tenant]) -> TenantsAnswer:
    """*tenants* on the wire."""
    return TenantsAnswer(tenants=[tenant_answer(tenant) for tenant in tenants])


def new_tenant_answer(made: NewTenant) -> NewTenantAnswer:
    """A new tenant on the wire, with its key."""
    return NewTenantAnswer(**dict(tenant_answer(made.tenant)), key=made.key)


def tenant_answer(tenant: Tenant) -> TenantAnswer:
    """A tenant on the wire."""
    terms = tenant.terms
    return TenantAnswer(
        id=tenant.id, name=tenant.name, created_at=tenant.created_at,
        tier=terms.tier, limit=terms.limit, period=terms.period, zone=terms.zone,
    )  # fmt: skip


def egress_answer(view: TenantView) -> EgressAnswer:
    """What the tenant of *view* may call, on the wire."""
    egress = view.provision.egress
    return EgressAnswer(tenant_id=view.tenant.id, allow=[*map(str, egress.ranges), *egress.hosts])


def retention_answer(view: TenantView) -> RetentionAnswer:
    """How long the history of the tenant of *view* is kept, on the wire."""
    runs, failures = view.provision.runs_kept, view.provision.failures_kept
    return RetentionAnswer(
        tenant_id=view.tenant.id, runs_ms=whole_milliseconds(runs), failures_ms=whole_milliseconds(failures)
    )


def terms_answer(view: TenantView) -> TermsAnswer:
    """What was agreed with the tenant of *view*, on the wire."""
    terms = view.tenant.terms
    return TermsAnswer(
        tenant_id=view.tenant.id, tier=terms.tier, limit=terms.limit, period=terms.period, zone=terms.zone,
        warnings=warning_answers(view.warnings),
    )  # fmt: skip
