"""What planners keep of one endpoint, held against what must be: its watch, its drafts and its analyses. Pure."""

import json
from datetime import datetime, timedelta

from cronicorn.domain.analysis.rows import analysis_from
from cronicorn.domain.analysis.watching import WatchMemory, watch_memory_of
from cronicorn.domain.cells import UNREADABLE, Row
from cronicorn.domain.compilation.draft import DraftStatus
from cronicorn.domain.compilation.rows import draft_of
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fields import us
from cronicorn.domain.instant import shifted
from cronicorn.domain.rows import number_or_zero
from cronicorn.domain.verification import Check, Findings

_LOOK_AHEAD_MOST = timedelta(days=1)
"""Further ahead no look is planned, and no answer was read."""
_WAIT_AHEAD_MOST = timedelta(days=366)
"""Further ahead no failure and no denial makes a planner wait: a month of tokens begins anew before."""


class PlannerAudit:
    """The account of one endpoint. Give it all rows of it, then `close` it."""

    def __init__(self, findings: Findings, row: Row, endpoint: JobEndpoint | None, taken_at: datetime) -> None:
        """*row* is of `endpoints`; *endpoint* is None where it can't be read. *taken_at* is the instant of the rows."""
        self._findings = findings
        self._where = f"endpoint {row['id']!s}"
        self._id = row["id"]
        self._tenant_id = row["tenant_id"]
        self._endpoint = endpoint
        self._taken_at = taken_at
        self._watches = 0
        self._active: list[str] = []

    def watch(self, row: Row) -> None:
        """Take a row of `watches`."""
        self._watches += 1
        memory = row["memory"]
        try:
            if memory is not None:
                self._look_at_memory(watch_memory_of(json.loads(str(memory))))
        except UNREADABLE as error:
            what = f"what planners remember of it can't be read ({error!r}): they learn it anew"
            self._expect(Check.READABLE, holds=False, what=what)
        else:
            self._expect(Check.READABLE, holds=True)
        whole = (row["claim_id"] is None) == (row["claimed_until_us"] == 0)
        self._expect(Check.WATCHES, whole, "half a claim stands in its watch")
        latest_us = us(shifted(self._taken_at, _LOOK_AHEAD_MOST))
        for name in ("look_us", "cursor_us"):
            what = f"{name} of its watch is more than a day ahead, so no planner reads its answers"
            self._expect(Check.WATCHES, number_or_zero(row[name]) <= latest_us, what)

    def _look_at_memory(self, memory: WatchMemory) -> None:
        counted = min(memory.analyses, memory.failures, memory.denials)
        self._expect(Check.WATCHES, counted >= 0, "its watch has counted less than nothing")
        latest_at = shifted(self._taken_at, _WAIT_AHEAD_MOST)
        what = f"its watch waits until {memory.not_before}, so no model is asked"
        self._expect(Check.WATCHES, memory.not_before is None or memory.not_before <= latest_at, what)

    def draft(self, row: Row) -> None:
        """Take a row of `policy_drafts`."""
        where = f"draft {row['id']!s}"
        self._of_tenant(Check.DRAFTS, row, where)
        try:
            draft = draft_of(row, str(self._id))
        except UNREADABLE as error:
            self._expect(Check.READABLE, holds=False, what=f"{where} can't be read ({error!r})")
            return
        self._expect(Check.READABLE, holds=True)
        if draft.status is DraftStatus.ACTIVE:
            self._active.append(draft.id)

    def analysis(self, row: Row) -> None:
        """Take a row of `analyses`."""
        where = f"analysis {row['id']!s}"
        self._of_tenant(Check.ANALYSES, row, where)
        what = f"{where} is told of endpoint {row['endpoint_id']!s}"
        self._expect(Check.ANALYSES, row["endpoint_id"] == self._id, what)
        try:
            analysis_from(row)
        except UNREADABLE as error:
            self._expect(Check.READABLE, holds=False, what=f"{where} can't be read ({error!r})")
        else:
            self._expect(Check.READABLE, holds=True)

    def close(self) -> None:
        """Look at all of it together."""
        what = f"{len(self._active)} drafts are in force: {', '.join(self._active)}"
        self._expect(Check.DRAFTS, len(self._active) <= 1, what)
        if self._endpoint is None:
            return
        if self._endpoint.is_watched:
            what = f"it has {self._watches} watches, so no planner looks at it: switch its analysis off and on again"
            self._expect(Check.WATCHES, self._watches == 1, what)
        else:
            self._expect(Check.WATCHES, not self._watches, "planners look at it, and nothing of it asks for that")

    def _of_tenant(self, check: Check, row: Row, where: str) -> None:
        what = f"{where} is of tenant {row['tenant_id']!s}, and it of {self._tenant_id!s}"
        self._expect(check, row["tenant_id"] == self._tenant_id, what)

    def _expect(self, check: Check, holds: object, what: str = "") -> None:
        self._findings.expect(check, holds, self._where, what)
