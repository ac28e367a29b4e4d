"""Drafts of policies in a SQLite file."""

import builtins
import sqlite3
from collections.abc import Callable, Sequence

from sqlalchemy import bindparam, delete, insert, select, update

from cronicorn.adapters.sqlite.audit_log import record
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.endpoint_rows import apply, find, number_of
from cronicorn.adapters.sqlite.queries import query
from cronicorn.adapters.sqlite.schema import policy_drafts
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.compilation.audited import draft_entry, new_draft_entry
from cronicorn.domain.compilation.deciding import Decided
from cronicorn.domain.compilation.draft import Draft
from cronicorn.domain.compilation.keeping import cleared_for, superseded_by
from cronicorn.domain.compilation.ports import Drafts
from cronicorn.domain.compilation.rows import draft_of, draft_row
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.principal import Principal
from cronicorn.domain.settlement import Stored

_OF_ENDPOINT = query(
    select(policy_drafts)
    .where(policy_drafts.c.endpoint_number == bindparam("endpoint_number"))
    .order_by(policy_drafts.c.number.desc())
)
_ONE = query(
    select(policy_drafts).where(
        policy_drafts.c.id == bindparam("draft_id"), policy_drafts.c.endpoint_number == bindparam("endpoint_number")
    )
)
_INSERT = query(insert(policy_drafts).values({column.name: bindparam(column.name) for column in policy_drafts.c[1:]}))
_UPDATE = query(
    update(policy_drafts)
    .where(policy_drafts.c.id == bindparam("draft_id"))
    .values({name: bindparam(f"new_{name}") for name in ("status", "document")})
)
_DELETE = query(delete(policy_drafts).where(policy_drafts.c.id == bindparam("draft_id")))


class SqliteDrafts(Drafts):
    """Keeps drafts."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def add(self, draft: Draft, by: Principal | None = None) -> None:
        def work(transaction: Transaction) -> None:
            connection = transaction.connection
            number = number_of(transaction, draft.tenant_id, draft.endpoint_id)
            cleared = cleared_for(draft, _of_endpoint(connection, number, draft.endpoint_id))
            for other in cleared.superseded:
                _write(connection, other)
            for draft_id in cleared.dropped:
                _DELETE.change(connection, draft_id=draft_id)
            try:
                _INSERT.change(connection, endpoint_number=number, **draft_row(draft))
            except sqlite3.IntegrityError as error:
                raise ConflictError(f"Draft {draft.id} already exists.") from error
            record(transaction, new_draft_entry(by, transaction.now, draft))

        await self._database.write(work)

    async def get(self, tenant_id: str, endpoint_id: str, draft_id: str) -> Draft:
        def work(transaction: Transaction) -> Draft:
            return _one(transaction, number_of(transaction, tenant_id, endpoint_id), endpoint_id, draft_id)

        return await self._database.read(work)

    async def list(self, tenant_id: str, endpoint_id: str) -> Sequence[Draft]:
        def work(transaction: Transaction) -> Sequence[Draft]:
            number = number_of(transaction, tenant_id, endpoint_id)
            return _of_endpoint(transaction.connection, number, endpoint_id)

        return await self._database.read(work)

    async def decide(
        self,
        tenant_id: str,
        endpoint_id: str,
        draft_id: str,
        decision: Callable[[Draft, JobEndpoint, Stored], Decided],
        by: Principal | None = None,
    ) -> tuple[Draft, JobEndpoint, Stored]:
        def work(transaction: Transaction) -> tuple[Draft, JobEndpoint, Stored]:
            before = find(transaction, tenant_id, endpoint_id)
            draft = _one(transaction, before.number, endpoint_id, draft_id)
            decided = decision(draft, before.endpoint, before.stored(transaction))
            if decided.change is not None:
                apply(transaction, before, decided.change)
            others = _of_endpoint(transaction.connection, before.number, endpoint_id)
            for each in (*superseded_by(decided.draft, others), decided.draft):
                _write(transaction.connection, each)
            after = decided.change.endpoint if decided.change is not None else before.endpoint
            entry = draft_entry(by, transaction.now, (draft, before.endpoint), (decided.draft, after))
            record(transaction, entry)
            return decided.draft, after, Stored(now=transaction.now, leased_slot=before.leased_slot)

        return await self._database.write(work)


def _of_endpoint(connection: sqlite3.Connection, number: int, endpoint_id: str) -> builtins.list[Draft]:
    return [draft_of(row, endpoint_id) for row in _OF_ENDPOINT.rows(connection, endpoint_number=number)]


def _one(transaction: Transaction, number: int, endpoint_id: str, draft_id: str) -> Draft:
    row = _ONE.row(transaction.connection, endpoint_number=number, draft_id=draft_id)
    if row is None:
        raise NotFoundError(f"Endpoint {endpoint_id} has no draft {draft_id}.")
    return draft_of(row, endpoint_id)


def _write(connection: sqlite3.Connection, draft: Draft) -> None:
    row = draft_row(draft)
    _UPDATE.change(connection, draft_id=draft.id, new_status=row["status"], new_document=row["document"])
