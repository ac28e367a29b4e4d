"""The audit log: who did what to which thing, and what that changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.plane import ControlPlane
from cronicorn.domain.access.audit_entry import AuditEntry, AuditQuery
from cronicorn.domain.permission import Operation
from cronicorn.web.addresses import number_in
from cronicorn.web.audit_choices import (
    CHOICES_SHOWN,
    AuditChoice,
    known_actions,
    known_actors,
    known_things,
    narrowed,
    offered,
)
from cronicorn.web.changes import changes_of
from cronicorn.web.site import WebSite
from cronicorn.web.view import Looked, View

ENTRIES_SHOWN = 20
CHANGES_SHOWN = 6
"""Of one entry."""
_DIGITS_MAX = 18
_TEXT_LENGTH_MAX = 255
_THINGS = {"endpoint": "/endpoints/", "job": "/jobs/", "run": "/runs/"}
"""Where things of a kind have their pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Which entries somebody wants to see."""

    typed: Mapping[str, str]
    meant: Mapping[str, Sequence[AuditChoice]]
    """What each of *typed* may mean; nothing where it has to be an id as it is."""

    def unclear(self) -> Mapping[str, Sequence[AuditChoice]]:
        """What has to be chosen from."""
        return {name: choices for name, choices in self.meant.items() if len(choices) > 1}

    def id_of(self, name: str) -> str | None:
        """The id that entries are confined to."""
        choices = self.meant.get(name, ())
        return choices[0].id if len(choices) == 1 else self.typed[name] or None

    def path(self, **changed: str) -> str:
        """The same page with something *changed*."""
        return "/audit?" + urlencode({name: text for name, text in {**self.typed, **changed}.items() if text})


def audit_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be seen of what was done."""
    router = APIRouter()

    @router.get("/audit")
    async def show(view: Looked, action: str = "", actor: str = "", thing: str = "", before: str = "") -> Response:
        view.asker.check(Operation.AUDIT_LIST)
        typed = {"action": action.strip(), "actor": actor.strip(), "thing": thing.strip()}
        typed = {name: text[:_TEXT_LENGTH_MAX] for name, text in typed.items()}
        actors, older = await known_actors(control, view), number_in(before, _DIGITS_MAX)
        asked = await _asked(control, view, typed, actors)
        found = () if asked.unclear() else await _found(control, view, asked, older)
        return site.page(
            view, "audit.html", entries=[(each, changes_of(each)) for each in found[:ENTRIES_SHOWN]], asked=typed,
            actions=[each.value for each in Operation], actors=offered(actors), most=CHANGES_SHOWN, things=_THINGS,
            other=asked.path, unclear=asked.unclear(), choices_shown=CHOICES_SHOWN, older=older is not None,
            further=str(found[ENTRIES_SHOWN - 1].number) if len(found) > ENTRIES_SHOWN else "",
        )  # fmt: skip

    return router


async def _asked(
    control: ControlPlane, view: View, typed: Mapping[str, str], actors: Sequence[AuditChoice]
) -> _Asked:  # fmt: skip
    """What is meant by what was *typed*. What has entries of its own is what it is: it may be gone by now."""
    meant = {
        "action": narrowed(typed["action"], known_actions()) if typed["action"] else (),
        "actor": narrowed(typed["actor"], actors) if typed["actor"] else (),
    }
    if typed["thing"]:
        exact = AuditQuery(limit=1, object_id=typed["thing"])
        if not await control.audit.list(view.asker, exact):
            found = await known_things(control, view, typed["thing"])
            meant["thing"] = narrowed(typed["thing"], actors, found)
    return _Asked(typed=typed, meant=meant)


async def _found(control: ControlPlane, view: View, asked: _Asked, older: int | None) -> Sequence[AuditEntry]:
    query = AuditQuery(
        limit=ENTRIES_SHOWN + 1, before=older, action=asked.id_of("action"), actor_id=asked.id_of("actor"),
        object_id=asked.id_of("thing"),
    )  # fmt: skip
    return await control.audit.list(view.asker, query)
