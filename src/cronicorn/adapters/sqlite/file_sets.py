"""File sets in a SQLite file."""

from collections.abc import Mapping

from sqlalchemy import bindparam, func, insert, select, update

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.queries import query
from cronicorn.adapters.sqlite.tenant_rows import check_tenant
from cronicorn.adapters.sqlite.tenant_schema import file_sets
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.cells import number_in, text_in
from cronicorn.domain.filing.file_set import FileSet, Managed, file_set_of, file_set_text, mark_of, said_of, stale
from cronicorn.domain.filing.ports import FileSetBook

_ALL = query(select(file_sets).where(file_sets.c.tenant_id == bindparam("tenant")))
_ABOUT = query(
    select(file_sets.c.name, file_sets.c.document).where(
        file_sets.c.tenant_id == bindparam("tenant"), func.instr(file_sets.c.document, bindparam("mark")) > 0
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


class SqliteFileSets(FileSetBook):
    """Keeps file sets."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def all(self, tenant_id: str) -> Mapping[str, FileSet]:
        def work(transaction: Transaction) -> Mapping[str, FileSet]:
            rows = _ALL.rows(transaction.connection, tenant=tenant_id)
            return {
                text_in(row["name"]): file_set_of(number_in(row["revision"]), text_in(row["document"])) for row in rows
            }

        return await self._database.read(work)

    async def about(self, tenant_id: str, thing_id: str) -> Mapping[str, Managed]:
        def work(transaction: Transaction) -> Mapping[str, Managed]:
            rows = _ABOUT.rows(transaction.connection, tenant=tenant_id, mark=mark_of(thing_id))
            said = {text_in(row["name"]): said_of(text_in(row["document"]), thing_id) for row in rows}
            return {name: managed for name, managed in said.items() if managed is not None}

        return await self._database.read(work)

    async def put(self, tenant_id: str, name: str, managed: FileSet) -> None:
        def work(transaction: Transaction) -> None:
            connection, document = transaction.connection, file_set_text(managed)
            check_tenant(connection, tenant_id)
            known = _REVISION.row(connection, tenant=tenant_id, set=name)
            if (number_in(known["revision"]) if known is not None else 0) != managed.revision:
                raise stale(name)
            following = managed.revision + 1
            if known is None:
                _INSERT.change(connection, tenant_id=tenant_id, name=name, revision=following, document=document)
            else:
                _UPDATE.change(connection, tenant=tenant_id, set=name, new_revision=following, new_document=document)

        await self._database.write(work)
