"""Records of endpoints: what the real `decide` made of answers, kept as a store keeps it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cronicorn.domain.call import Outcome, OutcomeKind
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.plan import Source
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.replay.replay import Replay
from cronicorn.domain.replay.replayed import Replayed
from cronicorn.domain.run import Run, RunStatus
from tests.domain.policy.history import CRON, MINUTE, SECOND, History, endpoint_with

ERRORS = {
    "fields": {"err": {"path": "$.err", "type": "number"}},
    "rules": [{"id": "burst", "when": "err > 5", "until": "err < 2", "action": {"interval": "1m"}}],
}
"""Look every minute while there are many errors."""


def under(policy, endpoint: JobEndpoint) -> JobEndpoint:
    """*endpoint* with *policy* to be tried."""
    return replace(endpoint, policy=policy_of({"version": 1} | policy))


def a_record(
    endpoint: JobEndpoint, answer: Callable[[datetime], dict[str, Any]], count: int, *, late: timedelta = 0 * SECOND
) -> list[Run]:
    """The first *count* runs of *endpoint*; *answer* says what it answers to a call at an instant."""
    history, runs = History.of(endpoint), []
    for _ in range(count):
        before = history.endpoints[endpoint.name]
        assert before.state.plan is not None
        assert before.state.plan.next_run_at is not None
        reply: dict[str, Any] = {"status": 200, "headers": (), **answer(before.state.plan.next_run_at + late)}
        settled = history.answer(reply.get("body"), status=reply["status"], headers=reply["headers"], late=late)
        runs.append(settled.recorded(_run(before, reply, late)))
    return runs


def _run(before: JobEndpoint, reply: dict[str, Any], late: timedelta) -> Run:
    state, plan, body = before.state, before.state.plan, reply.get("body")
    assert plan is not None
    assert plan.next_run_at is not None
    at = plan.next_run_at + late
    outcome = Outcome(
        kind=OutcomeKind.RESPONDED, duration=0 * SECOND, status_code=reply["status"], headers=tuple(reply["headers"]),
        body=None if body is None else json.dumps(body), body_is_json=body is not None,
    )  # fmt: skip
    return Run(
        tenant_id=before.tenant_id, endpoint_id=before.id, slot=state.slot, attempt=state.attempt, fence=1,
        source=plan.source, trace=plan.trace.encode(), due_at=plan.next_run_at, nominal_at=plan.nominal_at,
        started_at=at, finished_at=at, status=RunStatus.SUCCESS if reply["status"] < 400 else RunStatus.FAILED,
        outcome=outcome,
    )  # fmt: skip


def every_five_minutes(*errors: float | None) -> list[Run]:
    """An unsteered record: one run each five minutes from 00:05 on, with so many errors; None has no body."""
    values = iter(errors)

    def answer(_: datetime) -> dict[str, Any]:
        value = next(values)
        return {} if value is None else {"body": {"err": value}}

    return a_record(endpoint_with(None), answer, len(errors))


def replayed(endpoint: JobEndpoint, runs: Iterable[Run], **options: int) -> Replayed:
    """*runs* replayed under the policy of *endpoint*."""
    replay = Replay(endpoint, CRON, **options)
    for run in runs:
        replay.record(run)
        while replay.step():
            pass
    replay.close()
    while replay.step():
        pass
    return replay.replayed()


def minute(number: float) -> datetime:
    """So many minutes after midnight."""
    return MIDNIGHT + number * MINUTE


def asked_for(run: Run, source: Source = Source.MANUAL) -> Run:
    """*run* as if a person had asked for it."""
    return replace(run, source=source, nominal_at=None, trace="")
