"""Which server answers, and on which timeline: another one after a fail-over."""

import asyncpg

from cronicorn.adapters.postgres.queries import Connection

_ASKED = """
SELECT (SELECT system_identifier FROM pg_control_system()) || ':' ||
       substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)
"""


class Server:
    """The server that the newest connection leads to."""

    def __init__(self) -> None:
        self.identity: str | None = None
        """None where it does not say, or this role may not know."""

    async def meet(self, connection: Connection) -> None:
        """Ask on a new *connection*."""
        try:
            self.identity = await connection.fetchval(_ASKED)
        except asyncpg.PostgresError:
            return
