"""The audit log on the wire."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from cronicorn.api.wire_values import Answer, Instant, Omittable
from cronicorn.control.findings import refused
from cronicorn.domain.access.audit_entry import AuditEntry
from cronicorn.domain.principal import ActorKind

_CURSOR = "audit:"
_DIGITS_MAX = 18


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


def audit_answer(entries: Sequence[AuditEntry], limit: int) -> AuditAnswer:
    """*entries* on the wire; a page of *limit* may have one after it."""
    more = len(entries) == limit
    return AuditAnswer(
        entries=[_entry_answer(entry) for entry in entries],
        next_cursor=_cursor_after(entries[-1].number) if more else None,
    )


def position_in(cursor: str | None) -> int | None:
    """The number that *cursor* stands for. Raises InvalidInputError for one that nobody was given."""
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    number = text.removeprefix(_CURSOR)
    if not text.startswith(_CURSOR) or not number.isdecimal() or len(number) > _DIGITS_MAX:
        raise refused("", "The query parameter cursor: Take it from `nextCursor` of the page before.")
    return int(number)


def _cursor_after(number: int) -> str:
    return base64.urlsafe_b64encode(f"{_CURSOR}{number}".encode()).decode().rstrip("=")


def _entry_answer(entry: AuditEntry) -> AuditEntryAnswer:
    return AuditEntryAnswer(
        at=entry.at, actor_kind=entry.actor_kind, actor_id=entry.actor_id, actor=entry.actor, action=entry.action,
        object_kind=entry.object_kind, object_id=entry.object_id, before=entry.before, after=entry.after,
        request_id=entry.request_id,
    )  # fmt: skip
