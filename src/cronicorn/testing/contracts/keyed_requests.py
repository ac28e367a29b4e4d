"""The promises of `KeyedRequests`."""

import asyncio
from datetime import timedelta

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.repeating.keyed import KeptAnswer, KeyedRequest, KnownRequest
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, OTHER_TENANT, TENANT, Stores, StoresContract

HOUR = timedelta(hours=1)
ANSWER = KeptAnswer(status=201, fields=(("content-type", "application/json"),), body='{"name": "ü"}')


class KeyedRequestsContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_key_belongs_to_the_request_that_came_first(self, stores: Stores, clock: VirtualClock) -> None:
        first = await stores.keyed_requests.begin(_request(), HOUR)
        clock.advance(MINUTE)
        second = await stores.keyed_requests.begin(_request(claim_id="c2", fingerprint="other"), HOUR)
        await stores.keyed_requests.end(_request(), ANSWER)
        third = await stores.keyed_requests.begin(_request(claim_id="c3"), HOUR)

        now = MIDNIGHT + MINUTE
        assert first is None
        assert second == KnownRequest(fingerprint="same", begun_at=MIDNIGHT, now=now, answer=None)
        assert third == KnownRequest(fingerprint="same", begun_at=MIDNIGHT, now=now, answer=ANSWER)

    async def test_of_many_at_once_one_begins(self, stores: Stores) -> None:
        requests = [_request(claim_id=f"c{number}") for number in range(10)]

        begun = await asyncio.gather(*(stores.keyed_requests.begin(request, HOUR) for request in requests))

        assert begun.count(None) == 1
        assert {known.fingerprint for known in begun if known is not None} == {"same"}

    async def test_what_is_withdrawn_may_begin_again(self, stores: Stores) -> None:
        await stores.keyed_requests.begin(_request(), HOUR)

        await stores.keyed_requests.withdraw(_request(claim_id="another"))
        kept = await stores.keyed_requests.begin(_request(claim_id="c2"), HOUR)
        await stores.keyed_requests.withdraw(_request())

        assert kept is not None
        assert await stores.keyed_requests.begin(_request(claim_id="c3"), HOUR) is None

    async def test_an_answer_is_kept_of_whoever_began_and_of_nobody_else(self, stores: Stores) -> None:
        await stores.keyed_requests.begin(_request(), HOUR)

        await stores.keyed_requests.end(_request(claim_id="another"), ANSWER)
        unanswered = await stores.keyed_requests.begin(_request(claim_id="c2"), HOUR)
        await stores.keyed_requests.end(_request(), ANSWER)
        await stores.keyed_requests.withdraw(_request())
        answered = await stores.keyed_requests.begin(_request(claim_id="c3"), HOUR)

        assert unanswered is not None
        assert answered is not None
        assert (unanswered.answer, answered.answer) == (None, ANSWER)

    async def test_a_key_is_free_again_when_its_time_has_passed(self, stores: Stores, clock: VirtualClock) -> None:
        await stores.keyed_requests.begin(_request(), HOUR)
        await stores.keyed_requests.end(_request(), ANSWER)
        clock.advance(HOUR)

        assert await stores.keyed_requests.begin(_request(claim_id="c2"), HOUR) is None
        known = await stores.keyed_requests.begin(_request(claim_id="c3"), HOUR)
        assert known is not None
        assert known.answer is None

    async def test_each_tenant_has_keys_of_its_own(self, stores: Stores) -> None:
        await stores.keyed_requests.begin(_request(), HOUR)

        assert await stores.keyed_requests.begin(_request(tenant_id=OTHER_TENANT), HOUR) is None
        assert await stores.keyed_requests.begin(_request(key="k2"), HOUR) is None


def _request(
    *, tenant_id: str = TENANT, key: str = "k1", fingerprint: str = "same", claim_id: str = "c1"
) -> KeyedRequest:
    return KeyedRequest(tenant_id=tenant_id, key=key, fingerprint=fingerprint, claim_id=claim_id)
