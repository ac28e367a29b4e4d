"""The leases in a PostgreSQL database."""

from cronicorn.adapters.postgres.connecting import connect
from cronicorn.adapters.postgres.faults import FAULTS, translated
from cronicorn.adapters.postgres.migration import check_installation
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.statement_time import NOW_US, judged_us
from cronicorn.domain.fleet import Fleet, fleet_from
from cronicorn.domain.instant import instant_of
from cronicorn.domain.ports import Clock, FleetView

_LEASES = """
SELECT s.worker_id, s.mechanism, s.tenant_id, t.name AS tenant_name, s.endpoint_id, e.document, s.state,
       j.name AS job_name, s.leased_slot, s.leased_attempt, s.leased_manual, s.claimed_us, s.lease_until_us
  FROM cronicorn.schedule AS s
  JOIN cronicorn.endpoints AS e ON e.number = s.endpoint_number
  JOIN cronicorn.jobs AS j ON j.number = e.job_number
  LEFT JOIN cronicorn.tenants AS t ON t.id = s.tenant_id
 WHERE s.claim_id IS NOT NULL
"""
_ORDER = "ORDER BY s.claimed_us, s.endpoint_number"
LEASES = f"{_LEASES} {_ORDER}"
LEASES_OF_TENANT = f"{_LEASES} AND s.shard = $1 AND s.tenant_id = $2 {_ORDER} LIMIT $3"


class PostgresFleetView(FleetView):
    """Looks at one database, and changes nothing. *judge* stands in for its clock: in tests."""

    def __init__(self, url: str, options: PostgresOptions, judge: Clock | None = None) -> None:
        self._url = url
        self._options = options
        self._judge = judge

    async def leases(self) -> Fleet:
        connection = await connect(self._url, self._options)
        try:
            await check_installation(connection)
            now = instant_of(await connection.fetchval(f"SELECT {NOW_US}", judged_us(self._judge)))
            return fleet_from(now, [dict(record) for record in await connection.fetch(LEASES)])
        except FAULTS as error:
            raise translated(error) from error
        finally:
            connection.terminate()
