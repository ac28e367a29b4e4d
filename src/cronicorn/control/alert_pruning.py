"""What a file set has said about alerts and its files say no longer: what of it can be taken back, and what stays."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from cronicorn.control.alert_rendering import all_rules_shown, named, route_shown, window_shown
from cronicorn.control.difference import Deed, Difference, part_difference
from cronicorn.control.file_document import AlertsInFile
from cronicorn.control.rendering import Fields
from cronicorn.control.scope_names import ScopeNames
from cronicorn.domain.alert.alerting import NO_ALERTING, Alerting, AlertRoute, MaintenanceWindow
from cronicorn.domain.errors import PreconditionFailedError
from cronicorn.domain.filing.file_set import RULES_PART, ManagedPart, fingerprint, route_part, window_part

EDITED = "it was edited elsewhere since this set was applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlistedAlerts:
    """What the set has said and its files say no longer."""

    differences: tuple[Difference, ...] = ()
    """What taking all of it back comes to: routes and windows that the set made go, rules are as usual again."""
    routes: tuple[AlertRoute, ...] = ()
    windows: tuple[MaintenanceWindow, ...] = ()
    rules_of: Alerting | None = None
    """Where the rules, which the set has set, were read; None where it has not."""
    gone: frozenset[str] = frozenset()
    """What is not there any more, or not the set's alone: it is not its business from now on."""

    @property
    def names(self) -> frozenset[str]:
        """The parts that can be taken back."""
        return frozenset(each.name for each in self.differences)

    def taken_from(self, alerting: Alerting) -> Alerting:
        """*alerting* without all of it. Raises PreconditionFailedError where something of it was changed since."""
        rules = (self.rules_of.rules, self.rules_of.exceptions) if self.rules_of is not None else None
        if (
            not set(self.routes) <= set(alerting.routes)
            or not set(self.windows) <= set(alerting.windows)
            or rules not in {None, (alerting.rules, alerting.exceptions)}
        ):
            raise PreconditionFailedError("Alerts were changed while the file was applied.")
        left = replace(
            alerting,
            routes=tuple(each for each in alerting.routes if each not in self.routes),
            windows=tuple(each for each in alerting.windows if each not in self.windows),
        )
        return left if rules is None else replace(left, rules=NO_ALERTING.rules, exceptions=NO_ALERTING.exceptions)


def unlisted_alerts(
    before: Alerting, names: ScopeNames, document: AlertsInFile, known: Mapping[str, ManagedPart],
    others: Collection[str],
) -> UnlistedAlerts:  # fmt: skip
    """What of the parts that the set has said (*known*) *document* does not list; *others* are parts of other sets.

    *names* are those of archived jobs and endpoints, too: that something went must not look like an edit.
    """
    listed, there = _listed(before, document), _shown(named(before, names))
    said = {part: each for part, each in sorted(known.items()) if part not in listed}
    taken = {
        part: each
        for part, each in said.items()
        if part not in others and (part == RULES_PART or (each.made in there and each.made not in listed))
    }
    differences = {part: _taken(part, each, there) for part, each in taken.items()}
    kept = {part: each for part, each in differences.items() if each.deed is Deed.REMOVED}
    removed = {taken[part].made for part in kept}
    return UnlistedAlerts(
        differences=tuple(kept.values()),
        routes=tuple(each for each in before.routes if each.id in removed),
        windows=tuple(each for each in before.windows if each.id in removed),
        rules_of=before if RULES_PART in kept else None,
        gone=frozenset(said.keys() - kept.keys()),
    )


def _shown(alerting: Alerting) -> Mapping[str, Fields]:
    """Routes and windows by their ids, the rules by the name of their part; *alerting* holds names."""
    routes = {each.id: route_shown(each) for each in alerting.routes}
    windows = {each.id: window_shown(each) for each in alerting.windows}
    return {RULES_PART: all_rules_shown(alerting), **routes, **windows}


def _listed(before: Alerting, document: AlertsInFile) -> set[str]:
    """The parts that *document* lists, and the ids of those that are there."""
    routes = {each.name for each in document.routes or ()}
    windows = {each.name for each in document.maintenance or ()}
    ids = {each.id for each in before.routes if each.name in routes}
    ids |= {each.id for each in before.windows if each.name in windows}
    rules = {RULES_PART} if document.rules is not None else set[str]()
    return ids | rules | {route_part(each or "") for each in routes} | {window_part(each or "") for each in windows}


def _taken(part: str, said: ManagedPart, there: Mapping[str, Fields]) -> Difference:
    """What taking back what the set has *said* comes to; nothing, of rules that are as usual anyway."""
    before = there[said.made or part]
    conflicts = (EDITED,) if fingerprint(before) != said.fingerprint else ()
    if part != RULES_PART:
        return Difference(deed=Deed.REMOVED, alert=part, conflicts=conflicts)
    difference = part_difference(part, before, all_rules_shown(NO_ALERTING))
    if difference.deed is Deed.UNCHANGED:
        return difference
    return replace(difference, deed=Deed.REMOVED, conflicts=conflicts)
