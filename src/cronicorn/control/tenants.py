"""Tenants and their API keys. A key is shown once, when it is made; only its SHA-256 hash is kept."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pydantic import ConfigDict

from cronicorn.control.admittance import KEY_LENGTH_MAX, can_be_key
from cronicorn.control.document import Document, Name
from cronicorn.control.findings import Findings, refused
from cronicorn.control.identity import NewId, random_password
from cronicorn.control.keys import hash_of, prefix_of
from cronicorn.control.limits import check_limits
from cronicorn.control.permissions import operation
from cronicorn.domain.access.member import Member
from cronicorn.domain.access.ports import KeyRing, Passwords
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.permission import Operation, Role
from cronicorn.domain.ports import Clock
from cronicorn.domain.principal import Principal
from cronicorn.domain.tenant import ApiKey, Tenant

log = logging.getLogger(__name__)

FIRST_TENANT = "default"
FIRST_LOGIN = "owner"
KEY_LENGTH_SAFE = 16
"""A shorter key can be guessed: it is accepted, since the owner of the machine chose it, and warned of."""
NAME_LENGTH_MAX = 255


class TenantDocument(Document):
    """A new tenant."""

    name: Name = None

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTenant:
    """A tenant and its first key, which nobody can read again."""

    tenant: Tenant
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStart:
    """What opens a new installation: nobody can read it again."""

    key: str = field(repr=False)
    login: str | None
    """By which its owner signs in; None where nobody shall."""
    password: str = field(repr=False)


class Tenants:
    """Who may ask, and for whom."""

    def __init__(
        self, ring: KeyRing, clock: Clock, new_id: NewId, new_key: Callable[[], str], passwords: Passwords
    ) -> None:
        self._ring = ring
        self._clock = clock
        self._new_id = new_id
        self._new_key = new_key
        self._passwords = passwords

    @operation(Operation.TENANT_ADD)
    async def add(self, principal: Principal, name: str) -> NewTenant:
        """Add a tenant with its first key, which may do everything in it.

        Raises InvalidInputError for a bad name, ConflictError for a taken one.
        """
        if not name.isprintable() or not name.strip() or len(name) > NAME_LENGTH_MAX:
            raise refused("/name", f"Give the tenant a name of 1 to {NAME_LENGTH_MAX} printable characters.")
        return await self._add(name, self._new_key(), by=principal)

    @operation(Operation.TENANT_ADD)
    async def create(self, principal: Principal, document: TenantDocument) -> NewTenant:
        """The same, from a document."""
        findings = Findings()
        check_limits(document, findings)
        findings.raise_errors()
        return await self.add(principal, document.name or "")

    @operation(Operation.TENANT_LIST)
    async def list(self, principal: Principal) -> Sequence[Tenant]:
        """All tenants of the installation, oldest first."""
        return await self._ring.tenants()

    async def bootstrap(self, key: str | None, *, with_owner: bool = True) -> FirstStart | None:
        """Make sure that somebody can ask: the first tenant exists, and *key*, if given, opens it.

        Where there was no tenant, it gets (*with_owner*) an owner, too, who runs the installation. Answers what opens
        it, to be shown once, where no *key* was given; where one was, the owner gets a password by
        `cronicorn member reset-password`. Safe to call from several processes at once. Raises InvalidInputError for a
        key that is empty, too long or holds odd characters.
        """
        if key is not None:
            _check_strength(key)
            known = await self._ring.find(hash_of(key))
            if known is not None:
                if not known.opens(self._clock.now()):
                    log.warning("api_key_opens_nothing", extra={"key": known.id})
                return None
        if not await self._ring.tenants():
            shown = FirstStart(
                key=self._new_key(), login=FIRST_LOGIN if with_owner else None, password=random_password()
            )
            try:
                await self._store_first(key or shown.key, shown, with_password=key is None)
            except ConflictError:  # Another process was faster.
                pass
            else:
                return shown if key is None else None
        if key is not None:
            first, *_ = await self._ring.tenants()
            await self._ring.add_key(self._api_key(first.id, key))
        return None

    async def _store_first(self, key: str, shown: FirstStart, *, with_password: bool) -> None:
        now = self._clock.now()
        password = await self._passwords.hashed(shown.password) if with_password and shown.login is not None else None
        tenant = Tenant(id=self._new_id("tenant"), name=FIRST_TENANT, created_at=now)
        owner = Member(
            id=self._new_id("member"), tenant_id=tenant.id, login=FIRST_LOGIN, role=Role.OWNER, created_at=now,
            runs_installation=True, password=password, password_at=now if password is not None else None,
        )  # fmt: skip
        first = self._api_key(tenant.id, key, runs_installation=True)
        await self._ring.add_tenant(tenant, first, owner if shown.login is not None else None)

    async def _add(self, name: str, key: str, by: Principal) -> NewTenant:
        tenant = Tenant(id=self._new_id("tenant"), name=name, created_at=self._clock.now())
        own = replace(by, tenant_id=by.tenant_id or tenant.id)  # Whoever acts on the machine acts for the tenant.
        await self._ring.add_tenant(tenant, self._api_key(tenant.id, key), by=own)
        return NewTenant(tenant=tenant, key=key)

    def _api_key(self, tenant_id: str, key: str, *, runs_installation: bool = False) -> ApiKey:
        return ApiKey(
            id=self._new_id("key"), tenant_id=tenant_id, prefix=prefix_of(key), hash=hash_of(key),
            created_at=self._clock.now(), runs_installation=runs_installation,
        )  # fmt: skip


def _check_strength(key: str) -> None:
    if not can_be_key(key):
        raise refused("", f"An API key has 1 to {KEY_LENGTH_MAX} visible ASCII characters; choose a long, random one.")
