"""The sessions in which members are signed in, in a SQLite file."""

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, or_, select, update

from cronicorn.adapters.sqlite.audit_log import record
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.queries import query
from cronicorn.adapters.sqlite.tenant_schema import members, signed_in
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.access.audit_views import session_entry
from cronicorn.domain.access.member import SESSION_IDLE_MAX, SESSION_LIFE_MAX, Member, SignedIn
from cronicorn.domain.access.membership import check_still
from cronicorn.domain.access.ports import SignedInStore
from cronicorn.domain.access.rows import member_of, session_of, session_row
from cronicorn.domain.fields import us
from cronicorn.domain.principal import Principal

_THIS = signed_in.c.hash == bindparam("wanted")
_MEMBER = query(select(members).where(members.c.id == bindparam("member")))
_INSERT = query(insert(signed_in).values({column.name: bindparam(column.name) for column in signed_in.c}))
_GET = query(select(signed_in).where(_THIS))
_SEEN = query(
    update(signed_in).values(seen_us=bindparam("at_us")).where(_THIS, signed_in.c.seen_us < bindparam("at_us"))
)
_END = query(delete(signed_in).where(_THIS))
_END_ALL = query(delete(signed_in).where(signed_in.c.member_id == bindparam("member")))
_FORGET = query(
    delete(signed_in).where(
        or_(signed_in.c.seen_us <= bindparam("unused_us"), signed_in.c.created_us <= bindparam("begun_us"))
    )
)


class SqliteSignedInStore(SignedInStore):
    """Keeps sessions, by the hashes of what browsers show."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def begin(self, session: SignedIn, member: Member, by: Principal | None = None) -> None:
        def work(transaction: Transaction) -> None:
            row = _MEMBER.row(transaction.connection, member=member.id)
            check_still(member, member_of(row) if row is not None else None)
            begin(transaction, session, by)

        await self._database.write(work)

    async def find(self, session_hash: str) -> tuple[SignedIn, Member] | None:
        def work(transaction: Transaction) -> tuple[SignedIn, Member] | None:
            row = _GET.row(transaction.connection, wanted=session_hash)
            if row is None:
                return None
            session = session_of(row)
            member = _MEMBER.row(transaction.connection, member=session.member_id)
            assert member is not None
            return session, member_of(member)

        return await self._database.read(work)

    async def seen(self, session_hash: str, at: datetime) -> None:
        def work(transaction: Transaction) -> None:
            _SEEN.change(transaction.connection, wanted=session_hash, at_us=us(at))

        await self._database.write(work)

    async def end(self, session_hash: str, by: Principal | None = None) -> None:
        def work(transaction: Transaction) -> None:
            row = _GET.row(transaction.connection, wanted=session_hash)
            if row is not None:
                _END.change(transaction.connection, wanted=session_hash)
                record(transaction, session_entry(by, transaction.now, session_of(row).member_id))

        await self._database.write(work)

    async def end_all(self, member_id: str, by: Principal | None = None) -> None:
        def work(transaction: Transaction) -> None:
            if _END_ALL.change(transaction.connection, member=member_id):
                record(transaction, session_entry(by, transaction.now, member_id))

        await self._database.write(work)


def begin(transaction: Transaction, session: SignedIn, by: Principal | None) -> None:
    """Write a new session; those that have ended are forgotten."""
    connection, now = transaction.connection, transaction.now
    _FORGET.change(connection, unused_us=us(now - SESSION_IDLE_MAX), begun_us=us(now - SESSION_LIFE_MAX))
    _INSERT.change(connection, **session_row(session))
    record(transaction, session_entry(by, now, session.member_id))
