"""The leases in a SQLite file."""

import asyncio
import sqlite3

from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.faults import translated
from cronicorn.adapters.sqlite.migration import check_file, check_installation
from cronicorn.domain.fleet import Fleet, fleet_from
from cronicorn.domain.ports import Clock, FleetView

_LEASES = """
SELECT s.worker_id, s.mechanism, s.tenant_id, t.name AS tenant_name, e.id AS endpoint_id, e.document, s.state,
       j.name AS job_name, s.leased_slot, s.leased_attempt, s.leased_manual, s.claimed_us, s.lease_until_us
  FROM schedule AS s
  JOIN endpoints AS e ON e.number = s.endpoint_number
  JOIN jobs AS j ON j.number = e.job_number
  LEFT JOIN tenants AS t ON t.id = s.tenant_id
 WHERE s.claim_id IS NOT NULL
"""
_ORDER = "ORDER BY s.claimed_us, s.endpoint_number"
LEASES = f"{_LEASES} {_ORDER}"
LEASES_OF_TENANT = f"{_LEASES} AND s.tenant_id = ? {_ORDER} LIMIT ?"


class SqliteFleetView(FleetView):
    """Looks at one file, and changes nothing."""

    def __init__(self, file: SqliteFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    async def leases(self) -> Fleet:
        return await asyncio.to_thread(self._leases)

    def _leases(self) -> Fleet:
        check_file(self._file)
        try:
            connection = self._file.connect(writes=False)
            try:
                check_installation(connection, self._file)
                cursor = connection.execute(LEASES)
                names = [column[0] for column in cursor.description]
                return fleet_from(self._clock.now(), [dict(zip(names, row, strict=True)) for row in cursor])
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise translated(error, self._file.told) from error
