"""Drafts of policies in PostgreSQL. Whoever writes one of an endpoint holds the lock of the endpoint."""

import builtins
from collections.abc import Callable, Sequence

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from cronicorn.adapters.postgres.audit_log import record
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.endpoint_rows import apply, decided, lock, number_of
from cronicorn.adapters.postgres.notify import announce
from cronicorn.adapters.postgres.queries import Connection, query
from cronicorn.adapters.postgres.schema import policy_drafts
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
_INSERT = query(
    insert(policy_drafts)
    .values({column.name: bindparam(column.name) for column in policy_drafts.c[1:]})
    .on_conflict_do_nothing()
)
_UPDATE = query(
    update(policy_drafts)
    .where(policy_drafts.c.id == bindparam("draft_id"))
    .values({name: bindparam(f"new_{name}") for name in ("status", "document")})
)
_DELETE = query(delete(policy_drafts).where(policy_drafts.c.id == bindparam("draft_id")))


class PostgresDrafts(Drafts):
    """Keeps drafts."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def add(self, draft: Draft, by: Principal | None = None) -> None:
        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            before = await lock(transaction, draft.tenant_id, draft.endpoint_id)
            cleared = cleared_for(draft, await _of_endpoint(connection, before.number, draft.endpoint_id))
            for other in cleared.superseded:
                await _write(connection, other)
            for draft_id in cleared.dropped:
                await _DELETE.change(connection, draft_id=draft_id)
            if not await _INSERT.change(connection, endpoint_number=before.number, **draft_row(draft)):
                raise ConflictError(f"Draft {draft.id} already exists.")
            await record(transaction, new_draft_entry(by, before.now, draft))

        await self._database.write(work)

    async def get(self, tenant_id: str, endpoint_id: str, draft_id: str) -> Draft:
        async def work(transaction: Transaction) -> Draft:
            number = await number_of(transaction, tenant_id, endpoint_id)
            return await _one(transaction.connection, number, endpoint_id, draft_id)

        return await self._database.read(work)

    async def list(self, tenant_id: str, endpoint_id: str) -> Sequence[Draft]:
        async def work(transaction: Transaction) -> Sequence[Draft]:
            number = await number_of(transaction, tenant_id, endpoint_id)
            return await _of_endpoint(transaction.connection, number, endpoint_id)

        return await self._database.read(work)

    async def decide(
        self,
        tenant_id: str,
        endpoint_id: str,
        draft_id: str,
        decision: Callable[[Draft, JobEndpoint, Stored], Decided],
        by: Principal | None = None,
    ) -> tuple[Draft, JobEndpoint, Stored]:
        async def work(transaction: Transaction) -> tuple[Draft, JobEndpoint, Stored]:
            connection = transaction.connection
            before = await lock(transaction, tenant_id, endpoint_id)
            draft = await _one(connection, before.number, endpoint_id, draft_id)
            result = await decided(transaction, before, lambda stored: decision(draft, before.endpoint, stored))
            after = before.endpoint
            if result.change is not None:
                after = result.change.endpoint
                await apply(transaction, before, result.change)
                due = {"before": before.endpoint.state.due_at, "after": after.state.due_at}
                await announce(self._database.options, transaction, **due)
            others = await _of_endpoint(connection, before.number, endpoint_id)
            for each in (*superseded_by(result.draft, others), result.draft):
                await _write(connection, each)
            await record(transaction, draft_entry(by, before.now, (draft, before.endpoint), (result.draft, after)))
            return result.draft, after, before.seen()[1]

        return await self._database.write(work)


async def _of_endpoint(connection: Connection, number: int, endpoint_id: str) -> builtins.list[Draft]:
    return [draft_of(row, endpoint_id) for row in await _OF_ENDPOINT.rows(connection, endpoint_number=number)]


async def _one(connection: Connection, number: int, endpoint_id: str, draft_id: str) -> Draft:
    row = await _ONE.row(connection, endpoint_number=number, draft_id=draft_id)
    if row is None:
        raise NotFoundError(f"Endpoint {endpoint_id} has no draft {draft_id}.")
    return draft_of(row, endpoint_id)


async def _write(connection: Connection, draft: Draft) -> None:
    row = draft_row(draft)
    await _UPDATE.change(connection, draft_id=draft.id, new_status=row["status"], new_document=row["document"])
