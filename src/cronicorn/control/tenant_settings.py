"""What holds for one tenant alone: set by whoever runs the installation, and shown to the tenant itself as well."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated

from cronicorn.control.document import Choice, Document, characters, from_to, items
from cronicorn.control.findings import Findings
from cronicorn.control.limits import check_limits
from cronicorn.control.permissions import operation
from cronicorn.control.provisions import Provisions
from cronicorn.control.quota import Quotas, never_made
from cronicorn.domain.access.ports import KeyRing
from cronicorn.domain.calendar import Period
from cronicorn.domain.errors import FieldError, InvalidInputError, NotFoundError
from cronicorn.domain.instant import MILLISECOND
from cronicorn.domain.permission import Operation, Permission
from cronicorn.domain.principal import Principal
from cronicorn.domain.provision.allowed import ENTRIES_MAX, Allowed
from cronicorn.domain.provision.provision import KEPT_LEAST, KEPT_MOST, Provision
from cronicorn.domain.quota.allowance import TOKENS_MAX
from cronicorn.domain.quota.terms import Terms
from cronicorn.domain.tenant import Tenant
from cronicorn.domain.unchanged import Unchanged, version_of_egress, version_of_retention

_ENTRY_LENGTH_MAX = 255
KeptMs = Annotated[int | None, from_to(KEPT_LEAST // MILLISECOND, KEPT_MOST // MILLISECOND)]


class EgressDocument(Document):
    """What a tenant may call beside the public internet, in the place of all before: ranges, and names of hosts."""

    allow: Annotated[list[str], items(0, ENTRIES_MAX)]


class RetentionDocument(Document):
    """How long a tenant's history is kept, in the place of all before; null: as the settings say."""

    runs_ms: KeptMs = None
    failures_ms: KeptMs = None


class TermsDocument(Document):
    """What is agreed with a tenant about its tokens, in the place of all before; null: as its tier or settings say."""

    tier: Annotated[str | None, characters(1, 64)] = None
    limit: Annotated[int | None, from_to(0, TOKENS_MAX)] = None
    period: Choice[Period] | None = None
    zone: Annotated[str | None, characters(1, 64)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantView:
    """A tenant, with all that is set for it alone."""

    tenant: Tenant
    """With its terms."""
    provision: Provision
    warnings: tuple[FieldError, ...] = ()


class TenantSettings:
    """What can be asked about what holds for one tenant.

    All raise NotFoundError for a tenant that is not there and, unless the principal runs the installation, for another
    one than its own; those that set something, PreconditionFailedError where that is not *unchanged*.
    """

    def __init__(self, ring: KeyRing, provisions: Provisions, quotas: Quotas) -> None:
        self._ring = ring
        self._provisions = provisions
        self._quotas = quotas

    @operation(Operation.PROVISION_SHOW)
    async def get(self, principal: Principal, tenant_id: str) -> TenantView:
        """The tenant and what is set for it."""
        tenant = await self._tenant(principal, tenant_id)
        return TenantView(tenant=tenant, provision=await self._provisions.show(_acting(principal, tenant)))

    @operation(Operation.PROVISION_CHANGE)
    async def set_egress(
        self, principal: Principal, tenant_id: str, document: EgressDocument, unchanged: Unchanged | None = None
    ) -> TenantView:
        """Let the tenant call what *document* says, and nothing else. Raises InvalidInputError with all findings."""
        allowed = _allowed(document)

        def edit(before: Provision) -> Provision:
            if unchanged is not None:
                unchanged.check(version_of_egress(before.egress))
            return replace(before, egress=allowed)

        return await self._provide(principal, tenant_id, edit)

    @operation(Operation.PROVISION_CHANGE)
    async def set_retention(
        self, principal: Principal, tenant_id: str, document: RetentionDocument, unchanged: Unchanged | None = None
    ) -> TenantView:
        """Keep the tenant's history as long as *document* says. Raises InvalidInputError with all findings."""
        _check(document)

        def edit(before: Provision) -> Provision:
            if unchanged is not None:
                unchanged.check(version_of_retention(before))
            return replace(before, runs_kept=_length(document.runs_ms), failures_kept=_length(document.failures_ms))

        return await self._provide(principal, tenant_id, edit)

    @operation(Operation.TERMS_AGREE)
    async def set_terms(
        self, principal: Principal, tenant_id: str, document: TermsDocument, unchanged: Unchanged | None = None
    ) -> TenantView:
        """Agree what *document* says with the tenant. Raises InvalidInputError with all findings."""
        _check(document)
        tenant = await self._tenant(principal, tenant_id)
        acting = _acting(principal, tenant)
        wanted = Terms(tier=document.tier, limit=document.limit, period=document.period, zone=document.zone)
        terms = await self._quotas.agree(acting, wanted, reset=True, unchanged=unchanged)
        never = never_made(await self._quotas.show(acting)).values()
        return TenantView(
            tenant=replace(tenant, terms=terms), provision=await self._provisions.show(acting),
            warnings=tuple(FieldError(pointer="/limit", message=each) for each in never),
        )  # fmt: skip

    async def _provide(
        self, principal: Principal, tenant_id: str, edit: Callable[[Provision], Provision]
    ) -> TenantView:
        tenant = await self._tenant(principal, tenant_id)
        return TenantView(tenant=tenant, provision=await self._provisions.change(_acting(principal, tenant), edit))

    async def _tenant(self, principal: Principal, tenant_id: str) -> Tenant:
        if tenant_id == principal.tenant_id or Permission.TENANTS_WRITE in principal.permissions:
            for tenant in await self._ring.tenants():
                if tenant.id == tenant_id:
                    return tenant
        raise NotFoundError(f"There is no tenant {tenant_id}.")


def _acting(principal: Principal, tenant: Tenant) -> Principal:
    """*principal* as it acts for *tenant*, in whose audit log that is told."""
    return replace(principal, tenant_id=tenant.id)


def _allowed(document: EgressDocument) -> Allowed:
    findings = Findings()
    check_limits(document, findings)
    findings.raise_errors()
    inside = findings.inside("/allow")
    for place, entry in enumerate(document.allow):
        pointer = f"/{place}"
        if not entry.strip() or "," in entry or len(entry) > _ENTRY_LENGTH_MAX:
            inside.refuse(pointer, f"Give one range or name, of at most {_ENTRY_LENGTH_MAX} characters.")
            continue
        try:
            Allowed.parse(entry)
        except InvalidInputError as error:
            inside.refuse(pointer, str(error))
    findings.raise_errors()
    return Allowed.parse(",".join(document.allow))


def _check(document: Document) -> None:
    findings = Findings()
    check_limits(document, findings)
    findings.raise_errors()


def _length(in_ms: int | None) -> timedelta | None:
    return None if in_ms is None else in_ms * MILLISECOND
