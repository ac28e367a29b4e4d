"""The sessions in which members are signed in, in memory."""

from dataclasses import replace
from datetime import datetime

from cronicorn.adapters.memory.audit_log import record
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.access.audit_views import session_entry
from cronicorn.domain.access.member import Member, SignedIn
from cronicorn.domain.access.membership import check_still
from cronicorn.domain.access.ports import SignedInStore
from cronicorn.domain.principal import Principal


class MemorySignedInStore(SignedInStore):
    """Keeps sessions, by the hashes of what browsers show."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def begin(self, session: SignedIn, member: Member, by: Principal | None = None) -> None:
        with self._database.lock:
            check_still(member, self._database.members.get(member.id))
            begin(self._database, session, by)

    async def find(self, session_hash: str) -> tuple[SignedIn, Member] | None:
        with self._database.lock:
            session = self._database.signed_in.get(session_hash)
            return None if session is None else (session, self._database.members[session.member_id])

    async def seen(self, session_hash: str, at: datetime) -> None:
        with self._database.lock:
            session = self._database.signed_in.get(session_hash)
            if session is not None and session.seen_at < at:
                self._database.signed_in[session_hash] = replace(session, seen_at=at)

    async def end(self, session_hash: str, by: Principal | None = None) -> None:
        with self._database.lock:
            session = self._database.signed_in.pop(session_hash, None)
            if session is not None:
                record(self._database, session_entry(by, self._database.clock.now(), session.member_id))

    async def end_all(self, member_id: str, by: Principal | None = None) -> None:
        with self._database.lock:
            sessions = self._database.signed_in
            ended = [each.hash for each in sessions.values() if each.member_id == member_id]
            for each in ended:
                del sessions[each]
            if ended:
                record(self._database, session_entry(by, self._database.clock.now(), member_id))


def begin(database: MemoryDatabase, session: SignedIn, by: Principal | None) -> None:
    """Write a new session; those that have ended are forgotten. Whoever calls it holds the lock."""
    now, sessions = database.clock.now(), database.signed_in
    for ended in [each.hash for each in sessions.values() if not each.holds(now)]:
        del sessions[ended]
    sessions[session.hash] = session
    record(database, session_entry(by, now, session.member_id))
