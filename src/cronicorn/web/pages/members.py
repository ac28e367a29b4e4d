"""Members: who may sign in, with which role, and how they come in. A password or a link is shown once."""

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from cronicorn.control.findings import Findings
from cronicorn.control.members import MemberDocument, MemberPatch, link_to
from cronicorn.control.misfits import whole_document
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.access.member import LINK_LIFE, Member
from cronicorn.domain.errors import CronicornError, NotFoundError
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal
from cronicorn.web.addresses import page_in
from cronicorn.web.form_fields import read_texts, tidied
from cronicorn.web.form_shown import TOLD_IN_FORMS, form_shown
from cronicorn.web.form_values import SWITCH, TEXT
from cronicorn.web.once import made_to_show
from cronicorn.web.roles import roles_of, runs_installation
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import BrowserSessions, Looked, ThingId, View

MEMBERS_SHOWN = 50
"""On one page."""
_FIELDS: Final = {"login": TEXT, "role": TEXT, "runsInstallation": SWITCH}
_CHANGED: Final = {name: _FIELDS[name] for name in ("role", "runsInstallation")}
_LABELS: Final = {"login": "Login", "role": "Role", "runsInstallation": "Runs the installation"}
_NEW: Final = {"login": "", "role": "viewer", "runsInstallation": ""}


def member_pages(site: WebSite, control: ControlPlane, sessions: BrowserSessions) -> APIRouter:
    """Who is a member, and how somebody becomes one."""
    router = APIRouter()
    router.include_router(_one_member_pages(site, control, sessions))

    @router.get("/members")
    async def show_all(view: Looked, page: str = "") -> Response:
        return await _list(site, control, view, _NEW, page=page)

    @router.post("/members/new")
    async def add(view: Looked) -> Response:
        view.asker.check(Operation.MEMBER_ADD)
        entered = _NEW | tidied(view.form, _FIELDS)
        findings = Findings()
        try:
            document = whole_document(MemberDocument, read_texts(entered, _FIELDS, findings), findings)
            made = await made_to_show(control.repeats, view, lambda: control.members.add(view.asker, document))
        except TOLD_IN_FORMS as error:
            return await _list(site, control, view, entered, error)
        if made is None:
            return see("/members")
        return await _one(site, control, view, made.member.id, password=made.password, added=True)

    return router


def _one_member_pages(site: WebSite, control: ControlPlane, sessions: BrowserSessions) -> APIRouter:
    router = APIRouter()

    @router.get("/members/{member_id}")
    async def show(view: Looked, member_id: ThingId) -> Response:
        return await _one(site, control, view, member_id)

    @router.post("/members/{member_id}/role")
    async def change(view: Looked, member_id: ThingId) -> Response:
        entered, findings = _NEW | tidied(view.form, _CHANGED), Findings()
        try:
            patch = whole_document(MemberPatch, read_texts(entered, _CHANGED, findings), findings)
            await control.members.edit(view.asker, member_id, patch)
        except TOLD_IN_FORMS as error:
            return await _one(site, control, view, member_id, error)
        return see(f"/members/{member_id}")

    @router.post("/members/{member_id}/password")
    async def reset_password(view: Looked, member_id: ThingId) -> Response:
        asker = view.asker
        made = await made_to_show(control.repeats, view, lambda: control.members.reset_password(asker, member_id))
        return await _one(site, control, view, member_id, password=made.password if made is not None else "")

    @router.post("/members/{member_id}/link")
    async def offer_link(request: Request, view: Looked, member_id: ThingId) -> Response:
        made = await made_to_show(control.repeats, view, lambda: control.members.offer_link(view.asker, member_id))
        origin = sessions.origin_of(request.scope, request.headers)
        link = link_to(origin, made.token) if made is not None else ""
        return await _one(site, control, view, member_id, link=link)

    @router.post("/members/{member_id}/remove")
    async def remove(view: Looked, member_id: ThingId) -> Response:
        try:
            await control.members.remove(view.asker, member_id)
        except TOLD_IN_FORMS as error:
            return await _one(site, control, view, member_id, error)
        return see("/members")

    return router


async def _list(
    site: WebSite, control: ControlPlane, view: View, entered: dict[str, str], error: CronicornError | None = None, *,
    page: str = "",
) -> Response:  # fmt: skip
    members = await control.members.list(view.asker)
    shown = form_shown(view, entered, _LABELS, error) | _may_give(view.asker)
    number = page_in(page)
    first = (number - 1) * MEMBERS_SHOWN
    return site.page(
        view, "members.html", members=members[first : first + MEMBERS_SHOWN], page=number,
        further=len(members) > first + MEMBERS_SHOWN, **shown,
    )  # fmt: skip


async def _one(
    site: WebSite, control: ControlPlane, view: View, member_id: str, error: CronicornError | None = None,
    **made: Any,
) -> Response:  # fmt: skip
    """The page of a member, with what was *made* just now; an empty text was made, and shown, before."""
    member = next((each for each in await control.members.list(view.asker) if each.id == member_id), None)
    if member is None:
        raise NotFoundError("There is no such member.")
    entered = {"role": member.role.value, "runsInstallation": "yes" if member.runs_installation else "no"}
    shown = form_shown(view, entered, _LABELS, error) | _may_give(view.asker, member)
    values: dict[str, Any] = {"password": None, "link": None, "added": False, "life": LINK_LIFE, **made}
    return site.page(view, "member.html", member=member, **shown, **values)


def _may_give(asker: Principal, member: Member | None = None) -> dict[str, Any]:
    return {
        "roles": roles_of(asker),
        "runner": runs_installation(asker) or (member is not None and member.runs_installation),
    }
