"""A whole installation as rows: what a copy moves from one store to another, and what a verification reads."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Protocol, TypeVar

from cronicorn.domain.rows import Cell, Row
from cronicorn.domain.verification import Findings

T = TypeVar("T")


class Table(StrEnum):
    """What an installation consists of, each after what its rows refer to."""

    TENANTS = "tenants"
    API_KEYS = "api_keys"
    JOBS = "jobs"
    ENDPOINTS = "endpoints"
    SCHEDULE = "schedule"
    RUNS = "runs"
    SKIPS = "skips"


COLUMNS: Mapping[Table, tuple[str, ...]] = {
    Table.TENANTS: ("id", "name", "created_us"),
    Table.API_KEYS: ("hash", "id", "tenant_id", "prefix", "created_us"),
    Table.JOBS: (
        "number", "id", "tenant_id", "name", "description", "status", "created_us", "updated_us", "archived_us",
    ),
    Table.ENDPOINTS: (
        "number", "id", "tenant_id", "job_number", "version", "created_us", "archived_us", "document",
    ),
    Table.SCHEDULE: (
        "endpoint_number", "tenant_id", "due_us", "slot", "attempt", "manual_slot", "fence", "claim_id", "worker_id",
        "mechanism", "claimed_us", "leased_slot", "leased_attempt", "leased_manual", "lease_until_us", "takeover_us",
        "cancelled", "lost_claims", "done_claim_id", "done_fence", "done", "state",
    ),
    Table.RUNS: (
        "number", "endpoint_number", "slot", "attempt", "fence", "status", "source", "trace", "due_us", "nominal_us",
        "started_us", "finished_us", "duration_us", "outcome", "body",
    ),
    Table.SKIPS: (
        "number", "endpoint_number", "state", "reason", "first_us", "last_us", "instants", "exact",
    ),
}  # fmt: skip
"""The columns of a row, the same in all stores. What a store derives from them for itself is not among them."""


class RowSource(Protocol):
    """A store at one instant, read in portions."""

    async def count(self, table: Table) -> int:
        """How many rows *table* has."""
        ...

    def rows(self, table: Table, *, by_endpoint: bool = False) -> AsyncIterator[Sequence[Row]]:
        """All rows of *table* in portions, none empty, each row with COLUMNS, in the order of their first column.

        Tenants come in the order in which they were added. With *by_endpoint* runs and skips come sorted by endpoint,
        those of one endpoint by slot and attempt or by number, and runs have no body.
        """
        ...


class Snapshot(RowSource, Protocol):
    """One state of a store, however long it takes to read it. Nobody waits for a reader."""

    @property
    def taken_at(self) -> datetime:
        """By the store's clock."""
        ...

    async def kept_since(self) -> datetime | None:
        """When the oldest run ended or the oldest skip, whichever is later: what ended since is all there.

        None when there is neither.
        """
        ...

    async def examine(self, findings: Findings) -> None:
        """Note what of the store itself is not as this version needs it: revision, tables, indexes, places."""
        ...


class Restoration(RowSource, Protocol):
    """An empty store that is being filled. Its rows are those written so far."""

    async def write(self, table: Table, rows: Sequence[Row]) -> None:
        """Add *rows* as they are, numbers included. Raises InvalidInputError for text that the store can't hold."""
        ...


class Archive(Protocol):
    """A store as a whole."""

    async def read(self, work: Callable[[Snapshot], Awaitable[T]]) -> T:
        """Do *work* on one snapshot. Raises ConflictError when the store was written by another version."""
        ...

    async def restore(self, work: Callable[[Restoration], Awaitable[T]]) -> T:
        """Do *work* on the store, all or nothing; others may not write meanwhile.

        Raises ConflictError when the store is not empty. A process killed at any moment leaves it empty or whole.
        Numbers given later are higher than any that was written.
        """
        ...


class Digest:
    """Counts rows and tells one sequence of them from another (SHA-256)."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.count = 0
        self._columns = COLUMNS[table]
        self._hash = sha256()

    def add(self, rows: Sequence[Mapping[str, Cell]]) -> None:
        """Take *rows* in."""
        for row in rows:
            # The text of a tuple tells apart what differs in a type, and where one text ends and the next begins.
            self._hash.update(repr([row[name] for name in self._columns]).encode("utf-8", "surrogatepass"))
        self.count += len(rows)

    @property
    def checksum(self) -> str:
        return self._hash.hexdigest()[:32]
