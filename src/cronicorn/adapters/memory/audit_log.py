"""The audit log in memory."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.access.audit_entry import AuditEntry, AuditQuery
from cronicorn.domain.access.ports import AuditLog


class MemoryAuditLog(AuditLog):
    """Reads what was recorded."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def list(self, tenant_id: str, wanted: AuditQuery) -> Sequence[AuditEntry]:
        with self._database.lock:
            found = (entry for entry in reversed(self._database.audit_log) if _is_wanted(entry, tenant_id, wanted))
            return list(islice(found, wanted.limit))


def record(database: MemoryDatabase, entry: AuditEntry | None) -> None:
    """Keep *entry*, if there is one. Whoever calls holds the lock, and has done what it tells of."""
    if entry is not None:
        database.audit_log.append(replace(entry, number=len(database.audit_log) + 1))


def _is_wanted(entry: AuditEntry, tenant_id: str, wanted: AuditQuery) -> bool:
    return (
        entry.tenant_id == tenant_id
        and (wanted.before is None or entry.number < wanted.before)
        and (wanted.actor_id is None or entry.actor_id == wanted.actor_id)
        and (wanted.action is None or entry.action == wanted.action)
        and (wanted.object_id is None or entry.object_id == wanted.object_id)
    )
