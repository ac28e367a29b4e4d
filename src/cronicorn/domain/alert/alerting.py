"""What a tenant wants to be told: by which rules something is noticed, where messages go, and when none are sent."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cronicorn.domain.cron import CronSchedule
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.instant import ZERO, shifted
from cronicorn.domain.ports import Cron

ROUTES_MAX = 50
WINDOWS_MAX = 50
EXCEPTIONS_MAX = 50
STREAK_MAX = 50
"""Of an endpoint's runs so many are looked at, the newest; and no streak that is asked for is longer."""
PAUSE_AFTER_MAX = 1_000
NEAR_PERCENT_MAX = 99
LATE_LEAST = timedelta(seconds=10)
WINDOW_MAX = timedelta(days=31)


class IncidentKind(StrEnum):
    """What can be wrong."""

    FAILING = "failing"
    """An endpoint's runs fail."""
    LATE = "late"
    """A slot is due for too long and nobody runs it: no worker lives, or none has room."""
    PAUSED = "paused"
    """An endpoint failed so often that it was paused. A person resumes it."""
    DRIFTED = "drifted"
    """Answers stopped saying what rules of a policy read."""
    FROZEN = "frozen"
    """Steering went to and fro too often: the endpoint keeps to its baseline for a while."""
    TOKENS_NEAR = "tokens_near"
    """Nearly all tokens of the window are used or reserved."""
    TOKENS_OUT = "tokens_out"
    RUNS_NEAR = "runs_near"
    """Nearly all runs of the month are used."""
    RUNS_OUT = "runs_out"

    @property
    def of_endpoints(self) -> bool:
        """Whether it concerns one endpoint; the others concern the tenant."""
        return self in _OF_ENDPOINTS


_OF_ENDPOINTS = frozenset({
    IncidentKind.FAILING, IncidentKind.LATE, IncidentKind.PAUSED, IncidentKind.DRIFTED, IncidentKind.FROZEN,
})  # fmt: skip


class AlertChannel(StrEnum):
    """How a message travels."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    SLACK = "slack"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertScope:
    """Some jobs and endpoints, by their ids; all of them when none is named."""

    job_ids: tuple[str, ...] = ()
    endpoint_ids: tuple[str, ...] = ()

    def covers(self, job_id: str | None, endpoint_id: str) -> bool:
        """Whether an endpoint is meant. What concerns the whole tenant (no job) is meant only by what means all."""
        if not self.job_ids and not self.endpoint_ids:
            return True
        return job_id is not None and (job_id in self.job_ids or endpoint_id in self.endpoint_ids)


EVERYWHERE = AlertScope()


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureShare:
    """So many failures among the last runs."""

    failures: int
    runs: int

    def __post_init__(self) -> None:
        assert 1 <= self.failures <= self.runs <= STREAK_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRules:
    """When something is noticed, and when it is over."""

    failures: int = 3
    """An endpoint is failing after so many failed slots in a row. A slot fails once its retries have."""
    share: FailureShare | None = None
    """It is failing after these as well; each retry is a run of its own."""
    successes: int = 1
    """It has recovered after so many successful runs in a row."""
    late_after: timedelta = timedelta(minutes=2)
    """A slot is late once it has been due for so long and nobody runs it."""
    pause_after: int | None = None
    """An endpoint is paused after so many failed slots in a row; None pauses none."""
    near_percent: int = 80
    """From here on a quota is nearly used."""

    def __post_init__(self) -> None:
        assert 1 <= self.failures <= STREAK_MAX
        assert 1 <= self.successes <= STREAK_MAX
        assert self.late_after >= LATE_LEAST
        assert self.pause_after is None or 1 <= self.pause_after <= PAUSE_AFTER_MAX
        assert 1 <= self.near_percent <= NEAR_PERCENT_MAX


USUAL_RULES = AlertRules()
"""What holds for a tenant who has said nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesException:
    """Rules for some endpoints alone."""

    scope: AlertScope
    rules: AlertRules


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRoute:
    """Where messages go, and which."""

    id: str
    name: str
    channel: AlertChannel
    target: str = field(repr=False)
    """Addresses separated by commas, or what may be shown of the URL that is `sealed`."""
    sealed: str | None = field(default=None, repr=False)
    """The URL as it may be stored; None of addresses, and of a URL that `target` holds, as earlier versions had it."""
    kinds: tuple[IncidentKind, ...] = ()
    """All when none is named."""
    scope: AlertScope = EVERYWHERE
    remind_every: timedelta | None = None
    """How often an incident that goes on is told of again; None never."""
    enabled: bool = True

    def wants(self, kind: IncidentKind, job_id: str | None, endpoint_id: str) -> bool:
        """Whether incidents of this *kind* there are told to it."""
        return self.enabled and (not self.kinds or kind in self.kinds) and self.scope.covers(job_id, endpoint_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceWindow:
    """When nothing is told of some endpoints. They run on, and incidents are kept: one that outlasts it is told then.

    Once, from `start_at` on, or again and again at the instants of `cron`; each time for `duration`.
    """

    id: str
    name: str
    duration: timedelta
    start_at: datetime | None = None
    cron: CronSchedule | None = None
    scope: AlertScope = EVERYWHERE

    def __post_init__(self) -> None:
        assert (self.start_at is None) != (self.cron is None)
        assert ZERO < self.duration <= WINDOW_MAX

    def holds(self, now: datetime, cron: Cron) -> bool:
        """Whether *now* lies in it."""
        if self.cron is not None:
            began_at = cron.next(self.cron, shifted(now, -self.duration))
            return began_at is not None and began_at <= now
        assert self.start_at is not None
        return self.start_at <= now < shifted(self.start_at, self.duration)

    def over(self, now: datetime) -> bool:
        """Whether it never holds again."""
        return self.start_at is not None and now >= shifted(self.start_at, self.duration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """All that one tenant has said."""

    rules: AlertRules = USUAL_RULES
    exceptions: tuple[RulesException, ...] = ()
    """The first that covers an endpoint holds for it."""
    routes: tuple[AlertRoute, ...] = ()
    windows: tuple[MaintenanceWindow, ...] = ()

    def rules_for(self, job_id: str, endpoint_id: str) -> AlertRules:
        """What holds for an endpoint."""
        found = (each.rules for each in self.exceptions if each.scope.covers(job_id, endpoint_id))
        return next(found, self.rules)

    def route(self, route_id: str) -> AlertRoute:
        """The route. Raises NotFoundError."""
        for route in self.routes:
            if route.id == route_id:
                return route
        raise NotFoundError(f"There is no alert route {route_id}.")

    def with_route(self, route: AlertRoute) -> "Alerting":
        """The same with *route*, in the place of the one with its id."""
        return replace(self, routes=(*(each for each in self.routes if each.id != route.id), route))

    def without_route(self, route_id: str) -> "Alerting":
        """The same without a route. Raises NotFoundError."""
        gone = self.route(route_id)
        return replace(self, routes=tuple(each for each in self.routes if each is not gone))

    def without_window(self, window_id: str) -> "Alerting":
        """The same without a maintenance window. Raises NotFoundError."""
        kept = tuple(each for each in self.windows if each.id != window_id)
        if len(kept) == len(self.windows):
            raise NotFoundError(f"There is no maintenance window {window_id}.")
        return replace(self, windows=kept)


NO_ALERTING = Alerting()
"""As a tenant is who has said nothing."""
