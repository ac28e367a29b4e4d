"""Endpoints: creating, reading, editing, archiving and deleting them."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from cronicorn.control.document import EndpointPatch
from cronicorn.control.drafting import blank, drafted
from cronicorn.control.execution_tiers import ExecutionTiers, spaced
from cronicorn.control.findings import Findings, refused
from cronicorn.control.identity import NewId
from cronicorn.control.namesakes import Namesakes
from cronicorn.control.permissions import operation
from cronicorn.control.policy_judging import names_siblings, strangers
from cronicorn.control.secret_names import SecretNames
from cronicorn.control.validation import judge
from cronicorn.domain.editing import edited, forgiven, started, suspended
from cronicorn.domain.endpoint import Job, JobEndpoint, JobStatus
from cronicorn.domain.errors import FieldError, NotFoundError, UnavailableError
from cronicorn.domain.execution.limits import ExecutionLimits
from cronicorn.domain.history import EndpointQuery
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Cron, EndpointCatalog, EndpointEdit
from cronicorn.domain.principal import Principal
from cronicorn.domain.settlement import Change, Stored
from cronicorn.domain.unchanged import Unchanged


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointView:
    """An endpoint as it stands at `now`, by the store's clock."""

    endpoint: JobEndpoint
    now: datetime
    running: str | None = None
    """The id of the run that a worker is making of it, or None."""
    warnings: tuple[FieldError, ...] = ()
    """What its owner may not have meant."""


class Endpoints:
    """What can be asked about endpoints. A *job_id* that is given must be the endpoint's: NotFoundError otherwise."""

    def __init__(
        self, catalog: EndpointCatalog, cron: Cron, new_id: NewId, wake: Callable[[], None], tiers: ExecutionTiers,
        *, secret_names: SecretNames,
    ) -> None:  # fmt: skip
        self._catalog = catalog
        self._cron = cron
        self._new_id = new_id
        self._wake = wake
        self._tiers = tiers
        self.secret_names = secret_names
        self.namesakes = Namesakes(catalog)

    @operation(Operation.ENDPOINT_CREATE)
    async def create(self, principal: Principal, job_id: str, document: EndpointPatch) -> EndpointView:
        """Store a new endpoint and plan its first run. Raises InvalidInputError with all findings, or NotFoundError.

        Raises ConflictError when the tenant has as many endpoints as its tier allows.
        """
        limits = await self.limits(principal)
        unknown = await self.secret_names.unknown(principal.tenant_id, document)
        # Looked up before the write: once that is done, nothing may fail any more.
        repeated = await self.namesakes.warnings(principal.tenant_id, job_id, document.name or "")
        new = blank(principal.tenant_id, job_id, self._new_id("ep"), EPOCH)
        warnings: tuple[FieldError, ...] = ()

        def start(job: Job, endpoint: JobEndpoint, now: datetime) -> JobEndpoint:
            nonlocal warnings
            if job.status is JobStatus.ARCHIVED:
                raise refused("", f"Job {job.id} is archived; unarchive it first.")
            drawn, warnings = accepted(endpoint, document, now, self._cron, limits, found=unknown)
            state = replace(drawn.state, suspended=job.status is not JobStatus.ACTIVE)
            return started(replace(drawn, state=state, created_at=now, updated_at=now), now, self._cron)

        endpoint = await self._catalog.add(new, start, limits.endpoints, principal)
        self._wake()
        strange = await self._strangers(endpoint)
        return EndpointView(endpoint=endpoint, now=endpoint.created_at, warnings=(*repeated, *warnings, *strange))

    @operation(Operation.ENDPOINT_LIST)
    async def list(
        self, principal: Principal, job_id: str, query: EndpointQuery | None = None
    ) -> Sequence[EndpointView]:
        """The endpoints of a job, archived ones included, oldest first; of a *query* one page. Raises NotFoundError."""
        found = await self._catalog.list(principal.tenant_id, job_id, query)
        return [
            EndpointView(endpoint=endpoint, now=stored.now, running=stored.running(endpoint))
            for endpoint, stored in found
        ]

    @operation(Operation.ENDPOINT_GET)
    async def get(self, principal: Principal, endpoint_id: str, job_id: str | None = None) -> EndpointView:
        """The endpoint, with what is odd about it. Raises NotFoundError."""
        endpoint, stored = await self._catalog.get(principal.tenant_id, endpoint_id)
        check_job(endpoint, job_id)
        findings = Findings()
        judge(endpoint, endpoint, stored.now, self._cron, findings)
        unknown = await self._strangers(endpoint)
        warnings = (*await self._repeated(endpoint, endpoint.name), *findings.warnings, *unknown)
        return EndpointView(endpoint=endpoint, now=stored.now, running=stored.running(endpoint), warnings=warnings)

    @operation(Operation.ENDPOINT_EDIT)
    async def edit(
        self,
        principal: Principal,
        endpoint_id: str,
        patch: EndpointPatch,
        job_id: str | None = None,
        *,
        unchanged: Unchanged | None = None,
    ) -> EndpointView:
        """Change what *patch* gives and plan again. Raises InvalidInputError with all findings, or NotFoundError.

        Raises PreconditionFailedError where it is not *unchanged*.
        """
        limits = await self.limits(principal)
        known, _ = await self._catalog.get(principal.tenant_id, endpoint_id)
        check_job(known, job_id)
        unknown = await self.secret_names.unknown(principal.tenant_id, patch)
        repeated = await self._repeated(known, known.name if patch.name is None else patch.name)
        warnings: tuple[FieldError, ...] = ()

        def edit(before: JobEndpoint, _job: Job, stored: Stored) -> Change:
            nonlocal warnings
            after, warnings = accepted(before, patch, stored.now, self._cron, limits, found=unknown)
            return Change(endpoint=before) if after == before else edited(before, after, stored, self._cron)

        view = await self._change(principal, endpoint_id, if_unchanged(edit, unchanged), job_id)
        return replace(view, warnings=(*repeated, *warnings, *await self._strangers(view.endpoint)))

    @operation(Operation.ENDPOINT_ARCHIVE)
    async def archive(
        self, principal: Principal, endpoint_id: str, job_id: str | None = None, *, archived: bool = True,
        unchanged: Unchanged | None = None,
    ) -> EndpointView:  # fmt: skip
        """Take the endpoint off the schedule and keep its history, or put it back. Raises NotFoundError.

        Raises ConflictError when the tenant has as many endpoints as its tier allows, PreconditionFailedError where the
        endpoint is not *unchanged*.
        """
        endpoints_max = None if archived else (await self.limits(principal)).endpoints

        def edit(before: JobEndpoint, job: Job, stored: Stored) -> Change:
            if (before.archived_at is not None) == archived:
                return Change(endpoint=before)
            archived_at = stored.now if archived else None
            active = job.status is JobStatus.ACTIVE
            return suspended(before, job_active=active, archived_at=archived_at, stored=stored, cron=self._cron)

        return await self._change(principal, endpoint_id, if_unchanged(edit, unchanged), job_id, endpoints_max)

    @operation(Operation.ENDPOINT_LIMITS)
    async def limits(self, principal: Principal) -> ExecutionLimits:
        """What the tenant's tier lets it have."""
        return await self._tiers.of(principal.tenant_id)

    @operation(Operation.ENDPOINT_FORGIVE)
    async def forgive(self, principal: Principal, endpoint_id: str, unchanged: Unchanged | None = None) -> EndpointView:
        """Hold no failure against the endpoint: its backoff ends. Raises NotFoundError.

        Raises PreconditionFailedError where it is not *unchanged*.
        """

        def edit(before: JobEndpoint, _job: Job, stored: Stored) -> Change:
            return forgiven(before, stored, self._cron)

        return await self._change(principal, endpoint_id, if_unchanged(edit, unchanged))

    @operation(Operation.ENDPOINT_DELETE)
    async def delete(
        self, principal: Principal, endpoint_id: str, job_id: str | None = None, unchanged: Unchanged | None = None
    ) -> None:
        """Remove the endpoint with all its runs. Raises NotFoundError, PreconditionFailedError unless *unchanged*."""
        endpoint, _ = await self._catalog.get(principal.tenant_id, endpoint_id)
        check_job(endpoint, job_id)
        await self._catalog.delete(principal.tenant_id, endpoint_id, principal, unchanged)

    async def _strangers(self, endpoint: JobEndpoint) -> tuple[FieldError, ...]:
        """Warnings of siblings that its policy names and the job does not have; none when nobody can be asked."""
        if not names_siblings(endpoint):
            return ()
        with suppress(UnavailableError):  # The endpoint is stored: that is what counts.
            found = await self._catalog.list(endpoint.tenant_id, endpoint.job_id)
            return strangers(endpoint, (other.name for other, _ in found if other.archived_at is None))
        return ()

    async def _repeated(self, endpoint: JobEndpoint, name: str) -> tuple[FieldError, ...]:
        """A warning when *endpoint*, called *name*, has a namesake; an archived one is not known by name."""
        if endpoint.archived_at is not None:
            return ()
        return await self.namesakes.warnings(endpoint.tenant_id, endpoint.job_id, name, endpoint.id)

    async def _change(
        self,
        principal: Principal,
        endpoint_id: str,
        edit: EndpointEdit,
        job_id: str | None = None,
        endpoints_max: int | None = None,
    ) -> EndpointView:
        def checked(before: JobEndpoint, job: Job, stored: Stored) -> Change:
            check_job(before, job_id)
            return edit(before, job, stored)

        endpoint, stored = await self._catalog.change(
            principal.tenant_id, endpoint_id, checked, endpoints_max, principal
        )
        self._wake()
        return EndpointView(endpoint=endpoint, now=stored.now, running=stored.running(endpoint))


def accepted(
    before: JobEndpoint, patch: EndpointPatch, now: datetime, cron: Cron, limits: ExecutionLimits, *, found: Findings
) -> tuple[JobEndpoint, tuple[FieldError, ...]]:
    """*before* with what *patch* changes, and warnings. Raises InvalidInputError with all findings.

    *found* are those that were made before, of what only a store can tell.
    """
    findings = found.copy()
    after = spaced(drafted(before, patch, now, findings), before, limits, findings)
    judge(after, before, now, cron, findings)
    findings.raise_errors()
    return after, findings.warnings


def if_unchanged(edit: EndpointEdit, unchanged: Unchanged | None) -> EndpointEdit:
    """*edit*, which raises PreconditionFailedError for an endpoint that is not *unchanged*."""
    if unchanged is None:
        return edit

    def checked(before: JobEndpoint, job: Job, stored: Stored) -> Change:
        unchanged.check_endpoint(before)
        return edit(before, job, stored)

    return checked


def check_job(endpoint: JobEndpoint, job_id: str | None) -> None:
    """Raise NotFoundError when *endpoint* is not of the job that a path named."""
    if job_id is not None and endpoint.job_id != job_id:
        raise NotFoundError(f"Job {job_id} has no endpoint {endpoint.id}.")
