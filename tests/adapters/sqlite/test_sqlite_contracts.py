"""The stores in a SQLite file keep the promises of their ports."""

import pytest

from cronicorn.adapters.sqlite.stores import SqliteStores
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


class InFile:
    @pytest.fixture
    async def stores(self, clock, tmp_path):
        stores = await SqliteStores.open(tmp_path / "cronicorn.db", clock)
        yield stores
        await stores.aclose()


class TestJobStore(InFile, JobStoreContract):
    pass


class TestJobCatalog(InFile, JobCatalogContract):
    pass


class TestEndpointCatalog(InFile, EndpointCatalogContract):
    pass


class TestEndpointRoom(InFile, EndpointRoomContract):
    pass


class TestPages(InFile, PagesContract):
    pass


class TestRunHistory(InFile, RunHistoryContract):
    pass


class TestRunControl(InFile, RunControlContract):
    pass


class TestRunBook(InFile, RunBookContract):
    pass


class TestKeyedRequests(InFile, KeyedRequestsContract):
    pass


class TestRollups(InFile, RollupsContract):
    pass


class TestTimeline(InFile, TimelineContract):
    pass


class TestKeyRing(InFile, KeyRingContract):
    pass


class TestProvisionBook(InFile, ProvisionBookContract):
    pass


class TestRunPruner(InFile, RunPrunerContract):
    pass


class TestFileSetBook(InFile, FileSetBookContract):
    pass


class TestFlowBook(InFile, FlowBookContract):
    pass


class TestIssuedKeys(InFile, IssuedKeysContract):
    pass


class TestKeychains(InFile, KeychainsContract):
    pass


class TestMemberBook(InFile, MemberBookContract):
    pass


class TestSignedInStore(InFile, SignedInStoreContract):
    pass


class TestSignInLinks(InFile, SignInLinksContract):
    pass


class TestAuditLog(InFile, AuditLogContract):
    pass


class TestStoreHealth(InFile, StoreHealthContract):
    pass


class TestDrafts(InFile, DraftsContract):
    pass


class TestWatchStore(InFile, WatchStoreContract):
    pass


class TestAlerts(InFile, AlertsContract):
    pass


class TestWorkerBook(InFile, WorkerBookContract):
    pass


class TestEndpointFinder(InFile, EndpointFinderContract):
    pass
