"""Links that sign in once, in memory."""

from cronicorn.adapters.memory.audit_log import record
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.signed_in_store import begin
from cronicorn.domain.access.audit_views import link_entry
from cronicorn.domain.access.member import Member, SignInLink
from cronicorn.domain.access.membership import check_offered
from cronicorn.domain.access.ports import Enter, SignInLinks
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.principal import Principal


class MemorySignInLinks(SignInLinks):
    """Keeps links by the members whom they sign in."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def offer(self, link: SignInLink, member: Member, by: Principal | None = None) -> None:
        with self._database.lock:
            check_offered(member, self._database.members.get(member.id))
            now, links = self._database.clock.now(), self._database.sign_in_links
            for ended in [each.member_id for each in links.values() if not each.holds(now)]:
                del links[ended]
            links[member.id] = link
            record(self._database, link_entry(by, now, link))

    async def redeem(self, link_hash: str, enter: Enter) -> Member:
        with self._database.lock:
            now, links = self._database.clock.now(), self._database.sign_in_links
            link = next((each for each in links.values() if each.hash == link_hash), None)
            if link is None or not link.holds(now):
                raise NotFoundError("There is no such link.")
            member = self._database.members[link.member_id]
            session, by = enter(member, now)
            del links[member.id]
            begin(self._database, session, by)
            return member
