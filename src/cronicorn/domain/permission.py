"""What each operation of the control plane needs, and what each role may do: the one table of both."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Permission(StrEnum):
    """What somebody may be let do. An API key may be confined to some of them."""

    JOBS_READ = "jobs:read"
    """See jobs, endpoints, schedules, runs, policies, analyses and quotas."""
    JOBS_WRITE = "jobs:write"
    """Make, change, archive and delete jobs and endpoints."""
    RUNS_CONTROL = "runs:control"
    """Pause, steer, run, test and cancel, and forgive failures."""
    POLICIES_WRITE = "policies:write"
    """Have policies drafted, and decide about drafts."""
    ALERTS_WRITE = "alerts:write"
    """Say what people are told when something is wrong, where, and when not."""
    MEMBERS_READ = "members:read"
    """See who is a member, and with which role."""
    MEMBERS_WRITE = "members:write"
    """Add and remove members, and change their roles and passwords."""
    KEYS_READ = "keys:read"
    """See which API keys there are; never a key itself."""
    KEYS_WRITE = "keys:write"
    """Make and revoke API keys."""
    SECRETS_READ = "secrets:read"
    """See which secrets there are, and by which key calls are signed; never one itself."""
    SECRETS_WRITE = "secrets:write"
    """Set and remove secrets and signing keys."""
    AUDIT_READ = "audit:read"
    """See who did what."""
    TENANTS_WRITE = "tenants:write"
    """See and add tenants: only for whoever runs the installation."""


class Role(StrEnum):
    """What a member or an API key is to its tenant. Each may do all that the ones before it may."""

    VIEWER = "viewer"
    """Looks on."""
    OPERATOR = "operator"
    """Keeps things running: pauses, steers, runs and cancels."""
    EDITOR = "editor"
    """Decides what runs: jobs, endpoints and policies."""
    OWNER = "owner"
    """Decides who may do what."""


class Operation(StrEnum):
    """What the control plane can be asked for, as the audit log names it."""

    JOB_CREATE = "job.create"
    JOB_LIST = "job.list"
    JOB_GET = "job.get"
    JOB_EDIT = "job.edit"
    JOB_MOVE = "job.move"
    FILE_APPLY = "file.apply"
    FILE_EXPORT = "file.export"
    FILE_OWNERS = "file.owners"
    ENDPOINT_CREATE = "endpoint.create"
    ENDPOINT_LIST = "endpoint.list"
    ENDPOINT_GET = "endpoint.get"
    ENDPOINT_EDIT = "endpoint.edit"
    ENDPOINT_ARCHIVE = "endpoint.archive"
    ENDPOINT_DELETE = "endpoint.delete"
    ENDPOINT_LIMITS = "endpoint.limits"
    ENDPOINT_FORGIVE = "endpoint.forgive"
    ENDPOINT_FORESEE = "endpoint.foresee"
    ENDPOINT_TRY = "endpoint.try"
    HINT_INTERVAL = "hint.interval"
    HINT_ONE_SHOT = "hint.one_shot"
    HINT_DEFER = "hint.defer"
    HINT_CLEAR = "hint.clear"
    ENDPOINT_PAUSE = "endpoint.pause"
    SCHEDULE_UPCOMING = "schedule.upcoming"
    SCHEDULE_PREVIEW = "schedule.preview"
    SCHEDULE_EXPLAIN = "schedule.explain"
    POLICY_BACKTEST = "policy.backtest"
    POLICY_FIELDS = "policy.fields"
    POLICY_EXPLAIN = "policy.explain"
    SCENARIO_SIMULATE = "scenario.simulate"
    DRAFT_MAKE = "draft.make"
    DRAFT_PROPOSE = "draft.propose"
    DRAFT_LIST = "draft.list"
    DRAFT_GET = "draft.get"
    DRAFT_ACTIVATE = "draft.activate"
    DRAFT_REJECT = "draft.reject"
    RUN_LIST = "run.list"
    RUN_GET = "run.get"
    RUN_HEALTH = "run.health"
    RUN_SKIPS = "run.skips"
    RUN_EXPLAIN = "run.explain"
    SLOT_LIST = "slot.list"
    WORKER_LIST = "worker.list"
    RUN_REQUEST = "run.request"
    RUN_CANCEL = "run.cancel"
    ENDPOINT_TEST = "endpoint.test"
    ANALYSIS_LIST = "analysis.list"
    ANALYSIS_GET = "analysis.get"
    ANALYSIS_REQUEST = "analysis.request"
    DASHBOARD_SHOW = "dashboard.show"
    OVERVIEW_SHOW = "overview.show"
    TIMELINE_SHOW = "timeline.show"
    SEARCH_FIND = "search.find"
    FORECAST_SHOW = "forecast.show"
    FORECAST_HOSTS = "forecast.hosts"
    ACTIVITY_LIST = "activity.list"
    QUOTA_SHOW = "quota.show"
    TERMS_AGREE = "terms.agree"
    TENANT_ADD = "tenant.add"
    TENANT_LIST = "tenant.list"
    PROVISION_SHOW = "provision.show"
    PROVISION_CHANGE = "provision.change"
    KEY_CREATE = "key.create"
    KEY_LIST = "key.list"
    KEY_REVOKE = "key.revoke"
    SIGNING_KEY_SHOW = "signing_key.show"
    SIGNING_KEY_CREATE = "signing_key.create"
    SIGNING_KEY_ROTATE = "signing_key.rotate"
    SIGNING_KEY_END_OVERLAP = "signing_key.end_overlap"
    SIGNING_KEY_REMOVE = "signing_key.remove"
    SECRET_SET = "secret.set"  # noqa: S105 - no password
    SECRET_LIST = "secret.list"  # noqa: S105 - no password
    SECRET_REMOVE = "secret.remove"  # noqa: S105 - no password
    MASTER_KEY_REWRAP = "master_key.rewrap"
    MEMBER_ADD = "member.add"
    MEMBER_LIST = "member.list"
    MEMBER_EDIT = "member.edit"
    MEMBER_REMOVE = "member.remove"
    MEMBER_RESET_PASSWORD = "member.reset_password"  # noqa: S105 (the name of an operation)
    MEMBER_OFFER_LINK = "member.offer_link"
    AUDIT_LIST = "audit.list"
    ACCOUNT_SHOW = "account.show"
    ACCOUNT_CHANGE_PASSWORD = "account.change_password"  # noqa: S105 (the name of an operation)
    ACCOUNT_SIGN_IN = "account.sign_in"
    ACCOUNT_SIGN_IN_BY_LINK = "account.sign_in_by_link"
    ACCOUNT_SIGN_OUT = "account.sign_out"
    ACCOUNT_SIGN_OUT_EVERYWHERE = "account.sign_out_everywhere"
    ALERTING_SHOW = "alerting.show"
    ALERT_RULES_CHANGE = "alert_rules.change"
    ALERT_ROUTE_CREATE = "alert_route.create"
    ALERT_ROUTE_EDIT = "alert_route.edit"
    ALERT_ROUTE_REMOVE = "alert_route.remove"
    ALERT_ROUTE_TEST = "alert_route.test"
    ALERT_MESSAGE_LIST = "alert_message.list"
    MAINTENANCE_CREATE = "maintenance.create"
    MAINTENANCE_REMOVE = "maintenance.remove"
    INCIDENT_LIST = "incident.list"
    INCIDENT_GET = "incident.get"
    INCIDENT_ACKNOWLEDGE = "incident.acknowledge"


NEEDED: Mapping[Operation, Permission | None] = MappingProxyType({
    Operation.JOB_CREATE: Permission.JOBS_WRITE,
    Operation.JOB_LIST: Permission.JOBS_READ,
    Operation.JOB_GET: Permission.JOBS_READ,
    Operation.JOB_EDIT: Permission.JOBS_WRITE,
    Operation.JOB_MOVE: Permission.JOBS_WRITE,
    Operation.FILE_APPLY: Permission.JOBS_WRITE,
    Operation.FILE_EXPORT: Permission.JOBS_WRITE,
    Operation.FILE_OWNERS: Permission.JOBS_READ,
    Operation.ENDPOINT_CREATE: Permission.JOBS_WRITE,
    Operation.ENDPOINT_LIST: Permission.JOBS_READ,
    Operation.ENDPOINT_GET: Permission.JOBS_READ,
    Operation.ENDPOINT_EDIT: Permission.JOBS_WRITE,
    Operation.ENDPOINT_ARCHIVE: Permission.JOBS_WRITE,
    Operation.ENDPOINT_DELETE: Permission.JOBS_WRITE,
    Operation.ENDPOINT_LIMITS: Permission.JOBS_READ,
    Operation.ENDPOINT_FORGIVE: Permission.RUNS_CONTROL,
    Operation.ENDPOINT_FORESEE: Permission.JOBS_WRITE,
    Operation.ENDPOINT_TRY: Permission.JOBS_WRITE,
    Operation.HINT_INTERVAL: Permission.RUNS_CONTROL,
    Operation.HINT_ONE_SHOT: Permission.RUNS_CONTROL,
    Operation.HINT_DEFER: Permission.RUNS_CONTROL,
    Operation.HINT_CLEAR: Permission.RUNS_CONTROL,
    Operation.ENDPOINT_PAUSE: Permission.RUNS_CONTROL,
    Operation.SCHEDULE_UPCOMING: Permission.JOBS_READ,
    Operation.SCHEDULE_PREVIEW: Permission.JOBS_READ,
    Operation.SCHEDULE_EXPLAIN: Permission.JOBS_READ,
    Operation.POLICY_BACKTEST: Permission.JOBS_READ,
    Operation.POLICY_FIELDS: Permission.JOBS_READ,
    Operation.POLICY_EXPLAIN: Permission.JOBS_READ,
    Operation.SCENARIO_SIMULATE: Permission.JOBS_READ,
    Operation.DRAFT_MAKE: Permission.POLICIES_WRITE,
    Operation.DRAFT_PROPOSE: Permission.POLICIES_WRITE,
    Operation.DRAFT_LIST: Permission.JOBS_READ,
    Operation.DRAFT_GET: Permission.JOBS_READ,
    Operation.DRAFT_ACTIVATE: Permission.POLICIES_WRITE,
    Operation.DRAFT_REJECT: Permission.POLICIES_WRITE,
    Operation.RUN_LIST: Permission.JOBS_READ,
    Operation.RUN_GET: Permission.JOBS_READ,
    Operation.RUN_HEALTH: Permission.JOBS_READ,
    Operation.RUN_SKIPS: Permission.JOBS_READ,
    Operation.RUN_EXPLAIN: Permission.JOBS_READ,
    Operation.SLOT_LIST: Permission.JOBS_READ,
    Operation.WORKER_LIST: Permission.JOBS_READ,
    Operation.RUN_REQUEST: Permission.RUNS_CONTROL,
    Operation.RUN_CANCEL: Permission.RUNS_CONTROL,
    Operation.ENDPOINT_TEST: Permission.RUNS_CONTROL,
    Operation.ANALYSIS_LIST: Permission.JOBS_READ,
    Operation.ANALYSIS_GET: Permission.JOBS_READ,
    Operation.ANALYSIS_REQUEST: Permission.RUNS_CONTROL,
    Operation.DASHBOARD_SHOW: Permission.JOBS_READ,
    Operation.OVERVIEW_SHOW: Permission.JOBS_READ,
    Operation.TIMELINE_SHOW: Permission.JOBS_READ,
    Operation.SEARCH_FIND: Permission.JOBS_READ,
    Operation.FORECAST_SHOW: Permission.JOBS_READ,
    Operation.FORECAST_HOSTS: Permission.JOBS_READ,
    Operation.ACTIVITY_LIST: Permission.JOBS_READ,
    Operation.QUOTA_SHOW: Permission.JOBS_READ,
    Operation.TERMS_AGREE: Permission.TENANTS_WRITE,
    Operation.TENANT_ADD: Permission.TENANTS_WRITE,
    Operation.TENANT_LIST: Permission.TENANTS_WRITE,
    Operation.PROVISION_SHOW: Permission.JOBS_READ,
    Operation.PROVISION_CHANGE: Permission.TENANTS_WRITE,
    Operation.KEY_CREATE: Permission.KEYS_WRITE,
    Operation.KEY_LIST: Permission.KEYS_READ,
    Operation.KEY_REVOKE: Permission.KEYS_WRITE,
    Operation.SIGNING_KEY_SHOW: Permission.SECRETS_READ,
    Operation.SIGNING_KEY_CREATE: Permission.SECRETS_WRITE,
    Operation.SIGNING_KEY_ROTATE: Permission.SECRETS_WRITE,
    Operation.SIGNING_KEY_END_OVERLAP: Permission.SECRETS_WRITE,
    Operation.SIGNING_KEY_REMOVE: Permission.SECRETS_WRITE,
    Operation.SECRET_SET: Permission.SECRETS_WRITE,
    Operation.SECRET_LIST: Permission.SECRETS_READ,
    Operation.SECRET_REMOVE: Permission.SECRETS_WRITE,
    Operation.MASTER_KEY_REWRAP: Permission.TENANTS_WRITE,
    Operation.MEMBER_ADD: Permission.MEMBERS_WRITE,
    Operation.MEMBER_LIST: Permission.MEMBERS_READ,
    Operation.MEMBER_EDIT: Permission.MEMBERS_WRITE,
    Operation.MEMBER_REMOVE: Permission.MEMBERS_WRITE,
    Operation.MEMBER_RESET_PASSWORD: Permission.MEMBERS_WRITE,
    Operation.MEMBER_OFFER_LINK: Permission.MEMBERS_WRITE,
    Operation.AUDIT_LIST: Permission.AUDIT_READ,
    Operation.ACCOUNT_SHOW: None,
    Operation.ACCOUNT_CHANGE_PASSWORD: None,
    Operation.ACCOUNT_SIGN_IN: None,
    Operation.ACCOUNT_SIGN_IN_BY_LINK: None,
    Operation.ACCOUNT_SIGN_OUT: None,
    Operation.ACCOUNT_SIGN_OUT_EVERYWHERE: None,
    Operation.ALERTING_SHOW: Permission.JOBS_READ,
    Operation.ALERT_RULES_CHANGE: Permission.ALERTS_WRITE,
    Operation.ALERT_ROUTE_CREATE: Permission.ALERTS_WRITE,
    Operation.ALERT_ROUTE_EDIT: Permission.ALERTS_WRITE,
    Operation.ALERT_ROUTE_REMOVE: Permission.ALERTS_WRITE,
    Operation.ALERT_ROUTE_TEST: Permission.ALERTS_WRITE,
    Operation.ALERT_MESSAGE_LIST: Permission.JOBS_READ,
    Operation.MAINTENANCE_CREATE: Permission.RUNS_CONTROL,
    Operation.MAINTENANCE_REMOVE: Permission.RUNS_CONTROL,
    Operation.INCIDENT_LIST: Permission.JOBS_READ,
    Operation.INCIDENT_GET: Permission.JOBS_READ,
    Operation.INCIDENT_ACKNOWLEDGE: Permission.RUNS_CONTROL,
})  # fmt: skip
"""None needs what everybody has who is known: it is about themselves."""

_LOOKING = frozenset({Permission.JOBS_READ, Permission.MEMBERS_READ, Permission.SECRETS_READ})
_OPERATING = _LOOKING | {Permission.RUNS_CONTROL}
_EDITING = _OPERATING | {
    Permission.JOBS_WRITE,
    Permission.POLICIES_WRITE,
    Permission.ALERTS_WRITE,
    Permission.KEYS_READ,
}
_OWNING = _EDITING | {
    Permission.MEMBERS_WRITE,
    Permission.KEYS_WRITE,
    Permission.SECRETS_WRITE,
    Permission.AUDIT_READ,
}

GRANTED: Mapping[Role, frozenset[Permission]] = MappingProxyType({
    Role.VIEWER: _LOOKING,
    Role.OPERATOR: _OPERATING,
    Role.EDITOR: _EDITING,
    Role.OWNER: _OWNING,
})  # fmt: skip

READING_WITH: Mapping[Permission, Permission] = MappingProxyType({
    Permission.JOBS_WRITE: Permission.JOBS_READ,
    Permission.RUNS_CONTROL: Permission.JOBS_READ,
    Permission.POLICIES_WRITE: Permission.JOBS_READ,
    Permission.ALERTS_WRITE: Permission.JOBS_READ,
    Permission.MEMBERS_WRITE: Permission.MEMBERS_READ,
    Permission.KEYS_WRITE: Permission.KEYS_READ,
    Permission.SECRETS_WRITE: Permission.SECRETS_READ,
})  # fmt: skip
"""What shows the things that one may change."""

EVERYTHING = frozenset(Permission)
"""What the person at the machine may do."""


def permitted(role: Role, scopes: frozenset[Permission] | None, *, runs_installation: bool) -> frozenset[Permission]:
    """What somebody in *role* may do, confined to *scopes*. An owner who runs the installation has all tenants."""
    granted = GRANTED[role]
    if runs_installation and role is Role.OWNER:
        granted |= {Permission.TENANTS_WRITE}
    return granted if scopes is None else granted & scopes
