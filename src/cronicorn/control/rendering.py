"""What an owner set, as it may be shown: in the fields of a document, credentials masked."""

import json
from datetime import timedelta

from cronicorn.domain.auth import Auth, AuthKind, BasicAuth, BearerAuth, ClientCredentials
from cronicorn.domain.call import StatusRange
from cronicorn.domain.criteria.reading import criteria_document
from cronicorn.domain.endpoint import BaselineKind, CatchUp, JobEndpoint, RetryPolicy
from cronicorn.domain.flow.limits import Flow
from cronicorn.domain.instant import MILLISECOND, ZERO
from cronicorn.domain.masking import masked
from cronicorn.domain.policy.text import policy_document
from cronicorn.domain.signals.signal import Signals
from cronicorn.domain.untrusted.redaction import Redaction

Fields = dict[str, object]


def shown(endpoint: JobEndpoint, *, reveal: bool = False) -> Fields:
    """The fields an owner set on *endpoint* and the defaults that apply; what is not set is left out.

    With *reveal* credentials are shown: for comparing, never for showing.
    """
    request = endpoint.request
    headers = request.headers if reveal else masked(request.headers)
    fields: Fields = {
        "name": endpoint.name,
        "description": endpoint.description,
        **_baseline(endpoint),
        "minIntervalMs": _ms(endpoint.interval_min),
        "maxIntervalMs": _ms(endpoint.interval_max),
        "catchUp": _catch_up(endpoint.catch_up),
        "overlap": endpoint.overlap.value,
        "retries": _retries(endpoint.retries),
        "successStatuses": [_status(allowed) for allowed in endpoint.success.statuses],
        "criteria": criteria_document(endpoint.criteria) if endpoint.criteria is not None else None,
        "url": request.url,
        "method": request.method.value,
        "headersJson": dict(headers) or None,
        "auth": _auth(request.auth),
        "bodyJson": None if request.body_json is None else json.loads(request.body_json),
        "timeoutMs": _ms(request.timeout),
        "maxExecutionTimeMs": _ms(request.execution_max),
        "maxResponseSizeKb": request.response_kb_max,
        "redirectsMax": request.redirects_max,
        "policy": policy_document(endpoint.policy) if endpoint.policy is not None else None,
        "compile": endpoint.compile_mode.value,
        "adapt": endpoint.signals.adapt.value,
        "signals": _signals(endpoint.signals) or None,
        "flow": _flow(endpoint.flow),
        "keepBodies": endpoint.keep_bodies.value,
        "redact": _redact(endpoint.redaction) or None,
        "analysis": endpoint.analysis.enabled,
        "analysisCooldownMs": _ms(endpoint.analysis.cooldown),
    }
    return set_fields(fields)


def set_fields(fields: Fields) -> Fields:
    """*fields* without those that are not set."""
    return {name: value for name, value in fields.items() if value is not None}


def _baseline(endpoint: JobEndpoint) -> Fields:
    baseline = endpoint.baseline
    return {
        "baselineCron": baseline.cron,
        "baselineIntervalMs": _ms(baseline.interval),
        "onceAt": baseline.once_at,
        "dormant": True if baseline.kind is BaselineKind.DORMANT else None,
        "anchorAt": baseline.anchor_at,
        "timezone": baseline.zone,
        "dstGap": baseline.dst_gap.value,
        "dstOverlap": baseline.dst_overlap.value,
        "windowMs": _ms(baseline.window) if baseline.window > ZERO else None,
    }


def _catch_up(policy: CatchUp) -> Fields:
    fields: Fields = {"mode": policy.mode.value, "maxRuns": policy.runs_max}
    return fields if policy.window is None else fields | {"windowMs": _ms(policy.window)}


def _retries(policy: RetryPolicy) -> Fields:
    return {
        "retryCount": policy.count,
        "minBackoffMs": _ms(policy.backoff_min),
        "maxBackoffMs": _ms(policy.backoff_max),
        "maxDoublings": policy.doublings_max,
    }


def _flow(flow: Flow | None) -> Fields | None:
    if flow is None:
        return None
    limits = flow.limits
    fields: Fields = {
        "key": flow.key,
        "rate": limits.rate,
        "periodMs": _ms(limits.period) if limits.rate is not None else None,
        "parallelism": limits.parallelism,
    }
    return set_fields(fields)


def _auth(auth: Auth | None) -> Fields | None:
    """Credentials in it are references to secrets, which may be shown."""
    match auth:
        case None:
            return None
        case BearerAuth():
            return {"type": AuthKind.BEARER.value, "token": auth.token}
        case BasicAuth():
            fields: Fields = {"type": AuthKind.BASIC.value, "username": auth.username, "password": auth.password}
            return {name: value for name, value in fields.items() if value}
        case ClientCredentials():
            fields = {
                "type": AuthKind.OAUTH2.value,
                "tokenUrl": auth.token_url,
                "clientId": auth.client_id,
                "clientSecret": auth.client_secret,
                "clientAuth": auth.client_auth.value,
                "scope": auth.scope,
                "parameters": dict(auth.parameters) or None,
            }
            return set_fields(fields)


def _redact(redaction: Redaction) -> Fields:
    parts = {"body": redaction.body, "headers": redaction.headers}
    return {name: list(names) for name, names in parts.items() if names}


def _signals(signals: Signals) -> dict[str, bool]:
    """Those that are not as usual."""
    return {signal.value: signal in signals.on for signal in sorted(signals.off | signals.on)}


def _status(allowed: StatusRange) -> str:
    return str(allowed.low) if allowed.low == allowed.high else f"{allowed.low}-{allowed.high}"


def _ms(length: timedelta | None) -> int | None:
    return None if length is None else length // MILLISECOND
