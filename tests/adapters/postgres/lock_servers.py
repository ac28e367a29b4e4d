"""The lock services of tests, each with a server and as many clients as there are workers."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from cronicorn.adapters.etcd.claim_service import EtcdClaimService
from cronicorn.adapters.redis.claim_service import RedisClaimService
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.ports import ClaimService
from tests.servers.etcd import EtcdServer, etcd_server
from tests.servers.valkey import ValkeyServer, valkey_server

TIMEOUT = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True)
class RedisLocks:
    """A Valkey."""

    server: ValkeyServer
    mechanism = Mechanism.REDIS

    def client(self, prefix: str, port: int | None = None) -> ClaimService:
        url = f"redis://127.0.0.1:{port or self.server.port}/0"
        return RedisClaimService.open(url, prefix=prefix, timeout=TIMEOUT)

    def forget(self) -> None:
        """Start again with nothing."""
        self.server.stop()
        shutil.rmtree(self.server._folder / "appendonlydir")
        self.server.start()


@dataclass(frozen=True, slots=True)
class EtcdLocks:
    """An etcd."""

    server: EtcdServer
    mechanism = Mechanism.ETCD

    def client(self, prefix: str, port: int | None = None) -> ClaimService:
        return EtcdClaimService.open(f"http://127.0.0.1:{port or self.server.port}", prefix=prefix, timeout=TIMEOUT)

    def forget(self) -> None:
        """Start again with nothing."""
        self.server.stop()
        shutil.rmtree(self.server._folder / "data")
        self.server.start()


Locks = RedisLocks | EtcdLocks


@contextmanager
def locks_of(mechanism: Mechanism) -> Iterator[Locks]:
    """A running server for the block."""
    if mechanism is Mechanism.REDIS:
        with valkey_server() as valkey:
            yield RedisLocks(valkey)
    else:
        with etcd_server() as etcd:
            yield EtcdLocks(etcd)
