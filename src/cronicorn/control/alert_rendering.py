"""What a tenant has said about alerts, as it may be shown: in the fields of a document, no URL whole."""

from dataclasses import replace

from cronicorn.control.rendering import Fields, set_fields
from cronicorn.control.scope_names import ScopeNames
from cronicorn.domain.alert.alerting import (
    AlertChannel,
    Alerting,
    AlertRoute,
    AlertRules,
    AlertScope,
    MaintenanceWindow,
)
from cronicorn.domain.alert.targets import shown_target
from cronicorn.domain.instant import MILLISECOND


def rules_shown(rules: AlertRules) -> Fields:
    """When something is noticed, and when it is over."""
    share = rules.share
    return set_fields({
        "failures": rules.failures,
        "share": {"failures": share.failures, "runs": share.runs} if share is not None else None,
        "successes": rules.successes,
        "lateAfterMs": rules.late_after // MILLISECOND,
        "pauseAfter": rules.pause_after,
        "nearPercent": rules.near_percent,
    })  # fmt: skip


def all_rules_shown(alerting: Alerting) -> Fields:
    """The rules of *alerting*, whose scopes hold names, and the exceptions from them."""
    exceptions = [_scoped({}, each.scope) | {"rules": rules_shown(each.rules)} for each in alerting.exceptions]
    return rules_shown(alerting.rules) | ({"exceptions": exceptions} if exceptions else {})


def route_shown(route: AlertRoute) -> Fields:
    """Where messages go; its scope holds names. Of a URL only the host is told."""
    fields: Fields = {
        "name": route.name,
        "channel": route.channel.value,
        "target": shown_target(route),
        "kinds": [kind.value for kind in route.kinds] or None,
        "remindEveryMs": route.remind_every // MILLISECOND if route.remind_every is not None else None,
        "enabled": route.enabled,
    }
    return _scoped(set_fields(fields), route.scope)


def window_shown(window: MaintenanceWindow) -> Fields:
    """When nothing is told; its scope holds names."""
    fields: Fields = {
        "name": window.name,
        "startAt": window.start_at,
        "cron": window.cron.expression if window.cron is not None else None,
        "timezone": window.cron.zone if window.cron is not None else None,
        "durationMs": window.duration // MILLISECOND,
    }
    return _scoped(set_fields(fields), window.scope)


def named(alerting: Alerting, names: ScopeNames) -> Alerting:
    """*alerting* with names in the place of the ids of its scopes."""
    return Alerting(
        rules=alerting.rules,
        exceptions=tuple(replace(each, scope=names.named(each.scope)) for each in alerting.exceptions),
        routes=tuple(replace(each, scope=names.named(each.scope)) for each in alerting.routes),
        windows=tuple(replace(each, scope=names.named(each.scope)) for each in alerting.windows),
    )


def exported(alerting: Alerting, names: ScopeNames) -> Fields:
    """*alerting* in the fields of a file, without URLs, which are secrets."""
    alerting = named(alerting, names)
    routes = []
    for route in alerting.routes:
        fields = route_shown(route)
        if route.channel is not AlertChannel.EMAIL:
            del fields["target"]
        routes.append(fields)
    return {
        "rules": all_rules_shown(alerting),
        "routes": routes,
        "maintenance": [window_shown(window) for window in alerting.windows],
    }


def _scoped(fields: Fields, scope: AlertScope) -> Fields:
    return fields | set_fields({"jobs": list(scope.job_ids) or None, "endpoints": list(scope.endpoint_ids) or None})
