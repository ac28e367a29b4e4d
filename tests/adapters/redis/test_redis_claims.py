"""Claims in a real Valkey, and what becomes of them when it stops, freezes or forgets."""

import shutil

import pytest

from cronicorn.adapters.redis.claim_service import RedisClaimService
from cronicorn.domain.errors import InvalidInputError, UnavailableError
from cronicorn.testing.contracts.claim_service import LONG, ClaimServiceContract, a_claim
from tests.adapters.claim_service_faults import TIMEOUT, ClaimServiceFaults, heals
from tests.servers.valkey import valkey_server


@pytest.fixture(scope="module")
def shared_server():
    with valkey_server() as server:
        yield server


class TestRedisClaims(ClaimServiceContract):
    @pytest.fixture
    async def service(self, shared_server, request):
        service = RedisClaimService.open(shared_server.url, prefix=request.node.name)
        yield service
        await service.aclose()


class TestRedisFaults(ClaimServiceFaults):
    @pytest.fixture
    def server(self):
        with valkey_server() as server:
            yield server

    @pytest.fixture
    async def service(self, server):
        service = RedisClaimService.open(server.url, prefix="faults", timeout=TIMEOUT)
        yield service
        await service.aclose()

    @pytest.fixture
    def forget(self, server):
        return lambda: shutil.rmtree(server._folder / "appendonlydir")

    async def test_tokens_grow_even_when_the_server_has_lost_its_data(self, server, service, forget):
        before = await service.acquire([a_claim("a")], ttl=LONG)
        server.stop()
        forget()
        server.start()
        await heals(service)

        after = await service.acquire([a_claim("a", 2)], ttl=LONG)

        assert max(before.values()) < min(after.values())


async def test_installations_that_share_a_server_do_not_see_one_another(shared_server):
    services = [RedisClaimService.open(shared_server.url, prefix=f"installation {number}") for number in range(2)]

    taken = [await service.acquire([a_claim("a", number)], ttl=LONG) for number, service in enumerate(services)]

    assert all(taken)
    for service in services:
        await service.aclose()


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "", "redis://localhost:port"])
def test_an_address_that_names_no_redis_is_refused(url):
    with pytest.raises(InvalidInputError, match="redis://HOST:PORT/NUMBER"):
        RedisClaimService.open(url, prefix="x")


async def test_a_wrong_password_is_said_and_not_shown(shared_server):
    url = shared_server.url.replace("redis://", "redis://somebody:s3cret@")
    service = RedisClaimService.open(url, prefix="x")

    with pytest.raises(UnavailableError) as raised:
        await service.acquire([a_claim("a")], ttl=LONG)

    assert "s3cret" not in str(raised.value)
    assert "WRONGPASS" in str(raised.value) or "username-password" in str(raised.value)
    await service.aclose()
