"""Claims in a real etcd, and what becomes of them when it stops, freezes or forgets."""

import shutil

import pytest

from cronicorn.adapters.etcd.claim_service import EtcdClaimService
from cronicorn.domain.errors import InvalidInputError
from cronicorn.testing.contracts.claim_service import LONG, ClaimServiceContract, a_claim
from tests.adapters.claim_service_faults import TIMEOUT, ClaimServiceFaults
from tests.servers.etcd import etcd_server
from tests.servers.process import free_port


@pytest.fixture(scope="module")
def shared_server():
    with etcd_server() as server:
        yield server


class TestEtcdClaims(ClaimServiceContract):
    @pytest.fixture
    async def service(self, shared_server, request):
        service = EtcdClaimService.open(f"http://{shared_server.address}", prefix=request.node.name)
        yield service
        await service.aclose()


class TestEtcdFaults(ClaimServiceFaults):
    @pytest.fixture
    def server(self):
        with etcd_server() as server:
            yield server

    @pytest.fixture
    async def service(self, server):
        service = EtcdClaimService.open(f"http://{server.address}", prefix="faults", timeout=TIMEOUT)
        yield service
        await service.aclose()

    @pytest.fixture
    def forget(self, server):
        return lambda: shutil.rmtree(server._folder / "data")


async def test_installations_that_share_a_server_do_not_see_one_another(shared_server):
    url = f"http://{shared_server.address}"
    services = [EtcdClaimService.open(url, prefix=f"installation {number}") for number in range(2)]

    taken = [await service.acquire([a_claim("a")], ttl=LONG) for service in services]

    assert all(taken)
    for service in services:
        await service.aclose()


class CannotRevoke(EtcdClaimService):
    """Has a server for everything but the end of leases."""

    def _revocations(self, claims):
        return EtcdClaimService.open(f"http://127.0.0.1:{free_port()}", prefix="x")._revocations(claims)


async def test_what_was_taken_is_answered_although_the_leases_of_the_others_could_not_be_ended(shared_server):
    url = f"http://{shared_server.address}"
    holder = EtcdClaimService.open(url, prefix="losers")
    service = CannotRevoke.open(url, prefix="losers")
    await holder.acquire([a_claim("a")], ttl=LONG)

    taken = await service.acquire([a_claim("a", 2), a_claim("b", 2)], ttl=LONG)
    revived = service.revive([a_claim("a", 2), a_claim("b", 2)], ttl=LONG)

    assert taken.keys() == revived == {a_claim("b", 2).claim_id}
    for each in (holder, service):
        await each.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "localhost:2379",
        "",
        "http://",
        "http://me:s3cret@localhost",
        "http://h:99999",
        "http://h/path",
    ],
)
def test_an_address_that_names_no_etcd_is_refused(url):
    with pytest.raises(InvalidInputError) as raised:
        EtcdClaimService.open(url, prefix="x")

    assert "s3cret" not in str(raised.value)
