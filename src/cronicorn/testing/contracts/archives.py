"""What every archive promises."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.archive import COLUMNS, COPIED, Table
from cronicorn.domain.cells import Row
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.fields import us
from cronicorn.domain.fixtures import MIDNIGHT, a_job, a_lease, a_run, an_endpoint, an_outcome
from cronicorn.domain.instant import shifted
from cronicorn.domain.ports import Archive, Restoration, Snapshot
from cronicorn.domain.rows import endpoint_row, job_row, run_row, skip_row, state_row
from cronicorn.domain.slot import Skip, SlotState
from cronicorn.testing.contracts.stores import start

ODD = "ünïcode 🙂 \u2028 'quoted' \"twice\" \\ back\n\ttab  "
BIG = 2**62


_PLAIN_KEY: Row = {
    "name": "", "role": "owner", "scopes": None, "runs_installation": 0, "agent": 0, "rate": None, "expires_us": None,
    "used_us": None, "revoked_us": None,
}  # fmt: skip
_FULL_KEY: Row = {
    "name": ODD, "role": "viewer", "scopes": "jobs:read", "runs_installation": 1, "agent": 1, "rate": 1_000_000,
    "expires_us": BIG, "used_us": -BIG, "revoked_us": BIG,
}  # fmt: skip
_TERMS = ("tier", "token_limit", "token_period", "token_zone")
_AGREED: Row = dict(zip(_TERMS, (ODD, BIG, "month", "Europe/Berlin"), strict=True))


def an_installation() -> dict[Table, list[Row]]:
    """Rows of every table: odd texts, large numbers, bytes, what can't be read, and what is left of an endpoint."""
    job = a_job(name=ODD, description=None)
    made = [start(job, an_endpoint(id=f"ep{number}", name=ODD), MIDNIGHT) for number in (1, 2)]
    runs = [
        replace(a_run(a_lease(made[0], fence=slot)), slot=slot, outcome=an_outcome(body=body))
        for slot, body in ((2, "\0 " + ODD), (1, ""), (3, None))
    ]
    skip = Skip(state=SlotState.COALESCED, reason=ODD, first_at=MIDNIGHT, last_at=MIDNIGHT, count=BIG, exact=False)
    return {
        Table.TENANTS: [
            {"id": "zz", "name": ODD, "created_us": 5, **_AGREED},
            {"id": "aa", "name": "second", "created_us": 5, **dict.fromkeys(_TERMS)},
        ],
        Table.API_KEYS: [_key("A", _PLAIN_KEY), _key("Z", _FULL_KEY), _key("a", _PLAIN_KEY), _key("ä", _FULL_KEY)],
        Table.TENANT_PROVISIONS: [{"tenant_id": tenant_id, "document": ODD} for tenant_id in ("aa", "zz")],
        Table.KEYCHAINS: [_keychain("B", 3), _keychain("a", BIG), _keychain("ä", 1)],
        Table.MEMBERS: [_member(text) for text in ("A", "Z", "a", "ä")],
        Table.JOBS: [{"number": 7, **job_row(job)}],
        Table.ENDPOINTS: [
            {"number": 3, "job_number": 7, **endpoint_row(made[0])},
            {"number": BIG, "job_number": 7, **endpoint_row(made[1]), "document": "{not json"},
        ],
        Table.FILE_SETS: [
            {"tenant_id": "aa", "name": name, "revision": BIG, "document": ODD} for name in ("A", "a", "ä")
        ],
        Table.SCHEDULE: [
            {**_free(3), **state_row(made[0].state), "fence": BIG, "done_claim_id": "c", "done_fence": 9, "done": ODD},
            {**_free(BIG), **state_row(made[1].state), **_LEASED},
        ],
        Table.RUNS: [
            {"number": number, "endpoint_number": owner, **run_row(run)}
            for number, owner, run in zip((1, 4, BIG), (3, 3, 2), runs, strict=True)
        ],
        Table.SKIPS: [
            {"number": number, "endpoint_number": owner, **skip_row(skip)} for number, owner in ((2, 3), (8, 1))
        ],
        Table.POLICY_DRAFTS: [_draft(3), _draft(BIG)],
        **_alerts(),
        Table.RUN_COUNTS: [_count("B", 0), _count("a", -BIG), _count("a", BIG), _count("ä", 0)],
        Table.JOB_HOURS: [_hour(*place) for place in ((7, -BIG, "B"), (7, -BIG, "a"), (7, 1, "ä"), (BIG, 0, ODD))],
        Table.ENDPOINT_HOURS: [_hour(*place[:3], endpoint_number=place[3]) for place in _ENDPOINT_HOURS],
        Table.FLOWS: [_flow("", "a"), _flow("aa", ODD), _flow("ä", "z")],
        Table.QUOTA_BOOKS: [_book(2, burst_us=None), _book(BIG, tenant_id="zz", burst_us=BIG)],
        Table.QUOTA_GRANTS: [_grant("B", 2, charged=0), _grant("a", BIG, charged=1), _grant("ä", 2, charged=1)],
        Table.AUDIT_LOG: [_audit_entry(3), _audit_entry(BIG)],
    }


_LEASED: Mapping[str, str | int] = {
    "claim_id": "claim", "worker_id": ODD, "mechanism": "lease", "claimed_us": 1, "leased_slot": 1, "leased_attempt": 1,
    "leased_manual": 0, "lease_until_us": BIG, "takeover_us": BIG, "cancelled": 1, "lost_claims": 2,
}  # fmt: skip


def _key(text: str, more: Row) -> Row:
    return {"hash": text, "id": f"k{text}", "tenant_id": "aa", "prefix": "ck_", "created_us": -BIG, **more}


def _free(number: int) -> Row:
    empty: Row = dict.fromkeys(COLUMNS[Table.SCHEDULE])
    return empty | {"endpoint_number": number, "tenant_id": "t1", "fence": 0, "cancelled": 0, "lost_claims": 0}


def _keychain(tenant_id: str, revision: int) -> Row:
    return {"tenant_id": tenant_id, "revision": revision, "document": ODD}


def _member(name: str) -> Row:
    return {
        "id": name, "tenant_id": "aa", "login": name, "role": "owner", "created_us": -BIG, "runs_installation": 1,
        "password": ODD, "password_us": BIG,
    }  # fmt: skip


def _audit_entry(number: int) -> Row:
    return {
        "number": number, "tenant_id": "gone", "at_us": -BIG, "actor_kind": "user", "actor_id": None, "actor": ODD,
        "action": "job.create", "object_kind": "job", "object_id": ODD, "before": None, "after": "{}",
        "request_id": ODD,
    }  # fmt: skip


def _draft(number: int, **changes: str | int) -> Row:
    made: Row = {
        "number": number, "id": f"dr{number}", "tenant_id": "t1", "endpoint_number": 3, "status": "draft",
        "hash": "0" * 64, "created_us": -BIG, "document": ODD,
    }  # fmt: skip
    return made | changes


def _alerts() -> dict[Table, list[Row]]:
    return {
        Table.ALERTINGS: [{"tenant_id": tenant_id, "document": ODD} for tenant_id in ("aa", "zz")],
        Table.INCIDENTS: [_incident(2, closed_us=None), _incident(BIG, closed_us=BIG)],
        Table.ALERT_MESSAGES: [_message(3, incident_id=None, settled_us=BIG), _message(BIG, settled_us=None)],
    }


def _incident(number: int, closed_us: int | None) -> Row:
    return {
        "number": number, "id": f"incident{number}", "tenant_id": "aa", "kind": ODD, "subject": ODD, "opened_us": -BIG,
        "closed_us": closed_us, "version": BIG, "document": ODD,
    }  # fmt: skip


def _message(number: int, settled_us: int | None, incident_id: str | None = ODD) -> Row:
    return {
        "number": number, "id": f"alert{number}", "tenant_id": "aa", "incident_id": incident_id, "route_id": ODD,
        "state": ODD, "due_us": -BIG, "settled_us": settled_us, "document": ODD,
    }  # fmt: skip


def _hour(job: int, hour_us: int, source: str, **more: int) -> Row:
    counted: Row = {"status": ODD, "runs": BIG, "duration_us": BIG}
    return {"job_number": job, "hour_us": hour_us, "source": source, **counted, **more}


_ENDPOINT_HOURS = ((7, -BIG, "B", 3), (7, -BIG, "a", 3), (7, -BIG, "a", 9), (7, BIG, "ä", 1), (BIG, 0, ODD, 1))


def _book(number: int, **changes: str | int | None) -> Row:
    counts = dict.fromkeys(("compile_used", "compile_reserved", "analysis_used", "analysis_reserved"), number)
    return {
        "number": number,
        "tenant_id": "aa",
        "calendar": "day UTC",
        "start_us": -5,
        "end_us": 5,
        **counts,
        **changes,
    }


def _flow(tenant_id: str, name: str) -> Row:
    return {"tenant_id": tenant_id, "name": name, "kept_until_us": BIG, "slowed_us": 0, "document": ODD}


def _count(tenant_id: str, month_us: int) -> Row:
    return {"tenant_id": tenant_id, "month_us": month_us, "runs": BIG}


def _grant(grant_id: str, book: int, *, charged: int) -> Row:
    settled = 1 - charged
    return {
        "id": grant_id, "tenant_id": "aa", "book_number": book, "budget": "compile", "estimate": BIG, "expires_us": BIG,
        "charged": charged, "settled": settled,
    }  # fmt: skip


async def fill(archive: Archive, installation: Mapping[Table, Sequence[Row]]) -> None:
    """Write *installation*, one row after the other."""

    async def work(restoration: Restoration) -> None:
        for table in COPIED:
            for row in installation[table]:
                await restoration.write(table, [row])

    await archive.restore(work)


async def contents(archive: Archive, tables: Sequence[Table] = COPIED) -> dict[Table, list[Row]]:
    """All rows of *archive* that a copy moves, or those of other *tables*."""

    async def work(snapshot: Snapshot) -> dict[Table, list[Row]]:
        return {table: await gathered(snapshot.rows(table)) for table in tables}

    return await archive.read(work)


async def gathered(portions: AsyncIterator[Sequence[Row]]) -> list[Row]:
    """The rows of *portions*."""
    return [row async for portion in portions for row in portion]


class ArchiveContract:
    """Give it an archive of an empty store that takes any text but NUL, as the fixture `archive`."""

    @pytest.fixture
    def archive(self) -> Archive:
        raise NotImplementedError

    async def test_what_is_written_is_read_again_cell_by_cell_and_in_order(self, archive: Archive) -> None:
        await fill(archive, an_installation())

        found = await contents(archive)

        for table, rows in an_installation().items():
            assert found[table] == rows
            assert [list(row) for row in found[table]] == [list(COLUMNS[table])] * len(rows)

    async def test_histories_come_by_endpoint_and_slot_without_bodies(self, archive: Archive) -> None:
        await fill(archive, an_installation())

        async def work(snapshot: Snapshot) -> tuple[list[Row], list[Row]]:
            runs = await gathered(snapshot.rows(Table.RUNS, by_endpoint=True))
            return runs, await gathered(snapshot.rows(Table.SKIPS, by_endpoint=True))

        runs, skips = await archive.read(work)

        assert [(row["endpoint_number"], row["slot"]) for row in runs] == [(2, 3), (3, 1), (3, 2)]
        assert not any("body" in row for row in runs)
        assert [row["endpoint_number"] for row in skips] == [1, 3]

    async def test_many_rows_come_in_portions_that_are_not_empty(self, archive: Archive) -> None:
        installation = an_installation()
        run = installation[Table.RUNS][0]
        installation[Table.RUNS] = [run | {"number": number, "slot": number} for number in range(1, 1_002)]
        await fill(archive, installation)

        async def work(snapshot: Snapshot) -> tuple[list[int], int]:
            sizes = [len(portion) async for portion in snapshot.rows(Table.RUNS)]
            return sizes, await snapshot.count(Table.RUNS)

        sizes, count = await archive.read(work)

        assert sum(sizes) == count == 1_001
        assert 0 < min(sizes) <= max(sizes) < 1_001

    async def test_a_restoration_reads_what_it_has_written(self, archive: Archive) -> None:
        rows = an_installation()[Table.TENANTS]

        async def work(restoration: Restoration) -> tuple[list[Row], int]:
            await restoration.write(Table.TENANTS, rows)
            return await gathered(restoration.rows(Table.TENANTS)), await restoration.count(Table.TENANTS)

        assert await archive.restore(work) == (rows, 2)

    async def test_a_store_that_is_not_empty_is_left_alone(self, archive: Archive) -> None:
        await fill(archive, an_installation())

        with pytest.raises(ConflictError, match="not empty"):
            await fill(archive, an_installation())

        assert await contents(archive) == an_installation()

    async def test_work_that_fails_leaves_the_store_empty(self, archive: Archive) -> None:
        async def work(restoration: Restoration) -> None:
            await restoration.write(Table.TENANTS, an_installation()[Table.TENANTS])
            raise LookupError

        with pytest.raises(LookupError):
            await archive.restore(work)

        assert await contents(archive) == {table: [] for table in COPIED}

    async def test_rows_that_contradict_one_another_are_refused(self, archive: Archive) -> None:
        installation = an_installation()
        installation[Table.TENANTS] *= 2

        with pytest.raises(ConflictError, match="tenants"):
            await fill(archive, installation)

    async def test_a_snapshot_does_not_move(self, archive: Archive) -> None:
        await archive.restore(_nothing)

        async def work(snapshot: Snapshot) -> int:
            before = await snapshot.count(Table.TENANTS)
            await fill(archive, an_installation())
            return before + await snapshot.count(Table.TENANTS)

        assert await archive.read(work) == 0

    async def test_it_knows_since_when_histories_are_kept(self, archive: Archive) -> None:
        installation = an_installation()
        ended = [us(shifted(MIDNIGHT, timedelta(hours=hours))) for hours in (3, 2, 9)]
        for row, end in zip(installation[Table.RUNS], ended, strict=True):
            row |= {"finished_us": end}
        await fill(archive, installation)

        async def work(snapshot: Snapshot) -> object:
            return await snapshot.kept_since()

        assert await archive.read(work) == shifted(MIDNIGHT, timedelta(hours=2))

    async def test_nothing_is_known_of_an_empty_history(self, archive: Archive) -> None:
        await archive.restore(_nothing)

        async def work(snapshot: Snapshot) -> object:
            return await snapshot.kept_since()

        assert await archive.read(work) is None


async def _nothing(_: Restoration) -> None:
    pass
