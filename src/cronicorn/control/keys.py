"""API keys: making, listing and revoking them. A key is shown once, when it is made; only its SHA-256 hash is kept."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import ConfigDict

from cronicorn.control.document import Choice, Document, InstantOrNull, Name, from_to, items
from cronicorn.control.findings import Findings
from cronicorn.control.identity import NewId
from cronicorn.control.limits import check_limits
from cronicorn.control.permissions import check_reach, operation
from cronicorn.domain.access.issuing import KEYS_MAX
from cronicorn.domain.access.ports import IssuedKeys
from cronicorn.domain.permission import READING_WITH, Operation, Permission, Role, permitted
from cronicorn.domain.ports import Clock
from cronicorn.domain.principal import Principal
from cronicorn.domain.rate import RATE_MAX
from cronicorn.domain.tenant import ApiKey

LISTED_MAX = 1_000
PREFIX_LENGTH = 8
LIFE_MAX = timedelta(days=3_650)
"""No key is made for longer than ten years; without an end it needs none."""


class KeyDocument(Document):
    """A new API key."""

    name: Name = None
    role: Choice[Role] | None = None
    scopes: Annotated[list[Choice[Permission]] | None, items(1, 32)] = None
    expires_at: InstantOrNull = None
    requests_per_minute: Annotated[int | None, from_to(1, RATE_MAX)] = None
    agent: bool = False
    runs_installation: bool = False

    model_config = ConfigDict(json_schema_extra={"required": ["name", "role"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was made just now, and its text, which nobody can read again."""

    key: ApiKey
    text: str


class Keys:
    """What can be asked about the API keys of a tenant."""

    def __init__(self, issued: IssuedKeys, clock: Clock, new_id: NewId, new_key: Callable[[], str]) -> None:
        self._issued = issued
        self._clock = clock
        self._new_id = new_id
        self._new_key = new_key

    @operation(Operation.KEY_CREATE)
    async def create(self, principal: Principal, document: KeyDocument) -> NewKey:
        """Make a key that may do no more than whoever makes it.

        Raises InvalidInputError with all findings, ForbiddenError for a key that could do more than *principal*,
        ConflictError where the tenant has too many.
        """
        now = self._clock.now()
        name, role = _checked(document, now)
        scopes = _with_reading(document.scopes)
        check_reach(principal, permitted(role, scopes, runs_installation=document.runs_installation))
        text = self._new_key()
        key = ApiKey(
            id=self._new_id("key"), tenant_id=principal.tenant_id, prefix=prefix_of(text), hash=hash_of(text),
            created_at=now, name=name, role=role, scopes=scopes, runs_installation=document.runs_installation,
            agent=document.agent, rate=document.requests_per_minute, expires_at=document.expires_at,
        )  # fmt: skip
        await self._issued.issue(key, KEYS_MAX, principal)
        return NewKey(key=key, text=text)

    @operation(Operation.KEY_LIST)
    async def list(self, principal: Principal, *, limit: int = 100, offset: int = 0) -> Sequence[ApiKey]:
        """The tenant's keys, newest first, revoked and expired ones included."""
        return await self._issued.list(principal.tenant_id, limit=limit, offset=offset)

    @operation(Operation.KEY_REVOKE)
    async def revoke(self, principal: Principal, key_id: str) -> ApiKey:
        """Let a key open nothing from the next request on. Doing so again changes nothing. Raises NotFoundError."""
        return await self._issued.revoke(principal.tenant_id, key_id, principal)


def hash_of(text: str) -> str:
    """What is kept of a key or of another secret that is long and random, so that no slow hash is needed."""
    return hashlib.sha256(text.encode()).hexdigest()


def prefix_of(key: str) -> str:
    """What a person knows *key* by: never more than a quarter of it."""
    return key[: min(PREFIX_LENGTH, len(key) // 4)]


def _checked(document: KeyDocument, now: datetime) -> tuple[str, Role]:
    """The name and the role. Raises InvalidInputError with all findings."""
    findings = Findings()
    check_limits(document, findings)
    if not (document.name or "").strip() and not findings.found("/name"):
        findings.refuse("/name", "Give the key a name, by which you know later what it is for.")
    if document.role is None:
        findings.refuse("/role", f"Say what the key may do: one of {', '.join(Role)}.")
    if document.expires_at is not None and not now < document.expires_at <= now + LIFE_MAX:
        findings.refuse("/expiresAt", "Must lie in the future, at most ten years ahead; leave it out for no end.")
    if document.runs_installation and document.role is not Role.OWNER:
        findings.refuse("/runsInstallation", "Only a key with the role owner can run the installation.")
    findings.raise_errors()
    assert document.role is not None
    return document.name or "", document.role


def _with_reading(scopes: Sequence[Permission] | None) -> frozenset[Permission] | None:
    """*scopes*, and that one may see what one may change: changing shows it."""
    if scopes is None:
        return None
    return frozenset(scopes) | {READING_WITH[scope] for scope in scopes if scope in READING_WITH}
