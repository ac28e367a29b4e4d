"""The hand-written statements of the hot path.

A claim takes the longest due of two small ranges: free endpoints by `schedule_due`, and expired leases by
`schedule_leased`, both within a share of the tenants. It returns whole endpoints. `claim_id` and `fence` together say
who holds a lease: the fence alone could come twice after a power cut that took back the last commits, the id alone says
nothing of order.

A settlement writes what was decided about the endpoint as it was claimed, if it is still so (`SETTLE_CLAIMED`). What
is not gets a closer look (`FIND`, `SETTLE`).

A legacy lock is a lease that nobody extends. An optimistic worker locks nothing: it settles by the fence it saw, which
its settlement raises, unless somebody else holds a live lease by then.
"""

from functools import lru_cache

from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.takeover import TAKEOVER_DELAY_MAX, takeover_delay


def takeover_delay_us(losses: str) -> str:
    """`takeover_delay` of the whole number above 0 that the SQL *losses* means, in microseconds."""
    delays = [takeover_delay(1)]
    while delays[-1] < TAKEOVER_DELAY_MAX:
        delays.append(takeover_delay(len(delays) + 1))
    cases = " ".join(f"WHEN {number} THEN {delay // MICROSECOND}" for number, delay in enumerate(delays[:-1], 1))
    return f"CASE {losses} {cases} ELSE {delays[-1] // MICROSECOND} END"


_DUE = """
       SELECT endpoint_number FROM (
              SELECT * FROM (
                     SELECT endpoint_number, due_us FROM schedule
                      WHERE claim_id IS NULL AND due_us <= :now_us
                        AND bucket >= :share_low AND bucket < :share_high
                        AND (:endpoint_id IS NULL
                             OR endpoint_number = (SELECT number FROM endpoints WHERE id = :endpoint_id))
                      ORDER BY due_us, endpoint_number LIMIT :limit)
               UNION ALL
              SELECT * FROM (
                     SELECT endpoint_number, due_us FROM schedule
                      WHERE claim_id IS NOT NULL AND takeover_us <= :now_us AND due_us <= :now_us
                        AND bucket >= :share_low AND bucket < :share_high
                        AND (:endpoint_id IS NULL
                             OR endpoint_number = (SELECT number FROM endpoints WHERE id = :endpoint_id))
                      ORDER BY due_us, endpoint_number LIMIT :limit))
        ORDER BY due_us, endpoint_number LIMIT :limit"""

_WATCHED = """
          (SELECT 1 FROM endpoints AS other
            WHERE other.job_number = (SELECT job_number FROM endpoints WHERE number = endpoint_number)
              AND other.number <> endpoint_number AND other.reads = 1 LIMIT 1) AS watched
""".strip()
"""Whether rules of other endpoints of the job read siblings."""

CLAIM = f"""
UPDATE schedule
   SET fence = fence + 1,
       lost_claims = lost_claims + (claim_id IS NOT NULL),
       claim_id = lower(hex(randomblob(16))),
       worker_id = :worker_id,
       mechanism = :mechanism,
       claimed_us = :now_us,
       leased_slot = coalesce(manual_slot, slot),
       leased_attempt = iif(manual_slot IS NULL, attempt, 1),
       leased_manual = manual_slot IS NOT NULL,
       lease_until_us = :until_us,
       takeover_us = :until_us + {takeover_delay_us("lost_claims + 1 + (claim_id IS NOT NULL)")},
       cancelled = 0
 WHERE endpoint_number IN ({_DUE})
RETURNING due_us, endpoint_number, claim_id, fence, leased_slot, leased_attempt, leased_manual, lost_claims, claimed_us,
          lease_until_us, state,
          (SELECT document FROM endpoints WHERE number = endpoint_number) AS document,
          {_WATCHED}
"""  # noqa: S608 (made of constants)

LOOK = f"""
SELECT due_us, endpoint_number, lower(hex(randomblob(16))) AS claim_id, fence,
       coalesce(manual_slot, slot) AS leased_slot, iif(manual_slot IS NULL, attempt, 1) AS leased_attempt,
       manual_slot IS NOT NULL AS leased_manual, lost_claims + (claim_id IS NOT NULL) AS lost_claims,
       :now_us AS claimed_us, :until_us AS lease_until_us, state,
       (SELECT document FROM endpoints WHERE number = endpoint_number) AS document,
       {_WATCHED}
  FROM schedule
 WHERE endpoint_number IN ({_DUE})
"""  # noqa: S608 (made of constants)
"""What `CLAIM` would take, taking nothing."""

RENEW = f"""
UPDATE schedule
   SET lease_until_us = :until_us, takeover_us = :until_us + {takeover_delay_us("lost_claims + 1")}
 WHERE endpoint_number = (SELECT number FROM endpoints WHERE id = :endpoint_id)
   AND claim_id = :claim_id AND fence = :fence
RETURNING cancelled
"""  # noqa: S608 (made of constants)

ASK = """
SELECT cancelled FROM schedule
 WHERE endpoint_number = (SELECT number FROM endpoints WHERE id = :endpoint_id)
   AND claim_id = :claim_id AND fence = :fence
"""
"""What `RENEW` would answer, extending nothing."""

_FOUND = """
SELECT e.number, e.job_number, e.document, s.state, s.lease_until_us, s.leased_slot, s.done,
       {held} AS held,
       s.done_claim_id = :claim_id AND s.done_fence = :fence AS settled
  FROM endpoints AS e JOIN schedule AS s ON s.endpoint_number = e.number
 WHERE e.id = :endpoint_id
"""
VERSION = """
SELECT e.document, s.state, s.fence FROM endpoints AS e JOIN schedule AS s ON s.endpoint_number = e.number
 WHERE e.id = :endpoint_id
"""
FIND = _FOUND.format(held="s.claim_id = :claim_id AND s.fence = :fence")
FIND_UNLOCKED = _FOUND.format(held="s.fence = :fence AND (s.claim_id IS NULL OR s.lease_until_us <= :now_us)")

_FREE = """
       claim_id = NULL, worker_id = NULL, mechanism = NULL, claimed_us = NULL, leased_slot = NULL,
       leased_attempt = NULL, leased_manual = NULL, lease_until_us = NULL, takeover_us = NULL, cancelled = 0""".strip()
SETTLE_CLAIMED = f"""
UPDATE schedule
   SET due_us = of.column1, slot = of.column2, attempt = of.column3, manual_slot = of.column4, state = of.column5,
       done = of.column6, done_claim_id = claim_id, done_fence = fence, lost_claims = 0,
       {_FREE}
  FROM (VALUES {{settlements}}) AS of
 WHERE endpoint_number = of.column7
   AND claim_id = of.column8 AND fence = of.column9 AND lease_until_us > of.column10
   AND state = of.column11 AND (SELECT document FROM endpoints WHERE number = endpoint_number) = of.column12
"""  # noqa: S608 (made of constants)
"""Of each settlement the columns of `state_row` in its order, `done`; then the proof, the instant, and the endpoint as
it was claimed. `settling` says of how many.
"""
_SETTLEMENT = f"({', '.join('?' * 12)})"


@lru_cache(256)
def settling(statement: str, count: int) -> str:
    """*statement*, like SETTLE_CLAIMED, for *count* settlements."""
    return statement.format(settlements=", ".join([_SETTLEMENT] * count))


_SETTLED = f"""
UPDATE schedule
   SET fence = {{fence}}, due_us = :due_us, slot = :slot, attempt = :attempt, manual_slot = :manual_slot,
       state = :state, lost_claims = 0, done_claim_id = :claim_id, done_fence = :fence, done = :done,
       {_FREE}
 WHERE endpoint_number = :number
"""  # noqa: S608 (made of constants)
SETTLE = _SETTLED.format(fence="fence")
SETTLE_UNLOCKED = _SETTLED.format(fence="fence + 1")

ABANDON = f"""
UPDATE schedule
   SET {_FREE}
 WHERE endpoint_number = (SELECT number FROM endpoints WHERE id = :endpoint_id)
   AND claim_id = :claim_id AND fence = :fence
"""  # noqa: S608 (made of constants)

NEXT_DUE = """
SELECT min(us) FROM (
       SELECT min(due_us) AS us FROM schedule
        WHERE claim_id IS NULL AND due_us IS NOT NULL AND bucket >= :share_low AND bucket < :share_high
        UNION ALL
       SELECT min(max(due_us, takeover_us)) FROM schedule
        WHERE claim_id IS NOT NULL AND bucket >= :share_low AND bucket < :share_high)
"""

NEXT_FEW = """
SELECT endpoint_id, us FROM (
       SELECT * FROM (
              SELECT (SELECT id FROM endpoints WHERE number = endpoint_number) AS endpoint_id, due_us AS us
                FROM schedule
               WHERE claim_id IS NULL AND due_us IS NOT NULL AND bucket >= :share_low AND bucket < :share_high
               ORDER BY due_us, endpoint_number LIMIT :limit)
        UNION ALL
       SELECT (SELECT id FROM endpoints WHERE number = endpoint_number), max(due_us, takeover_us)
         FROM schedule
        WHERE claim_id IS NOT NULL AND due_us IS NOT NULL AND bucket >= :share_low AND bucket < :share_high)
 ORDER BY us LIMIT :limit
"""
"""The endpoints that `NEXT_DUE` would name first, with their instants."""
