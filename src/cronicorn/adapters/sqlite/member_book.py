"""The people of tenants in a SQLite file."""

import sqlite3
from collections.abc import Sequence

from sqlalchemy import and_, bindparam, delete, func, insert, select, update

from cronicorn.adapters.sqlite.audit_log import record
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.queries import Query, query
from cronicorn.adapters.sqlite.tenant_rows import check_tenant
from cronicorn.adapters.sqlite.tenant_schema import members, sign_in_links, signed_in
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.access.audit_views import member_entry
from cronicorn.domain.access.member import Member
from cronicorn.domain.access.membership import check_members, check_owners, keeps_sessions
from cronicorn.domain.access.ports import MemberBook, MemberEdit
from cronicorn.domain.access.rows import member_of, member_row
from cronicorn.domain.cells import number_at
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.permission import Role
from cronicorn.domain.principal import Principal

_OF_TENANT = members.c.tenant_id == bindparam("tenant")
_ONE = and_(_OF_TENANT, members.c.id == bindparam("member"))
_COUNT = query(select(func.count().label("count")).select_from(members).where(_OF_TENANT))
_OWNERS = query(
    select(func.count().label("count")).select_from(members).where(_OF_TENANT, members.c.role == Role.OWNER.value)
)
_INSERT = query(insert(members).values({column.name: bindparam(column.name) for column in members.c}))
_GET = query(select(members).where(_ONE))
_FIND = query(select(members).where(members.c.login == bindparam("wanted")))
_LIST = query(select(members).where(_OF_TENANT).order_by(members.c.created_us, members.c.id))
_CHANGED = ("role", "runs_installation", "password", "password_us")
_UPDATE = query(update(members).where(_ONE).values({name: bindparam(f"new_{name}") for name in _CHANGED}))
_DELETE = query(delete(members).where(_ONE))
_SIGN_OUT = query(delete(signed_in).where(signed_in.c.member_id == bindparam("member")))
_TAKE_LINK = query(delete(sign_in_links).where(sign_in_links.c.member_id == bindparam("member")))


class SqliteMemberBook(MemberBook):
    """Keeps members. Whoever changes one of a tenant waits for whoever changes another: one owner stays."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def add(self, member: Member, members_max: int, by: Principal | None = None) -> None:
        def work(transaction: Transaction) -> None:
            connection = transaction.connection
            check_tenant(connection, member.tenant_id)
            check_members(_count(transaction, _COUNT, member.tenant_id), members_max)
            insert_member(transaction, member)
            record(transaction, member_entry(by, transaction.now, None, member))

        await self._database.write(work)

    async def list(self, tenant_id: str) -> Sequence[Member]:
        def work(transaction: Transaction) -> Sequence[Member]:
            return [member_of(row) for row in _LIST.rows(transaction.connection, tenant=tenant_id)]

        return await self._database.read(work)

    async def find(self, login: str) -> Member | None:
        def work(transaction: Transaction) -> Member | None:
            row = _FIND.row(transaction.connection, wanted=login)
            return member_of(row) if row is not None else None

        return await self._database.read(work)

    async def change(self, tenant_id: str, member_id: str, edit: MemberEdit, by: Principal | None = None) -> Member:
        def work(transaction: Transaction) -> Member:
            connection, which = transaction.connection, {"tenant": tenant_id, "member": member_id}
            row = _GET.row(connection, **which)
            if row is None:
                raise NotFoundError(f"There is no member {member_id}.")
            before = member_of(row)
            after = edit(before, transaction.now)
            check_owners(before, after, _count(transaction, _OWNERS, tenant_id))
            if not keeps_sessions(before, after):
                _SIGN_OUT.change(connection, member=member_id)
                _TAKE_LINK.change(connection, member=member_id)
            if after is None:
                _DELETE.change(connection, **which)
            else:
                cells = member_row(after)
                _UPDATE.change(connection, **which, **{f"new_{name}": cells[name] for name in _CHANGED})
            record(transaction, member_entry(by, transaction.now, before, after))
            return after or before

        return await self._database.write(work)


def insert_member(transaction: Transaction, member: Member) -> None:
    """Write a new member. Raises ConflictError for a login that is taken."""
    connection = transaction.connection
    try:
        _INSERT.change(connection, **member_row(member))
    except sqlite3.IntegrityError as error:
        raise ConflictError(f"There is a member {member.login} already; choose another login.") from error


def _count(transaction: Transaction, counting: Query, tenant_id: str) -> int:
    row = counting.row(transaction.connection, tenant=tenant_id)
    return number_at(row, "count")
