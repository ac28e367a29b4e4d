"""Patterns: what people often want of endpoints, as documents that fill the form of a new one."""

from dataclasses import dataclass
from typing import Final

from cronicorn.control.rendering import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternPart:
    """One endpoint of a pattern."""

    told: str
    """What it is for, and what its answer has to say."""
    document: Fields
    """Without a URL, which nobody can guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPattern:
    """Endpoints that together do something. They are made in this order, so that rules find the siblings they run."""

    key: str
    """In addresses."""
    title: str
    told: str
    parts: tuple[PatternPart, ...]


def _rules(fields: Fields, *rules: Fields) -> Fields:
    return {"version": 1, "fields": fields, "rules": list(rules)}


def _stage(name: str, following: str) -> Fields:
    """The rules of a stage that has the *following* one run for each batch it completes."""
    return _rules(
        {
            "batch": {"path": "$.batch_id", "type": "string"},
            "state": {"path": "$.state", "type": "string", "enum": ["running", "complete", "failed"]},
        },
        {
            "id": following, "why": f"{name} has completed a batch", "when": "state == 'complete' && known(batch)",
            "once_per": "batch", "cooldown": "1s", "action": {"run": following},
        },
    )  # fmt: skip


_PLAIN = EndpointPattern(
    key="plain", title="Plain", told="A request and a schedule.",
    parts=(
        PatternPart(told="A call each five minutes, unless you change that.", document={"baselineIntervalMs": 300_000}),
    ),
)  # fmt: skip
_MONITOR = EndpointPattern(
    key="monitor", title="Monitor", told="Looks closer while errors are many, and relaxes when they are gone.",
    parts=(
        PatternPart(
            told='Each five minutes; each 30 seconds above 5 % errors. It answers {"error_rate_pct": 1.5}.',
            document={
                "name": "health", "baselineIntervalMs": 300_000, "minIntervalMs": 30_000, "maxIntervalMs": 900_000,
                "timeoutMs": 10_000,
                "description": "Look every 30 seconds while more than 5 % of requests fail, until below 2 %.",
                "policy": _rules(
                    {"err": {"path": "$.error_rate_pct", "type": "number"}},
                    {"id": "errors", "why": "errors above 5 %, until below 2 %", "when": "err > 5", "until": "err < 2",
                     "action": {"interval": "30s"}},
                ),
            },
        ),
    ),
)  # fmt: skip
_RECOVERY = EndpointPattern(
    key="recovery", title="Recovery pair", told="A check that has the remedy run, three times an hour at most.",
    parts=(
        PatternPart(
            told="The remedy. It sleeps until the check has it run.",
            document={"name": "recover", "dormant": True, "method": "POST", "description": "Restart the service."},
        ),
        PatternPart(
            told='The check. Down twice in a row, and the remedy runs. It answers {"state": "up"}, or "down".',
            document={
                "name": "check", "baselineIntervalMs": 300_000, "minIntervalMs": 30_000,
                "description": "When the service is down twice in a row, run recover: three times an hour at most.",
                "policy": _rules(
                    {"state": {"path": "$.state", "type": "string", "enum": ["up", "degraded", "down"]}},
                    {"id": "recover", "why": "the service has been down twice in a row", "when": "state == 'down'",
                     "for": 2, "probe": "30s", "action": {"run": "recover"}, "cooldown": "5m",
                     "max_fires": {"count": 3, "per": "1h"}},
                ),
            },
        ),
    ),
)  # fmt: skip
_CHAIN = EndpointPattern(
    key="etl", title="ETL chain", told="Extract, transform, load: each stage runs once for a batch of the one before.",
    parts=(
        PatternPart(
            told="Load, the last stage. It sleeps until transform has completed a batch.",
            document={"name": "load", "dormant": True, "method": "POST", "maxExecutionTimeMs": 600_000},
        ),
        PatternPart(
            told='Transform. It sleeps until extract has, and answers {"batch_id": "42", "state": "complete"}.',
            document={"name": "transform", "dormant": True, "method": "POST", "policy": _stage("transform", "load")},
        ),
        PatternPart(
            told='Extract, at the beginning of each hour. It answers {"batch_id": "42", "state": "complete"}.',
            document={"name": "extract", "baselineCron": "0 * * * *", "method": "POST",
                      "policy": _stage("extract", "transform")},
        ),
    ),
)  # fmt: skip
_MAINTENANCE = EndpointPattern(
    key="maintenance", title="Maintenance", told="Something that has to be done every night, on the clock of a place.",
    parts=(
        PatternPart(
            told="At 02:30, also when the clock skips that; with three retries, and caught up within six hours.",
            document={
                "name": "cleanup", "baselineCron": "30 2 * * *", "timezone": "Europe/Berlin", "method": "POST",
                "timeoutMs": 300_000, "maxExecutionTimeMs": 600_000,
                "retries": {"retryCount": 3, "minBackoffMs": 60_000, "maxBackoffMs": 600_000},
                "catchUp": {"mode": "latest", "windowMs": 21_600_000},
                "description": "Remove what is older than 30 days.",
            },
        ),
    ),
)  # fmt: skip
_INVERSE = EndpointPattern(
    key="inverse", title="Inverse scaling", told="The busier the target, the less it is asked.",
    parts=(
        PatternPart(
            told='Every minute; every two from 50 % CPU, every five from 80 %. It answers {"cpu_pct": 37}.',
            document={
                "name": "load check", "baselineIntervalMs": 60_000, "minIntervalMs": 30_000, "maxIntervalMs": 600_000,
                "description": "Every minute; every two above 50 % CPU; every five above 80 %.",
                "policy": _rules(
                    {"cpu": {"path": "$.cpu_pct", "type": "number"}},
                    {"id": "busy", "why": "above 50 % CPU, until below 45 %", "when": "cpu > 50", "until": "cpu < 45",
                     "action": {"interval": "2m"}, "priority": 1},
                    {"id": "hot", "why": "above 80 % CPU, until below 75 %", "when": "cpu > 80", "until": "cpu < 75",
                     "action": {"interval": "5m"}, "priority": 2},
                ),
            },
        ),
    ),
)  # fmt: skip
PATTERNS: Final = (_PLAIN, _MONITOR, _RECOVERY, _CHAIN, _MAINTENANCE, _INVERSE)


def pattern_named(key: str) -> EndpointPattern:
    """The pattern with that *key*, or the plain one."""
    return next((each for each in PATTERNS if each.key == key), _PLAIN)
