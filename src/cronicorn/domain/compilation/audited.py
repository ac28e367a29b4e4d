"""What the audit log tells of drafts. Pure."""

from datetime import datetime

from cronicorn.domain.access.audit_entry import AuditEntry, audited
from cronicorn.domain.access.audit_views import endpoint_told, masked
from cronicorn.domain.compilation.draft import Draft, text_of
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fields import lean
from cronicorn.domain.principal import Principal


def new_draft_entry(by: Principal | None, at: datetime, draft: Draft) -> AuditEntry | None:
    """The entry for a draft that was made: of whose description or policy it is, and what it proposes."""
    told = lean({
        "endpoint_id": draft.endpoint_id,
        "status": draft.status.value,
        "reason": draft.reason.value,
        "policy": text_of(draft.policy),
    })  # fmt: skip
    return audited(by, at, ("draft", draft.id), None, told)


def draft_entry(
    by: Principal | None, at: datetime, before: tuple[Draft, JobEndpoint], after: tuple[Draft, JobEndpoint]
) -> AuditEntry | None:
    """The entry for what was decided about a draft, and what that made of its endpoint."""
    if by is None:
        return None
    told = [{"status": draft.status.value, **endpoint_told(endpoint)} for draft, endpoint in (before, after)]
    return audited(by, at, ("draft", after[0].id), *told, mask=masked)
