"""A control plane on stores in memory, with a clock that moves when told and a dispatcher that reads a script."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from argon2.profiles import CHEAPEST

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.adapters.cron.zone import zone_rules
from cronicorn.adapters.memory.quota import MemoryQuota
from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.passwords.argon2_passwords import Argon2Passwords
from cronicorn.adapters.vault.aes_vault import AesVault
from cronicorn.adapters.vault.master_keys import PassingKey
from cronicorn.adapters.vault.rehearsing_vault import RehearsingVault
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
from cronicorn.control.document import EndpointDocument, JobDocument
from cronicorn.control.drafts import PolicyDrafts
from cronicorn.control.endpoints import Endpoints
from cronicorn.control.execution_tiers import ExecutionTiers
from cronicorn.control.exporting import Exporter
from cronicorn.control.file_owners import FileOwners
from cronicorn.control.file_planning import FileNouns, FilePlanner
from cronicorn.control.forecasts import Forecasts
from cronicorn.control.hints import Hints
from cronicorn.control.identity import random_signing_key
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
from cronicorn.control.quota import QuotaRules, Quotas
from cronicorn.control.repeats import Repeats
from cronicorn.control.rewrapping import Rewrapping
from cronicorn.control.route_sealing import RouteSealing
from cronicorn.control.run_requests import RunRequests, Told
from cronicorn.control.runs import Runs
from cronicorn.control.schedules import Schedules
from cronicorn.control.sealing import SealedPorts, Sealer
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
from cronicorn.domain.call import Outcome
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.execution.limits import TierLimits
from cronicorn.domain.fixtures import MIDNIGHT, a_run, an_outcome
from cronicorn.domain.keychain.ports import Vault
from cronicorn.domain.lease import Lease
from cronicorn.domain.permission import EVERYTHING
from cronicorn.domain.ports import Clock
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.domain.quota.allowance import Tiers
from cronicorn.domain.quota.decision import Mode
from cronicorn.domain.run import Run
from cronicorn.domain.tenant import Tenant
from cronicorn.scheduler.agreed_allowances import AgreedAllowances
from cronicorn.testing.dispatchers import ScriptedDispatcher
from cronicorn.wiring.simulating import SimulationProcess
from tests.control.drafts_by_hand import DraftsByHand

T = TypeVar("T")

ALICE = Principal(tenant_id="t1", actor="alice", permissions=EVERYTHING)
BOB = Principal(tenant_id="t2", actor="bob", permissions=EVERYTHING)
LOCAL = Principal(tenant_id="", actor="root", kind=ActorKind.LOCAL, permissions=EVERYTHING)


class SetClock(Clock):
    """Stands still until it is moved."""

    def __init__(self, instant: datetime = MIDNIGHT) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return (self.instant - MIDNIGHT).total_seconds()

    def move(self, **lengths: float) -> None:
        self.instant += timedelta(**lengths)


UNLIMITED_TIERS = TierLimits()
KEPT = timedelta(days=30)


@dataclass(slots=True)
class World:
    """Everything a test of the control plane or of a door needs."""

    clock: SetClock
    stores: MemoryStores
    dispatcher: ScriptedDispatcher
    control: ControlPlane
    rehearsing: Callable[[], ControlPlane]
    wakes: list[datetime] = field(default_factory=list)
    cron: CronsimCron = field(default_factory=CronsimCron)

    async def job(self, asker: Principal = ALICE, name: str = "shop") -> str:
        """The id of a new job."""
        return (await self.control.jobs.create(asker, JobDocument.model_validate({"name": name}))).id

    async def endpoint(self, asker: Principal = ALICE, **fields: Any) -> JobEndpoint:
        """A new endpoint, each minute unless said otherwise, in a job of its own unless told."""
        job_id = fields.pop("jobId", None) or await self.job(asker)
        fields = {"name": "stock", "url": "https://shop.example/stock"} | fields
        if not {"baselineCron", "baselineIntervalMs", "onceAt", "dormant"} & set(fields):
            fields["baselineIntervalMs"] = 60_000
        view = await self.control.endpoints.create(asker, job_id, EndpointDocument.model_validate(fields))
        return view.endpoint

    async def now_stored(self, endpoint: JobEndpoint) -> JobEndpoint:
        """*endpoint* as it is stored now."""
        stored, _ = await self.stores.endpoints.get(endpoint.tenant_id, endpoint.id)
        return stored

    async def next_run_at(self, endpoint: JobEndpoint) -> datetime | None:
        """When *endpoint* runs next, as stored now."""
        plan = (await self.now_stored(endpoint)).state.plan
        assert plan is not None
        return plan.next_run_at

    async def claim(self) -> Lease:
        """The lease on what is due now, of which there must be one."""
        (lease,) = await self._due()
        return lease

    async def run_due(self, outcome: Outcome | None = None) -> Run:
        """Run what is due now, of which there must be one, with *outcome*."""
        return await self.finish(await self.claim(), outcome)

    async def finish(self, lease: Lease, outcome: Outcome | None = None) -> Run:
        """Settle *lease* with *outcome*."""
        run = a_run(lease, outcome or an_outcome())
        await self.stores.job_store.settle(
            lease,
            run,
            lambda endpoint, stored: decide(
                endpoint, Facts(stored=stored, run=run, manual=lease.manual, cron=self.cron)
            ),
        )
        return run

    async def _due(self) -> Sequence[Lease]:
        return await self.stores.job_store.claim_due(worker_id="w1", limit=10, ttl=timedelta(seconds=30))


def a_world(limits: TierLimits = UNLIMITED_TIERS, *, drafting: bool = True) -> World:
    """An empty world at MIDNIGHT; without *drafting* no model is connected."""
    clock, cron, numbers = SetClock(), CronsimCron(), count(1)
    stores = MemoryStores.open(clock)
    dispatcher = ScriptedDispatcher()
    wakes: list[datetime] = []

    def wake() -> None:
        wakes.append(clock.now())

    def new_id(kind: str) -> str:
        return f"{kind}_{next(numbers)}"

    def new_key() -> str:
        return f"ck_{next(numbers):064x}"

    vault = AesVault(PassingKey())

    def plane(stores: MemoryStores, vault: Vault, wake: Callable[[], None]) -> ControlPlane:
        maker = DraftsByHand(stores.endpoints, stores.drafts) if drafting else None
        jobs = Jobs(stores.jobs, clock, cron, new_id, wake)
        rules = QuotaRules(tiers=Tiers(), mode=Mode.RESERVE, zone_named=zone_rules)
        sealer = Sealer(SealedPorts(keychains=stores.keychains, alertings=stores.alertings), vault)
        allowances = AgreedAllowances(stores.terms, rules.tiers, zone_rules)
        tiers = ExecutionTiers(stores.run_book, limits)
        endpoints = Endpoints(stores.endpoints, cron, new_id, wake, tiers, secret_names=SecretNames(stores.keychains))
        quotas = Quotas(MemoryQuota(stores.database, allowances), stores.terms, rules, clock, tiers)
        runs = Runs(stores.runs, stores.run_control, stores.endpoints, clock)
        policies = Policies(stores.endpoints, stores.runs, cron)
        trials = TrialCalls(stores.endpoints, stores.run_control, dispatcher, clock, stores.rates)
        provisions = Provisions(stores.provisions)
        passwords = Argon2Passwords(CHEAPEST)
        doors = Doors(
            members=stores.members, sessions=stores.signed_in, links=stores.sign_in_links, rates=stores.rates,
            passwords=passwords,
        )  # fmt: skip
        sealing = RouteSealing(stores.alertings, sealer)
        ports = AlertPorts(book=stores.alertings, outbox=stores.outbox, sealing=sealing)
        alerts = Alerts(ports, clock, cron, new_id, wake)
        alert_files = AlertFiles(alerts, sealing, clock, cron, new_id)
        files = FileNouns(jobs=jobs, endpoints=endpoints, alerts=alert_files, sets=stores.file_sets)

        async def as_one(work: Callable[[FileNouns], Awaitable[T]]) -> T:
            return await stores.together(lambda _: work(files))

        return ControlPlane(
            provisions=provisions,
            tenant_settings=TenantSettings(stores.keys, provisions, quotas),
            tenants=Tenants(stores.keys, clock, new_id, new_key, passwords),
            admittance=Admittance(stores.keys, stores.issued_keys, stores.signed_in, stores.rates, clock),
            keys=Keys(stores.issued_keys, clock, new_id, new_key),
            members=TenantMembers(stores.members, stores.sign_in_links, passwords, clock, new_id),
            accounts=Accounts(doors, clock),
            audit=Audit(stores.audit_log),
            jobs=jobs,
            endpoints=endpoints,
            hints=Hints(stores.endpoints, cron, wake),
            schedules=Schedules(stores.endpoints, stores.runs, tiers, clock, cron),
            policies=policies,
            drafts=PolicyDrafts(stores.drafts, stores.endpoints, cron, maker, wake),
            proposals=Proposals(stores.drafts, stores.endpoints, stores.runs, policies, new_id),
            quotas=quotas,
            signing_keys=SigningKeys(stores.keychains, sealer, clock, random_signing_key),
            secrets=Secrets(stores.keychains, sealer, clock),
            rewrapping=Rewrapping(stores.keychains, stores.alertings, vault),
            runs=runs,
            simulations=Simulations(SimulationProcess()),
            workers=Workers(stores.worker_book),
            slots=Slots(stores.endpoints, stores.run_control, stores.timeline, cron),
            decisions=Decisions(stores.endpoints, stores.runs, runs),
            requests=RunRequests(
                stores.endpoints, stores.run_control, stores.runs, tiers, Told(wake=wake, cancelled=wake)
            ),
            trials=trials,
            prospects=Prospects(endpoints, trials, clock, cron, new_id),
            analyses=Analyses(stores.watches, stores.endpoints, quotas, model_named=False),
            repeats=Repeats(stores.keyed_requests, new_id),
            dashboards=Dashboards(stores.rollups, clock),
            activity=Activity(stores.rollups, stores.timeline, clock, KEPT),
            overviews=Overviews(stores.jobs, stores.endpoints, clock, cron),
            whereabouts=Whereabouts(stores.jobs, stores.endpoints, clock),
            timelines=Timelines(stores.endpoints, stores.runs, cron),
            search=Search(stores.finder),
            forecasts=Forecasts(stores.finder, clock, cron),
            alerts=alerts,
            incidents=Incidents(stores.incidents, stores.outbox, clock),
            files=FileApplier(FilePlanner(files, clock, cron), as_one),
            file_owners=FileOwners(stores.file_sets),
            exporter=Exporter(jobs, endpoints, alerts),
        )

    copies = stores.rehearsing()
    rehearsed = plane(copies, RehearsingVault(vault), lambda: None)

    def rehearsing() -> ControlPlane:
        copies.forget(stores)
        return rehearsed

    return World(clock, stores, dispatcher, plane(stores, vault, wake), rehearsing, wakes, cron)


def peopled(world: World) -> World:
    """*world* with the tenants of ALICE and BOB, which files are applied to."""
    for principal in (ALICE, BOB):
        tenant = Tenant(id=principal.tenant_id, name=principal.actor, created_at=MIDNIGHT)
        world.stores.database.tenants[tenant.id] = tenant
    return world
