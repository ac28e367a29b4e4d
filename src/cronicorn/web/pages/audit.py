"""The audit log: who did what to which thing, and what that changed."""

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.plane import ControlPlane
from cronicorn.domain.access.audit_entry import AuditQuery
from cronicorn.domain.permission import Operation
from cronicorn.web.addresses import number_in
from cronicorn.web.changes import changes_of
from cronicorn.web.site import WebSite
from cronicorn.web.view import Looked

ENTRIES_SHOWN = 20
CHANGES_SHOWN = 6
"""Of one entry."""
_DIGITS_MAX = 18
_TEXT_LENGTH_MAX = 255
_THINGS = {"endpoint": "/endpoints/", "job": "/jobs/", "run": "/runs/"}
"""Where things of a kind have their pages."""


def audit_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be seen of what was done."""
    router = APIRouter()

    @router.get("/audit")
    async def show(view: Looked, action: str = "", actor: str = "", thing: str = "", before: str = "") -> Response:
        asked = {"action": action.strip(), "actor": actor.strip(), "thing": thing.strip()}
        asked = {name: text[:_TEXT_LENGTH_MAX] for name, text in asked.items()}
        older = number_in(before, _DIGITS_MAX)
        query = AuditQuery(
            limit=ENTRIES_SHOWN + 1, before=older, action=asked["action"] or None, actor_id=asked["actor"] or None,
            object_id=asked["thing"] or None,
        )  # fmt: skip
        found = await control.audit.list(view.asker, query)

        def other(**changed: str) -> str:
            return "/audit?" + urlencode({name: text for name, text in (asked | changed).items() if text})

        return site.page(
            view, "audit.html", entries=[(each, changes_of(each)) for each in found[:ENTRIES_SHOWN]], asked=asked,
            actions=[each.value for each in Operation], most=CHANGES_SHOWN, things=_THINGS, other=other,
            further=str(found[ENTRIES_SHOWN - 1].number) if len(found) > ENTRIES_SHOWN else "", older=older is not None,
        )  # fmt: skip

    return router
