"""What an owner may choose of the connections to a server."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

CONNECTIONS_MAX_DEFAULT = 8


class Feature(StrEnum):
    """What a server may lack although it speaks PostgreSQL's protocol."""

    SKIP_LOCKED = "skip_locked"
    """`FOR UPDATE SKIP LOCKED` that skips what is locked and nothing else."""
    NOTIFY = "notify"
    """LISTEN and NOTIFY on a connection of one's own: not behind a pooler in transaction mode."""
    PREPARED = "prepared"
    """Prepared statements that outlive a transaction: not behind an old pooler in transaction mode."""


class Isolation(StrEnum):
    """How transactions are kept apart."""

    READ_COMMITTED = "read committed"
    SERIALIZABLE = "serializable"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresOptions:
    """What an owner may choose of the connection."""

    without: frozenset[Feature] = frozenset()
    isolation: Isolation = Isolation.READ_COMMITTED
    connections_max: int = CONNECTIONS_MAX_DEFAULT
    connect_timeout: timedelta = timedelta(seconds=5)
    statement_timeout: timedelta = timedelta(seconds=10)
    """After so long without an answer a connection counts as dead and is dropped."""
    shards: int = 1
    """Into how many parts a new database's schedule falls; an existing one keeps what it has."""

    def has(self, feature: Feature) -> bool:
        return feature not in self.without
