# ruff: noqa: S608 - statements are put together from the pieces in this package
"""The statements that keep leases, and end them with nothing recorded.

`claim_id` and `fence` together say who holds a lease: the fence alone could come twice after a fail-over that lost the
last commits, the id alone says nothing of order.
"""

from cronicorn.adapters.postgres.row_locks import SKIP_LOCKED, WAIT_FOR_LOCKED
from cronicorn.adapters.postgres.statement_time import NOW_US, takeover_delay_us


def proofs(first: int) -> str:
    """Leases as four lists, the parameters from number *first* on: shards, endpoint ids, claim ids, fences."""
    types = ("smallint", "text", "text", "bigint")
    lists = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, first))
    return f"SELECT * FROM unnest({lists}) AS d(shard, endpoint_id, claim_id, fence)"


def proven(first: int, lock: str = SKIP_LOCKED) -> str:
    """The rows of `proofs` that are still under their lease, locked in order."""
    return f"""
proofs AS MATERIALIZED ({proofs(first)} ORDER BY d.shard, d.endpoint_id),
held AS MATERIALIZED (
       SELECT l.shard, l.endpoint_id FROM proofs AS d CROSS JOIN LATERAL (
              SELECT e.shard, e.endpoint_id FROM cronicorn.schedule AS e
               WHERE e.shard = d.shard AND e.endpoint_id = d.endpoint_id
                 AND e.claim_id = d.claim_id AND e.fence = d.fence
                 {lock}) AS l)
"""


PROVEN = proven(2)
RENEW = f"""
WITH {PROVEN.strip()}
UPDATE cronicorn.schedule AS e
   SET lease_until_us = {NOW_US} + $6,
       takeover_us = {NOW_US} + $6 + {takeover_delay_us("e.lost_claims + 1")}
  FROM held AS h WHERE e.shard = h.shard AND e.endpoint_id = h.endpoint_id
RETURNING e.claim_id, e.cancelled, e.lease_until_us
"""

STILL_HELD = f"""
SELECT e.claim_id FROM ({proofs(1)}) AS d
  JOIN cronicorn.schedule AS e ON e.shard = d.shard AND e.endpoint_id = d.endpoint_id
 WHERE e.claim_id = d.claim_id AND e.fence = d.fence
"""
"""Those that a renewal passed over because somebody else had just locked their row."""

ENDED = """claim_id = NULL, worker_id = NULL, mechanism = NULL, claimed_us = NULL, leased_slot = NULL,
       leased_attempt = NULL, leased_manual = NULL, lease_until_us = NULL, takeover_us = NULL, cancelled = 0"""
"""What a row of `schedule` has that nobody holds."""

ABANDON = f"""
WITH {proven(1, WAIT_FOR_LOCKED).strip()}
UPDATE cronicorn.schedule AS e
   SET {ENDED}
  FROM held AS h WHERE e.shard = h.shard AND e.endpoint_id = h.endpoint_id
RETURNING e.shard
"""
