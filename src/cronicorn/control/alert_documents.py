"""Documents about alerts: rules, routes, maintenance windows."""

from datetime import timedelta
from typing import Annotated

from pydantic import ConfigDict

from cronicorn.control.document import (
    LENGTH_MS_MAX,
    Choice,
    Document,
    InstantOrNull,
    Name,
    characters,
    from_to,
    items,
)
from cronicorn.domain.alert.alerting import (
    EXCEPTIONS_MAX,
    LATE_LEAST,
    NEAR_PERCENT_MAX,
    PAUSE_AFTER_MAX,
    STREAK_MAX,
    WINDOW_MAX,
    AlertChannel,
    IncidentKind,
)
from cronicorn.domain.instant import MILLISECOND

TARGET_MAX = 2_000
REMIND_LEAST = timedelta(seconds=1)
IDS_MAX = 200

Ids = Annotated[list[str] | None, items(0, IDS_MAX)]
Streak = Annotated[int | None, from_to(1, STREAK_MAX)]


class ShareDocument(Document):
    """So many failures among the last runs."""

    failures: Annotated[int, from_to(1, STREAK_MAX)]
    runs: Annotated[int, from_to(1, STREAK_MAX)]


class AlertRulesDocument(Document):
    """When something is noticed, and when it is over; what is left out is as usual."""

    failures: Streak = None
    share: ShareDocument | None = None
    successes: Streak = None
    late_after_ms: Annotated[int | None, from_to(LATE_LEAST // MILLISECOND, LENGTH_MS_MAX)] = None
    pause_after: Annotated[int | None, from_to(1, PAUSE_AFTER_MAX)] = None
    near_percent: Annotated[int | None, from_to(1, NEAR_PERCENT_MAX)] = None


class RulesExceptionDocument(Document):
    """Rules for some jobs and endpoints alone."""

    job_ids: Ids = None
    endpoint_ids: Ids = None
    rules: AlertRulesDocument


class AllRulesDocument(AlertRulesDocument):
    """The rules of a tenant; the first exception that names an endpoint or its job holds for it."""

    exceptions: Annotated[list[RulesExceptionDocument] | None, items(0, EXCEPTIONS_MAX)] = None


class AlertRoutePatch(Document):
    """Changes to a route; what is absent stays. No kind, or no job and no endpoint, means all."""

    name: Name = None
    channel: Choice[AlertChannel] | None = None
    target: Annotated[str | None, characters(1, TARGET_MAX)] = None
    kinds: Annotated[list[Choice[IncidentKind]] | None, items(0, 32)] = None
    job_ids: Ids = None
    endpoint_ids: Ids = None
    remind_every_ms: Annotated[int | None, from_to(REMIND_LEAST // MILLISECOND, LENGTH_MS_MAX)] = None
    enabled: bool | None = None


class AlertRouteDocument(AlertRoutePatch):
    """A new route: a URL for `webhook` and `slack`, addresses separated by commas for `email`."""

    model_config = ConfigDict(json_schema_extra={"required": ["name", "channel", "target"]})


class MaintenanceDocument(Document):
    """A new maintenance window: once from `startAt` on, or again and again at the instants of `cron`."""

    name: Name = None
    start_at: InstantOrNull = None
    cron: Annotated[str | None, characters(1, 255)] = None
    timezone: Annotated[str | None, characters(1, 255)] = None
    duration_ms: Annotated[int | None, from_to(1_000, WINDOW_MAX // MILLISECOND)] = None
    job_ids: Ids = None
    endpoint_ids: Ids = None

    model_config = ConfigDict(json_schema_extra={"required": ["name", "durationMs"]})
