"""People of a tenant, and the sessions in which they are signed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.domain.permission import Role

MEMBERS_MAX = 1_000
SESSION_IDLE_MAX = timedelta(hours=12)
"""A session that is not used for so long has ended."""
SESSION_LIFE_MAX = timedelta(days=7)
"""No session lasts longer."""
SEEN_NOTED_EVERY = timedelta(minutes=5)
"""The last use of a session is known this exactly: it is not written for every request."""
LINK_LIFE = timedelta(minutes=15)
"""For so long a link signs in, once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person who may sign in for one tenant."""

    id: str
    tenant_id: str
    login: str
    """By which the person signs in: unique in the installation, in small letters."""
    role: Role
    created_at: datetime
    runs_installation: bool = False
    """Whether the person may see and add tenants."""
    password: str | None = None
    """The password as argon2 encodes its hash; None while the person can't sign in."""
    password_at: datetime | None = None
    """When it was set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """One session of a member, as it is stored: found by a hash, which is of no use to whoever reads it."""

    hash: str
    """SHA-256 of what the browser shows, in hex."""
    member_id: str
    created_at: datetime
    seen_at: datetime
    """About when it was used last."""

    def holds(self, now: datetime) -> bool:
        """Whether it still holds *now*."""
        return now < self.seen_at + SESSION_IDLE_MAX and now < self.created_at + SESSION_LIFE_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLink:
    """What signs one member in, once, as it is stored: found by a hash, which is of no use to whoever reads it."""

    hash: str
    """SHA-256 of what the link shows, in hex."""
    member_id: str
    ends_at: datetime
    """From then on it opens nothing."""

    def holds(self, now: datetime) -> bool:
        """Whether it still opens *now*."""
        return now < self.ends_at
