"""The statements that books of tokens depend on, as one object."""

from dataclasses import dataclass

BOOK = """
SELECT * FROM quota_books WHERE tenant_id = :tenant_id AND calendar = :calendar AND start_us = :start_us
"""
OPEN_BOOK = """
INSERT INTO quota_books (tenant_id, calendar, start_us, end_us, burst_us)
VALUES (:tenant_id, :calendar, :start_us, :end_us,
        (SELECT max(burst_us) FROM quota_books WHERE tenant_id = :tenant_id))
"""
FORGET_GRANTS = """
DELETE FROM quota_grants
 WHERE book_number IN (SELECT number FROM quota_books WHERE tenant_id = :tenant_id)
   AND expires_us <= :kept_us AND (charged = 1 OR settled = 1)
"""
FORGET_BOOKS = """
DELETE FROM quota_books
 WHERE tenant_id = :tenant_id AND end_us <= :kept_us
   AND NOT EXISTS (SELECT 1 FROM quota_grants WHERE book_number = quota_books.number)
"""
OVERDUE_TENANTS = """
SELECT DISTINCT tenant_id FROM quota_grants WHERE charged = 0 AND settled = 0 AND expires_us <= :before_us LIMIT :limit
"""
PRUNE_GRANTS = """
DELETE FROM quota_grants WHERE id IN (
  SELECT id FROM quota_grants WHERE book_number IN (SELECT number FROM quota_books)
     AND expires_us <= :before_us AND (charged = 1 OR settled = 1) LIMIT :limit)
"""
PRUNE_BOOKS = """
DELETE FROM quota_books
 WHERE end_us <= :kept_us AND NOT EXISTS (SELECT 1 FROM quota_grants WHERE book_number = quota_books.number)
"""
KNOWN = """
SELECT b.* FROM quota_grants AS g JOIN quota_books AS b ON b.number = g.book_number WHERE g.id = :grant_id
"""
GRANT = """
INSERT INTO quota_grants (id, tenant_id, book_number, budget, estimate, expires_us, charged, settled)
VALUES (:grant_id, :tenant_id, :number, :budget, :estimate, :expires_us, :charged, 0)
"""
ENTER = """
UPDATE quota_books
   SET compile_used = compile_used + :compile_used, compile_reserved = compile_reserved + :compile_reserved,
       analysis_used = analysis_used + :analysis_used, analysis_reserved = analysis_reserved + :analysis_reserved
 WHERE number = :number
"""
KEEP_BURST = "UPDATE quota_books SET burst_us = :burst_us WHERE number = :number"
SETTLE = """
UPDATE quota_grants SET settled = 1 WHERE id = :grant_id AND settled = 0
RETURNING book_number, budget, estimate, charged
"""
THERE = "SELECT 1 FROM quota_grants WHERE id = :grant_id"
_EXPIRED = "tenant_id = :tenant_id AND charged = 0 AND settled = 0 AND expires_us <= :now_us"
EXPIRED = f"SELECT 1 FROM quota_grants WHERE {_EXPIRED} LIMIT 1"  # noqa: S608 (made of constants)
CHARGE_EXPIRED = f"""
UPDATE quota_grants SET charged = 1 WHERE {_EXPIRED} RETURNING book_number, budget, estimate
"""  # noqa: S608 (made of constants)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaStatements:
    """One may be put in the place of another, so that a test can show what a weaker one would let through."""

    book: str = BOOK
    open_book: str = OPEN_BOOK
    known: str = KNOWN
    enter: str = ENTER
    settle: str = SETTLE
    expired: str = EXPIRED
    charge_expired: str = CHARGE_EXPIRED
