"""Links that sign in once, in a SQLite file."""

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from cronicorn.adapters.sqlite.audit_log import record
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.queries import query
from cronicorn.adapters.sqlite.signed_in_store import begin
from cronicorn.adapters.sqlite.tenant_schema import members, sign_in_links
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.access.audit_views import link_entry
from cronicorn.domain.access.member import Member, SignInLink
from cronicorn.domain.access.membership import check_offered
from cronicorn.domain.access.ports import Enter, SignInLinks
from cronicorn.domain.access.rows import link_of, link_row, member_of
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.fields import us
from cronicorn.domain.principal import Principal

_NEW = insert(sign_in_links).values({column.name: bindparam(column.name) for column in sign_in_links.c})
_PUT = query(
    _NEW.on_conflict_do_update(
        index_elements=["member_id"], set_={"hash": _NEW.excluded.hash, "ends_us": _NEW.excluded.ends_us}
    )
)
_THIS = sign_in_links.c.hash == bindparam("wanted")
_GET = query(select(sign_in_links).where(_THIS))
_USE_UP = query(delete(sign_in_links).where(_THIS))
_FORGET = query(delete(sign_in_links).where(sign_in_links.c.ends_us <= bindparam("now_us")))
_MEMBER = query(select(members).where(members.c.id == bindparam("member")))


class SqliteSignInLinks(SignInLinks):
    """Keeps links by the members whom they sign in."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def offer(self, link: SignInLink, member: Member, by: Principal | None = None) -> None:
        def work(transaction: Transaction) -> None:
            row = _MEMBER.row(transaction.connection, member=member.id)
            check_offered(member, member_of(row) if row is not None else None)
            _FORGET.change(transaction.connection, now_us=us(transaction.now))
            _PUT.change(transaction.connection, **link_row(link))
            record(transaction, link_entry(by, transaction.now, link))

        await self._database.write(work)

    async def redeem(self, link_hash: str, enter: Enter) -> Member:
        def work(transaction: Transaction) -> Member:
            found = _GET.row(transaction.connection, wanted=link_hash)
            if found is None or not link_of(found).holds(transaction.now):
                raise NotFoundError("There is no such link.")
            row = _MEMBER.row(transaction.connection, member=link_of(found).member_id)
            # Whoever came first, or changed the member meanwhile, left none.
            if row is None or not _USE_UP.change(transaction.connection, wanted=link_hash):
                raise NotFoundError("There is no such link.")
            member = member_of(row)
            session, by = enter(member, transaction.now)
            begin(transaction, session, by)
            return member

        return await self._database.write(work)
