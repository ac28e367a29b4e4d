"""Hints that a person or agent writes: each steers one endpoint for a while, inside its guardrails."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from cronicorn.control.document import (
    DeferHintDocument,
    Document,
    IntervalHintDocument,
    OneShotHintDocument,
    PauseDocument,
)
from cronicorn.control.endpoints import EndpointView, if_unchanged
from cronicorn.control.findings import Findings, refused
from cronicorn.control.limits import check_limits
from cronicorn.control.permissions import operation
from cronicorn.domain.editing import hinted, resumed, unhinted
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.hint import REASON_MAX, Author, Hint, HintKind
from cronicorn.domain.instant import MILLISECOND, shifted
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Cron, EndpointCatalog, EndpointEdit
from cronicorn.domain.principal import Principal
from cronicorn.domain.settlement import Change, Stored
from cronicorn.domain.unchanged import Unchanged

TTL_MINUTES_DEFAULT = 60

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class Hints:
    """What can be asked of an endpoint for a while.

    All plan again at once, and raise NotFoundError, and PreconditionFailedError where it is not *unchanged*.
    """

    def __init__(self, catalog: EndpointCatalog, cron: Cron, wake: Callable[[], None]) -> None:
        self._catalog = catalog
        self._cron = cron
        self._wake = wake

    @operation(Operation.HINT_INTERVAL)
    async def write_interval(
        self, principal: Principal, endpoint_id: str, document: IntervalHintDocument, unchanged: Unchanged | None = None
    ) -> EndpointView:
        """Run every `intervalMs` instead of the baseline. Raises InvalidInputError outside the guardrails."""
        _check(document)
        interval = document.interval_ms * MILLISECOND

        def hint(endpoint: JobEndpoint, now: datetime) -> Hint:
            _check_guardrails(endpoint, interval)
            return Hint(
                kind=HintKind.INTERVAL, author=Author.PERSON, written_at=now, interval=interval,
                expires_at=shifted(now, _ttl(document.ttl_minutes)), reason=_kept(document.reason),
            )  # fmt: skip

        return await self._write(principal, endpoint_id, hint, unchanged)

    @operation(Operation.HINT_ONE_SHOT)
    async def write_one_shot(
        self, principal: Principal, endpoint_id: str, document: OneShotHintDocument, unchanged: Unchanged | None = None
    ) -> EndpointView:
        """Run once, not later than an instant. Raises InvalidInputError when it is missing or has passed.

        The hint's life counts from the instant when that lies beyond it: no one-shot lapses before its time.
        """
        _check(document)
        ttl = _ttl(document.ttl_minutes)

        def hint(_endpoint: JobEndpoint, now: datetime) -> Hint:
            at = _instant(document.next_run_at, document.next_run_in_ms, now, ("nextRunAt", "nextRunInMs"))
            expires_at = shifted(now, ttl)
            return Hint(
                kind=HintKind.ONE_SHOT, author=Author.PERSON, written_at=now, at=at,
                expires_at=expires_at if expires_at > at else shifted(at, ttl), reason=_kept(document.reason),
            )  # fmt: skip

        return await self._write(principal, endpoint_id, hint, unchanged)

    @operation(Operation.HINT_DEFER)
    async def write_defer(
        self, principal: Principal, endpoint_id: str, document: DeferHintDocument, unchanged: Unchanged | None = None
    ) -> EndpointView:
        """Do not run before an instant; the maximum still counts. Raises InvalidInputError when it has passed."""
        _check(document)

        def hint(_endpoint: JobEndpoint, now: datetime) -> Hint:
            at = _instant(document.until, document.for_ms, now, ("until", "forMs"))
            return Hint(
                kind=HintKind.DEFER, author=Author.PERSON, written_at=now, at=at, expires_at=at,
                reason=_kept(document.reason),
            )  # fmt: skip

        return await self._write(principal, endpoint_id, hint, unchanged)

    @operation(Operation.ENDPOINT_PAUSE)
    async def pause(
        self, principal: Principal, endpoint_id: str, document: PauseDocument, unchanged: Unchanged | None = None
    ) -> EndpointView:
        """Do not run before an instant, whatever the guardrails say; without one, lift every pause."""
        until = document.paused_until
        if until is None:
            return await self._change(
                principal, endpoint_id, lambda before, _job, stored: resumed(before, stored, self._cron), unchanged
            )

        def hint(_endpoint: JobEndpoint, now: datetime) -> Hint:
            if until <= now:
                raise refused("/pausedUntil", "Must lie in the future; send null to resume.")
            return Hint(
                kind=HintKind.PAUSE, author=Author.PERSON, written_at=now, at=until, expires_at=until,
                reason=_kept(document.reason),
            )  # fmt: skip

        return await self._write(principal, endpoint_id, hint, unchanged)

    @operation(Operation.HINT_CLEAR)
    async def clear(self, principal: Principal, endpoint_id: str, unchanged: Unchanged | None = None) -> EndpointView:
        """Take away every hint, whoever wrote it; pauses stay."""
        return await self._change(
            principal, endpoint_id, lambda before, _job, stored: unhinted(before, stored, self._cron), unchanged
        )

    async def _write(
        self, principal: Principal, endpoint_id: str, hint: Callable[[JobEndpoint, datetime], Hint],
        unchanged: Unchanged | None,
    ) -> EndpointView:  # fmt: skip
        def edit(before: JobEndpoint, _job: Job, stored: Stored) -> Change:
            if before.archived_at is not None:
                raise refused("", f"Endpoint {before.id} is archived, so it can't be steered; unarchive it first.")
            return hinted(before, hint(before, stored.now), stored, self._cron)

        return await self._change(principal, endpoint_id, edit, unchanged)

    async def _change(
        self, principal: Principal, endpoint_id: str, edit: EndpointEdit, unchanged: Unchanged | None
    ) -> EndpointView:
        change = if_unchanged(edit, unchanged)
        endpoint, stored = await self._catalog.change(principal.tenant_id, endpoint_id, change, by=principal)
        self._wake()
        return EndpointView(endpoint=endpoint, now=stored.now, running=stored.running(endpoint))


def _check(document: Document) -> None:
    findings = Findings()
    check_limits(document, findings)
    findings.raise_errors()


def _check_guardrails(endpoint: JobEndpoint, interval: timedelta) -> None:
    low, high = endpoint.interval_min, endpoint.interval_max
    if low is not None and interval < low:
        raise refused("/intervalMs", f"Must not be below the endpoint's minIntervalMs of {low // MILLISECOND}.")
    if high is not None and interval > high:
        raise refused("/intervalMs", f"Must not be above the endpoint's maxIntervalMs of {high // MILLISECOND}.")


def _instant(at: datetime | None, in_ms: int | None, now: datetime, names: tuple[str, str]) -> datetime:
    if at is None:
        if in_ms is None:
            raise refused("", f"Say when: give {names[0]} or {names[1]}.")
        return shifted(now, in_ms * MILLISECOND)
    if at <= now:
        raise refused(f"/{names[0]}", "Must lie in the future.")
    return at


def _ttl(minutes: int | None) -> timedelta:
    return timedelta(minutes=TTL_MINUTES_DEFAULT if minutes is None else minutes)


def _kept(reason: str | None) -> str | None:
    """The first characters of *reason*, on one line."""
    text = _CONTROL.sub(" ", reason or "").strip()
    return text[:REASON_MAX] or None
