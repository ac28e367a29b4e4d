"""Whether books of tokens add up."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from cronicorn.domain.cells import Row, number_in
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.verification import Check, Findings


@dataclass(slots=True)
class _Sums:
    """What the grants of a book come to, by budget."""

    reserved: dict[Budget, int] = field(default_factory=lambda: dict.fromkeys(Budget, 0))
    charged: dict[Budget, int] = field(default_factory=lambda: dict.fromkeys(Budget, 0))


class TokenAudit:
    """Takes all grants, then all books.

    What a call used is entered in the book alone, and old grants are forgotten, so of what is used it can only say that
    it is not less than what expired grants were charged.
    """

    def __init__(self, findings: Findings, tenants: AbstractSet[str]) -> None:
        self._findings = findings
        self._tenants = tenants
        self._sums: dict[int, _Sums] = {}

    def grant(self, row: Row) -> None:
        """Take a row of `quota_grants`. Raises one of UNREADABLE."""
        self._look_at_tenant(row, f"grant {row['id']!s}")
        sums = self._sums.setdefault(number_in(row["book_number"]), _Sums())
        budget, estimate = Budget(str(row["budget"])), number_in(row["estimate"])
        if not row["settled"]:
            (sums.charged if row["charged"] else sums.reserved)[budget] += estimate

    def book(self, row: Row) -> None:
        """Look at a row of `quota_books`. Raises one of UNREADABLE."""
        sums = self._sums.pop(number_in(row["number"]), None) or _Sums()
        where = f"book {row['number']!s} of tenant {row['tenant_id']!s}"
        self._look_at_tenant(row, where)
        for budget in Budget:
            used, reserved = number_in(row[f"{budget}_used"]), number_in(row[f"{budget}_reserved"])
            granted, charged = sums.reserved[budget], sums.charged[budget]
            what = f"{reserved} tokens are reserved for {budget}, by grants of {granted}"
            self._findings.expect(Check.TOKENS, reserved == granted, where, what)
            what = f"{used} tokens are used for {budget}, and expired grants alone were charged {charged}"
            self._findings.expect(Check.TOKENS, used >= max(0, charged), where, what)

    def close(self) -> None:
        """Tell of grants that no book has."""
        for number in self._sums:
            self._findings.expect(Check.TOKENS, holds=False, where=f"book {number}", what="it has grants and is gone")

    def _look_at_tenant(self, row: Row, where: str) -> None:
        what = f"there is no tenant {row['tenant_id']!s}"
        self._findings.expect(Check.OWNERS, str(row["tenant_id"]) in self._tenants, where, what)
