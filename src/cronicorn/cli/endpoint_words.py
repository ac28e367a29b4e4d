"""Endpoints, as they are answered, in few words."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cronicorn.domain.durations import show_duration


def schedule_in_words(document: Mapping[str, Any]) -> str:
    """The baseline: `every 5m`, `cron 0 3 * * * in UTC`, `once, at …`, `dormant`."""
    if "baselineCron" in document:
        return f"cron {document['baselineCron']} in {document['timezone']}"
    if "baselineIntervalMs" in document:
        return f"every {show_duration(timedelta(milliseconds=document['baselineIntervalMs']))}"
    return f"once, at {document['onceAt']}" if "onceAt" in document else "dormant"


def state_in_words(document: Mapping[str, Any]) -> str:
    """What somebody should know of how it stands; `ok` where there is nothing."""
    if "archivedAt" in document:
        return "archived"
    told = []
    if document["running"]:
        told.append("running")
    if "pausedUntil" in document:
        told.append(f"paused until {document['pausedUntil']}")
    if document["failureCount"]:
        told.append("failing")
    kinds = sorted({hint["kind"] for hint in document["hints"]} - {"pause"})
    if kinds:
        told.append(f"hinted ({', '.join(kinds)})")
    return ", ".join(told) or "ok"
