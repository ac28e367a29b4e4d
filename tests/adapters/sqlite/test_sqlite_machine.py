"""The stores in a SQLite file and those in memory under the same random commands."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.migration import migrate
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import Stores
from cronicorn.testing.store_machine.machine import StoreMachine


class SqliteMachine(StoreMachine):
    """Copies an empty database for each round, which is quicker than making one."""

    async def open_stores(self, clock: VirtualClock) -> Sequence[Stores]:
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name, "cronicorn.db")
        shutil.copy(_empty_database(), path)
        return [MemoryStores.open(clock), await SqliteStores.open(path, clock, readers=1)]

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self._folder.cleanup()


_EMPTY = []


def _empty_database() -> Path:
    if not _EMPTY:
        folder = tempfile.TemporaryDirectory()
        _EMPTY.append(folder)
        migrate(SqliteFile(path=Path(folder.name, "empty.db")))
    return Path(_EMPTY[0].name, "empty.db")


def test_twenty_thousand_random_steps_are_answered_as_by_the_stores_in_memory():
    run_state_machine_as_test(
        SqliteMachine,
        settings=settings(
            max_examples=460,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert SqliteMachine.steps >= 20_000
