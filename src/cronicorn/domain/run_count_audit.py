"""Whether the counted runs of tenants agree with what settlements counted. Pure."""

from collections import Counter
from collections.abc import Set as AbstractSet
from datetime import datetime

from cronicorn.domain.cells import Row, number_in
from cronicorn.domain.endpoint import EndpointState
from cronicorn.domain.execution.limits import month_of
from cronicorn.domain.fields import us
from cronicorn.domain.instant import MINUTE, instant_of, shifted
from cronicorn.domain.rows import done_of
from cronicorn.domain.verification import Check, Findings


class RunCountAudit:
    """Takes all schedules, then all counts.

    A schedule says in which month its last settlement was counted, and nothing of earlier ones: limits come and go, and
    counted runs are pruned. So of a count it can only say that it is not less than the schedules that speak of it.
    """

    def __init__(self, findings: Findings, tenants: AbstractSet[str], taken_at: datetime) -> None:
        self._findings = findings
        self._tenants = tenants
        self._taken_at = taken_at
        self._least: Counter[tuple[str, int]] = Counter()

    def schedule(self, row: Row) -> None:
        """Take a row of `schedule`. Raises one of UNREADABLE."""
        done = row["done"]
        month_at = done_of(str(done), EndpointState()).month_at if done is not None else None
        if month_at is not None:
            self._least[str(row["tenant_id"]), us(month_at)] += 1

    def count(self, row: Row) -> None:
        """Look at a row of `run_counts`. Raises one of UNREADABLE."""
        tenant_id, month_us, runs = str(row["tenant_id"]), number_in(row["month_us"]), number_in(row["runs"])
        start_at = instant_of(month_us)
        where = f"the runs of tenant {tenant_id} in {start_at:%Y-%m}"
        self._expect(tenant_id in self._tenants, where, "there is no such tenant")
        begins = month_of(start_at).start_at == start_at
        self._expect(begins, where, f"no month begins at {start_at.isoformat()}, so nobody reads the count")
        self._expect(start_at <= shifted(self._taken_at, MINUTE), where, "that month is still to come")
        least = self._least.pop((tenant_id, month_us), 0)
        self._expect(runs >= least, where, f"{runs} are counted, and the last runs of {least} endpoints are among them")

    def close(self) -> None:
        """Tell of settlements that no count has."""
        for (tenant_id, month_us), least in self._least.items():
            where = f"the runs of tenant {tenant_id} in {instant_of(month_us):%Y-%m}"
            self._expect(holds=False, where=where, what=f"none are counted, and {least} endpoints say they were")

    def _expect(self, holds: object, where: str, what: str) -> None:
        self._findings.expect(Check.RUN_COUNTS, holds, where, what)
