"""Connections to a Redis, and its errors in the words of the domain."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from redis import Redis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from cronicorn.domain.errors import InvalidInputError, UnavailableError
from cronicorn.domain.sentence import as_sentence

TIMEOUT_DEFAULT = timedelta(seconds=2)
_CONNECTIONS_MAX = 8


def async_client(url: str, timeout: timedelta) -> AsyncRedis:
    """A client of the Redis at a `redis://`, `rediss://` or `unix://` URL. Raises InvalidInputError for another URL.

    Connects when first asked. A connection that the server has closed meanwhile shows when it is used: hence one more
    try, and no other. So a script may run twice.
    """
    timeout_s = timeout.total_seconds()
    with _readable():
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS_MAX,
            timeout=timeout_s,
            retry=AsyncRetry(NoBackoff(), 1, (LostConnectionError,)),
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            protocol=2,
        )
    return AsyncRedis(connection_pool=pool)


def blocking_client(url: str, timeout: timedelta) -> Redis:
    """The same for threads."""
    timeout_s = timeout.total_seconds()
    with _readable():
        return Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 1, (LostConnectionError,)),
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            protocol=2,
        )


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raises UnavailableError, which says that Redis can't be used for *what*, for what Redis or the network does."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        reason = str(error) or "no answer in time"
        raise UnavailableError(as_sentence(f"Redis can't be used for {what}: {reason}")) from error


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise InvalidInputError("A Redis is named by redis://HOST:PORT/NUMBER, rediss:// or unix://PATH.") from error
