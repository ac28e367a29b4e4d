"""Applying what a file says about alerts: rules as a whole, routes and maintenance windows by their names.

What the file does not name is left alone, unless its set has said it and it is to be pruned. All of it is written at
once, after the jobs and endpoints that it names.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from cronicorn.control.alert_documents import (
    AlertRoutePatch,
    AlertRulesDocument,
    AllRulesDocument,
    MaintenanceDocument,
    RulesExceptionDocument,
)
from cronicorn.control.alert_drafting import (
    exceptions_drafted,
    route_drafted,
    rules_drafted,
    scope_drafted,
    url_fault,
    window_drafted,
)
from cronicorn.control.alert_pruning import EDITED, UnlistedAlerts, unlisted_alerts
from cronicorn.control.alert_rendering import all_rules_shown, named, route_shown, window_shown
from cronicorn.control.alerts import Alerts
from cronicorn.control.difference import Deed, Difference, part_difference
from cronicorn.control.file_document import AlertsInFile, ExceptionInFile, RouteInFile, RulesInFile, WindowInFile
from cronicorn.control.findings import Findings
from cronicorn.control.identity import NewId
from cronicorn.control.limits import check_limits
from cronicorn.control.rendering import Fields
from cronicorn.control.route_sealing import RouteSealing
from cronicorn.control.scope_names import ScopeNames
from cronicorn.domain.alert.alerting import (
    NO_ALERTING,
    ROUTES_MAX,
    WINDOWS_MAX,
    Alerting,
    AlertRoute,
    AlertScope,
    MaintenanceWindow,
)
from cronicorn.domain.errors import ConflictError, FieldError, InvalidInputError
from cronicorn.domain.filing.file_set import RULES_PART, ManagedPart, fingerprint, route_part, window_part
from cronicorn.domain.ports import Clock, Cron
from cronicorn.domain.principal import Principal

Part = TypeVar("Part", AlertRoute, MaintenanceWindow)

_NOT_YET = "sealed when it is written"
_OF_FILES = {"/jobIds": "/jobs", "/endpointIds": "/endpoints"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Means:
    """What a file is read with."""

    cron: Cron
    now: datetime
    new_id: NewId
    scope: Callable[[AlertScope], AlertScope]
    """Puts in the place of names what they stand for."""
    sealed: Mapping[str, str]
    """The URLs that routes are to lead to, by the names of those that do not yet."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """Those of routes that are not there yet, as far as they had to be known before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPlan:
    """What a file says, and what that changes."""

    document: AlertsInFile
    differences: tuple[Difference, ...]
    moved: tuple[str, ...]
    """The routes that are to lead to another URL."""
    fingerprints: Mapping[str, str]
    """What stands for each part once it is written, by its name."""
    unlisted: UnlistedAlerts
    prune: bool
    """Whether what is unlisted is taken back."""

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        taken = self.prune and self.unlisted.differences
        return bool(taken) or any(each.deed is not Deed.UNCHANGED for each in self.differences)

    def managed(self, known: Mapping[str, ManagedPart], after: Alerting) -> dict[str, ManagedPart]:
        """What the set says once *after* is stored, where it has said *known* before."""
        ended = self.unlisted.gone | (self.unlisted.names if self.prune else frozenset())
        made = {name: part.made for name, part in known.items()}
        ids = {route_part(each.name): each.id for each in after.routes}
        ids |= {window_part(each.name): each.id for each in after.windows}
        made |= {each.name: ids.get(each.name) for each in self.differences if each.deed is Deed.CREATED}
        said = {name: ManagedPart(fingerprint=each, made=made.get(name)) for name, each in self.fingerprints.items()}
        return {name: part for name, part in known.items() if name not in ended} | said


class AlertFiles:
    """Plans and carries out what files say about alerts: a part of `FileApplier`, no noun of its own.

    All that it reads and writes goes through `Alerts`, which asks what whoever asks may do.
    """

    def __init__(self, alerts: Alerts, sealing: RouteSealing, clock: Clock, cron: Cron, new_id: NewId) -> None:
        self._alerts = alerts
        self._sealing = sealing
        self._clock = clock
        self._cron = cron
        self._new_id = new_id

    async def unlisted(
        self, asker: Principal, document: AlertsInFile, names: ScopeNames, known: Mapping[str, ManagedPart],
        others: Collection[str],
    ) -> UnlistedAlerts:  # fmt: skip
        """What the set has said and *document* says no longer: as `unlisted_alerts` has it."""
        return unlisted_alerts(await self._alerts.show(asker), names, document, known, others)

    async def planned(
        self, asker: Principal, document: AlertsInFile, names: ScopeNames, findings: Findings,
        known: Mapping[str, ManagedPart], *, unlisted: UnlistedAlerts, prune: bool,
    ) -> AlertPlan:  # fmt: skip
        """What *document* changes, where *names* are there once the rest of the file is. Reports what can't be used.

        *known* are the parts that the file set has written, of which those *unlisted* are taken back to *prune*.
        """
        stored = await self._alerts.show(asker)
        before = named(unlisted.taken_from(stored) if prune else stored, names)
        _judge(document, before, names, findings)
        moved = tuple(route.name or "" for route in document.routes or () if self._moves(asker, before, route))
        means = _Means(
            cron=self._cron, now=self._clock.now(), new_id=self._new_id, scope=_as_named,
            sealed=dict.fromkeys(moved, _NOT_YET),
        )  # fmt: skip
        after = _applied(before, document, means, findings)
        parts = list(_parts(before, after, document, moved))
        return AlertPlan(
            document=document,
            differences=tuple(each.difference(known.get(each.name)) for each in parts),
            moved=moved,
            fingerprints={each.name: fingerprint(each.after) for each in parts},
            unlisted=unlisted,
            prune=prune,
        )

    async def carry_out(self, asker: Principal, plan: AlertPlan, names: ScopeNames) -> Alerting:
        """Write what *plan* says. Raises what writing raises; ConflictError where what it names went meanwhile.

        Raises PreconditionFailedError where what it takes back was changed since it was planned.
        """
        stored = {route.name: route.id for route in (await self._alerts.show(asker)).routes}
        ids = {name: stored.get(name) or self._new_id("route") for name in plan.moved}
        urls = {route.name or "": route.target or "" for route in plan.document.routes or ()}
        sealed = {name: await self._sealing.seal(asker.tenant_id, ids[name], urls[name]) for name in plan.moved}
        means = _Means(
            cron=self._cron, now=self._clock.now(), new_id=self._new_id, scope=names.resolved, sealed=sealed, ids=ids
        )

        def edit(before: Alerting) -> Alerting:
            findings = Findings()
            try:
                left = plan.unlisted.taken_from(before) if plan.prune else before
                after = _applied(left, plan.document, means, findings)
            except KeyError as error:
                raise ConflictError(f"{error} went while the file was applied; apply it again.") from error
            findings.raise_errors()
            return after

        return await self._alerts.change_all(asker, edit)

    def _moves(self, asker: Principal, before: Alerting, route: RouteInFile) -> bool:
        """Whether the file gives *route* a URL that it does not lead to yet."""
        if route.target is None or url_fault(route.target) is not None:
            return False
        stored = _namesake(before.routes, route.name)
        return stored is None or not self._sealing.leads_to(asker.tenant_id, stored, route.target)


def _applied(before: Alerting, document: AlertsInFile, means: _Means, findings: Findings) -> Alerting:
    """What *document* makes of *before*. What can't be used is reported and left out."""
    after = before
    if document.rules is not None:
        after = _with_rules(after, document.rules, means, findings.inside("/rules"))
    for place, route in enumerate(document.routes or ()):
        try:
            after = after.with_route(_route(before, route, means))
        except InvalidInputError as error:
            _adopt(error.fields, findings.inside(f"/routes/{place}"))
    for place, window in enumerate(document.maintenance or ()):
        try:
            after = _with_window(after, window, means)
        except InvalidInputError as error:
            _adopt(error.fields, findings.inside(f"/maintenance/{place}"))
    for pointer, count, most in (
        ("/routes", len(after.routes), ROUTES_MAX),
        ("/maintenance", len(after.windows), WINDOWS_MAX),
    ):
        if count > most:
            findings.refuse(pointer, f"There would be {count}, with those that the file does not list: {most} at most.")
    return after


def _with_rules(before: Alerting, given: RulesInFile, means: _Means, findings: Findings) -> Alerting:
    exceptions = []
    for each in given.exceptions or ():
        scope = means.scope(scope_drafted(each.jobs, each.endpoints))
        exceptions.append(
            RulesExceptionDocument.model_construct(
                job_ids=list(scope.job_ids), endpoint_ids=list(scope.endpoint_ids), rules=each.rules
            )
        )
    fields = {name: getattr(given, name) for name in AlertRulesDocument.model_fields}
    document = AllRulesDocument.model_construct(exceptions=exceptions, **fields)
    rules = rules_drafted(document, findings)
    return replace(before, rules=rules, exceptions=exceptions_drafted(document, findings))


def _route(alerting: Alerting, given: RouteInFile, means: _Means) -> AlertRoute:
    name = given.name or ""
    before = _namesake(alerting.routes, name)
    if before is not None and means.ids.get(name, before.id) != before.id:
        raise ConflictError(f"The alert route {name} was made anew while the file was applied; apply it again.")
    scope = means.scope(scope_drafted(given.jobs, given.endpoints))
    is_url = given.target is not None and url_fault(given.target) is None
    patch = AlertRoutePatch.model_construct(
        _fields_set=set(AlertRoutePatch.model_fields), name=given.name, channel=given.channel,
        target=None if is_url and before is not None and name not in means.sealed else given.target,
        kinds=given.kinds or [], job_ids=list(scope.job_ids), endpoint_ids=list(scope.endpoint_ids),
        remind_every_ms=given.remind_every_ms, enabled=given.enabled is not False,
    )  # fmt: skip
    route_id = before.id if before is not None else means.ids.get(name) or means.new_id("route")
    return route_drafted(before, patch, route_id, means.sealed.get(name))


def _with_window(alerting: Alerting, given: WindowInFile, means: _Means) -> Alerting:
    """*alerting* with a window; one that is over is left out, as it is from what is shown."""
    before = _namesake(alerting.windows, given.name)
    scope = means.scope(scope_drafted(given.jobs, given.endpoints))
    document = MaintenanceDocument.model_construct(
        name=given.name, start_at=given.start_at, cron=given.cron, timezone=given.timezone,
        duration_ms=given.duration_ms, job_ids=list(scope.job_ids), endpoint_ids=list(scope.endpoint_ids),
    )  # fmt: skip
    window_id = before.id if before is not None else means.new_id("window")
    window = window_drafted(document, window_id, means.now, means.cron)
    others = tuple(each for each in alerting.windows if each is not before and not each.over(means.now))
    return replace(alerting, windows=others if window.over(means.now) else (*others, window))


def _judge(document: AlertsInFile, before: Alerting, names: ScopeNames, findings: Findings) -> None:
    """Report names of jobs and endpoints that nothing has, and those of routes and windows that several have."""
    check_limits(document, findings)
    exceptions = document.rules.exceptions if document.rules is not None else None
    parts: tuple[tuple[str, Sequence[ExceptionInFile | RouteInFile | WindowInFile] | None], ...] = (
        ("/rules/exceptions", exceptions), ("/routes", document.routes), ("/maintenance", document.maintenance),
    )  # fmt: skip
    for pointer, listed in parts:
        for place, part in enumerate(listed or ()):
            names.judge(part.jobs or (), part.endpoints or (), findings.inside(f"{pointer}/{place}"))
    for pointer, known, given in (
        ("/routes", [each.name for each in before.routes], [each.name for each in document.routes or ()]),
        ("/maintenance", [each.name for each in before.windows], [each.name for each in document.maintenance or ()]),
    ):
        for place, name in enumerate(given):
            if given.index(name) != place:
                findings.refuse(f"{pointer}/{place}/name", "The same name stands in the list before.")
            elif known.count(name or "") > 1:
                findings.refuse(f"{pointer}/{place}/name", "Several have this name, so it is unclear which is meant.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartOfFile:
    """A part of what a file says, as it is shown."""

    name: str
    before: Fields | None
    after: Fields
    hidden: str | None = None
    """A field that changes without being shown."""

    def difference(self, known: ManagedPart | None) -> Difference:
        """What becomes of it; a conflict where it is not as the set wrote it, which *known* stands for."""
        difference = part_difference(self.name, self.before, self.after, self.hidden)
        if self.before is None or difference.deed is Deed.UNCHANGED or _stands_for(known, self.before):
            return difference
        if known is not None:
            return replace(difference, conflicts=(EDITED,))
        usual = self.name == RULES_PART and self.before == all_rules_shown(NO_ALERTING)
        return difference if usual else replace(difference, conflicts=("it was set elsewhere",))


def _stands_for(known: ManagedPart | None, before: Fields) -> bool:
    return known is not None and known.fingerprint == fingerprint(before)


def _parts(before: Alerting, after: Alerting, document: AlertsInFile, moved: Sequence[str]) -> Iterator[_PartOfFile]:
    if document.rules is not None:
        yield _PartOfFile(name=RULES_PART, before=all_rules_shown(before), after=all_rules_shown(after))
    for route in document.routes or ():
        old, new = _namesake(before.routes, route.name), _namesake(after.routes, route.name)
        if new is not None:
            told = route_shown(old) if old is not None else None
            hidden = "target" if old is not None and route.name in moved else None
            yield _PartOfFile(name=route_part(new.name), before=told, after=route_shown(new), hidden=hidden)
    for window in document.maintenance or ():
        earlier, later = _namesake(before.windows, window.name), _namesake(after.windows, window.name)
        if later is not None:
            told = window_shown(earlier) if earlier is not None else None
            yield _PartOfFile(name=window_part(later.name), before=told, after=window_shown(later))


def _namesake(parts: Sequence[Part], name: str | None) -> Part | None:
    return next((each for each in parts if each.name == name), None)


def _adopt(errors: Sequence[FieldError], findings: Findings) -> None:
    for error in errors:
        findings.refuse(_OF_FILES.get(error.pointer, error.pointer), error.message)


def _as_named(scope: AlertScope) -> AlertScope:
    return AlertScope(job_ids=tuple(sorted(scope.job_ids)), endpoint_ids=tuple(sorted(scope.endpoint_ids)))
