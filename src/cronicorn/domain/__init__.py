"""The public domain library: pure scheduling rules, the values they speak in, and the ports they need."""

from cronicorn.domain.access.ports import KeyRing
from cronicorn.domain.admission import Admission, admit, catch_up_window
from cronicorn.domain.cadence import Grid
from cronicorn.domain.call import Call, Method, Outcome, OutcomeKind, Request, StatusRange, SuccessCriteria
from cronicorn.domain.cron import CronSchedule, Dialect, DstGap, DstOverlap
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.endpoint import (
    Baseline,
    BaselineKind,
    CatchUp,
    CatchUpMode,
    EndpointState,
    Job,
    JobEndpoint,
    JobStatus,
    ManualSlot,
    Overlap,
    RetryPolicy,
)
from cronicorn.domain.errors import (
    ConflictError,
    CronicornError,
    FieldError,
    ForbiddenError,
    InvalidInputError,
    LeaseLostError,
    NotFoundError,
    QuotaExceededError,
    RateExceededError,
    UnauthenticatedError,
    UnavailableError,
)
from cronicorn.domain.explain import ExplainedStep, explained
from cronicorn.domain.hint import Author, Hint, HintKind
from cronicorn.domain.history import Health, RunPage, RunQuery, SkipPage
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.policy.document_part import PolicyError, PolicyProblem
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.ports import (
    Clock,
    Cron,
    Decide,
    Dispatcher,
    EndpointCatalog,
    EndpointEdit,
    JobCatalog,
    JobStore,
    RunControl,
    RunHistory,
    RunLog,
    StoreHealth,
)
from cronicorn.domain.preview import preview
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.decision import Denied, Granted, QuotaView
from cronicorn.domain.quota.ports import Quota, QuotaGuard
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import Change, Settlement, Sibling, Stored
from cronicorn.domain.signals.signal import Adapt, Signal, Signals
from cronicorn.domain.slot import Skip, SlotState
from cronicorn.domain.steering_record import SteeringRecord
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.domain.trace import Trace

__all__ = [
    "ActorKind",
    "Adapt",
    "Admission",
    "ApiKey",
    "Author",
    "Baseline",
    "BaselineKind",
    "Budget",
    "Call",
    "CatchUp",
    "CatchUpMode",
    "Change",
    "Clock",
    "ConflictError",
    "Cron",
    "CronSchedule",
    "CronicornError",
    "Decide",
    "Denied",
    "Dialect",
    "Dispatcher",
    "DstGap",
    "DstOverlap",
    "EndpointCatalog",
    "EndpointEdit",
    "EndpointState",
    "ExplainedStep",
    "Facts",
    "FieldError",
    "ForbiddenError",
    "Granted",
    "Grid",
    "Health",
    "Hint",
    "HintKind",
    "InvalidInputError",
    "Job",
    "JobCatalog",
    "JobEndpoint",
    "JobStatus",
    "JobStore",
    "KeyRing",
    "Lease",
    "LeaseLostError",
    "ManualSlot",
    "Method",
    "NextDue",
    "NotFoundError",
    "Outcome",
    "OutcomeKind",
    "Overlap",
    "Plan",
    "Policy",
    "PolicyError",
    "PolicyProblem",
    "Principal",
    "Quota",
    "QuotaExceededError",
    "QuotaGuard",
    "QuotaView",
    "RateExceededError",
    "Renewal",
    "Request",
    "RetryPolicy",
    "Run",
    "RunControl",
    "RunHistory",
    "RunLog",
    "RunPage",
    "RunQuery",
    "RunStatus",
    "Settlement",
    "Sibling",
    "Signal",
    "Signals",
    "Skip",
    "SkipPage",
    "SlotState",
    "Source",
    "StatusRange",
    "SteeringRecord",
    "StoreHealth",
    "Stored",
    "SuccessCriteria",
    "Tenant",
    "Trace",
    "UnauthenticatedError",
    "UnavailableError",
    "admit",
    "catch_up_window",
    "decide",
    "explained",
    "plan_next_run",
    "policy_of",
    "preview",
]
