"""The watchman: looks, round by round, for what people have to be told of, and writes it with the messages about it.

Whichever process comes first does the round, a door or a planner too: so somebody looks when no scheduler lives. One
that is cut short is made again: an incident is opened once in the store, and each write of it is fenced by its version.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from cronicorn.domain.alert.alerting import LATE_LEAST, NO_ALERTING, STREAK_MAX, AlertRules, IncidentKind
from cronicorn.domain.alert.incident import OPEN_MAX, Incident
from cronicorn.domain.alert.judging import (
    Verdict,
    asks_for_runs,
    by_rules,
    late_together,
    must_pause,
    pausing,
    verdicts,
)
from cronicorn.domain.alert.ports import AlertingBook, AlertRound, AlertWatch, IncidentBook, Suspect
from cronicorn.domain.alert.telling import Audience, Told, closed, relapsed, told
from cronicorn.domain.errors import ConflictError, NotFoundError, UnavailableError
from cronicorn.domain.instant import ZERO, shifted
from cronicorn.domain.ports import Cron, EndpointEdit

log = logging.getLogger(__name__)

ROUND_TTL = timedelta(minutes=1)
"""After so long another process may take over from one that was killed in a round."""
SETTLED_WITHIN = timedelta(minutes=2)
"""A run is recorded at most so long after its end: a round looks back as far beyond the one before."""
LOOKED_BACK_MAX = timedelta(days=1)
MARKS_EVERY = timedelta(minutes=1)
"""So often the states of all endpoints are searched for rules that drifted and steering that is frozen."""

Usage = Callable[[str, AlertRules], Awaitable[Sequence[Verdict]]]
"""What is to be said of the quotas of a tenant."""
Place = tuple[IncidentKind, str]
"""What tells the open incidents of a tenant apart: kind and subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchmanPorts:
    """What a watchman reads and writes."""

    book: AlertingBook
    watch: AlertWatch
    incidents: IncidentBook
    usage: Usage
    cron: Cron
    new_id: Callable[[str], str]
    wake: Callable[[], None]
    """Is told that messages wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """A verdict about one subject of a tenant."""

    verdict: Verdict
    suspect: Suspect | None = None
    edit: EndpointEdit | None = None

    @property
    def subject(self) -> str:
        return self.suspect.endpoint.id if self.suspect is not None else ""

    @property
    def name(self) -> str | None:
        return self.suspect.endpoint.name if self.suspect is not None else None

    @property
    def place(self) -> Place:
        return (self.verdict.kind, self.subject)


class Watchman:
    """Does a round whenever one is due and nobody else does it."""

    def __init__(self, ports: WatchmanPorts, every: timedelta) -> None:
        self._ports = ports
        self._every = every
        self._marks_at: datetime | None = None

    async def run(self) -> None:
        """Do rounds until cancelled."""
        while True:
            try:
                await self.look_once()
            except UnavailableError as error:
                log.warning("alert_round_not_made", extra={"reason": str(error)})
            except Exception:  # A bug met in one round must not end the looking, nor anything beside it.
                log.exception("alert_round_crashed")
            await asyncio.sleep(self._every.total_seconds())

    async def look_once(self) -> bool:
        """Do a round; False when it is another's, or not due. Raises UnavailableError."""
        watch = self._ports.watch
        begun = await watch.begin(claim_id=self._ports.new_id("claim"), every=self._every, ttl=ROUND_TTL)
        if begun is None:
            return False
        marked = self._marks_at is None or not ZERO <= begun.now - self._marks_at < MARKS_EVERY
        since = shifted(max(begun.since, shifted(begun.now, -LOOKED_BACK_MAX)), -SETTLED_WITHIN)
        suspects = await watch.suspects(since, LATE_LEAST, marked=marked)
        if await self._look(begun, suspects):  # Else it is looked at again when the claim has run out.
            await watch.end(begun)
            self._marks_at = begun.now if marked else self._marks_at
        return True

    async def _look(self, begun: AlertRound, suspects: Sequence[Suspect]) -> bool:
        """Look at every tenant; whether that met no bug. One that is met ends the look at no other tenant."""
        alertings, waiting = await self._ports.book.all(), await self._ports.watch.waiting()
        open_now: dict[str, dict[Place, Incident]] = defaultdict(dict)
        for incident in await self._ports.incidents.open():
            open_now[incident.tenant_id][incident.kind, incident.subject] = incident
        of_tenants: dict[str, list[Suspect]] = defaultdict(list)
        for suspect in suspects:
            of_tenants[suspect.endpoint.tenant_id].append(suspect)
        whole = True
        for tenant_id in {*alertings, *open_now, *of_tenants}:
            alerting = alertings.get(tenant_id, NO_ALERTING)
            holding = [window for window in alerting.windows if window.holds(begun.now, self._ports.cron)]
            audience = Audience(
                alerting=alerting, windows=holding, waiting=waiting, now=begun.now,
                new_id=partial(self._ports.new_id, "alert"),
            )  # fmt: skip
            tour = _Tour(self._ports, tenant_id, audience, open_now[tenant_id])
            try:
                await tour.go(of_tenants[tenant_id], counted=tenant_id in alertings)
            except UnavailableError:
                raise
            except Exception:
                log.exception("alert_tour_crashed", extra={"tenant": tenant_id})
                whole = False
        return whole


class _Tour:
    """A look at one tenant."""

    def __init__(
        self, ports: WatchmanPorts, tenant_id: str, audience: Audience, open_now: Mapping[Place, Incident]
    ) -> None:
        self._ports = ports
        self._tenant_id = tenant_id
        self._open = open_now
        self._room = OPEN_MAX - len(open_now)
        self._waiting = Counter(audience.waiting)
        """Those of this tour included."""
        self._over: dict[Place, Incident] | None = None
        """What ended last, once something opens."""
        self._audience = audience._replace(waiting=self._waiting)

    async def go(self, suspects: Sequence[Suspect], *, counted: bool) -> None:
        """Look at the *suspects* and, if it *counted*, at quotas: of a tenant that wants to be told of something."""
        findings = [finding async for finding in self._judged(suspects)]
        findings = list(_with_late_together(findings, going_on=(IncidentKind.LATE, "") in self._open))
        if counted:
            findings += [_Finding(verdict=verdict) for verdict in await self._usage()]
        seen = {suspect.endpoint.id for suspect in suspects}
        for finding in findings:
            await self._contained(self._open.get(finding.place), finding)
        for (kind, subject), incident in self._open.items():
            if kind.of_endpoints and subject and subject not in seen:
                gone = Verdict(kind, wrong=False, sentence="The endpoint was deleted.")
                await self._contained(incident, _Finding(verdict=gone))

    async def _usage(self) -> Sequence[Verdict]:
        try:
            return await self._ports.usage(self._tenant_id, self._audience.alerting.rules)
        except UnavailableError as error:  # The books may be elsewhere than all the rest.
            log.warning("quotas_not_looked_at", extra={"tenant": self._tenant_id, "reason": str(error)})
            return ()

    async def _judged(self, suspects: Sequence[Suspect]) -> AsyncIterator[_Finding]:
        now, alerting = self._audience.now, self._audience.alerting
        for suspect in suspects:
            endpoint = suspect.endpoint
            rules = alerting.rules_for(endpoint.job_id, endpoint.id)
            failing = (IncidentKind.FAILING, endpoint.id) in self._open
            recent = None
            if asks_for_runs(suspect, rules, failing=failing):
                recent = await self._ports.watch.recent(self._tenant_id, endpoint.id, STREAK_MAX)
            for verdict in verdicts(suspect, rules, recent, now):
                pauses = verdict.kind is IncidentKind.PAUSED and must_pause(endpoint, rules, now)
                edit = pausing(rules, self._ports.cron) if pauses else None
                yield _Finding(verdict=verdict, suspect=suspect, edit=edit)

    async def _contained(self, incident: Incident | None, finding: _Finding) -> None:
        """Write what follows; what changed meanwhile is left to the next round."""
        try:
            await self._settle(incident, finding)
        except (ConflictError, NotFoundError) as error:
            facts = {"tenant": self._tenant_id, "kind": finding.verdict.kind.value, "reason": str(error)}
            log.warning("incident_not_written", extra=facts)

    async def _settle(self, incident: Incident | None, finding: _Finding) -> None:
        verdict = finding.verdict
        if verdict.wrong:
            await self._go_on(incident, finding)
        elif incident is not None:
            await self._write(incident, closed(incident, verdict.sentence, finding.name, self._audience), finding.edit)

    async def _go_on(self, incident: Incident | None, finding: _Finding) -> None:
        """Open an incident, or tell again of one that goes on; it is written only where there is something new."""
        verdict = finding.verdict
        if incident is None and self._room <= 0:
            log.warning("incidents_too_many", extra={"tenant": self._tenant_id, "kind": verdict.kind.value})
            return
        going_on = replace(incident or await self._opened(finding), summary=verdict.sentence)
        result = told(going_on, finding.name, self._audience)
        if incident is None or result.messages or finding.edit is not None:
            await self._write(incident, result, finding.edit)

    async def _opened(self, finding: _Finding) -> Incident:
        suspect = finding.suspect
        opened = Incident(
            id=self._ports.new_id("incident"), tenant_id=self._tenant_id, kind=finding.verdict.kind,
            subject=finding.subject, opened_at=self._audience.now,
            job_id=suspect.endpoint.job_id if suspect is not None else None,
        )  # fmt: skip
        if self._over is None:
            newest = await self._ports.incidents.list(self._tenant_id, limit=OPEN_MAX)
            self._over = {(each.kind, each.subject): each for each in reversed(newest) if not each.open}
        return relapsed(opened, self._over.get(finding.place))

    async def _write(self, before: Incident | None, result: Told, edit: EndpointEdit | None) -> None:
        if not await self._ports.incidents.write(result.incident, result.messages, edit, by_rules(self._tenant_id)):
            return  # Another process, or whoever acknowledged it, was faster.
        self._waiting.update(message.route_id for message in result.messages)
        if result.messages:
            self._ports.wake()
        facts = {**result.incident.facts(), "messages": len(result.messages)}
        if before is None:
            self._room -= 1
            log.warning("incident_opened", extra=facts)
        elif not result.incident.open:
            log.info("incident_closed", extra=facts)


def _with_late_together(findings: Iterable[_Finding], *, going_on: bool) -> Iterator[_Finding]:
    """The same, with one about the tenant in the place of those about too many endpoints that are late."""
    findings = list(findings)
    late = [each for each in findings if each.verdict.kind is IncidentKind.LATE and each.verdict.wrong]
    together = late_together(len(late), going_on=going_on)
    for finding in findings:
        if together.wrong and finding.verdict.kind is IncidentKind.LATE and finding.verdict.wrong:
            sentence = "Many endpoints are late; they are one incident now."
            yield replace(finding, verdict=Verdict(IncidentKind.LATE, wrong=False, sentence=sentence))
        else:
            yield finding
    yield _Finding(verdict=together)
