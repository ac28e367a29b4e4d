"""The people of tenants in PostgreSQL."""

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from cronicorn.adapters.postgres.audit_log import record
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.queries import Query, query
from cronicorn.adapters.postgres.tenant_rows import lock_tenant
from cronicorn.adapters.postgres.tenant_schema import members, sign_in_links, signed_in
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
_INSERT = query(
    insert(members).values({column.name: bindparam(column.name) for column in members.c}).on_conflict_do_nothing()
)
_GET = query(select(members).where(_ONE))
_FIND = query(select(members).where(members.c.login == bindparam("wanted")))
_LIST = query(select(members).where(_OF_TENANT).order_by(members.c.created_us, members.c.id))
_CHANGED = ("role", "runs_installation", "password", "password_us")
_UPDATE = query(update(members).where(_ONE).values({name: bindparam(f"new_{name}") for name in _CHANGED}))
_DELETE = query(delete(members).where(_ONE))
_SIGN_OUT = query(delete(signed_in).where(signed_in.c.member_id == bindparam("member")))
_TAKE_LINK = query(delete(sign_in_links).where(sign_in_links.c.member_id == bindparam("member")))


class PostgresMemberBook(MemberBook):
    """Keeps members. Whoever changes one of a tenant waits for whoever changes another: one owner stays."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def add(self, member: Member, members_max: int, by: Principal | None = None) -> None:
        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await lock_tenant(connection, member.tenant_id)
            check_members(await _count(transaction, _COUNT, member.tenant_id), members_max)
            await insert_member(transaction, member)
            await record(transaction, member_entry(by, transaction.now, None, member))

        await self._database.write(work)

    async def list(self, tenant_id: str) -> Sequence[Member]:
        async def work(transaction: Transaction) -> Sequence[Member]:
            return [member_of(row) for row in await _LIST.rows(transaction.connection, tenant=tenant_id)]

        return await self._database.read(work)

    async def find(self, login: str) -> Member | None:
        async def work(transaction: Transaction) -> Member | None:
            row = await _FIND.row(transaction.connection, wanted=login)
            return member_of(row) if row is not None else None

        return await self._database.read(work)

    async def change(self, tenant_id: str, member_id: str, edit: MemberEdit, by: Principal | None = None) -> Member:
        async def work(transaction: Transaction) -> Member:
            connection, which = transaction.connection, {"tenant": tenant_id, "member": member_id}
            await lock_tenant(connection, tenant_id)
            row = await _GET.row(connection, **which)
            if row is None:
                raise NotFoundError(f"There is no member {member_id}.")
            before = member_of(row)
            after = edit(before, transaction.now)
            check_owners(before, after, await _count(transaction, _OWNERS, tenant_id))
            if after is None:
                await _DELETE.change(connection, **which)
            else:
                cells = member_row(after)
                await _UPDATE.change(connection, **which, **{f"new_{name}": cells[name] for name in _CHANGED})
            if not keeps_sessions(before, after):
                # Last: this waited above for whoever was coming in, and sees their sessions only now.
                await _SIGN_OUT.change(connection, member=member_id)
                await _TAKE_LINK.change(connection, member=member_id)
            await record(transaction, member_entry(by, transaction.now, before, after))
            return after or before

        return await self._database.write(work)


async def insert_member(transaction: Transaction, member: Member) -> None:
    """Write a new member. Raises ConflictError for a login that is taken."""
    connection = transaction.connection
    if not await _INSERT.change(connection, **member_row(member)):
        raise ConflictError(f"There is a member {member.login} already; choose another login.")


async def _count(transaction: Transaction, counting: Query, tenant_id: str) -> int:
    row = await counting.row(transaction.connection, tenant=tenant_id)
    return number_at(row, "count")
