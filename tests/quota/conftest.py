"""The server that quotas in Redis need."""

from contextlib import ExitStack
from functools import cache

import pytest

from tests.servers.valkey import valkey_server


@pytest.fixture(scope="session")
def redis_url():
    """Answers the URL of a server, started when it is first asked for."""
    with ExitStack() as stack:
        yield cache(lambda: stack.enter_context(valkey_server()).url)
