"""File sets in PostgreSQL."""

from collections.abc import Mapping

from sqlalchemy import bindparam, func, insert, select, update

from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.queries import Connection, query
from cronicorn.adapters.postgres.tenant_rows import lock_tenant
from cronicorn.adapters.postgres.tenant_schema import file_sets
from cronicorn.domain.cells import number_in, text_in
from cronicorn.domain.filing.file_set import FileSet, Managed, file_set_of, file_set_text, mark_of, said_of, stale
from cronicorn.domain.filing.ports import FileSetBook

_ALL = query(select(file_sets).where(file_sets.c.tenant_id == bindparam("tenant")))
_ABOUT = query(
    select(file_sets.c.name, file_sets.c.document).where(
        file_sets.c.tenant_id == bindparam("tenant"), func.strpos(file_sets.c.document, bindparam("mark")) > 0
    )
)
_REVISION = query(
    select(file_sets.c.revision).where(
        file_sets.c.tenant_id == bindparam("tenant"), file_sets.c.name == bindparam("set")
    )
)
_INSERT = query(insert(file_sets).values({column.name: bindparam(column.name) for column in file_sets.c}))
_UPDATE = query(
    update(file_sets)
    .where(file_sets.c.tenant_id == bindparam("tenant"), file_sets.c.name == bindparam("set"))
    .values(revision=bindparam("new_revision"), document=bindparam("new_document"))
)


class PostgresFileSets(FileSetBook):
    """Keeps file sets."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def all(self, tenant_id: str) -> Mapping[str, FileSet]:
        async def work(connection: Connection) -> Mapping[str, FileSet]:
            rows = await _ALL.rows(connection, tenant=tenant_id)
            return {
                text_in(row["name"]): file_set_of(number_in(row["revision"]), text_in(row["document"])) for row in rows
            }

        return await self._database.alone(work)

    async def about(self, tenant_id: str, thing_id: str) -> Mapping[str, Managed]:
        async def work(connection: Connection) -> Mapping[str, Managed]:
            rows = await _ABOUT.rows(connection, tenant=tenant_id, mark=mark_of(thing_id))
            said = {text_in(row["name"]): said_of(text_in(row["document"]), thing_id) for row in rows}
            return {name: managed for name, managed in said.items() if managed is not None}

        return await self._database.alone(work)

    async def put(self, tenant_id: str, name: str, managed: FileSet) -> None:
        async def work(transaction: Transaction) -> None:
            connection, document = transaction.connection, file_set_text(managed)
            await lock_tenant(connection, tenant_id)
            known = await _REVISION.row(connection, tenant=tenant_id, set=name)
            if (number_in(known["revision"]) if known is not None else 0) != managed.revision:
                raise stale(name)
            following = managed.revision + 1
            if known is None:
                await _INSERT.change(connection, tenant_id=tenant_id, name=name, revision=following, document=document)
            else:
                await _UPDATE.change(
                    connection, tenant=tenant_id, set=name, new_revision=following, new_document=document
                )

        await self._database.write(work)
