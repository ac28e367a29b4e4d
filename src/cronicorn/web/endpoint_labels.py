"""What the fields of the form of an endpoint are called, for whoever is led to one of them."""

from collections.abc import Mapping, Sequence
from typing import Final

from cronicorn.domain.signals.signal import Signal
from cronicorn.web.forms import field_of

LABELS: Final[Mapping[str, str]] = {
    "name": "Name",
    "description": "Description",
    "url": "URL",
    "method": "Method",
    "headersJson": "Headers",
    "bodyJson": "Body",
    "timeoutMs": "Timeout",
    "kind": "Baseline",
    "baselineCron": "Cron expression",
    "baselineIntervalMs": "Every",
    "onceAt": "At",
    "anchorAt": "An interval counts from",
    "timezone": "Time zone",
    "dstGap": "A time that the clock skips",
    "dstOverlap": "A time that comes twice",
    "windowMs": "Spread over",
    "minIntervalMs": "At least apart",
    "maxIntervalMs": "At most apart",
    "catchUp/mode": "Instants that passed unseen",
    "catchUp/windowMs": "For so long after",
    "catchUp/maxRuns": "Of all at most",
    "overlap": "Due while it still runs",
    "retries/retryCount": "Retries",
    "retries/minBackoffMs": "First after",
    "retries/maxBackoffMs": "At most after",
    "retries/maxDoublings": "Doublings of the wait",
    "successStatuses": "Statuses of success",
    "criteria": "Criteria",
    "auth/type": "Signs in by",
    "auth/token": "Token",
    "auth/username": "User",
    "auth/password": "Password",
    "auth/tokenUrl": "Token URL",
    "auth/clientId": "Client id",
    "auth/clientSecret": "Client secret",
    "auth/clientAuth": "Shown in",
    "auth/scope": "Scope",
    "auth/parameters": "Further parameters",
    "maxExecutionTimeMs": "No call outlives",
    "maxResponseSizeKb": "Kilobytes kept of an answer",
    "redirectsMax": "Redirects followed",
    "policy": "Rules",
    "compile": "Drafts of rules from the description",
    "adapt": "Signals in its answers",
    **{f"signals/{signal}": f"Signal {signal}" for signal in Signal},
    "flow/key": "Key",
    "flow/rate": "Calls",
    "flow/periodMs": "In",
    "flow/parallelism": "At once",
    "keepBodies": "Bodies kept",
    "redact/body": "Hashed in bodies",
    "redact/headers": "Hashed headers",
    "analysis": "The model looks at its answers",
    "analysisCooldownMs": "Not again for",
}
_NAMES: Sequence[str] = tuple(LABELS)


def label_of(pointer: str) -> str:
    """What the field is called that the JSON Pointer *pointer* leads to; the pointer itself where there is none."""
    return LABELS.get(field_of(pointer, _NAMES), pointer.removeprefix("/"))
