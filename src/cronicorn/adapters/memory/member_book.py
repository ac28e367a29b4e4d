"""The people of tenants in memory."""

from collections.abc import Sequence

from cronicorn.adapters.memory.audit_log import record
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.access.audit_views import member_entry
from cronicorn.domain.access.member import Member
from cronicorn.domain.access.membership import check_members, check_owners, keeps_sessions
from cronicorn.domain.access.ports import MemberBook, MemberEdit
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.permission import Role
from cronicorn.domain.principal import Principal


class MemoryMemberBook(MemberBook):
    """Keeps members."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def add(self, member: Member, members_max: int, by: Principal | None = None) -> None:
        with self._database.lock:
            self._database.tenant(member.tenant_id)
            check_members(len(self._of(member.tenant_id)), members_max)
            insert_member(self._database, member)
            record(self._database, member_entry(by, self._database.clock.now(), None, member))

    async def list(self, tenant_id: str) -> Sequence[Member]:
        with self._database.lock:
            return sorted(self._of(tenant_id), key=lambda member: (member.created_at, member.id))

    async def find(self, login: str) -> Member | None:
        with self._database.lock:
            return next((member for member in self._database.members.values() if member.login == login), None)

    async def change(self, tenant_id: str, member_id: str, edit: MemberEdit, by: Principal | None = None) -> Member:
        with self._database.lock:
            before = self._database.members.get(member_id)
            if before is None or before.tenant_id != tenant_id:
                raise NotFoundError(f"There is no member {member_id}.")
            now = self._database.clock.now()
            after = edit(before, now)
            check_owners(before, after, sum(member.role is Role.OWNER for member in self._of(tenant_id)))
            sessions = self._database.signed_in
            if not keeps_sessions(before, after):
                for ended in [each.hash for each in sessions.values() if each.member_id == member_id]:
                    del sessions[ended]
                self._database.sign_in_links.pop(member_id, None)
            if after is None:
                del self._database.members[member_id]
            else:
                self._database.members[member_id] = after
            record(self._database, member_entry(by, now, before, after))
            return after or before

    def _of(self, tenant_id: str) -> Sequence[Member]:
        return [member for member in self._database.members.values() if member.tenant_id == tenant_id]


def insert_member(database: MemoryDatabase, member: Member) -> None:
    """Write a new member. Raises ConflictError for a login that is taken."""
    if any(member.login == other.login or member.id == other.id for other in database.members.values()):
        raise ConflictError(f"There is a member {member.login} already; choose another login.")
    database.members[member.id] = member
