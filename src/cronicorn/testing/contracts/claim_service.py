"""The promises of `ClaimService`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from hashlib import sha256

import pytest

from cronicorn.domain.claims import Claim
from cronicorn.domain.ports import ClaimService

TTL = timedelta(seconds=1)
"""A whole second, since etcd counts no others."""
LONG = timedelta(minutes=1)
GRACE = timedelta(seconds=5)
"""How much longer than asked for a service may keep what nobody renews."""


class ClaimServiceContract:
    """Subclass this with a `service` fixture. Time is real unless `pass_time` says otherwise."""

    @pytest.fixture
    async def service(self) -> ClaimService | AsyncIterator[ClaimService]:
        """An empty service. Override this."""
        raise NotImplementedError

    @pytest.fixture
    def pass_time(self) -> Callable[[timedelta], object]:
        """Lets time pass, in the eyes of the service."""
        return lambda length: asyncio.sleep(length.total_seconds())

    async def test_a_free_key_is_taken_and_a_held_one_is_not(self, service: ClaimService) -> None:
        first = await service.acquire([a_claim("a"), a_claim("b")], ttl=LONG)
        second = await service.acquire([a_claim("b", 2), a_claim("c", 2)], ttl=LONG)

        assert first.keys() == {a_claim("a").claim_id, a_claim("b").claim_id}
        assert second.keys() == {a_claim("c", 2).claim_id}

    async def test_nothing_is_asked_for_nothing(self, service: ClaimService) -> None:
        assert await service.acquire([], ttl=LONG) == {}
        assert service.renew([], ttl=LONG) == service.revive([], ttl=LONG) == frozenset()
        await service.release([])

    async def test_of_many_claimants_at_the_same_time_each_key_has_one(self, service: ClaimService) -> None:
        keys = [f"ep{number}" for number in range(20)]

        async def claim_all(claimant: int) -> list[str]:
            claims = [a_claim(key, claimant) for key in keys[claimant:] + keys[:claimant]]
            taken = await service.acquire(claims, ttl=LONG)
            return [claim.key for claim in claims if claim.claim_id in taken]

        won = await asyncio.gather(*(claim_all(claimant) for claimant in range(8)))

        assert sorted(key for part in won for key in part) == sorted(keys)

    async def test_asking_again_for_what_one_holds_is_answered_alike(self, service: ClaimService) -> None:
        first = await service.acquire([a_claim("a")], ttl=LONG)
        again = await service.acquire([a_claim("a")], ttl=LONG)

        assert again.keys() == first.keys()
        assert again[a_claim("a").claim_id] >= first[a_claim("a").claim_id]

    async def test_a_claim_that_nobody_renews_expires_and_not_before_its_time(
        self, service: ClaimService, pass_time: Callable[[timedelta], object]
    ) -> None:
        await service.acquire([a_claim("a")], ttl=TTL)

        waited = await _until_free(service, "a", pass_time)

        assert TTL - timedelta(seconds=0.2) <= waited <= TTL + GRACE
        assert service.renew([a_claim("a")], ttl=TTL) == frozenset()

    async def test_a_renewed_claim_outlives_its_time(
        self, service: ClaimService, pass_time: Callable[[timedelta], object]
    ) -> None:
        await service.acquire([a_claim("a")], ttl=TTL)

        for _ in range(4):
            await _passed(pass_time, TTL / 2)
            assert service.renew([a_claim("a")], ttl=TTL) == {a_claim("a").claim_id}

        assert await service.acquire([a_claim("a", 2)], ttl=TTL) == {}

    async def test_what_was_lost_is_revived_unless_another_holds_it(
        self, service: ClaimService, pass_time: Callable[[timedelta], object]
    ) -> None:
        await service.acquire([a_claim("a"), a_claim("b")], ttl=TTL)
        await _until_free(service, "b", pass_time)
        await _until_free(service, "a", pass_time)
        await service.release([a_claim("a", 2)])

        revived = service.revive([a_claim("a"), a_claim("b"), a_claim("c")], ttl=LONG)

        assert revived == {a_claim("a").claim_id, a_claim("c").claim_id}
        assert service.renew([a_claim("a"), a_claim("b")], ttl=LONG) == {a_claim("a").claim_id}
        assert await service.acquire([a_claim("a", 3)], ttl=LONG) == {}

    async def test_renewing_works_from_another_thread_while_the_loop_is_busy_with_others(
        self, service: ClaimService
    ) -> None:
        await service.acquire([a_claim("a")], ttl=LONG)

        held, _ = await asyncio.gather(
            asyncio.to_thread(service.renew, [a_claim("a")], ttl=LONG), service.acquire([a_claim("b")], ttl=LONG)
        )

        assert held == {a_claim("a").claim_id}

    async def test_renewing_names_only_what_is_held_by_that_very_claim(self, service: ClaimService) -> None:
        await service.acquire([a_claim("a"), a_claim("b")], ttl=LONG)
        await service.release([a_claim("b")])
        await service.acquire([a_claim("b", 2)], ttl=LONG)

        held = service.renew([a_claim("a"), a_claim("b"), a_claim("b", 2), a_claim("c")], ttl=LONG)

        assert held == {a_claim("a").claim_id, a_claim("b", 2).claim_id}

    async def test_a_released_key_is_free_at_once(self, service: ClaimService) -> None:
        await service.acquire([a_claim("a")], ttl=LONG)
        await service.release([a_claim("a"), a_claim("never")])

        assert await service.acquire([a_claim("a", 2)], ttl=LONG)
        assert service.renew([a_claim("a")], ttl=LONG) == frozenset()

    async def test_a_stale_release_leaves_the_successor_alone(self, service: ClaimService) -> None:
        await service.acquire([a_claim("a")], ttl=LONG)
        await service.release([a_claim("a")])
        await service.acquire([a_claim("a", 2)], ttl=LONG)

        await service.release([a_claim("a")])

        assert await service.acquire([a_claim("a", 3)], ttl=LONG) == {}

    async def test_tokens_of_a_key_grow_from_claim_to_claim(self, service: ClaimService) -> None:
        tokens = []
        for claimant in range(5):
            claim = a_claim("a", claimant)
            tokens.append((await service.acquire([claim], ttl=LONG))[claim.claim_id])
            await service.release([claim])

        assert tokens == sorted(set(tokens))
        assert tokens[0] > 0

    async def test_keys_may_hold_any_text(self, service: ClaimService) -> None:
        claims = [a_claim(key) for key in ("ü", "a b", "{a}", "a/b", "a:b", "")]

        taken = await service.acquire(claims, ttl=LONG)

        assert service.renew(claims, ttl=LONG) == taken.keys() == {claim.claim_id for claim in claims}


def a_claim(key: str, claimant: int = 1) -> Claim:
    """The claim of a claimant on a key: always the same."""
    return Claim(key=key, claim_id=sha256(f"{key} {claimant}".encode()).hexdigest()[:32])


async def _until_free(
    service: ClaimService, key: str, pass_time: Callable[[timedelta], object], claimant: int = 2
) -> timedelta:
    """How long it takes until another claimant gets *key*."""
    waited, step = timedelta(0), timedelta(seconds=0.1)
    while not await service.acquire([a_claim(key, claimant)], ttl=TTL):
        assert waited < TTL + 2 * GRACE
        await _passed(pass_time, step)
        waited += step
    return waited


async def _passed(pass_time: Callable[[timedelta], object], length: timedelta) -> None:
    passing = pass_time(length)
    if asyncio.iscoroutine(passing):
        await passing
