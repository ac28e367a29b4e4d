"""Answers of siblings, as recorded, for an endpoint whose rules read them or that their rules steer."""

from bisect import insort
from dataclasses import replace
from datetime import datetime

from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.endpoint import EndpointState, JobEndpoint
from cronicorn.domain.plan import Source
from cronicorn.domain.ports import Cron
from cronicorn.domain.replay.bystander import FailureStreak
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Sibling, Stored
from cronicorn.domain.steering_record import SteeringRecord


class SiblingsHeard:
    """Siblings whose calls come when they came, and the answers that are still to be heard."""

    def __init__(self, cron: Cron) -> None:
        self._cron = cron
        self._waiting: list[Run] = []
        self._siblings: dict[str, JobEndpoint] = {}
        self._streaks: dict[str, FailureStreak] = {}

    def add(self, sibling: JobEndpoint, run: Run) -> None:
        """The next recorded run of *sibling*. A test call steers nobody."""
        if run.source is Source.TEST:
            return
        if sibling.id not in self._siblings:
            self._siblings[sibling.id] = sibling.standing(EndpointState())
            self._streaks[sibling.id] = FailureStreak()
        insort(self._waiting, run, key=lambda each: each.finished_at)

    def next_before(self, moment: datetime) -> Run | None:
        """The first answer that is still to be heard, if it came at *moment* or earlier; it waits no longer."""
        if not self._waiting or self._waiting[0].finished_at > moment:
            return None
        return self._waiting.pop(0)

    def heard(self, run: Run, endpoint: JobEndpoint, now: datetime) -> tuple[JobEndpoint, SteeringRecord | None]:
        """What the answer of a sibling's *run* makes of *endpoint*, and what the rules said to it."""
        sibling = self._siblings[run.endpoint_id]
        failures = self._streaks[run.endpoint_id].after(run)
        before = sibling.standing(replace(sibling.state, failure_count=max(failures - 1, 0)))
        stored = Stored(now=now, siblings={endpoint.name: Sibling(endpoint)})
        # As a manual run: it steers, and what becomes of the sibling's own schedule is on record.
        settled = decide(before, Facts(stored=stored, run=run, manual=True, cron=self._cron, watched=True))
        self._siblings[run.endpoint_id] = sibling.standing(settled.state)
        change = settled.siblings.get(endpoint.id)
        return (change.endpoint if change is not None else endpoint), settled.record
