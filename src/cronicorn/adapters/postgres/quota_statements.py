"""The statements that books of tokens depend on, as one object. $1 is `judged_us` where time is judged.

Reservations are one statement that commits by itself. Its UPDATE looks at the newest state of the book, also when it
has waited for others: PostgreSQL tries its condition again on the row that they left
(https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED).
"""

from dataclasses import dataclass

from cronicorn.adapters.postgres.queries import altered
from cronicorn.adapters.postgres.statement_time import NOW_US

_MOMENT = f"moment AS MATERIALIZED (SELECT {NOW_US} AS us)"
_US = "(SELECT us FROM moment)"
_ARRIVAL = f"CASE WHEN b.burst_us > {_US} + $12::bigint + $11::bigint THEN {_US} ELSE greatest(b.burst_us, {_US}) END"
"""From here the next reservation counts. No burst leads further than it looks: who set a clock back would otherwise be
granted nothing for as long.
"""
_TAKEN = """CASE WHEN $8::text = 'compile' THEN b.compile_used + b.compile_reserved
          ELSE b.analysis_used + b.analysis_reserved END"""
FITS = f"""b.compile_used + b.compile_reserved + b.analysis_used + b.analysis_reserved + $7::bigint <= $9::bigint
     AND {_TAKEN} + $7::bigint <= $10::bigint"""
"""What is used, what is reserved and the estimates are within the limit, and within what the budget may take of it."""
SOFT_FITS = """b.compile_used + b.analysis_used < $9::bigint
     AND CASE WHEN $8::text = 'compile' THEN b.compile_used ELSE b.analysis_used END < $10::bigint
     AND ($14::bigint IS NULL OR b.compile_reserved + b.analysis_reserved + $7::bigint <= $14::bigint)"""
"""The limit is not used up, and all calls in progress together leave room for the estimates: $14, or NULL."""
_OVERDUE = "SELECT 1 FROM cronicorn.quota_grants WHERE tenant_id = $2 AND charged = 0 AND settled = 0 AND expires_us <="

RESERVE = f"""
WITH {_MOMENT},
known AS MATERIALIZED (
  SELECT b.* FROM cronicorn.quota_grants AS g JOIN cronicorn.quota_books AS b ON b.number = g.book_number
   WHERE g.id = ANY ($5::text[])),
overdue AS MATERIALIZED ({_OVERDUE} {_US} LIMIT 1),
present AS MATERIALIZED (
  SELECT * FROM cronicorn.quota_books WHERE tenant_id = $2 AND calendar = $3 AND start_us = $4),
taken AS (
  UPDATE cronicorn.quota_books AS b
     SET compile_reserved = b.compile_reserved + CASE WHEN $8::text = 'compile' THEN $7::bigint ELSE 0 END,
         analysis_reserved = b.analysis_reserved + CASE WHEN $8::text = 'compile' THEN 0 ELSE $7::bigint END,
         burst_us = CASE WHEN $11::bigint IS NULL THEN b.burst_us
                         ELSE {_ARRIVAL} + cardinality($5::text[]) * $11::bigint END
   WHERE b.tenant_id = $2 AND b.calendar = $3 AND b.start_us = $4
     AND b.start_us <= {_US} AND {_US} < b.end_us
     AND NOT EXISTS (SELECT FROM known) AND NOT EXISTS (SELECT FROM overdue)
     AND ($11::bigint IS NULL OR {_ARRIVAL} + (cardinality($5::text[]) - 1) * $11::bigint <= {_US} + $12::bigint)
     AND {FITS}
  RETURNING b.*),
made AS (
  INSERT INTO cronicorn.quota_grants (id, tenant_id, book_number, budget, estimate, expires_us, charged, settled)
  SELECT asked.id, $2, taken.number, $8::text, asked.estimate, {_US} + asked.ttl, 0, 0
    FROM taken CROSS JOIN unnest($5::text[], $6::bigint[], $13::bigint[]) AS asked (id, ttl, estimate))
SELECT m.us, found.* FROM moment AS m LEFT JOIN (
  SELECT 'granted' AS verdict, taken.* FROM taken
   UNION ALL SELECT 'known', known.* FROM known
   UNION ALL SELECT 'overdue', present.* FROM present WHERE EXISTS (SELECT FROM overdue)
   UNION ALL SELECT 'denied', present.* FROM present) AS found ON true
"""  # noqa: S608 (made of constants)
"""Reserves for all calls or for none. $2 tenant, $3 calendar, $4 the start of the window by guess; $5 grants, $6 their
ttls, $7 the sum of their estimates, $8 budget, $9 limit, $10 what the budget may take; $11 a burst's every and $12 its
tolerance, or NULL; $13 the estimates. Answers the instant, with as many of these rows as there are: the book after the
reservations, those of grants that were known, the one seen.
"""

SETTLE = """
WITH done AS (
  UPDATE cronicorn.quota_grants SET settled = 1 WHERE id = $1 AND settled = 0
  RETURNING book_number, budget, coalesce($2::bigint, estimate) - charged * estimate AS used,
            (charged - 1) * estimate AS reserved),
moved AS (
  UPDATE cronicorn.quota_books AS b
     SET compile_used = b.compile_used + CASE WHEN done.budget = 'compile' THEN done.used ELSE 0 END,
         compile_reserved = b.compile_reserved + CASE WHEN done.budget = 'compile' THEN done.reserved ELSE 0 END,
         analysis_used = b.analysis_used + CASE WHEN done.budget = 'compile' THEN 0 ELSE done.used END,
         analysis_reserved = b.analysis_reserved + CASE WHEN done.budget = 'compile' THEN 0 ELSE done.reserved END
    FROM done WHERE b.number = done.book_number)
SELECT EXISTS (SELECT FROM cronicorn.quota_grants WHERE id = $1)
"""
"""$1 grant, $2 what it used, NULL for the estimate. Answers whether there is such a grant."""

CHARGE_EXPIRED = f"""
WITH {_MOMENT},
expired AS (
  UPDATE cronicorn.quota_grants SET charged = 1
   WHERE id IN ({altered(_OVERDUE, "SELECT 1", "SELECT id")} {_US} ORDER BY id FOR UPDATE)
  RETURNING book_number, budget, estimate),
held AS MATERIALIZED (  -- In one order, so that those who charge grants of several windows do not wait in a circle.
  SELECT number FROM cronicorn.quota_books WHERE number IN (SELECT book_number FROM expired)
   ORDER BY number FOR NO KEY UPDATE),
sums AS (
  SELECT book_number, coalesce(sum(estimate) FILTER (WHERE budget = 'compile'), 0)::bigint AS compile,
         coalesce(sum(estimate) FILTER (WHERE budget <> 'compile'), 0)::bigint AS analysis
    FROM expired GROUP BY book_number)
UPDATE cronicorn.quota_books AS b
   SET compile_used = b.compile_used + sums.compile, compile_reserved = b.compile_reserved - sums.compile,
       analysis_used = b.analysis_used + sums.analysis, analysis_reserved = b.analysis_reserved - sums.analysis
  FROM sums JOIN held ON held.number = sums.book_number WHERE b.number = sums.book_number
"""  # noqa: S608 (made of constants)
"""$2 tenant."""

LOOK = f"""
WITH {_MOMENT}
SELECT m.us, EXISTS ({_OVERDUE} m.us) AS overdue, b.*
  FROM moment AS m
  LEFT JOIN cronicorn.quota_books AS b ON b.tenant_id = $2 AND b.calendar = $3 AND b.start_us = $4
"""  # noqa: S608 (made of constants)
"""$2 tenant, $3 calendar, $4 the start of the window by guess."""

RECORD = f"""
WITH {_MOMENT},
changed AS (
  UPDATE cronicorn.quota_books SET analysis_used = analysis_used + $5::bigint
   WHERE tenant_id = $2 AND calendar = $3 AND start_us = $4 AND start_us <= {_US} AND {_US} < end_us
  RETURNING 1)
SELECT m.us, EXISTS (SELECT FROM changed) AS done FROM moment AS m
"""  # noqa: S608 (made of constants)
"""As LOOK, with $5 tokens."""

OPEN_BOOK = """
INSERT INTO cronicorn.quota_books (tenant_id, calendar, start_us, end_us, burst_us)
VALUES ($1, $2, $3, $4, (SELECT max(burst_us) FROM cronicorn.quota_books WHERE tenant_id = $1))
ON CONFLICT (tenant_id, calendar, start_us) DO NOTHING
"""
FORGET_GRANTS = """
DELETE FROM cronicorn.quota_grants
 WHERE book_number IN (SELECT number FROM cronicorn.quota_books WHERE tenant_id = $1)
   AND expires_us <= $2 AND (charged = 1 OR settled = 1)
"""
FORGET_BOOKS = """
DELETE FROM cronicorn.quota_books AS b
 WHERE b.tenant_id = $1 AND b.end_us <= $2
   AND NOT EXISTS (SELECT FROM cronicorn.quota_grants AS g WHERE g.book_number = b.number)
"""

OVERDUE_TENANTS = """
SELECT DISTINCT tenant_id FROM cronicorn.quota_grants
 WHERE charged = 0 AND settled = 0 AND expires_us <= $1 LIMIT $2
"""
PRUNE_GRANTS = """
WITH gone AS (
  DELETE FROM cronicorn.quota_grants WHERE id IN (
    SELECT g.id FROM cronicorn.quota_books AS b CROSS JOIN LATERAL (
      SELECT id FROM cronicorn.quota_grants
       WHERE book_number = b.number AND expires_us <= $1 AND (charged = 1 OR settled = 1)
       ORDER BY expires_us LIMIT $2) AS g LIMIT $2)
  RETURNING 1)
SELECT count(*) FROM gone
"""
PRUNE_BOOKS = """
DELETE FROM cronicorn.quota_books AS b
 WHERE b.end_us <= $1 AND NOT EXISTS (SELECT FROM cronicorn.quota_grants AS g WHERE g.book_number = b.number)
"""

LOCK_TENANT = "SELECT pg_advisory_xact_lock(hashtextextended('cronicorn quota ' || $1::text, 0))"
KNOWN = """
SELECT b.* FROM cronicorn.quota_grants AS g JOIN cronicorn.quota_books AS b ON b.number = g.book_number WHERE g.id = $1
"""
# Locked as well: a worker in another mode may write the row meanwhile.
LOCKED_BOOK = """
SELECT * FROM cronicorn.quota_books WHERE tenant_id = $1 AND calendar = $2 AND start_us = $3 FOR UPDATE
"""
CHARGE = """
WITH made AS (
  INSERT INTO cronicorn.quota_grants (id, tenant_id, book_number, budget, estimate, expires_us, charged, settled)
  VALUES ($2, $3, $1, $4::text, $5::bigint, $6, 1, 0))
UPDATE cronicorn.quota_books
   SET compile_used = compile_used + CASE WHEN $4 = 'compile' THEN $5 ELSE 0 END,
       analysis_used = analysis_used + CASE WHEN $4 = 'compile' THEN 0 ELSE $5 END, burst_us = $7
 WHERE number = $1
"""
"""$1 book, $2 grant, $3 tenant, $4 budget, $5 estimate, $6 when it expires, $7 the arrival time of bursts."""


VERDICTS = ("granted", "known", "overdue", "denied")
"""What RESERVE says of its rows, what counts most first. `overdue`: something has to be charged before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaStatements:
    """One may be put in the place of another, so that a test can show what a weaker one would let through."""

    reserve: str = RESERVE
    settle: str = SETTLE
    charge_expired: str = CHARGE_EXPIRED

    @property
    def reserve_softly(self) -> str:
        """The same for the soft mode."""
        return altered(self.reserve, FITS, SOFT_FITS)
