"""What the audit log tells of drafts. Pure."""

from datetime import datetime

from cronicorn.domain.access.audit_entry import AuditEntry, audited
from cronicorn.domain.access.audit_views import endpoint_told, masked
from cronicorn.domain.compilation.draft import Draft
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.principal import Principal


def draft_entry(
    by: Principal | None, at: datetime, before: tuple[Draft, JobEndpoint], after: tuple[Draft, JobEndpoint]
) -> AuditEntry | None:
    """The entry for what was decided about a draft, and what that made of its endpoint."""
    if by is None:
        return None
    told = [{"status": draft.status.value, **endpoint_told(endpoint)} for draft, endpoint in (before, after)]
    return audited(by, at, ("draft", after[0].id), *told, mask=masked)
