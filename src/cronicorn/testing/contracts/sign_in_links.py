"""The promises of `SignInLinks`."""

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest

from cronicorn.domain.access.audit_entry import AuditQuery
from cronicorn.domain.access.member import LINK_LIFE, Member, SignedIn, SignInLink
from cronicorn.domain.access.ports import Enter
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.permission import Operation, Role
from cronicorn.domain.principal import Principal
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.access import OTHER, a_member, a_session, doing
from cronicorn.testing.contracts.issued_keys import settle_in
from cronicorn.testing.contracts.stores import MINUTE, TENANT, Stores, StoresContract


def a_link(member: Member, text: str = "one") -> SignInLink:
    """A link of *member*, made at midnight."""
    return SignInLink(hash=f"link-{text}", member_id=member.id, ends_at=MIDNIGHT + LINK_LIFE)


def entering(text: str = "one") -> Enter:
    """Begins the session `hash-<text>`."""

    def enter(member: Member, _now: datetime) -> tuple[SignedIn, Principal]:
        return a_session(member, text), doing(Operation.ACCOUNT_SIGN_IN_BY_LINK)

    return enter


class SignInLinksContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_link_signs_its_member_in_once(self, stores: Stores) -> None:
        ann = await _offered(stores)

        entered = await stores.sign_in_links.redeem("link-one", entering())
        with pytest.raises(NotFoundError):
            await stores.sign_in_links.redeem("link-one", entering("two"))

        assert entered == ann
        assert await stores.signed_in.find("hash-one") == (a_session(ann), ann)
        assert await stores.signed_in.find("hash-two") is None

    async def test_of_many_who_come_at_once_a_single_one_comes_in(self, stores: Stores) -> None:
        await _offered(stores)

        outcomes = await asyncio.gather(
            *(stores.sign_in_links.redeem("link-one", entering(str(number))) for number in range(8)),
            return_exceptions=True,
        )

        assert sum(isinstance(outcome, NotFoundError) for outcome in outcomes) == 7
        sessions = [await stores.signed_in.find(f"hash-{number}") for number in range(8)]
        assert sum(session is not None for session in sessions) == 1

    async def test_a_link_is_not_used_up_where_no_session_begins(self, stores: Stores) -> None:
        await _offered(stores)

        def fail(_member: Member, _now: datetime) -> tuple[SignedIn, Principal]:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await stores.sign_in_links.redeem("link-one", fail)

        await stores.sign_in_links.redeem("link-one", entering())

    async def test_a_link_ends_by_the_stores_clock(self, stores: Stores, clock: VirtualClock) -> None:
        ann = await _offered(stores)
        seen: list[datetime] = []

        def enter(member: Member, now: datetime) -> tuple[SignedIn, Principal]:
            seen.append(now)
            return a_session(member), doing(Operation.ACCOUNT_SIGN_IN_BY_LINK)

        clock.advance(LINK_LIFE)
        with pytest.raises(NotFoundError):
            await stores.sign_in_links.redeem("link-one", enter)
        await stores.sign_in_links.offer(replace(a_link(ann, "two"), ends_at=clock.now() + MINUTE), ann)
        await stores.sign_in_links.redeem("link-two", enter)

        assert seen == [clock.now()]

    async def test_another_link_takes_the_place_of_the_one_before(self, stores: Stores) -> None:
        ann = await _offered(stores)
        bob = a_member("bob")
        await stores.members.add(bob, 10)
        await stores.sign_in_links.offer(a_link(bob, "bob"), bob)

        await stores.sign_in_links.offer(a_link(ann, "two"), ann)

        with pytest.raises(NotFoundError):
            await stores.sign_in_links.redeem("link-one", entering())
        assert await stores.sign_in_links.redeem("link-two", entering("two")) == ann
        assert await stores.sign_in_links.redeem("link-bob", entering("bob")) == bob

    @pytest.mark.parametrize("changed", [{"password": OTHER}, {"role": Role.OWNER}, {"runs_installation": True}])
    async def test_whoever_is_another_by_now_is_neither_offered_a_link_nor_let_in_by_one(
        self, stores: Stores, changed: dict[str, object]
    ) -> None:
        ann = await _offered(stores)

        await stores.members.change(TENANT, ann.id, lambda before, now: replace(before, **changed))  # type: ignore[arg-type]

        with pytest.raises(NotFoundError):
            await stores.sign_in_links.redeem("link-one", entering())
        with pytest.raises(ConflictError):
            await stores.sign_in_links.offer(a_link(ann, "two"), ann)

    async def test_links_go_with_their_member(self, stores: Stores) -> None:
        ann = await _offered(stores)

        await stores.members.change(TENANT, ann.id, lambda before, now: None)

        with pytest.raises(NotFoundError):
            await stores.sign_in_links.redeem("link-one", entering())
        with pytest.raises(ConflictError):
            await stores.sign_in_links.offer(a_link(ann, "two"), ann)

    async def test_a_member_who_is_changed_while_coming_in_is_out_afterwards(self, stores: Stores) -> None:
        """Whichever is first: nobody is left inside with what no longer holds, and nobody waits for ever."""
        ann = await _offered(stores)

        await asyncio.gather(
            stores.members.change(TENANT, ann.id, lambda before, now: replace(before, password=OTHER)),
            stores.sign_in_links.redeem("link-one", entering()),
            return_exceptions=True,
        )

        found = await stores.members.find(ann.login)
        assert found is not None
        assert found.password == OTHER
        assert await stores.signed_in.find("hash-one") is None
        with pytest.raises(NotFoundError):
            await stores.sign_in_links.redeem("link-one", entering("two"))

    async def test_the_audit_log_tells_of_links_and_of_nothing_in_them(self, stores: Stores) -> None:
        await _offered(stores)
        await stores.sign_in_links.redeem("link-one", entering())

        used, offered = await stores.audit_log.list(TENANT, AuditQuery(limit=10))

        assert (used.action, used.object_id) == ("account.sign_in_by_link", "member-ann")
        assert (offered.action, offered.object_id) == ("member.offer_link", "member-ann")
        assert "link-one" not in repr((used, offered))


async def _offered(stores: Stores) -> Member:
    """A member with a link."""
    await settle_in(stores)
    ann = a_member()
    await stores.members.add(ann, 10)
    await stores.sign_in_links.offer(a_link(ann), ann, doing(Operation.MEMBER_OFFER_LINK))
    return ann
