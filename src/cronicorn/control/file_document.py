"""What a file may say: jobs with their endpoints, and what people are to be told, all known by their names."""

from typing import Annotated

from cronicorn.control.alert_documents import IDS_MAX, TARGET_MAX, AlertRulesDocument
from cronicorn.control.document import (
    Choice,
    Document,
    InstantOrNull,
    JobWithEndpoints,
    LengthMs,
    Name,
    characters,
    items,
)
from cronicorn.domain.alert.alerting import EXCEPTIONS_MAX, ROUTES_MAX, WINDOWS_MAX, AlertChannel, IncidentKind

Names = Annotated[list[str] | None, items(0, IDS_MAX)]


class ExceptionInFile(Document):
    """Rules for some jobs and endpoints alone."""

    jobs: Names = None
    endpoints: Names = None
    rules: AlertRulesDocument


class RulesInFile(AlertRulesDocument):
    """When something is noticed, and when it is over; what is left out is as usual."""

    exceptions: Annotated[list[ExceptionInFile] | None, items(0, EXCEPTIONS_MAX)] = None


class RouteInFile(Document):
    """Where messages go. A target that is left out stays; one that is a URL is not in an exported file."""

    name: Name = None
    channel: Choice[AlertChannel] | None = None
    target: Annotated[str | None, characters(1, TARGET_MAX)] = None
    kinds: list[Choice[IncidentKind]] | None = None
    jobs: Names = None
    endpoints: Names = None
    remind_every_ms: LengthMs = None
    enabled: bool | None = None


class WindowInFile(Document):
    """When nothing is told."""

    name: Name = None
    start_at: InstantOrNull = None
    cron: Annotated[str | None, characters(1, 255)] = None
    timezone: Annotated[str | None, characters(1, 255)] = None
    duration_ms: LengthMs = None
    jobs: Names = None
    endpoints: Names = None


class AlertsInFile(Document):
    """What people are to be told; a part that is left out stays as it is."""

    rules: RulesInFile | None = None
    routes: Annotated[list[RouteInFile] | None, items(0, ROUTES_MAX)] = None
    maintenance: Annotated[list[WindowInFile] | None, items(0, WINDOWS_MAX)] = None


class FileDocument(Document):
    """Jobs and endpoints that shall exist, and what people are to be told of them.

    The set is the name under which files are applied: what it has made, and which fields it speaks for, is remembered.
    """

    set: Annotated[str | None, characters(1, 255)] = None
    jobs: list[JobWithEndpoints]
    alerts: AlertsInFile | None = None
