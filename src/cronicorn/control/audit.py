"""The audit log: who did what."""

from collections.abc import Sequence

from cronicorn.control.permissions import operation
from cronicorn.domain.access.audit_entry import AuditEntry, AuditQuery
from cronicorn.domain.access.ports import AuditLog
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal


class Audit:
    """What can be asked about what was done."""

    def __init__(self, audit_log: AuditLog) -> None:
        self._log = audit_log

    @operation(Operation.AUDIT_LIST)
    async def list(self, principal: Principal, query: AuditQuery) -> Sequence[AuditEntry]:
        """The entries of the tenant that *query* asks for, newest first."""
        return await self._log.list(principal.tenant_id, query)
