"""Routes of members."""

# ruff: noqa: FAST003 - the parameters of paths have their names in `parameters`

from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request

from cronicorn.api.cookies import Cookies
from cronicorn.api.parameters import Asker, Id
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_members import (
    MemberAnswer,
    MembersAnswer,
    NewLinkAnswer,
    NewPasswordAnswer,
    member_answer,
    members_answer,
    new_link_answer,
    new_password_answer,
)
from cronicorn.control.members import MemberDocument, MemberPatch, TenantMembers


def member_routes(members: TenantMembers, cookies: Cookies) -> APIRouter:
    """What can be asked about members."""
    router = APIRouter(prefix="/members", tags=["members"], route_class=StrictRoute)

    @router.post("", status_code=HTTPStatus.CREATED)
    async def add_member(asker: Asker, document: MemberDocument) -> NewPasswordAnswer:
        """The password is answered only now; the member changes it after signing in."""
        return new_password_answer(await members.add(asker, document))

    @router.get("")
    async def list_members(asker: Asker) -> MembersAnswer:
        """Oldest first."""
        return members_answer(await members.list(asker))

    @router.patch("/{id}")
    async def edit_member(asker: Asker, member_id: Id, patch: MemberPatch) -> MemberAnswer:
        """Whoever gets another role is signed out. One owner stays."""
        return member_answer(await members.edit(asker, member_id, patch))

    @router.delete("/{id}", status_code=HTTPStatus.NO_CONTENT)
    async def remove_member(asker: Asker, member_id: Id) -> None:
        """The member is signed out. One owner stays."""
        await members.remove(asker, member_id)

    @router.post("/{id}/reset-password")
    async def reset_password(asker: Asker, member_id: Id) -> NewPasswordAnswer:
        """A new password, answered only now. Whoever is signed in with the old one is signed out."""
        return new_password_answer(await members.reset_password(asker, member_id))

    @router.post("/{id}/sign-in-link")
    async def offer_link(request: Request, asker: Asker, member_id: Id) -> NewLinkAnswer:
        """A link that signs in once, within a quarter of an hour, answered only now; it ends the last one."""
        made = await members.offer_link(asker, member_id)
        return new_link_answer(made, cookies.origin_of(request.scope, request.headers))

    return router
