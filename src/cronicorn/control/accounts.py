"""Signing in and out, and what somebody may do about themselves."""

import hmac
import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Annotated

from pydantic import ConfigDict

from cronicorn.control.admittance import user_principal
from cronicorn.control.document import Document, characters
from cronicorn.control.findings import Findings, refused
from cronicorn.control.identity import random_session
from cronicorn.control.keys import hash_of
from cronicorn.control.limits import check_limits
from cronicorn.control.members import login_of
from cronicorn.control.permissions import operation
from cronicorn.domain.access.member import Member, SignedIn
from cronicorn.domain.access.ports import MemberBook, Passwords, RateCounter, SignedInStore, SignInLinks
from cronicorn.domain.errors import ConflictError, NotFoundError, RateExceededError, UnauthenticatedError
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.domain.rate import LimitStanding, Rate

log = logging.getLogger(__name__)

PASSWORD_LENGTH_MIN = 12
PASSWORD_LENGTH_MAX = 256
ATTEMPTS_OF_ACCOUNT = Rate(limit=10, period=timedelta(minutes=15))
ATTEMPTS_OF_ADDRESS = Rate(limit=50, period=timedelta(minutes=15))
"""How often somebody may try to sign in, for all processes together."""
LINK_LENGTH_MAX = 256
_ATTEMPTS = "attempts"
_ADDRESS_SHOWN = 64
_WRONG = "The login or the password is wrong."
_NO_LINK = "The link opens nothing, or no longer: each signs in once, within a quarter of an hour. Ask for a new one."
_NONE_YET = "You have none yet: whoever may manage members, or `cronicorn member reset-password`, gives you one."
_NOBODY = "Only a member who is signed in has a password here; an API key has none."


class SignInDocument(Document):
    """Who wants to sign in: with a login and a password, or with the token of a link, which is used up by that."""

    login: Annotated[str | None, characters(1, 1_000)] = None
    password: Annotated[str | None, characters(1, PASSWORD_LENGTH_MAX)] = None
    token: Annotated[str | None, characters(1, LINK_LENGTH_MAX)] = None

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["login", "password"]}, {"required": ["token"]}]}
    )


class PasswordDocument(Document):
    """A new password for oneself."""

    password: Annotated[str | None, characters(1, PASSWORD_LENGTH_MAX)] = None
    new_password: Annotated[str | None, characters(PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX)] = None

    model_config = ConfigDict(json_schema_extra={"required": ["password", "newPassword"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunSession:
    """What was begun by signing in."""

    member: Member
    principal: Principal
    token: str = field(repr=False)
    """What the browser shows from now on."""
    limit: LimitStanding
    """How often it may be tried from there, or for that member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What signing in needs of the stores."""

    members: MemberBook
    sessions: SignedInStore
    links: SignInLinks
    rates: RateCounter
    passwords: Passwords


class Accounts:
    """What somebody may do about themselves."""

    def __init__(self, doors: Doors, clock: Clock) -> None:
        self._members = doors.members
        self._sessions = doors.sessions
        self._links = doors.links
        self._rates = doors.rates
        self._passwords = doors.passwords
        self._clock = clock

    async def sign_in(self, document: SignInDocument, address: str, request_id: str | None = None) -> BegunSession:
        """Begin a new session of the member whose login and password, or link, were given, from *address*.

        An unknown login takes as long as a wrong password. Raises InvalidInputError, UnauthenticatedError, and
        RateExceededError after too many attempts for one login or from one address.
        """
        _check_complete(document)
        limit = await self._count(f"sign-in:address:{hash_of(_place(address))}", ATTEMPTS_OF_ADDRESS)
        if document.token is not None:
            return await self._by_link(document.token, address, request_id, limit)
        login, password = login_of(document.login or ""), document.password or ""
        account = f"sign-in:login:{hash_of(login)}"
        limit = min(await self._count(account, ATTEMPTS_OF_ACCOUNT), limit, key=lambda each: each.remaining)
        member = await self._members.find(login)
        fits = await self._passwords.match(member.password if member is not None else None, password)
        if member is None or not fits:
            log.warning("sign_in_refused", extra={"address": address[:_ADDRESS_SHOWN], "known": member is not None})
            raise UnauthenticatedError(_WRONG, limit=limit)
        session = await self._begun(member, request_id, limit)
        await self._rates.forget(account)
        return session

    @operation(Operation.ACCOUNT_SIGN_OUT)
    async def sign_out(self, principal: Principal, token: str) -> None:
        """End the session that shows *token*."""
        await self._sessions.end(hash_of(token), principal)

    @operation(Operation.ACCOUNT_SIGN_OUT_EVERYWHERE)
    async def sign_out_everywhere(self, principal: Principal) -> None:
        """End all sessions of the member. Raises ConflictError for whoever is no member."""
        await self._sessions.end_all(_member_id(principal), principal)

    @operation(Operation.ACCOUNT_SHOW)
    async def show(self, principal: Principal) -> Principal:
        """Who asks, and what they may do."""
        return principal

    @operation(Operation.ACCOUNT_CHANGE_PASSWORD)
    async def change_password(self, principal: Principal, document: PasswordDocument) -> BegunSession:
        """Set another password, end all sessions, and begin a new one.

        Raises ConflictError for whoever is no member, InvalidInputError for a wrong or a bad password,
        RateExceededError after too many attempts.
        """
        member_id = _member_id(principal)
        findings = Findings()
        check_limits(document, findings)
        if not document.new_password and not findings.found("/newPassword"):
            findings.refuse("/newPassword", f"Must be {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters long.")
        findings.raise_errors()
        limit = await self._count(f"change-password:{member_id}", ATTEMPTS_OF_ACCOUNT)
        known = next((each for each in await self._members.list(principal.tenant_id) if each.id == member_id), None)
        fits = await self._passwords.match(known.password if known is not None else None, document.password or "")
        if known is None or not fits:
            none = known is not None and known.password is None
            raise refused("/password", _NONE_YET if none else "This is not your present password.")
        kept = await self._passwords.hashed(document.new_password or "")

        def edit(before: Member, now: datetime) -> Member:
            if before.password != known.password:
                raise ConflictError("The password was changed meanwhile: sign in again.")
            return replace(before, password=kept, password_at=now)

        member = await self._members.change(principal.tenant_id, member_id, edit, principal)
        return await self._begun(member, principal.request_id, limit)

    async def _begun(self, member: Member, request_id: str | None, limit: LimitStanding) -> BegunSession:
        token, principal = random_session(), user_principal(member, request_id)
        by = replace(principal, operation=Operation.ACCOUNT_SIGN_IN)
        await self._sessions.begin(_session(token, member, self._clock.now()), member, by)
        return BegunSession(member=member, principal=principal, token=token, limit=limit)

    async def _by_link(self, link: str, address: str, request_id: str | None, limit: LimitStanding) -> BegunSession:
        token = random_session()

        def enter(member: Member, _now: datetime) -> tuple[SignedIn, Principal]:
            by = replace(user_principal(member, request_id), operation=Operation.ACCOUNT_SIGN_IN_BY_LINK)
            return _session(token, member, self._clock.now()), by

        try:
            member = await self._links.redeem(hash_of(link), enter)
        except NotFoundError as error:
            log.warning("sign_in_refused", extra={"address": address[:_ADDRESS_SHOWN], "known": False})
            raise UnauthenticatedError(_NO_LINK, limit=limit) from error
        return BegunSession(member=member, principal=user_principal(member, request_id), token=token, limit=limit)

    async def _count(self, name: str, rate: Rate) -> LimitStanding:
        standing = await self._rates.take(name, rate)
        if not standing.allowed:
            raise RateExceededError("Too many attempts: wait before you try again.", standing, _ATTEMPTS)
        return standing.named(_ATTEMPTS)


def _place(address: str) -> str:
    """Where attempts from *address* are counted: of IPv6 its /64, the least that a subscriber has (RFC 6177)."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found.packed, 64), strict=False))


def csrf_token(token: str) -> str:
    """What a page shows beside the cookie, so that no other site can ask in its name."""
    return hash_of(f"csrf:{token}")


def is_csrf_token(shown: str, token: str) -> bool:
    """Whether *shown* is the one that goes with *token*."""
    return hmac.compare_digest(shown.encode("utf-8", "replace"), csrf_token(token).encode())


def _check_complete(document: SignInDocument) -> None:
    """Raise InvalidInputError unless *document* holds a login and a password, or else a token."""
    findings = Findings()
    check_limits(document, findings)
    if "token" in document.model_fields_set:
        if not findings.found("/token") and (document.token is None or len(document.model_fields_set) > 1):
            findings.refuse("/token", "Send a token alone, or else a login and a password.")
    else:
        for name, value in (("login", document.login), ("password", document.password)):
            if value is None:
                findings.refuse(f"/{name}", "This field is required.")
    findings.raise_errors()


def _session(token: str, member: Member, now: datetime) -> SignedIn:
    return SignedIn(hash=hash_of(token), member_id=member.id, created_at=now, seen_at=now)


def _member_id(principal: Principal) -> str:
    if principal.kind is not ActorKind.USER or principal.actor_id is None:
        raise ConflictError(_NOBODY)
    return principal.actor_id
