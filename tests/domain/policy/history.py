"""An endpoint that answers, and what becomes of its plan: the real `decide`, answer by answer."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cronicorn.domain.call import Outcome, OutcomeKind
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import Baseline, JobEndpoint
from cronicorn.domain.fixtures import MIDNIGHT, an_endpoint
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.policy.steps import PolicySteps
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import Settlement, Sibling, Stored
from cronicorn.domain.steering_record import SteeringRecord
from cronicorn.testing.cron import EveryMinuteCron

CRON = EveryMinuteCron()
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def endpoint_with(policy: Any, name: Any = "api", every: Any = 5 * MINUTE, **changes: Any) -> JobEndpoint:
    """An endpoint that is called every five minutes, with *policy*."""
    made = an_endpoint(
        id=name,
        name=name,
        baseline=changes.pop("baseline", Baseline(interval=every, anchor_at=MIDNIGHT)),
        policy=None if policy is None else policy_of({"version": 1} | policy),
        **changes,
    )
    return started(made, MIDNIGHT, CRON)


@dataclass
class History:
    """Endpoints of one job, and what happened so far."""

    endpoints: dict[str, JobEndpoint]
    last: Settlement | None = None
    calls: list[tuple[datetime, str]] = field(default_factory=list)

    @classmethod
    def of(cls, *endpoints: JobEndpoint) -> "History":
        return cls({endpoint.name: endpoint for endpoint in endpoints})

    def answer(self, body=None, *, of: str | None = None, status: int = 200, headers=(), late=0 * SECOND) -> Settlement:
        """Let the endpoint *of* be called when it is due, and answer."""
        name = of or next(iter(self.endpoints))
        endpoint = self.endpoints[name]
        state = endpoint.state
        assert state.plan is not None
        assert state.plan.next_run_at is not None
        at = state.plan.next_run_at + late
        outcome = Outcome(
            kind=OutcomeKind.RESPONDED, duration=0 * SECOND, status_code=status, headers=tuple(headers),
            body=None if body is None else json.dumps(body), body_is_json=body is not None,
        )  # fmt: skip
        run = Run(
            tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, slot=state.slot, attempt=state.attempt, fence=1,
            source=state.plan.source, trace="", due_at=at - late, nominal_at=state.plan.nominal_at, started_at=at,
            finished_at=at, status=RunStatus.SUCCESS if status < 400 else RunStatus.FAILED, outcome=outcome,
        )  # fmt: skip
        others = {other.name: Sibling(other) for other in self.endpoints.values() if other.name != name}
        facts = Facts(
            stored=Stored(now=at, leased_slot=state.slot, siblings=others), run=run, manual=False, cron=CRON,
            watched=any(other.policy and other.policy.siblings for other in self.endpoints.values()),
        )  # fmt: skip
        self.last = decide(endpoint, facts)
        self.calls.append((at, name))
        self.endpoints[name] = replace(endpoint, state=self.last.state)
        for change in self.last.siblings.values():
            self.endpoints[change.endpoint.name] = change.endpoint
        return self.last

    def due(self, name: str | None = None) -> timedelta | None:
        """How long after midnight the endpoint is due."""
        endpoint = self.endpoints[name or next(iter(self.endpoints))]
        due_at = endpoint.state.due_at
        return None if due_at is None else due_at - MIDNIGHT

    def gap(self, name: str | None = None) -> timedelta:
        """How long after the last answer the endpoint is due."""
        due = self.due(name)
        assert due is not None
        return due - (self.calls[-1][0] - MIDNIGHT)

    def source(self, name: str | None = None) -> str:
        endpoint = self.endpoints[name or next(iter(self.endpoints))]
        assert endpoint.state.plan is not None
        return endpoint.state.plan.source.value

    @property
    def record(self) -> SteeringRecord:
        """What was made of the last answer."""
        assert self.last is not None
        assert self.last.record is not None
        return self.last.record

    @property
    def steps(self) -> PolicySteps:
        """What the rules of whoever answered last made of it."""
        assert self.record.own is not None
        return self.record.own

    def phases(self) -> dict[str, str]:
        """Where the rules stood after the last answer."""
        return {step.rule: step.phase.name.lower() for step in self.steps.rules}

    def did(self) -> dict[str, tuple[str, ...]]:
        """What the rules did with the last answer."""
        return {step.rule: step.did for step in self.steps.rules if step.did}
