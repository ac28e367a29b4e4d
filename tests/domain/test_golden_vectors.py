"""Plans recorded from the reference scheduler, answered to the millisecond."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cronicorn.domain.endpoint import Baseline, EndpointState, JobEndpoint
from cronicorn.domain.fixtures import a_pause, an_endpoint, at
from cronicorn.domain.hint import Author, Hint, HintKind
from cronicorn.domain.planning import plan_next_run
from tests.domain.strategies import CRON

VECTORS = Path(__file__).parents[1] / "data" / "plan_next_run.jsonl"
LINES = VECTORS.read_text().splitlines()


def _length(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)


def _hints(row: dict[str, Any], now: datetime) -> tuple[Hint, ...]:
    """The reference keeps one interval and one instant under one expiry; without it they do not count."""
    hints = []
    if row["ai_hint_expires_at"] is not None:
        expires_at = at(row["ai_hint_expires_at"])
        life: dict[str, Any] = {"author": Author.MODEL, "written_at": now, "expires_at": expires_at}
        if row["ai_hint_interval_ms"]:
            hints.append(Hint(kind=HintKind.INTERVAL, interval=_length(row["ai_hint_interval_ms"]), **life))
        if row["ai_hint_next_run_at"]:
            hints.append(Hint(kind=HintKind.ONE_SHOT, at=at(row["ai_hint_next_run_at"]), **life))
    if row["paused_until"] is not None:
        hints.append(a_pause(at(row["paused_until"]), now=now))
    return tuple(hints)


def _endpoint(row: dict[str, Any], now: datetime) -> JobEndpoint:
    return an_endpoint(
        baseline=Baseline(cron=row["baseline_cron"], interval=_length(row["baseline_interval_ms"])),
        interval_min=_length(row["min_interval_ms"]),
        interval_max=_length(row["max_interval_ms"]),
        state=EndpointState(hints=_hints(row, now), failure_count=row["failure_count"]),
    )


def test_all_recorded_plans_are_there() -> None:
    assert len(LINES) == 210


@pytest.mark.parametrize("line", LINES)
def test_a_recorded_plan_is_met_exactly(line: str) -> None:
    vector = json.loads(line)
    now = at(vector["now"])

    plan = plan_next_run(now, _endpoint(vector["endpoint"], now), CRON)

    assert (plan.next_run_at, plan.source.value) == (
        at(vector["expect"]["next_run_at"]),
        vector["expect"]["source"],
    )
