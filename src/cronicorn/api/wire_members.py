"""Members, and who asks, on the wire. A password is answered once, to whoever makes it."""

from collections.abc import Sequence

from cronicorn.api.wire_values import Answer, Instant, Omittable
from cronicorn.control.accounts import BegunSession, csrf_token
from cronicorn.control.members import NewLink, NewPassword, link_to
from cronicorn.domain.access.member import Member
from cronicorn.domain.permission import Permission, Role
from cronicorn.domain.principal import ActorKind, Principal


class MemberAnswer(Answer):
    """A member."""

    id: str
    login: str
    role: Role
    runs_installation: bool
    created_at: Instant
    password_at: Omittable[Instant] = None


class MembersAnswer(Answer):
    """Members, oldest first."""

    members: list[MemberAnswer]


class NewPasswordAnswer(MemberAnswer):
    """A member with a new password, which nobody can read again."""

    password: str


class NewLinkAnswer(MemberAnswer):
    """A member with a link that signs them in once, which nobody can read again."""

    url: str
    token: str
    ends_at: Instant


class MeAnswer(Answer):
    """Who asks, and what they may do."""

    tenant_id: str
    kind: ActorKind
    id: Omittable[str] = None
    name: str
    permissions: list[Permission]
    csrf_token: Omittable[str] = None


def member_answer(member: Member) -> MemberAnswer:
    """*member* on the wire."""
    return MemberAnswer(
        id=member.id, login=member.login, role=member.role, runs_installation=member.runs_installation,
        created_at=member.created_at, password_at=member.password_at,
    )  # fmt: skip


def members_answer(members: Sequence[Member]) -> MembersAnswer:
    """*members* on the wire."""
    return MembersAnswer(members=[member_answer(member) for member in members])


def new_password_answer(made: NewPassword) -> NewPasswordAnswer:
    """A member on the wire, with a new password."""
    return NewPasswordAnswer(**dict(member_answer(made.member)), password=made.password)


def new_link_answer(made: NewLink, site: str) -> NewLinkAnswer:
    """A member on the wire, with a new link to the web app at *site*."""
    return NewLinkAnswer(
        **dict(member_answer(made.member)), url=link_to(site, made.token), token=made.token,
        ends_at=made.ends_at,
    )  # fmt: skip


def me_answer(principal: Principal, token: str | None) -> MeAnswer:
    """Who asks on the wire; with what goes with *token*, where a browser shows one."""
    return MeAnswer(
        tenant_id=principal.tenant_id, kind=principal.kind, id=principal.actor_id, name=principal.actor,
        permissions=sorted(principal.permissions), csrf_token=csrf_token(token) if token is not None else None,
    )  # fmt: skip


def signed_in_answer(session: BegunSession) -> MeAnswer:
    """Who has just signed in."""
    return me_answer(session.principal, session.token)
