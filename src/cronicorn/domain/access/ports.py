"""The ports of access. What holds of the others in `cronicorn.domain.ports` holds of these.

Whoever changes something is named by `by`: an entry of the audit log is then written in the same transaction, if
anything changed. Where nobody is named, as by what starts an installation, there is none.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from cronicorn.domain.access.audit_entry import AuditEntry, AuditQuery
from cronicorn.domain.access.member import Member, SignedIn, SignInLink
from cronicorn.domain.principal import Principal
from cronicorn.domain.rate import Rate, RateStanding
from cronicorn.domain.tenant import ApiKey, Tenant


class KeyRing(Protocol):
    """Tenants and API keys."""

    async def add_tenant(
        self, tenant: Tenant, key: ApiKey, owner: Member | None = None, by: Principal | None = None
    ) -> None:
        """Store a tenant with its first key and its *owner*, all or nothing.

        Raises ConflictError when the name, the key or the owner's login is taken.
        """
        ...

    async def tenants(self) -> Sequence[Tenant]:
        """All tenants, oldest first."""
        ...

    async def add_key(self, key: ApiKey) -> None:
        """Store a further key; storing the same hash for the same tenant again changes nothing."""
        ...

    async def find(self, key_hash: str) -> ApiKey | None:
        """The key with this hash, or None."""
        ...


class IssuedKeys(Protocol):
    """The API keys of tenants, as their owners see them. Every call but `used` is confined to one tenant."""

    async def issue(self, key: ApiKey, keys_max: int, by: Principal | None = None) -> None:
        """Store a new *key*. Raises NotFoundError for its tenant, ConflictError for a taken hash or id.

        Raises ConflictError, too, where the tenant has *keys_max* keys that are not revoked.
        """
        ...

    async def list(self, tenant_id: str, *, limit: int, offset: int = 0) -> Sequence[ApiKey]:
        """The tenant's keys, newest first, revoked and expired ones included."""
        ...

    async def revoke(self, tenant_id: str, key_id: str, by: Principal | None = None) -> ApiKey:
        """Let a key open nothing from now on, and answer it. Doing so again changes nothing. Raises NotFoundError."""
        ...

    async def used(self, key_hash: str, at: datetime) -> None:
        """Remember that the key was used *at*, unless a later use is known. A key that is not there is passed over."""
        ...


class RateCounter(Protocol):
    """Counts how often something happens, for all processes together, by the store's clock."""

    async def take(self, name: str, rate: Rate) -> RateStanding:
        """Count one time more of *name* if *rate* allows it, and say where that leaves it.

        What was refused is not counted. What is counted is forgotten once it no longer matters.
        """
        ...

    async def forget(self, name: str) -> None:
        """Count *name* anew."""
        ...


class AuditLog(Protocol):
    """What was done, as entries that nobody can change or remove. Every call is confined to one tenant."""

    async def list(self, tenant_id: str, query: AuditQuery) -> Sequence[AuditEntry]:
        """The entries that *query* asks for, newest first."""
        ...


MemberEdit = Callable[[Member, datetime], Member | None]
"""Makes of a member as stored now what shall be; None removes it."""


class MemberBook(Protocol):
    """The people of tenants. Every call but `find` is confined to one tenant."""

    async def add(self, member: Member, members_max: int, by: Principal | None = None) -> None:
        """Store a new *member*. Raises NotFoundError for the tenant, ConflictError for a login that is taken.

        Raises ConflictError, too, where the tenant has *members_max* members.
        """
        ...

    async def list(self, tenant_id: str) -> Sequence[Member]:
        """The members, oldest first."""
        ...

    async def find(self, login: str) -> Member | None:
        """The member with this login, or None."""
        ...

    async def change(self, tenant_id: str, member_id: str, edit: MemberEdit, by: Principal | None = None) -> Member:
        """Store what *edit* makes of the member now, and answer what it was before where it is removed.

        Whoever has another role or password than before, or is gone, is signed in no more, and no link signs them in.
        Raises NotFoundError, and ConflictError where the tenant had an owner and would have none; nothing is written
        then.
        """
        ...


class SignedInStore(Protocol):
    """The sessions in which members are signed in."""

    async def begin(self, session: SignedIn, member: Member, by: Principal | None = None) -> None:
        """Store a new *session* of *member*; those that have ended are forgotten.

        Raises ConflictError where the member is gone, or has another password by now: nobody comes in with an old one.
        """
        ...

    async def find(self, session_hash: str) -> tuple[SignedIn, Member] | None:
        """The session with this hash and its member, or None. Whether it still holds is for the caller to say."""
        ...

    async def seen(self, session_hash: str, at: datetime) -> None:
        """Remember that the session was used *at*, unless a later use is known. One that is gone is passed over."""
        ...

    async def end(self, session_hash: str, by: Principal | None = None) -> None:
        """Forget a session; doing so again changes nothing."""
        ...

    async def end_all(self, member_id: str, by: Principal | None = None) -> None:
        """Forget all sessions of a member."""
        ...


Enter = Callable[[Member, datetime], tuple[SignedIn, Principal]]
"""Makes the session of a member who comes in now, and says who that is for the audit log."""


class SignInLinks(Protocol):
    """Links that sign in once. A member has one at most."""

    async def offer(self, link: SignInLink, member: Member, by: Principal | None = None) -> None:
        """Store the *link* of *member* in the place of an earlier one; those that have ended are forgotten.

        Raises ConflictError where the member is gone, or has another role or password by now.
        """
        ...

    async def redeem(self, link_hash: str, enter: Enter) -> Member:
        """Begin the session that *enter* makes of whom the link is for, and use the link up, all or nothing.

        Of several who come with one link at once a single one comes in. Raises NotFoundError for a link that is not
        there, was used, or has ended.
        """
        ...


class Passwords(Protocol):
    """Hashes passwords, slowly. It never blocks the event loop, and few are hashed at once."""

    async def hashed(self, password: str) -> str:
        """What is kept of *password*, salt and parameters included."""
        ...

    async def match(self, kept: str | None, password: str) -> bool:
        """Whether *kept* was made of *password*. False for None, after as long a time."""
        ...
