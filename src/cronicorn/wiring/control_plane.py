"""The control plane over a store."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypedDict, TypeVar

from cronicorn.adapters.passwords.argon2_passwords import Argon2Passwords
from cronicorn.control.accounts import Accounts, Doors
from cronicorn.control.activity import Activity
from cronicorn.control.admittance import Admittance
from cronicorn.control.alert_files import AlertFiles
from cronicorn.control.alerts import AlertPorts, Alerts
from cronicorn.control.analyses import Analyses
from cronicorn.control.apply import FileApplier
from cronicorn.control.audit import Audit
from cronicorn.control.dashboards import Dashboards
from cronicorn.control.decisions import Decisions
from cronicorn.control.drafts import PolicyDrafts
from cronicorn.control.endpoints import Endpoints
from cronicorn.control.execution_tiers import ExecutionTiers
from cronicorn.control.exporting import Exporter
from cronicorn.control.file_owners import FileOwners
from cronicorn.control.file_planning import FileNouns, FilePlanner
from cronicorn.control.forecasts import Forecasts
from cronicorn.control.hints import Hints
from cronicorn.control.identity import random_id, random_key, random_signing_key
from cronicorn.control.incidents import Incidents
from cronicorn.control.jobs import Jobs
from cronicorn.control.keys import Keys
from cronicorn.control.members import TenantMembers
from cronicorn.control.overviews import Overviews
from cronicorn.control.plane import ControlPlane
from cronicorn.control.policies import Policies
from cronicorn.control.proposals import Proposals
from cronicorn.control.prospects import Prospects
from cronicorn.control.provisions import Provisions
from cronicorn.control.quota import Quotas
from cronicorn.control.repeats import Repeats
from cronicorn.control.rewrapping import Rewrapping
from cronicorn.control.route_sealing import RouteSealing
from cronicorn.control.run_requests import RunRequests, Told
from cronicorn.control.runs import Runs
from cronicorn.control.schedules import Schedules
from cronicorn.control.search import Search
from cronicorn.control.secret_names import SecretNames
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
from cronicorn.domain.execution.limits import TierLimits
from cronicorn.domain.keychain.ports import Vault
from cronicorn.domain.ports import Clock, Cron, Dispatcher
from cronicorn.scheduler import Scheduler
from cronicorn.scheduler.delivering import Courier
from cronicorn.wiring.drafting import MakeDrafts
from cronicorn.wiring.quota import Tokens
from cronicorn.wiring.simulating import SimulationProcess
from cronicorn.wiring.stores import Stores
from cronicorn.wiring.vault import sealer

T = TypeVar("T")


def control_plane(
    stores: Stores, dispatcher: Dispatcher, tokens: Tokens, vault: Vault, *, clock: Clock, cron: Cron,
    scheduler: Scheduler | None = None, limits: TierLimits, kept: timedelta, make_drafts: MakeDrafts | None = None,
    courier: Courier | None = None, model_named: bool = False,
) -> ControlPlane:  # fmt: skip
    """The control plane over *stores*, which tells the *scheduler* of this process, if there is one, of each change.

    Without *make_drafts* no description is compiled; *model_named*: settings name a model. Runs are *kept* so long.
    """
    told = _told_by(scheduler)
    jobs = Jobs(stores.jobs, clock, cron, random_id, told.wake)
    tiers = ExecutionTiers(stores.run_book, limits)
    endpoints = _endpoints(stores, cron, told, tiers)
    policies = Policies(stores.endpoints, stores.runs, cron)
    runs = Runs(stores.runs, stores.run_control, stores.endpoints, clock)
    provisions = Provisions(stores.provisions)
    alerts = _alerts(stores, vault, clock, cron, courier)[0]
    quotas = Quotas(tokens.quota, stores.terms, tokens.rules, clock, tiers)
    return ControlPlane(
        **_access(stores, clock),
        provisions=provisions,
        tenant_settings=TenantSettings(stores.keys, provisions, quotas),
        jobs=jobs,
        endpoints=endpoints,
        hints=Hints(stores.endpoints, cron, told.wake),
        schedules=Schedules(stores.endpoints, stores.runs, tiers, clock, cron),
        policies=policies,
        **_drafting(stores, cron, told, make_drafts, policies),
        quotas=quotas,
        signing_keys=SigningKeys(stores.keychains, sealer(stores, vault), clock, random_signing_key),
        secrets=Secrets(stores.keychains, sealer(stores, vault), clock),
        rewrapping=Rewrapping(stores.keychains, stores.alertings, vault),
        runs=runs,
        simulations=Simulations(SimulationProcess()),
        workers=Workers(stores.worker_book),
        slots=Slots(stores.endpoints, stores.run_control, stores.timeline, cron),
        decisions=Decisions(stores.endpoints, stores.runs, runs),
        requests=RunRequests(stores.endpoints, stores.run_control, stores.runs, tiers, told),
        **_trying(stores, endpoints, dispatcher, clock, cron),
        analyses=Analyses(stores.watches, stores.endpoints, quotas, model_named=model_named),
        repeats=Repeats(stores.keyed_requests, random_id),
        dashboards=Dashboards(stores.rollups, clock),
        activity=Activity(stores.rollups, stores.timeline, clock, kept),
        **_looking(stores, clock, cron),
        alerts=alerts,
        incidents=Incidents(stores.incidents, stores.outbox, clock),
        files=_files(stores, vault, clock, cron, limits=limits, told=told),
        file_owners=FileOwners(stores.file_sets),
        exporter=Exporter(jobs, endpoints, alerts),
    )


def _alerts(
    stores: Stores, vault: Vault, clock: Clock, cron: Cron, courier: Courier | None
) -> tuple[Alerts, AlertFiles]:
    sealing = RouteSealing(stores.alertings, sealer(stores, vault))
    ports = AlertPorts(book=stores.alertings, outbox=stores.outbox, sealing=sealing)
    alerts = Alerts(ports, clock, cron, random_id, _bell(courier))
    return alerts, AlertFiles(alerts, sealing, clock, cron, random_id)


def _files(stores: Stores, vault: Vault, clock: Clock, cron: Cron, *, limits: TierLimits, told: Told) -> FileApplier:
    def nouns(over: Stores) -> FileNouns:
        silent = Told(wake=_tell_nobody, cancelled=_tell_nobody)
        tiers = ExecutionTiers(over.run_book, limits)
        return FileNouns(
            jobs=Jobs(over.jobs, clock, cron, random_id, silent.wake),
            endpoints=_endpoints(over, cron, silent, tiers),
            alerts=_alerts(over, vault, clock, cron, None)[1],
            sets=over.file_sets,
        )

    async def as_one(work: Callable[[FileNouns], Awaitable[T]]) -> T:
        done = await stores.together(lambda joined: work(nouns(joined)))
        told.wake()
        return done

    return FileApplier(FilePlanner(nouns(stores), clock, cron), as_one)


def _endpoints(stores: Stores, cron: Cron, told: Told, tiers: ExecutionTiers) -> Endpoints:
    names = SecretNames(stores.keychains)
    return Endpoints(stores.endpoints, cron, random_id, told.wake, tiers, secret_names=names)


class _Drafting(TypedDict):
    """The nouns of policies that are not in force yet."""

    drafts: PolicyDrafts
    proposals: Proposals


def _drafting(stores: Stores, cron: Cron, told: Told, make_drafts: MakeDrafts | None, policies: Policies) -> _Drafting:
    maker = make_drafts(policies, told.wake) if make_drafts is not None else None
    return {
        "drafts": PolicyDrafts(stores.drafts, stores.endpoints, cron, maker, told.wake),
        "proposals": Proposals(stores.drafts, stores.endpoints, stores.runs, policies, random_id),
    }


class _Looking(TypedDict):
    """The nouns of what people look at."""

    overviews: Overviews
    whereabouts: Whereabouts
    timelines: Timelines
    search: Search
    forecasts: Forecasts


def _looking(stores: Stores, clock: Clock, cron: Cron) -> _Looking:
    return {
        "overviews": Overviews(stores.jobs, stores.endpoints, clock, cron),
        "whereabouts": Whereabouts(stores.jobs, stores.endpoints, clock),
        "timelines": Timelines(stores.endpoints, stores.runs, cron),
        "search": Search(stores.finder),
        "forecasts": Forecasts(stores.finder, clock, cron),
    }


class _Trying(TypedDict):
    """The nouns of what is looked at before it counts."""

    trials: TrialCalls
    prospects: Prospects


def _trying(stores: Stores, endpoints: Endpoints, dispatcher: Dispatcher, clock: Clock, cron: Cron) -> _Trying:
    trials = TrialCalls(stores.endpoints, stores.run_control, dispatcher, clock, stores.rates)
    return {"trials": trials, "prospects": Prospects(endpoints, trials, clock, cron, random_id)}


class _Access(TypedDict):
    """The nouns of who may do what."""

    tenants: Tenants
    admittance: Admittance
    keys: Keys
    members: TenantMembers
    accounts: Accounts
    audit: Audit


def _access(stores: Stores, clock: Clock) -> _Access:
    passwords = Argon2Passwords()
    doors = Doors(
        members=stores.members, sessions=stores.signed_in, links=stores.sign_in_links, rates=stores.rates,
        passwords=passwords,
    )  # fmt: skip
    return {
        "tenants": Tenants(stores.keys, clock, random_id, random_key, passwords),
        "admittance": Admittance(stores.keys, stores.issued_keys, stores.signed_in, stores.rates, clock),
        "keys": Keys(stores.issued_keys, clock, random_id, random_key),
        "members": TenantMembers(stores.members, stores.sign_in_links, passwords, clock, random_id),
        "accounts": Accounts(doors, clock),
        "audit": Audit(stores.audit_log),
    }


def _told_by(scheduler: Scheduler | None) -> Told:
    """Whom a change is told."""
    if scheduler is None:
        return Told(wake=_tell_nobody, cancelled=_tell_nobody)
    return Told(wake=scheduler.wake, cancelled=scheduler.heed_cancellations)


def _bell(courier: Courier | None) -> Callable[[], None]:
    """Whom a new message is told."""
    return courier.wake if courier is not None else _tell_nobody


def _tell_nobody() -> None:
    """Nobody works in this process. Others hear of a change from the store, or look for themselves."""
