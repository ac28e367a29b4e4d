"""Rows of counted runs, the same in all stores that keep rows."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from cronicorn.domain.analysis.rows import analysis_from
from cronicorn.domain.cells import UNREADABLE, Cell, Row, instant_in, number_in
from cronicorn.domain.document import state_of
from cronicorn.domain.endpoint import EndpointState
from cronicorn.domain.fields import Fields, document_in, length_us, us
from cronicorn.domain.hint import paused_until
from cronicorn.domain.instant import length_of
from cronicorn.domain.lease import run_parts
from cronicorn.domain.plan import Source
from cronicorn.domain.rollup.tallies import (
    AnalysisTally,
    EndpointTally,
    HourPart,
    HourSpan,
    JobTally,
    PastAnalysis,
    PastRun,
    RunTally,
    StepTally,
    hour_of,
)
from cronicorn.domain.rows import run_of
from cronicorn.domain.run import RunStatus

HOUR_US = 3_600_000_000
PAUSE_MARK = '%"kind":"pause"%'
SUSPENDED_MARK = '%"suspended":true%'
"""What `LIKE` finds in the state of an endpoint that may be paused: texts in it have their quotes escaped."""


def span_row(tenant_id: str, span: HourSpan) -> Row:
    """What statements about a span take."""
    return {
        "tenant_id": tenant_id,
        "job_id": span.job_id,
        "since_us": us(span.since),
        "until_us": us(span.until),
        "step_us": length_us(span.step),
    }


def part_row(tenant_id: str, part: HourPart) -> Row:
    """What statements about a part take."""
    return {
        "tenant_id": tenant_id,
        "job_id": part.job_id,
        "hour_us": us(hour_of(part.since)),
        "since_us": us(part.since),
        "until_us": us(part.until),
        "after": part.after,
    }


def run_part_row(tenant_id: str, part: HourPart) -> Row:
    """What statements about runs of a part take."""
    after = run_parts(part.after) if part.after is not None else None
    endpoint_id, slot, attempt = after if after is not None else (None, 0, 0)
    return {**part_row(tenant_id, part), "after": endpoint_id, "after_slot": slot, "after_attempt": attempt}


def tally_of(row: Mapping[str, Cell]) -> RunTally:
    return RunTally(
        source=Source(str(row["source"])),
        status=RunStatus(str(row["status"])),
        runs=number_in(row["runs"]),
        duration=length_of(number_in(row["duration_us"])),
    )


def job_tally_of(row: Mapping[str, Cell]) -> JobTally:
    return JobTally(job_id=str(row["id"]), job_name=str(row["name"]), tally=tally_of(row))


def step_tally_of(row: Mapping[str, Cell]) -> StepTally:
    return StepTally(begins_at=_beginning(row), tally=tally_of(row))


def endpoint_tally_of(row: Mapping[str, Cell]) -> EndpointTally:
    return EndpointTally(
        endpoint_id=str(row["id"]), endpoint_name=_name_of(row), begins_at=_beginning(row), tally=tally_of(row)
    )


def analysis_tally_of(row: Mapping[str, Cell]) -> AnalysisTally:
    return AnalysisTally(
        endpoint_id=str(row["id"]),
        endpoint_name=_name_of(row),
        begins_at=_beginning(row),
        analyses=number_in(row["analyses"]),
        tokens=number_in(row["tokens"]),
    )


def past_run_of(tenant_id: str, row: Mapping[str, Cell]) -> PastRun:
    return PastRun(run=run_of(tenant_id, str(row["id"]), row), endpoint_name=_name_of(row))


def past_analysis_of(row: Mapping[str, Cell]) -> PastAnalysis:
    """From the columns of `analyses`, and the document of the endpoint as `owner`."""
    name = _name_in(str(row["owner"])) or str(row["endpoint_id"])
    return PastAnalysis(analysis=analysis_from(row), endpoint_name=name)


def is_paused(state: EndpointState, now: datetime) -> bool:
    """Whether an endpoint in *state* does not run, by itself or with its job."""
    return state.suspended or paused_until(state.hints, now) is not None


def paused_among(states: Iterable[str], now: datetime) -> int:
    """How many of the *states* of endpoints, as stored, are paused."""
    return sum(is_paused(state_of(document_in(state)), now) for state in states)


def _beginning(row: Mapping[str, Cell]) -> datetime:
    return instant_in(row["begins_us"])


def _name_of(row: Mapping[str, Cell]) -> str:
    """The name of an endpoint, which its document tells; of one that can't be read, its id."""
    return _name_in(str(row["owner"])) or str(row["id"])


@lru_cache(1_000)
def _name_in(document: str) -> str | None:
    try:
        return Fields(document_in(document)).text("name")
    except UNREADABLE:
        return None
