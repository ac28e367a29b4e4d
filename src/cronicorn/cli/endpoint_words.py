"""Endpoints, as they are answered, in few words."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from cronicorn.domain.durations import show_duration


def schedule_in_words(document: Mapping[str, Any], told: Callable[[str], str] = str) -> str:
    """The baseline: `every 5m`, `cron '0 3 * * *' in UTC`, `once, at …`, `dormant: …`; *told* words an instant."""
    if "baselineCron" in document:
        return f"cron {document['baselineCron']!r} in {document['timezone']}"
    if "baselineIntervalMs" in document:
        return f"every {show_duration(timedelta(milliseconds=document['baselineIntervalMs']))}"
    return f"once, at {told(document['onceAt'])}" if "onceAt" in document else "dormant: only when asked"


def limits_in_words(document: Mapping[str, Any]) -> list[str]:
    """The window and the guardrails, those that there are."""
    lengths = {"window": "windowMs", "minimum": "minIntervalMs", "maximum": "maxIntervalMs"}
    return [
        f"{name} {show_duration(timedelta(milliseconds=document[field]))}"
        for name, field in lengths.items()
        if document.get(field)
    ]


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


def file_sets_in_words(document: Mapping[str, Any]) -> list[str]:
    """What each file set says of it: the fields that its files name, and which of them were edited since."""
    told = []
    for each in document.get("fileSets", ()):
        edited = f"; edited since it was applied: {', '.join(each['edited'])}" if each["edited"] else ""
        told.append(f"{each['name']} names {', '.join(each['fields']) or 'no field'}{edited}")
    return told
