"""The stores in memory keep the promises of their ports."""

import pytest

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.testing.contracts.access import AuditLogContract, MemberBookContract, SignedInStoreContract
from cronicorn.testing.contracts.alerts import AlertsContract
from cronicorn.testing.contracts.catalogs import EndpointCatalogContract, JobCatalogContract
from cronicorn.testing.contracts.drafts import DraftsContract
from cronicorn.testing.contracts.endpoint_finder import EndpointFinderContract
from cronicorn.testing.contracts.endpoint_room import EndpointRoomContract
from cronicorn.testing.contracts.file_sets import FileSetBookContract
from cronicorn.testing.contracts.flow_book import FlowBookContract
from cronicorn.testing.contracts.issued_keys import IssuedKeysContract
from cronicorn.testing.contracts.job_store import JobStoreContract
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


class InMemory:
    @pytest.fixture
    async def stores(self, clock):
        return MemoryStores.open(clock)


class TestJobStore(InMemory, JobStoreContract):
    pass


class TestJobCatalog(InMemory, JobCatalogContract):
    pass


class TestEndpointCatalog(InMemory, EndpointCatalogContract):
    pass


class TestEndpointRoom(InMemory, EndpointRoomContract):
    pass


class TestPages(InMemory, PagesContract):
    pass


class TestRunHistory(InMemory, RunHistoryContract):
    pass


class TestRunControl(InMemory, RunControlContract):
    pass


class TestRunBook(InMemory, RunBookContract):
    pass


class TestKeyedRequests(InMemory, KeyedRequestsContract):
    pass


class TestRollups(InMemory, RollupsContract):
    pass


class TestTimeline(InMemory, TimelineContract):
    pass


class TestKeyRing(InMemory, KeyRingContract):
    pass


class TestProvisionBook(InMemory, ProvisionBookContract):
    pass


class TestRunPruner(InMemory, RunPrunerContract):
    pass


class TestFileSetBook(InMemory, FileSetBookContract):
    pass


class TestFlowBook(InMemory, FlowBookContract):
    pass


class TestIssuedKeys(InMemory, IssuedKeysContract):
    pass


class TestKeychains(InMemory, KeychainsContract):
    pass


class TestMemberBook(InMemory, MemberBookContract):
    pass


class TestSignedInStore(InMemory, SignedInStoreContract):
    pass


class TestSignInLinks(InMemory, SignInLinksContract):
    pass


class TestAuditLog(InMemory, AuditLogContract):
    pass


class TestStoreHealth(InMemory, StoreHealthContract):
    pass


class TestDrafts(InMemory, DraftsContract):
    pass


class TestWatchStore(InMemory, WatchStoreContract):
    pass


class TestAlerts(InMemory, AlertsContract):
    pass


class TestWorkerBook(InMemory, WorkerBookContract):
    pass


class TestEndpointFinder(InMemory, EndpointFinderContract):
    pass
