"""For all tests: how properties are looked for, and the servers.

Servers are found, and ended, by the process that began the run, and started by the first test in need.
"""

import gc
import os
import signal
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.servers import databases

# How long an example takes depends on what else the machine does. At a desk every run looks at others; what decides
# whether a change lands is the change, not chance.
settings.register_profile(
    "cronicorn", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("cronicorn")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell without job control starts what it puts in the background so. Processes that tests interrupt inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage: thousands of tests are made, all stay, and looking took half the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        databases.prepare()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        databases.dispose()


@pytest.fixture
def postgres_url() -> str:
    """An empty PostgreSQL database with the newest schema, for this test alone."""
    return databases.emptied_database()


@pytest.fixture
def fresh_postgres_url() -> Iterator[str]:
    """A PostgreSQL database made for this test and dropped after it."""
    with databases.fresh_database() as url:
        yield url
