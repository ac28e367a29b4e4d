"""One endpoint: its timeline, its last runs, why it runs when it does, and what can be done now."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from cronicorn.control.document import PauseDocument
from cronicorn.control.plane import ControlPlane
from cronicorn.control.statuses import status_of
from cronicorn.control.timelines import SPAN_MAX, SPAN_MIN
from cronicorn.domain.durations import parse_duration
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import InvalidInputError, NotFoundError
from cronicorn.domain.hint import paused_until
from cronicorn.domain.history import RunQuery
from cronicorn.domain.instant import shifted
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run
from cronicorn.web.addresses import instant_in
from cronicorn.web.live import Mark
from cronicorn.web.pages.analyses import ended
from cronicorn.web.reasons import reasons
from cronicorn.web.site import WebSite, see
from cronicorn.web.timeline.drawing import drawing
from cronicorn.web.timeline.scene import scene_of
from cronicorn.web.timeline.table import timeline_rows
from cronicorn.web.view import Looked, ThingId
from cronicorn.web.words import instant

SPAN_DEFAULT = timedelta(hours=6)
"""Of an endpoint that has not run."""
RUNS_IN_RANGE = 50
"""About so many runs are shown unless somebody says how long."""
AHEAD = 0.1
"""So much of a timeline that ends now lies ahead."""
RUNS_SHOWN = 5
ANALYSES_SHOWN = 3
LAST_MAX = SPAN_MAX / 2
FromQuery = Annotated[str, Query(alias="from")]
RANGES = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 24 * 7, 24 * 30))


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnSpan:
    """From when to when a timeline is drawn, and the addresses of others."""

    since: datetime
    until: datetime
    now: datetime
    fixed: bool
    """Whether an address named it; else it moves on with the time."""

    @property
    def length(self) -> timedelta:
        return self.until - self.since

    def query(self, since: datetime, until: datetime) -> str:
        """The address of another range, without the path."""
        return "?" + urlencode({"from": instant(since), "to": instant(until)})

    @property
    def earlier(self) -> str:
        return self.query(shifted(self.since, -self.length / 2), shifted(self.until, -self.length / 2))

    @property
    def later(self) -> str:
        return self.query(shifted(self.since, self.length / 2), shifted(self.until, self.length / 2))

    @property
    def closer(self) -> str | None:
        """Half of it around the middle; None where that is too short."""
        quarter = self.length / 4
        return self.query(self.since + quarter, self.until - quarter) if self.length / 2 >= SPAN_MIN else None

    @property
    def wider(self) -> str | None:
        """Twice as much around the middle; None where that is too long."""
        half = self.length / 2
        return (
            self.query(shifted(self.since, -half), shifted(self.until, half)) if self.length * 2 <= SPAN_MAX else None
        )


def range_of(since: str, until: str, last: str, now: datetime, usual: DrawnSpan) -> DrawnSpan:
    """The range from *since* to *until*, or else the *last* so long, or *usual*; a text that is empty says nothing.

    Raises InvalidInputError for what can't be read, and for a range that is too short or too long.
    """
    begins, ends = _named_instant("from", since), _named_instant("to", until)
    length = _length(last) if last.strip() else usual.length
    if begins is None and ends is None:
        return _until_now(length, now) if last.strip() else usual
    if ends is None:
        ends = max(now, shifted(begins or now, SPAN_MIN))
    if begins is None:
        begins = shifted(ends, -length)
    if not SPAN_MIN <= ends - begins <= SPAN_MAX:
        raise InvalidInputError(
            f"A timeline spans a minute to {SPAN_MAX.days} days, from an earlier instant to a later one: change `from` "
            "or `to` in the address."
        )
    return DrawnSpan(since=begins, until=ends, now=now, fixed=True)


def endpoint_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What can be seen of an endpoint, and done about it."""
    router = APIRouter()

    @router.get("/endpoints/{endpoint_id}")
    async def show(view: Looked, endpoint_id: ThingId, since: FromQuery = "", to: str = "", last: str = "") -> Response:
        values = await _shown(control, view.asker, endpoint_id, (since, to, last))
        return site.page(view, "endpoint.html", fault="", **values)

    @router.post("/endpoints/{endpoint_id}/run")
    async def run(view: Looked, endpoint_id: ThingId) -> Response:
        await control.requests.run_now(view.asker, endpoint_id)
        return see(f"/endpoints/{endpoint_id}")

    @router.post("/endpoints/{endpoint_id}/test")
    async def test(view: Looked, endpoint_id: ThingId) -> Response:
        made = await control.trials.call(view.asker, endpoint_id)
        return see(f"/runs/{made.id}")

    @router.post("/endpoints/{endpoint_id}/pause")
    async def pause(view: Looked, endpoint_id: ThingId) -> Response:
        asker, reason = view.asker, view.entered("reason") or None
        now = (await control.endpoints.get(asker, endpoint_id)).now
        try:
            until = _pause_end(view.entered("for"), now)
            document = PauseDocument.model_validate({"pausedUntil": until, "reason": reason})
            await control.hints.pause(asker, endpoint_id, document)
        except InvalidInputError as error:
            values = await _shown(control, asker, endpoint_id)
            return site.page(view, "endpoint.html", status=status_of(error), fault=str(error), **values)
        return see(f"/endpoints/{endpoint_id}")

    @router.post("/endpoints/{endpoint_id}/resume")
    async def resume(view: Looked, endpoint_id: ThingId) -> Response:
        await control.hints.pause(view.asker, endpoint_id, PauseDocument.model_validate({"pausedUntil": None}))
        return see(f"/endpoints/{endpoint_id}")

    @router.post("/endpoints/{endpoint_id}/clear-hints")
    async def clear_hints(view: Looked, endpoint_id: ThingId) -> Response:
        await control.hints.clear(view.asker, endpoint_id)
        return see(f"/endpoints/{endpoint_id}")

    return router


def endpoint_mark(control: ControlPlane) -> Mark:
    """What the page of an endpoint shows, in short."""

    async def mark(asker: Principal, endpoint_id: str) -> str:
        found = await control.endpoints.get(asker, endpoint_id)
        state = found.endpoint.state
        hints = [(hint.id, hint.written_at) for hint in state.hints]
        rules = [(name, rule.phase) for name, rule in state.memory.rules.rules.items()]
        return repr(
            (found.endpoint.version, state.slots_issued, state.attempt, state.due_at, found.running, hints, rules)
        )

    return mark


async def _shown(
    control: ControlPlane, asker: Principal, endpoint_id: str, asked: tuple[str, str, str] = ("", "", "")
) -> dict[str, Any]:
    """What the page shows of the endpoint in the range *asked* for (`range_of`)."""
    explanation = await control.schedules.explain(asker, endpoint_id)
    endpoint, now = explanation.endpoint, explanation.now
    newest = await control.runs.list(asker, endpoint_id, RunQuery(limit=RUNS_SHOWN))
    shown = range_of(*asked, now, usual_range(endpoint, newest.runs, now))
    told = await control.timelines.show(asker, endpoint_id, shown.since, shown.until)
    analyses = await control.analyses.list(asker, endpoint_id, limit=ANALYSES_SHOWN)
    runs, scene = await _with_bodies(control, asker, newest.runs), scene_of(told)
    return {
        "endpoint": endpoint,
        "job": await control.jobs.get(asker, endpoint.job_id),
        **await reasons(control, asker, explanation, runs),
        "analyses": [(each.analysis, ended(each.analysis)) for each in analyses.views],
        "analyses_in_all": analyses.total,
        "follow_up_at": analyses.follow_up_at,
        "shown": shown,
        "ranges": RANGES,
        "scene": scene,
        "timeline": drawing(scene),
        "rows": timeline_rows(scene),
        "runs": runs,
        "runs_in_all": newest.total,
        "paused_until": paused_until(endpoint.state.hints, now),
    }


async def _with_bodies(control: ControlPlane, asker: Principal, runs: tuple[Run, ...]) -> list[Run]:
    """*runs* with what was answered; without those that went meanwhile."""
    found = []
    for run in runs:
        with suppress(NotFoundError):
            view = await control.runs.get(asker, run.id)
            found += [view.run] if isinstance(view.run, Run) else []
    return found


def _pause_end(text: str, now: datetime) -> datetime:
    """When a pause ends that lasts so long, or until then. Raises InvalidInputError."""
    try:
        return shifted(now, parse_duration(text))
    except ValueError:
        until = instant_in(text)
    if until is None:
        raise InvalidInputError("Say how long as 30m, 2h or 7d, or until when as 2026-01-31T09:30Z.")
    return until


def _named_instant(name: str, text: str) -> datetime | None:
    """The instant that the address gives as *name*; None where it gives none. Raises InvalidInputError."""
    at = instant_in(text)
    if at is None and text.strip():
        raise InvalidInputError(f"The address says {name}={text[:40]}: write an instant such as 2026-01-31T09:30:00Z.")
    return at


def _length(text: str) -> timedelta:
    """The length that the address gives. Raises InvalidInputError."""
    with suppress(ValueError):
        length = parse_duration(text)
        if SPAN_MIN <= length <= LAST_MAX:
            return length
    raise InvalidInputError(
        f"The address says last={text[:40]}: write a length such as 12h, from 1m to {LAST_MAX.days}d."
    )


def _until_now(length: timedelta, now: datetime) -> DrawnSpan:
    return DrawnSpan(since=now - length, until=now + length * AHEAD, now=now, fixed=False)


def usual_range(endpoint: JobEndpoint, runs: Sequence[Run], now: datetime) -> DrawnSpan:
    """What is shown of *endpoint*, whose newest *runs* these are, unless somebody says otherwise.

    About RUNS_IN_RANGE of them. One that is younger than that from when it was made, until its next run at least.
    """
    shown, since = _until_now(_usual_length(runs), now), endpoint.created_at
    if since <= shown.since:
        return shown
    age, due_at = now - since, endpoint.state.due_at or now
    until = max(shifted(now, age * AHEAD), min(shifted(due_at, (due_at - now) * AHEAD), shown.until))
    return DrawnSpan(since=since, until=max(until, shifted(since, SPAN_MIN)), now=now, fixed=False)


def _usual_length(runs: Sequence[Run]) -> timedelta:
    """The shortest of RANGES that holds about RUNS_IN_RANGE at the pace of *runs*, the newest first."""
    if len(runs) <= 1:
        return SPAN_DEFAULT
    pace = (runs[0].started_at - runs[-1].started_at) / (len(runs) - 1)
    return next((each for each in RANGES if each >= pace * RUNS_IN_RANGE), RANGES[-1])
