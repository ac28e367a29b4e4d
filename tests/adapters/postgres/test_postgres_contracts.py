"""The stores in PostgreSQL keep the promises of their ports. The job store has tests of its own."""

import pytest

from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.testing.contracts.access import AuditLogContract, MemberBookContract, SignedInStoreContract
from cronicorn.testing.contracts.alerts import AlertsContract
from cronicorn.testing.contracts.catalogs import EndpointCatalogContract, JobCatalogContract
from cronicorn.testing.contracts.drafts import DraftsContract
from cronicorn.testing.contracts.endpoint_finder import EndpointFinderContract
from cronicorn.testing.contracts.endpoint_room import EndpointRoomContract
from cronicorn.testing.contracts.file_sets import FileSetBookContract
from cronicorn.testing.contracts.flow_book import FlowBookContract
from cronicorn.testing.contracts.issued_keys import IssuedKeysContract
from cronicorn.testing.contracts.key_ring import KeyRingContract
from cronicorn.testing.contracts.keychains import KeychainsContract
from cronicorn.testing.contracts.keyed_requests import KeyedRequestsContract
from cronicorn.testing.contracts.pages import PagesContract
from cronicorn.testing.contracts.provision_book import ProvisionBookContract
from cronicorn.testing.contracts.rollups import RollupsContract, TimelineContract
from cronicorn.testing.contracts.run_book import RunBookContract
from cronicorn.testing.contracts.run_control import RunControlContract
from cronicorn.testing.contracts.run_pruner import RunPrunerContract
from cronicorn.testing.contracts.runs import RunHistoryContract
from cronicorn.testing.contracts.sign_in_links import SignInLinksContract
from cronicorn.testing.contracts.store_health import StoreHealthContract
from cronicorn.testing.contracts.watches import WatchStoreContract
from cronicorn.testing.contracts.worker_book import WorkerBookContract
from tests.adapters.postgres.variants import VARIANTS


@pytest.mark.parametrize("variant", VARIANTS)
class InDatabase:
    @pytest.fixture
    async def stores(self, clock, postgres_url, variant):
        stores = await PostgresStores.open(postgres_url, clock, VARIANTS[variant])
        yield stores
        await stores.aclose()


class TestJobCatalog(InDatabase, JobCatalogContract):
    pass


class TestEndpointCatalog(InDatabase, EndpointCatalogContract):
    pass


class TestEndpointRoom(InDatabase, EndpointRoomContract):
    pass


class TestPages(InDatabase, PagesContract):
    pass


class TestRunHistory(InDatabase, RunHistoryContract):
    pass


class TestRunControl(InDatabase, RunControlContract):
    pass


class TestRunBook(InDatabase, RunBookContract):
    pass


class TestKeyedRequests(InDatabase, KeyedRequestsContract):
    pass


class TestRollups(InDatabase, RollupsContract):
    pass


class TestTimeline(InDatabase, TimelineContract):
    pass


class TestKeyRing(InDatabase, KeyRingContract):
    pass


class TestProvisionBook(InDatabase, ProvisionBookContract):
    pass


class TestRunPruner(InDatabase, RunPrunerContract):
    pass


class TestFileSetBook(InDatabase, FileSetBookContract):
    pass


class TestFlowBook(InDatabase, FlowBookContract):
    pass


class TestIssuedKeys(InDatabase, IssuedKeysContract):
    pass


class TestKeychains(InDatabase, KeychainsContract):
    pass


class TestMemberBook(InDatabase, MemberBookContract):
    pass


class TestSignedInStore(InDatabase, SignedInStoreContract):
    pass


class TestSignInLinks(InDatabase, SignInLinksContract):
    pass


class TestAuditLog(InDatabase, AuditLogContract):
    pass


class TestStoreHealth(InDatabase, StoreHealthContract):
    pass


class TestDrafts(InDatabase, DraftsContract):
    pass


class TestWatchStore(InDatabase, WatchStoreContract):
    pass


class TestAlerts(InDatabase, AlertsContract):
    pass


class TestWorkerBook(InDatabase, WorkerBookContract):
    pass


class TestEndpointFinder(InDatabase, EndpointFinderContract):
    pass
