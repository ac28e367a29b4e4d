"""The audit log: who did what to which thing, when, and what that changed. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cronicorn.domain.fields import Document
from cronicorn.domain.principal import ActorKind, Principal

AUDIT_PAGE_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that was done. Nothing of it is secret."""

    tenant_id: str
    at: datetime
    """By the store's clock."""
    actor_kind: ActorKind
    actor_id: str | None
    """The id of the member or of the key; None where there is none."""
    actor: str
    action: str
    """The operation, such as `job.create`."""
    object_kind: str
    object_id: str
    before: Document | None
    """What the thing was: of a change only what changed, and None of what is new."""
    after: Document | None
    """What it is; None of what is gone."""
    request_id: str | None
    number: int = 0
    """Grows with every entry; 0 before it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which entries are asked for. What is None confines nothing."""

    limit: int
    before: int | None = None
    """Only those with a lower number."""
    actor_id: str | None = None
    action: str | None = None
    object_id: str | None = None

    def __post_init__(self) -> None:
        assert 1 <= self.limit <= AUDIT_PAGE_MAX + 1  # One more tells whether there are more.


def audited(
    by: Principal | None,
    at: datetime,
    thing: tuple[str, str],
    before: Document | None,
    after: Document | None,
    *,
    mask: Callable[[Document], Document] = dict,
) -> AuditEntry | None:
    """The entry for what *by* made of a *thing* (its kind and its id); None where nothing changed, or nobody did it.

    *mask* takes the secrets out of what is told, once it is known what changed: also a change of a secret is one.
    Whoever does something is doing an operation.
    """
    if by is None:
        return None
    if before is not None and after is not None:
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        before = {name: value for name, value in before.items() if name in changed}
        after = {name: value for name, value in after.items() if name in changed}
    if not before and not after:
        return None
    assert by.operation is not None
    kind, identity = thing
    told = [mask(document) if document is not None else None for document in (before, after)]
    return AuditEntry(
        tenant_id=by.tenant_id, at=at, actor_kind=by.kind, actor_id=by.actor_id, actor=by.actor,
        action=by.operation.value, object_kind=kind, object_id=identity, before=told[0], after=told[1],
        request_id=by.request_id,
    )  # fmt: skip
