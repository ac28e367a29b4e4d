"""Servers for the whole run: found, and ended, by the process that began it, started by the first test in need."""

from collections.abc import Iterator

import pytest

from tests.servers import databases


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
