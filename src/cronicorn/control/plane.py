"""The control plane as one value: what a door needs to be handed."""

from dataclasses import dataclass

from cronicorn.control.accounts import Accounts
from cronicorn.control.activity import Activity
from cronicorn.control.admittance import Admittance
from cronicorn.control.alerts import Alerts
from cronicorn.control.analyses import Analyses
from cronicorn.control.apply import FileApplier
from cronicorn.control.audit import Audit
from cronicorn.control.dashboards import Dashboards
from cronicorn.control.decisions import Decisions
from cronicorn.control.drafts import PolicyDrafts
from cronicorn.control.endpoints import Endpoints
from cronicorn.control.exporting import Exporter
from cronicorn.control.file_owners import FileOwners
from cronicorn.control.forecasts import Forecasts
from cronicorn.control.hints import Hints
from cronicorn.control.incidents import Incidents
from cronicorn.control.jobs import Jobs
from cronicorn.control.keys import Keys
from cronicorn.control.members import TenantMembers
from cronicorn.control.overviews import Overviews
from cronicorn.control.policies import Policies
from cronicorn.control.proposals import Proposals
from cronicorn.control.prospects import Prospects
from cronicorn.control.provisions import Provisions
from cronicorn.control.quota import Quotas
from cronicorn.control.repeats import Repeats
from cronicorn.control.rewrapping import Rewrapping
from cronicorn.control.run_requests import RunRequests
from cronicorn.control.runs import Runs
from cronicorn.control.schedules import Schedules
from cronicorn.control.search import Search
from cronicorn.control.secrets import Secrets
from cronicorn.control.signing_keys import SigningKeys
from cronicorn.control.simulations import Simulations
from cronicorn.control.slots import Slots
from cronicorn.control.tenant_settings import TenantSettings
from cronicorn.control.tenants import Tenants
from cronicorn.control.timelines import Timelines
from cronicorn.control.trial_calls import TrialCalls
from cronicorn.control.whereabouts import Whereabouts
from cronicorn.control.workers import Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane:
    """What can be asked for, by noun."""

    tenants: Tenants
    provisions: Provisions
    tenant_settings: TenantSettings
    admittance: Admittance
    keys: Keys
    members: TenantMembers
    accounts: Accounts
    audit: Audit
    jobs: Jobs
    endpoints: Endpoints
    hints: Hints
    schedules: Schedules
    policies: Policies
    decisions: Decisions
    simulations: Simulations
    drafts: PolicyDrafts
    proposals: Proposals
    quotas: Quotas
    signing_keys: SigningKeys
    secrets: Secrets
    rewrapping: Rewrapping
    runs: Runs
    slots: Slots
    workers: Workers
    requests: RunRequests
    trials: TrialCalls
    prospects: Prospects
    analyses: Analyses
    dashboards: Dashboards
    activity: Activity
    overviews: Overviews
    whereabouts: Whereabouts
    timelines: Timelines
    search: Search
    forecasts: Forecasts
    repeats: Repeats
    alerts: Alerts
    incidents: Incidents
    files: FileApplier
    file_owners: FileOwners
    exporter: Exporter
