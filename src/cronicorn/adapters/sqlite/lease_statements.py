"""The hand-written statements of the hot path.

A claim takes the longest due of two small ranges: free endpoints by `schedule_due`, and expired leases by
`schedule_leased`. It returns whole endpoints. `claim_id` and `fence` together say who holds a lease: the fence alone
could come twice after a power cut that took back the last commits, the id alone says nothing of order.
"""

CLAIM = """
UPDATE schedule
   SET fence = fence + 1,
       lost_claims = lost_claims + (claim_id IS NOT NULL),
       claim_id = lower(hex(randomblob(16))),
       worker_id = :worker_id,
       claimed_us = :now_us,
       leased_slot = coalesce(manual_slot, slot),
       leased_attempt = iif(manual_slot IS NULL, attempt, 1),
       leased_manual = manual_slot IS NOT NULL,
       lease_until_us = :until_us,
       takeover_us = :until_us + takeover_delay_us(lost_claims + 1 + (claim_id IS NOT NULL)),
       cancelled = 0
 WHERE endpoint_number IN (
       SELECT endpoint_number FROM (
              SELECT * FROM (
                     SELECT endpoint_number, due_us FROM schedule
                      WHERE claim_id IS NULL AND due_us <= :now_us
                        AND (:endpoint_id IS NULL
                             OR endpoint_number = (SELECT number FROM endpoints WHERE id = :endpoint_id))
                      ORDER BY due_us, endpoint_number LIMIT :limit)
               UNION ALL
              SELECT * FROM (
                     SELECT endpoint_number, due_us FROM schedule
                      WHERE claim_id IS NOT NULL AND takeover_us <= :now_us AND due_us <= :now_us
                        AND (:endpoint_id IS NULL
                             OR endpoint_number = (SELECT number FROM endpoints WHERE id = :endpoint_id))
                      ORDER BY due_us, endpoint_number LIMIT :limit))
        ORDER BY due_us, endpoint_number LIMIT :limit)
RETURNING due_us, endpoint_number, claim_id, fence, leased_slot, leased_attempt, leased_manual, lost_claims, claimed_us,
          lease_until_us, state, (SELECT document FROM endpoints WHERE number = endpoint_number) AS document
"""

RENEW = """
UPDATE schedule
   SET lease_until_us = :until_us, takeover_us = :until_us + takeover_delay_us(lost_claims + 1)
 WHERE endpoint_number = (SELECT number FROM endpoints WHERE id = :endpoint_id)
   AND claim_id = :claim_id AND fence = :fence
RETURNING cancelled
"""

FIND = """
SELECT e.number, e.job_number, e.document, s.state, s.lease_until_us, s.leased_slot, s.done,
       s.claim_id = :claim_id AND s.fence = :fence AS held,
       s.done_claim_id = :claim_id AND s.done_fence = :fence AS settled
  FROM endpoints AS e JOIN schedule AS s ON s.endpoint_number = e.number
 WHERE e.id = :endpoint_id
"""

SETTLE = """
UPDATE schedule
   SET due_us = :due_us, slot = :slot, attempt = :attempt, manual_slot = :manual_slot, state = :state,
       claim_id = NULL, worker_id = NULL, claimed_us = NULL, leased_slot = NULL, leased_attempt = NULL,
       leased_manual = NULL, lease_until_us = NULL, takeover_us = NULL, cancelled = 0, lost_claims = 0,
       done_claim_id = :claim_id, done_fence = :fence, done = :done
 WHERE endpoint_number = :number
"""

ABANDON = """
UPDATE schedule
   SET claim_id = NULL, worker_id = NULL, claimed_us = NULL, leased_slot = NULL, leased_attempt = NULL,
       leased_manual = NULL, lease_until_us = NULL, takeover_us = NULL, cancelled = 0
 WHERE endpoint_number = (SELECT number FROM endpoints WHERE id = :endpoint_id)
   AND claim_id = :claim_id AND fence = :fence
"""

NEXT_DUE = """
SELECT min(us) FROM (
       SELECT min(due_us) AS us FROM schedule WHERE claim_id IS NULL AND due_us IS NOT NULL
        UNION ALL
       SELECT min(max(due_us, takeover_us)) FROM schedule WHERE claim_id IS NOT NULL)
"""
