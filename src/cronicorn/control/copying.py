"""Copying a whole installation from one store to another, empty one."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cronicorn.control.sorted_rows import each
from cronicorn.domain.archive import COLUMNS, COPIED, Table
from cronicorn.domain.cells import Cell, Row, number_in
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of
from cronicorn.domain.ports import Archive, Restoration, Snapshot

TellProgress = Callable[[Table, int, int], None]
"""Hears of a table, how many of its rows are done, and how many there are."""
DROPPED = "dropped:"
"""What the claim ids of dropped leases begin with, so that no holder of one proves anything any more."""
_TELLING = (Table.TENANTS, Table.API_KEYS, Table.KEYCHAINS, Table.JOBS, Table.ENDPOINTS, Table.SCHEDULE)
"""The tables that show whether anybody was at work: every claim, renewal and settlement changes the schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """One table: how many rows it has and their checksum, the same on both sides."""

    table: Table
    count: int
    checksum: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Copier:
    """Copies *source*, if no lease lives there; or else drops the leases, so that their slots run again."""

    source: Archive
    drop_leases: bool
    told: TellProgress
    live: bool = False
    """Others may work on the source meanwhile: the copy is what it was when the copying began."""

    async def copy_to(self, target: Archive) -> Sequence[Copied]:
        """Fill *target* and compare it with the source, all or nothing.

        Raises NotFoundError where no source is, ConflictError when *target* is not empty, when leases live in the
        source that are not to be dropped, and when the source changed meanwhile.
        """
        await self.source.read(self._check_leases)  # Before the target is given its tables.

        async def fill(restoration: Restoration) -> Sequence[Copied]:
            return await self.source.read(lambda snapshot: self._fill(snapshot, restoration))

        return await target.restore(fill)

    async def weigh(self) -> Sequence[Copied]:
        """What a copy would hold. Raises ConflictError where the source would not be copied."""

        async def work(snapshot: Snapshot) -> Sequence[Copied]:
            await self._check_leases(snapshot)
            return [_copied(await self._pass_on(snapshot, table, None)) for table in COPIED]

        return await self.source.read(work)

    async def _fill(self, snapshot: Snapshot, target: Restoration) -> Sequence[Copied]:
        await self._check_leases(snapshot)
        copied = [_copied(await self._pass_on(snapshot, table, target)) for table in COPIED]
        for there in copied:
            found = _copied(await _digest(there.table, target.rows(there.table)))
            if found != there:
                raise AssertionError(f"{there.table} was written as {there} and is read as {found}")
        if not self.live:
            await self._check_quiet(snapshot)
        return copied

    async def _pass_on(self, snapshot: Snapshot, table: Table, target: Restoration | None) -> Digest:
        digest, total = Digest(table), await snapshot.count(table)
        self.told(table, 0, total)
        async for rows in snapshot.rows(table):
            moved = [_dropped(row, snapshot) for row in rows] if table is Table.SCHEDULE else rows
            digest.add(moved)
            if target is not None:
                await target.write(table, moved)
            self.told(table, digest.count, total)
        return digest

    async def _check_leases(self, snapshot: Snapshot) -> None:
        if self.drop_leases:
            return
        holders: dict[str, int] = {}
        async for row in each(snapshot.rows(Table.SCHEDULE)):
            if _lives(row, snapshot):
                worker = f"{row['worker_id']!s}"
                holders[worker] = max(holders.get(worker, 0), number_in(row["lease_until_us"]))
        if holders:
            held = ", ".join(f"{worker} until {instant_of(us).isoformat()}" for worker, us in sorted(holders.items()))
            raise ConflictError(
                f"Workers hold leases in the database to copy ({held}): stop them and copy again. `cronicorn workers` "
                "shows what they hold. If they are dead for sure, --drop-leases lets their slots run again."
            )

    async def _check_quiet(self, before: Snapshot) -> None:
        """Whoever still works on the source would work on what nobody looks at any more."""

        async def digests(snapshot: Snapshot) -> Sequence[str]:
            return [(await _digest(table, snapshot.rows(table))).checksum for table in _TELLING]

        if await digests(before) != await self.source.read(digests):
            raise ConflictError(
                "The database to copy changed meanwhile: stop all that works on it, and copy again. Nothing was copied."
            )


def _copied(digest: Digest) -> Copied:
    return Copied(table=digest.table, count=digest.count, checksum=digest.checksum)


async def _digest(table: Table, portions: AsyncIterator[Sequence[Row]]) -> Digest:
    digest = Digest(table)
    async for rows in portions:
        digest.add(rows)
    return digest


def _lives(row: Row, snapshot: Snapshot) -> bool:
    return row["claim_id"] is not None and number_in(row["lease_until_us"]) > us(snapshot.taken_at)


def _dropped(row: Row, snapshot: Snapshot) -> Row:
    """The schedule as if its live lease, if it has one, had just expired. The fence stays: the next one is higher."""
    if not _lives(row, snapshot):
        return row
    now_us = us(snapshot.taken_at)
    return {
        **row,
        "claim_id": f"{DROPPED}{row['claim_id']!s}",
        "claimed_us": min(number_in(row["claimed_us"]), now_us),
        "lease_until_us": now_us,
        "takeover_us": now_us + number_in(row["takeover_us"]) - number_in(row["lease_until_us"]),
    }
