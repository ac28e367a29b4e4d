"""The quota in a real Valkey keeps the promises of its ports."""

import pytest

from cronicorn.adapters.redis.quota import RedisPlace, RedisQuota
from cronicorn.domain.errors import InvalidInputError, UnavailableError
from cronicorn.domain.quota.decision import Mode
from cronicorn.testing.contracts.quota import QuotaContract
from cronicorn.testing.contracts.quota_books import grant, standing, tiers
from tests.servers.valkey import valkey_server

NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture(scope="module")
def shared_server():
    with valkey_server() as server:
        yield server


class TestRedisQuota(QuotaContract):
    @pytest.fixture
    async def open_quota(self, clock, shared_server, request):
        opened = []

        async def open_another(terms, mode):
            prefix = request.node.name.replace("{", "").replace("}", "")
            opened.append(RedisPlace.open(shared_server.url, prefix=prefix, judge=clock))
            return RedisQuota(opened[-1], terms, mode)

        yield open_another
        for place in opened:
            await place.aclose()

    async def test_what_has_ended_goes_by_itself_and_what_is_reserved_stays(self, quota):
        ended, reserved = await grant(quota, "k1"), await grant(quota, "k2")
        await quota.commit(ended, 1)
        await quota.record_usage("t2", 1)

        client = quota._look.registered_client
        lives = {key.decode().partition("quota:")[2]: await client.pttl(key) for key in await _keys(quota)}

        assert {key: life > 0 for key, life in lives.items()} == {
            key: key not in {f"grant:{reserved}", "open:t1"} for key in lives
        }
        assert len(lives) == 6


async def _keys(quota):
    return await quota._look.registered_client.keys(quota._prefix.replace("[", "\\[") + "*")


async def test_installations_that_share_a_server_do_not_see_one_another(shared_server):
    places = [RedisPlace.open(shared_server.url, prefix=f"installation {number}") for number in range(2)]
    first, second = (RedisQuota(place, tiers()) for place in places)
    await grant(first)

    assert (await standing(first), await standing(second)) == ((0, 100), (0, 0))
    for place in places:
        await place.aclose()


def test_the_mode_advisory_is_refused_with_a_word_what_to_choose():
    with pytest.raises(InvalidInputError, match="no mode advisory: choose reserve"):
        RedisQuota(RedisPlace.open(NOWHERE, prefix="x"), tiers(), Mode.ADVISORY)


async def test_a_server_that_is_not_there_is_unavailable():
    quota = RedisQuota(RedisPlace.open(NOWHERE, prefix="x"), tiers())

    with pytest.raises(UnavailableError, match="Redis can't be used for quotas"):
        await quota.commit("0" * 32, 1)
    with pytest.raises(UnavailableError):
        await quota.remaining("t1")
