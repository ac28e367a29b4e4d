"""Making connections to a server, in the pool or beside it."""

from ssl import SSLError
from typing import TypedDict

import asyncpg

from cronicorn.adapters.postgres.faults import FAULTS, misread_url, translated
from cronicorn.adapters.postgres.options import Feature, Isolation, PostgresOptions
from cronicorn.adapters.postgres.queries import PlainConnection

_STATEMENTS_KEPT = 200


async def connect(url: str, options: PostgresOptions) -> PlainConnection:
    """A connection of one's own, beside any pool. Raises UnavailableError, InvalidInputError for another URL."""
    try:
        return await asyncpg.connect(url, **connect_arguments(options))
    except SSLError as error:  # Some are ValueErrors as well.
        raise translated(error) from error
    except (ValueError, asyncpg.UndefinedObjectError, asyncpg.InvalidParameterValueError):
        raise misread_url() from None
    except FAULTS as error:
        raise translated(error) from error


class ConnectArguments(TypedDict):
    """What asyncpg is told of each connection."""

    timeout: float
    command_timeout: float
    statement_cache_size: int
    server_settings: dict[str, str]


def connect_arguments(options: PostgresOptions) -> ConnectArguments:
    """How a connection is made, in the pool or beside it."""
    serializable = options.isolation is Isolation.SERIALIZABLE
    return {
        "timeout": options.connect_timeout.total_seconds(),
        "command_timeout": options.statement_timeout.total_seconds(),
        "statement_cache_size": _STATEMENTS_KEPT if options.has(Feature.PREPARED) else 0,
        "server_settings": {"default_transaction_isolation": options.isolation.value} if serializable else {},
    }
