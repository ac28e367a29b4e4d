"""Members: who may sign in for a tenant, and with which role. A password is shown once, when it is made."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict

from cronicorn.control.document import Choice, Document, characters
from cronicorn.control.findings import Findings, refused
from cronicorn.control.identity import NewId, random_link, random_password
from cronicorn.control.keys import hash_of
from cronicorn.control.limits import check_limits
from cronicorn.control.permissions import check_reach, operation
from cronicorn.domain.access.member import LINK_LIFE, MEMBERS_MAX, Member, SignInLink
from cronicorn.domain.access.ports import MemberBook, Passwords, SignInLinks
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.permission import Operation, Role, permitted
from cronicorn.domain.ports import Clock
from cronicorn.domain.principal import Principal

LOGIN_LENGTH_MAX = 254
_LOGIN = re.compile(r"[^\s\x00-\x1f\x7f-\x9f]+")


class MemberDocument(Document):
    """A new member."""

    login: Annotated[str | None, characters(1, LOGIN_LENGTH_MAX)] = None
    role: Choice[Role] | None = None
    runs_installation: bool = False

    model_config = ConfigDict(json_schema_extra={"required": ["login", "role"]})


class MemberPatch(Document):
    """Changes to a member; what is absent stays."""

    role: Choice[Role] | None = None
    runs_installation: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    """A member, and the password that was made just now, which nobody can read again."""

    member: Member
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """What signs a member in, once: nobody can read it again."""

    member: Member
    token: str = field(repr=False)
    ends_at: datetime


class TenantMembers:
    """What can be asked about the members of a tenant. Nobody gives or takes more than they may do themselves."""

    def __init__(
        self, members: MemberBook, links: SignInLinks, passwords: Passwords, clock: Clock, new_id: NewId
    ) -> None:
        self._members = members
        self._links = links
        self._passwords = passwords
        self._clock = clock
        self._new_id = new_id

    @operation(Operation.MEMBER_ADD)
    async def add(self, principal: Principal, document: MemberDocument) -> NewPassword:
        """Add a member with a new password. Raises InvalidInputError, ForbiddenError, ConflictError for the login."""
        login, role = _checked(document)
        check_reach(principal, permitted(role, None, runs_installation=document.runs_installation))
        password, now = random_password(), self._clock.now()
        member = Member(
            id=self._new_id("member"), tenant_id=principal.tenant_id, login=login, role=role, created_at=now,
            runs_installation=document.runs_installation, password=await self._passwords.hashed(password),
            password_at=now,
        )  # fmt: skip
        await self._members.add(member, MEMBERS_MAX, principal)
        return NewPassword(member=member, password=password)

    @operation(Operation.MEMBER_LIST)
    async def list(self, principal: Principal) -> Sequence[Member]:
        """The members of the tenant, oldest first."""
        return await self._members.list(principal.tenant_id)

    @operation(Operation.MEMBER_EDIT)
    async def edit(self, principal: Principal, member_id: str, patch: MemberPatch) -> Member:
        """Change what *patch* gives; whoever has another role is signed out.

        Raises NotFoundError, ForbiddenError, InvalidInputError, and ConflictError for the only owner.
        """

        def edit(before: Member, _now: datetime) -> Member:
            role = patch.role or before.role
            stays = before.runs_installation and role is Role.OWNER
            runs = stays if patch.runs_installation is None else patch.runs_installation
            after = replace(before, role=role, runs_installation=runs)
            _check_both(principal, before, after)
            _check_runner(role, runs_installation=runs)
            return after

        return await self._members.change(principal.tenant_id, member_id, edit, principal)

    @operation(Operation.MEMBER_REMOVE)
    async def remove(self, principal: Principal, member_id: str) -> Member:
        """Remove a member, who is signed out. Raises NotFoundError, ForbiddenError, ConflictError for the last one."""

        def edit(before: Member, _now: datetime) -> None:
            _check_both(principal, before)

        return await self._members.change(principal.tenant_id, member_id, edit, principal)

    @operation(Operation.MEMBER_RESET_PASSWORD)
    async def reset_password(self, principal: Principal, member_id: str) -> NewPassword:
        """Give a member a new password; whoever is signed in with the old one is signed out.

        Raises NotFoundError, and ForbiddenError for a member who may do more than *principal*.
        """
        password = random_password()
        kept = await self._passwords.hashed(password)

        def edit(before: Member, now: datetime) -> Member:
            _check_both(principal, before)
            return replace(before, password=kept, password_at=now)

        member = await self._members.change(principal.tenant_id, member_id, edit, principal)
        return NewPassword(member=member, password=password)

    @operation(Operation.MEMBER_OFFER_LINK)
    async def offer_link(self, principal: Principal, member_id: str) -> NewLink:
        """Make a link that signs a member in once; an earlier one of theirs opens nothing any more.

        Their password and sessions stay. Raises NotFoundError, ForbiddenError for a member who may do more than
        *principal*, ConflictError for one who is changed meanwhile.
        """
        member = next((each for each in await self._members.list(principal.tenant_id) if each.id == member_id), None)
        if member is None:
            raise NotFoundError(f"There is no member {member_id}.")
        _check_both(principal, member)
        token, ends_at = random_link(), self._clock.now() + LINK_LIFE
        await self._links.offer(
            SignInLink(hash=hash_of(token), member_id=member.id, ends_at=ends_at), member, principal
        )
        return NewLink(member=member, token=token, ends_at=ends_at)


def link_to(site: str, token: str) -> str:
    """The address of the page that takes *token*, of the web app at *site*."""
    return f"{site}/sign-in?token={token}"


def login_of(text: str) -> str:
    """*text* as logins are kept and compared: in one form, in small letters."""
    return unicodedata.normalize("NFKC", text).casefold()


def _checked(document: MemberDocument) -> tuple[str, Role]:
    """The login and the role. Raises InvalidInputError with all findings."""
    findings = Findings()
    check_limits(document, findings)
    login = login_of(document.login or "")
    if not findings.found("/login") and (not _LOGIN.fullmatch(login) or len(login) > LOGIN_LENGTH_MAX):
        findings.refuse("/login", "Give a login without spaces, such as an e-mail address.")
    if document.role is None:
        findings.refuse("/role", f"Say what the member may do: one of {', '.join(Role)}.")
    findings.raise_errors()
    assert document.role is not None
    _check_runner(document.role, runs_installation=document.runs_installation)
    return login, document.role


def _check_runner(role: Role, *, runs_installation: bool) -> None:
    if runs_installation and role is not Role.OWNER:
        raise refused("/runsInstallation", "Only an owner can run the installation.")


def _check_both(principal: Principal, *members: Member) -> None:
    for member in members:
        check_reach(principal, permitted(member.role, None, runs_installation=member.runs_installation))
