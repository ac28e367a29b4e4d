"""The audit log on the wire."""

from collections.abc import Sequence
from typing import Any

from cronicorn.api.wire_values import Answer, Instant, Omittable
from cronicorn.domain.access.audit_entry import AuditEntry
from cronicorn.domain.principal import ActorKind


class AuditEntryAnswer(Answer):
    """One thing that was done."""

    at: Instant
    actor_kind: ActorKind
    actor_id: Omittable[str] = None
    actor: str
    action: str
    object_kind: str
    object_id: str
    before: Omittable[dict[str, Any]] = None
    after: Omittable[dict[str, Any]] = None
    request_id: Omittable[str] = None


class AuditAnswer(Answer):
    """Entries, newest first."""

    entries: list[AuditEntryAnswer]
    next_cursor: Omittable[str] = None


def audit_answer(entries: Sequence[AuditEntry], next_cursor: str | None) -> AuditAnswer:
    """*entries* on the wire."""
    return AuditAnswer(entries=[_entry_answer(entry) for entry in entries], next_cursor=next_cursor)


def _entry_answer(entry: AuditEntry) -> AuditEntryAnswer:
    return AuditEntryAnswer(
        at=entry.at, actor_kind=entry.actor_kind, actor_id=entry.actor_id, actor=entry.actor, action=entry.action,
        object_kind=entry.object_kind, object_id=entry.object_id, before=entry.before, after=entry.after,
        request_id=entry.request_id,
    )  # fmt: skip
