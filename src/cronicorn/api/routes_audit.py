"""Routes of the audit log."""

from typing import Annotated

from fastapi import APIRouter, Query

from cronicorn.api.cursors import Cursor, Paging
from cronicorn.api.parameters import Asker
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_audit import AuditAnswer, audit_answer
from cronicorn.control.audit import Audit
from cronicorn.domain.access.audit_entry import AUDIT_PAGE_MAX, AuditQuery

Text = Annotated[str | None, Query(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]


def audit_routes(audit: Audit) -> APIRouter:
    """What can be asked about what was done."""
    router = APIRouter(prefix="/audit", tags=["audit"], route_class=StrictRoute)

    @router.get("")
    async def list_audit(
        asker: Asker,
        limit: Annotated[int, Query(ge=1, le=AUDIT_PAGE_MAX)] = 100,
        *,
        cursor: Cursor = None,
        actor_id: Annotated[Text, Query(alias="actorId")] = None,
        action: Text = None,
        object_id: Annotated[Text, Query(alias="objectId")] = None,
    ) -> AuditAnswer:
        """Newest first; `nextCursor`, where there is more, asks for the page after."""
        paging = Paging(asker, "audit", actor_id, action, object_id)
        before = int(paging.place(cursor, int)[0]) if cursor is not None else None
        query = AuditQuery(limit=limit + 1, before=before, actor_id=actor_id, action=action, object_id=object_id)
        return audit_answer(*paging.cut(await audit.list(asker, query), limit, lambda entry: (entry.number,)))

    return router
