"""Whether counted runs agree with the runs that are kept. Pure."""

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from cronicorn.domain.cells import Cell, Row, instant_in, number_in
from cronicorn.domain.fields import us
from cronicorn.domain.instant import HOUR, MINUTE, shifted
from cronicorn.domain.rollup.rows import HOUR_US, tally_of
from cronicorn.domain.rollup.tallies import hour_of
from cronicorn.domain.rows import number_or_zero
from cronicorn.domain.verification import Check, Findings

_AHEAD = MINUTE
"""Clocks of machines differ by less."""


class _Place(NamedTuple):
    """What runs are counted by, of one job or endpoint."""

    hour_us: Cell
    source: Cell
    status: Cell


class RollupAudit:
    """Takes the runs and the counts of all endpoints, then the counts of all jobs.

    Only hours from which no run is pruned can be counted again. Of earlier ones counts may have more.
    """

    def __init__(self, findings: Findings, kept_since: datetime, taken_at: datetime) -> None:
        self._findings = findings
        self._whole_us = us(hour_of(shifted(kept_since, HOUR)))
        self._latest_us = us(shifted(taken_at, _AHEAD))
        self._of_jobs: Counter[tuple[int, _Place]] = Counter()

    def endpoint(self, endpoint_id: str) -> "EndpointHours":
        """Begin with an endpoint: give what is answered the runs and counts of it, then `close` it."""
        return EndpointHours(self, f"the counted runs of endpoint {endpoint_id}")

    def left_over(self, row: Row) -> None:
        """Take a row of `endpoint_hours` whose endpoint is deleted: its job still counts it."""
        self.take(row, f"the counted runs of endpoint number {row['endpoint_number']!s}")

    def take(self, row: Row, where: str) -> _Place | None:
        """Add a row of `endpoint_hours` to those of its job; answer its place if that hour can be counted again."""
        place = self._read(row, where)
        if place is not None:
            self._of_jobs[number_in(row["job_number"]), place] += number_in(row["runs"])
        return place

    def job(self, row: Row) -> None:
        """Look at a row of `job_hours`. Raises one of UNREADABLE."""
        where = f"the counted runs of job number {row['job_number']!s}"
        place = self._read(row, where)
        if place is not None:
            counted = self._of_jobs.pop((number_in(row["job_number"]), place), 0)
            what = f"{_told(place)} has {row['runs']!s}, its endpoints have {counted}"
            self.expect(number_in(row["runs"]) == counted, where, what)

    def close(self) -> None:
        """Tell of counts of endpoints that no job has."""
        for (number, place), counted in self._of_jobs.items():
            where = f"the counted runs of job number {number}"
            self.expect(holds=False, where=where, what=f"{_told(place)} is missing, its endpoints have {counted}")

    def kept(self, hour_us: int) -> bool:
        """Whether all runs of that hour are still kept."""
        return hour_us >= self._whole_us

    def expect(self, holds: object, where: str, what: str) -> None:
        """Note whether counts are as they must be."""
        self._findings.expect(Check.ROLLUPS, holds, where, what)

    def _read(self, row: Row, where: str) -> _Place | None:
        tally_of(row)
        hour_us = number_in(row["hour_us"])
        place = _Place(hour_us, row["source"], row["status"])
        begins = hour_us % HOUR_US == 0 and hour_us <= self._latest_us
        self.expect(begins, where, f"{_told(place)} is no hour that has begun")
        return place if self.kept(hour_us) else None


class EndpointHours:
    """The runs of one endpoint, counted again."""

    def __init__(self, audit: RollupAudit, where: str) -> None:
        self._audit = audit
        self._where = where
        self._runs: Counter[_Place] = Counter()

    def run(self, row: Row) -> None:
        """Take a row of `runs`; one that can't be read is no fault of the counts."""
        started_us = number_or_zero(row["started_us"])
        hour_us = started_us - started_us % HOUR_US
        if self._audit.kept(hour_us):
            self._runs[_Place(hour_us, row["source"], row["status"])] += 1

    def hour(self, row: Row) -> None:
        """Take a row of `endpoint_hours`. Raises one of UNREADABLE."""
        place = self._audit.take(row, self._where)
        if place is not None:
            there = self._runs.pop(place, 0)
            what = f"{_told(place)} has {row['runs']!s}, and {there} runs are there"
            self._audit.expect(number_in(row["runs"]) == there, self._where, what)

    def close(self) -> None:
        """Tell of runs that are not counted."""
        for place, there in self._runs.items():
            what = f"{_told(place)} is missing, and {there} runs are there"
            self._audit.expect(holds=False, where=self._where, what=what)


def _told(place: _Place) -> str:
    hour = instant_in(place.hour_us)
    return f"the hour from {hour:%Y-%m-%dT%H:%MZ}, {place.source!s}, {place.status!s}"
