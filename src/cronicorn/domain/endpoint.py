"""Jobs and endpoints: what an owner registered, and where its schedule stands."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cronicorn.domain.call import SUCCESS_DEFAULT, Request, SuccessCriteria
from cronicorn.domain.criteria.criteria import AnswerCriteria
from cronicorn.domain.cron import CronSchedule, Dialect, DstGap, DstOverlap
from cronicorn.domain.flow.limits import Flow, HeldBack
from cronicorn.domain.hint import Hint
from cronicorn.domain.instant import ZERO
from cronicorn.domain.plan import Plan
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.signals.signal import DEFAULT as SIGNALS_DEFAULT
from cronicorn.domain.signals.signal import Signals
from cronicorn.domain.steering_memory import NO_MEMORY, SteeringMemory
from cronicorn.domain.untrusted.redaction import NOTHING_SECRET, Redaction

INTERVAL_DEFAULT = timedelta(seconds=60)
"""The baseline of an endpoint that has none."""
CATCH_UP_WINDOW_MAX = timedelta(hours=1)
RETRIES_MAX = 5
CATCH_UP_RUNS_MAX = 100
COOLDOWN_LEAST = timedelta(minutes=5)
"""Between two analyses of an endpoint."""


class JobStatus(StrEnum):
    """Whether a job's endpoints are scheduled."""

    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A group of endpoints (siblings)."""

    id: str
    tenant_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    status: JobStatus = JobStatus.ACTIVE
    archived_at: datetime | None = None


class BaselineKind(StrEnum):
    """How an endpoint is scheduled when nothing steers it."""

    CRON = "cron"
    INTERVAL = "interval"
    ONCE = "once"
    DORMANT = "dormant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The cadence an owner set. Old rows may contradict themselves: `kind` says what counts."""

    cron: str | None = None
    interval: timedelta | None = None
    once_at: datetime | None = None
    dormant: bool = False
    anchor_at: datetime | None = None
    """The phase of an interval: instants are `anchor_at + n * interval`. None counts from the last run."""
    zone: str = "UTC"
    dst_gap: DstGap = DstGap.RUN_AFTER
    dst_overlap: DstOverlap = DstOverlap.DEBIAN
    dialect: Dialect = Dialect.DEBIAN
    window: timedelta = ZERO
    """Spreads the herd: each endpoint runs at its own stable offset inside the window after each nominal instant."""

    @property
    def kind(self) -> BaselineKind:
        """Dormant before once before cron before interval."""
        if self.dormant:
            return BaselineKind.DORMANT
        if self.once_at is not None:
            return BaselineKind.ONCE
        return BaselineKind.CRON if self.cron else BaselineKind.INTERVAL

    @property
    def length(self) -> timedelta:
        """The interval, or the default one where none is set. Means something for interval schedules only."""
        return INTERVAL_DEFAULT if self.interval is None else self.interval

    @property
    def cron_schedule(self) -> CronSchedule:
        """The cron text with all that decides its meaning."""
        return CronSchedule(self.cron or "", self.zone, self.dst_gap, self.dst_overlap, self.dialect)


class CatchUpMode(StrEnum):
    """Which of several late instants run."""

    LATEST = "latest"
    EARLIEST = "earliest"
    ALL = "all"
    NONE = "none"
    """An instant that could not start within a second of its time is missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """What happens to instants that passed while nobody could run them."""

    mode: CatchUpMode = CatchUpMode.LATEST
    window: timedelta | None = None
    """An instant later than this is missed; None means the interval, at most CATCH_UP_WINDOW_MAX."""
    runs_max: int = 1
    """How many late instants run with `all`, the latest ones first chosen, run in order."""


CATCH_UP_DEFAULT = CatchUp()


class Overlap(StrEnum):
    """What happens to an instant that comes while the previous call is still running."""

    SKIP = "skip"
    BUFFER_ONE = "buffer_one"
    CANCEL_OTHER = "cancel_other"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Attempts within one slot, apart from the backoff of a failing endpoint."""

    count: int = 0
    backoff_min: timedelta = timedelta(seconds=5)
    backoff_max: timedelta = timedelta(hours=1)
    doublings_max: int = 5


NO_RETRIES = RetryPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisSwitch:
    """Whether a model may look at the answers of an endpoint. Off: it is shown none of them.

    What it is told of them to compile a description, a profile, is another switch: `JobEndpoint.compile_mode`.
    """

    enabled: bool = False
    cooldown: timedelta = timedelta(hours=1)
    """So long after an analysis none begins by itself."""

    def __post_init__(self) -> None:
        assert self.cooldown >= COOLDOWN_LEAST


UNANALYSED = AnalysisSwitch()
"""As an endpoint is unless its owner says otherwise."""


class CompileMode(StrEnum):
    """What becomes of the description of an endpoint."""

    REVIEW = "review"
    """Drafts are made; a person activates them."""
    AUTO = "auto"
    """As `review`, but a draft inside the safe envelope is activated at once."""
    OFF = "off"
    """No draft is made unless a person asks."""


class KeepBodies(StrEnum):
    """Which bodies of answers are kept with their runs."""

    ALL = "all"
    ON_CHANGE = "on_change"
    """Those that differ from the one before."""
    FAILURES = "failures"
    """Those of runs that failed."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualSlot:
    """A run that a person asked for, not yet settled."""

    slot: int
    requested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointState:
    """Where the schedule of an endpoint stands: all that runs, hints and people change."""

    slot: int = 1
    """Number of the planned slot."""
    attempt: int = 1
    """Which attempt of that slot the plan is for."""
    slots_issued: int = 1
    """The highest number given to a slot, planned or manual."""
    failure_count: int = 0
    """Failed slots in a row."""
    hints: tuple[Hint, ...] = ()
    memory: SteeringMemory = NO_MEMORY
    """What signals and rules remember."""
    suspended: bool = False
    """The job is paused or archived, or the endpoint is archived."""
    last_run_at: datetime | None = None
    spaced_from: datetime | None = None
    """Guardrails and intervals without anchor count from here (the last start); None counts from now."""
    accounted_until: datetime | None = None
    """Every nominal instant up to here has its recorded state, or is the planned one."""
    retry_at: datetime | None = None
    owed_at: datetime | None = None
    """A nominal instant that has passed and shall still run."""
    owed_count: int = 0
    """How many more late instants follow the owed one."""
    manual: ManualSlot | None = None
    plan: Plan | None = None
    body_mark: str | None = None
    """By what the last body is known again, where only changed ones are kept."""
    held: HeldBack | None = None
    """What was due is held back; None when it is not."""

    @property
    def due_at(self) -> datetime | None:
        """When a worker has something to do here: the planned run or the manual one, if they are not held back."""
        due = self.plan.next_run_at if self.plan is not None else None
        if self.manual is not None:
            due = self.manual.requested_at if due is None else min(due, self.manual.requested_at)
        return due if self.held is None or due is None else max(due, self.held.until)


BEGINNING = EndpointState()
"""As a new endpoint stands before its first plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEndpoint:
    """One HTTP request with a schedule and guardrails.

    Its defaults, and those of its parts, are not written to stores: they are part of what is stored, and changing one
    would change every endpoint that has it.
    """

    id: str
    tenant_id: str
    job_id: str
    name: str
    request: Request
    baseline: Baseline
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    interval_min: timedelta | None = None
    interval_max: timedelta | None = None
    catch_up: CatchUp = CATCH_UP_DEFAULT
    overlap: Overlap = Overlap.SKIP
    retries: RetryPolicy = NO_RETRIES
    success: SuccessCriteria = SUCCESS_DEFAULT
    criteria: AnswerCriteria | None = None
    """What its answers count as, beyond `success`."""
    signals: Signals = SIGNALS_DEFAULT
    """What its answers may say about when it is called by themselves."""
    policy: Policy | None = None
    """What its owner wrote about its answers."""
    flow: Flow | None = None
    """How many of its calls, and of others under the same key, may begin and be in progress."""
    keep_bodies: KeepBodies = KeepBodies.ALL
    redaction: Redaction = NOTHING_SECRET
    """What of its answers is hashed before anything reads or keeps it."""
    compile_mode: CompileMode = CompileMode.REVIEW
    """What becomes of its description."""
    analysis: AnalysisSwitch = UNANALYSED
    archived_at: datetime | None = None
    version: int = 1
    """Grows with every change a person, agent or rule makes."""
    state: EndpointState = BEGINNING

    @property
    def is_watched(self) -> bool:
        """Whether a planner looks at its answers now and then."""
        return self.archived_at is None and (self.analysis.enabled or self.compiles_again)

    @property
    def compiles_again(self) -> bool:
        """Whether its description may be compiled and nobody asked: in the mode `auto`, else once it has rules."""
        if self.compile_mode is CompileMode.OFF or not self.description:
            return False
        return self.compile_mode is CompileMode.AUTO or self.policy is not None

    def standing(self, state: EndpointState) -> "JobEndpoint":
        """The same endpoint in *state*. Written out: `dataclasses.replace` takes twice as long."""
        return JobEndpoint(
            id=self.id,
            tenant_id=self.tenant_id,
            job_id=self.job_id,
            name=self.name,
            request=self.request,
            baseline=self.baseline,
            created_at=self.created_at,
            updated_at=self.updated_at,
            description=self.description,
            interval_min=self.interval_min,
            interval_max=self.interval_max,
            catch_up=self.catch_up,
            overlap=self.overlap,
            retries=self.retries,
            success=self.success,
            criteria=self.criteria,
            signals=self.signals,
            policy=self.policy,
            flow=self.flow,
            keep_bodies=self.keep_bodies,
            redaction=self.redaction,
            compile_mode=self.compile_mode,
            analysis=self.analysis,
            archived_at=self.archived_at,
            version=self.version,
            state=state,
        )

    def takes_room(self, before: "JobEndpoint | None") -> bool:
        """Whether its tenant has one more endpoint that is not archived with it than with *before*; None: it is new."""
        return self.archived_at is None and (before is None or before.archived_at is not None)
