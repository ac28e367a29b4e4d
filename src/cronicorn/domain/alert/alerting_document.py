"""What a tenant wants to be told, as a document in a store."""

from collections.abc import Mapping

from cronicorn.domain.alert.alerting import (
    USUAL_RULES,
    AlertChannel,
    Alerting,
    AlertRoute,
    AlertRules,
    AlertScope,
    FailureShare,
    IncidentKind,
    MaintenanceWindow,
    RulesException,
)
from cronicorn.domain.cron import CronSchedule
from cronicorn.domain.fields import Document, Fields, Value, lean, length_us, us


def alerting_document(alerting: Alerting) -> Document:
    """The stored form."""
    return {
        "rules": _rules_document(alerting.rules),
        "exceptions": [
            {"scope": _scope_document(each.scope), "rules": _rules_document(each.rules)} for each in alerting.exceptions
        ],
        "routes": [_route_document(route) for route in alerting.routes],
        "windows": [_window_document(window) for window in alerting.windows],
    }


def alerting_of(document: Mapping[str, Value]) -> Alerting:
    """What `alerting_document` stored. Raises ValueError, or AssertionError, for anything else."""
    fields = Fields(document)
    return Alerting(
        rules=_rules_of(Fields(fields.part("rules"))),
        exceptions=tuple(
            RulesException(
                scope=_scope_of(Fields(Fields(part).part("scope"))), rules=_rules_of(Fields(Fields(part).part("rules")))
            )
            for part in fields.parts("exceptions")
        ),
        routes=tuple(_route_of(Fields(part)) for part in fields.parts("routes")),
        windows=tuple(_window_of(Fields(part)) for part in fields.parts("windows")),
    )


def _rules_document(rules: AlertRules) -> Document:
    share: Value = [rules.share.failures, rules.share.runs] if rules.share is not None else None
    return lean({
        "failures": rules.failures,
        "share": share,
        "successes": rules.successes,
        "late_us": length_us(rules.late_after),
        "pause_after": rules.pause_after,
        "near_percent": rules.near_percent,
    })  # fmt: skip


def _rules_of(fields: Fields) -> AlertRules:
    return AlertRules(
        failures=fields.number("failures", USUAL_RULES.failures),
        share=_share_of(fields.items("share")),
        successes=fields.number("successes", USUAL_RULES.successes),
        late_after=fields.length("late_us", USUAL_RULES.late_after),
        pause_after=fields.number_or_none("pause_after"),
        near_percent=fields.number("near_percent", USUAL_RULES.near_percent),
    )


def _share_of(items: list[Value]) -> FailureShare | None:
    match items:
        case []:
            return None
        case [int(failures), int(runs)]:
            return FailureShare(failures=failures, runs=runs)
        case _:
            raise ValueError(f"not a share: {items!r}")


def _scope_document(scope: AlertScope) -> Document:
    return {"jobs": list(scope.job_ids), "endpoints": list(scope.endpoint_ids)}


def _scope_of(fields: Fields) -> AlertScope:
    return AlertScope(job_ids=fields.texts("jobs"), endpoint_ids=fields.texts("endpoints"))


def _route_document(route: AlertRoute) -> Document:
    return lean({
        "id": route.id,
        "name": route.name,
        "channel": route.channel.value,
        "target": route.target,
        "sealed": route.sealed,
        "kinds": [kind.value for kind in route.kinds],
        "scope": _scope_document(route.scope),
        "remind_us": length_us(route.remind_every),
        "enabled": route.enabled,
    })  # fmt: skip


def _route_of(fields: Fields) -> AlertRoute:
    return AlertRoute(
        id=fields.text("id"),
        name=fields.text("name"),
        channel=AlertChannel(fields.text("channel")),
        target=fields.text("target"),
        sealed=fields.text_or_none("sealed"),
        kinds=tuple(IncidentKind(kind) for kind in fields.texts("kinds")),
        scope=_scope_of(Fields(fields.part("scope"))),
        remind_every=fields.length_or_none("remind_us"),
        enabled=fields.flag("enabled", default=True),
    )


def _window_document(window: MaintenanceWindow) -> Document:
    cron: Value = [window.cron.expression, window.cron.zone] if window.cron is not None else None
    return lean({
        "id": window.id,
        "name": window.name,
        "start_us": us(window.start_at),
        "cron": cron,
        "duration_us": length_us(window.duration),
        "scope": _scope_document(window.scope),
    })  # fmt: skip


def _window_of(fields: Fields) -> MaintenanceWindow:
    return MaintenanceWindow(
        id=fields.text("id"),
        name=fields.text("name"),
        start_at=fields.instant_or_none("start_us"),
        cron=_cron_of(fields.items("cron")),
        duration=fields.length("duration_us"),
        scope=_scope_of(Fields(fields.part("scope"))),
    )


def _cron_of(items: list[Value]) -> CronSchedule | None:
    match items:
        case []:
            return None
        case [str(expression), str(zone)]:
            return CronSchedule(expression=expression, zone=zone)
        case _:
            raise ValueError(f"not a cron schedule: {items!r}")
