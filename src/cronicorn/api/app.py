"""The REST door as an application."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI

from cronicorn.api.cookies import Cookies
from cronicorn.api.description import COMMON, complete, problem_responses
from cronicorn.api.gate import PROTECTED, Gatekeeper, RequestFrame
from cronicorn.api.problems import ProblemAnswer, add_problem_handlers
from cronicorn.api.rehearsing import Rehearsal
from cronicorn.api.repeating import Repetition
from cronicorn.api.routes_account import account_routes
from cronicorn.api.routes_alerts import alert_route_routes, alert_rule_routes, maintenance_routes
from cronicorn.api.routes_analyses import analysis_routes
from cronicorn.api.routes_audit import audit_routes
from cronicorn.api.routes_calendar import calendar_routes
from cronicorn.api.routes_dashboard import dashboard_routes
from cronicorn.api.routes_decisions import decision_routes
from cronicorn.api.routes_docs import docs_routes
from cronicorn.api.routes_drafts import draft_routes, one_draft_routes, proposal_routes
from cronicorn.api.routes_endpoints import endpoint_routes, job_endpoint_routes
from cronicorn.api.routes_files import file_routes
from cronicorn.api.routes_hints import hint_routes
from cronicorn.api.routes_incidents import incident_routes
from cronicorn.api.routes_jobs import job_routes
from cronicorn.api.routes_keys import key_routes
from cronicorn.api.routes_members import member_routes
from cronicorn.api.routes_operations import operation_routes
from cronicorn.api.routes_policies import policy_in_force_routes, policy_routes
from cronicorn.api.routes_quota import quota_routes
from cronicorn.api.routes_runs import run_request_routes, run_routes
from cronicorn.api.routes_schedules import schedule_routes
from cronicorn.api.routes_secrets import secret_routes
from cronicorn.api.routes_signing import signing_key_routes
from cronicorn.api.routes_simulate import simulation_routes
from cronicorn.api.routes_slots import slot_routes
from cronicorn.api.routes_tenants import tenant_routes, tenant_settings_routes
from cronicorn.api.routes_workers import worker_routes
from cronicorn.control.identity import random_id
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.outgoing import VERSION
from cronicorn.domain.ports import StoreHealth


def create_app(
    control: ControlPlane,
    *,
    rehearsing: Callable[[], ControlPlane],
    health: StoreHealth,
    metrics: Callable[[], Awaitable[bytes]],
    public_origin: str | None = None,
) -> FastAPI:
    """The application that lets *control* be asked over HTTP. Starts nothing and owns nothing.

    *rehearsing* answers a control plane that keeps nothing, for whoever wants to check only. *metrics* answers
    Prometheus' text format; *public_origin* is what browsers see, where a proxy stands before it.
    """
    cookies = Cookies(origin=public_origin)
    app = door_to(control, cookies)
    app.include_router(operation_routes(health, metrics))
    app.include_router(docs_routes(app.openapi))
    app.add_middleware(Repetition, repeats=control.repeats)
    app.add_middleware(Rehearsal, rehearsing=rehearsing, door=lambda control: door_to(control, cookies))
    app.add_middleware(Gatekeeper, admittance=control.admittance, cookies=cookies)
    app.add_middleware(RequestFrame, new_id=random_id)  # the last one added is the outermost
    return app


def door_to(control: ControlPlane, cookies: Cookies) -> FastAPI:
    """What can be asked of *control* by whoever was let in."""
    app = _Api(
        title="Cronicorn",
        version=VERSION,
        description="Calls HTTP endpoints on a schedule, and adapts when to call next.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # It would lead to whatever host the asker named.
        strict_content_type=False,
        generate_unique_id_function=lambda route: route.name,
    )
    for router in _routers(control, cookies):
        app.include_router(router, prefix=PROTECTED, responses={**problem_responses(*COMMON), "default": _OTHER})
    add_problem_handlers(app)
    return app


def _routers(control: ControlPlane, cookies: Cookies) -> Sequence[APIRouter]:
    """All that needs to be known who asks. None holds another: FastAPI would work out each route once more."""
    return (
        job_routes(control.jobs, control.file_owners),
        job_endpoint_routes(control.endpoints, control.file_owners),
        endpoint_routes(control.endpoints, control.file_owners),
        hint_routes(control.hints),
        run_routes(control.runs),
        slot_routes(control.slots),
        worker_routes(control.workers),
        run_request_routes(control.requests, control.trials),
        schedule_routes(control.schedules),
        calendar_routes(control.forecasts),
        policy_routes(control.policies),
        decision_routes(control.decisions),
        simulation_routes(control.simulations),
        draft_routes(control.drafts),
        one_draft_routes(control.drafts),
        proposal_routes(control.proposals),
        quota_routes(control.quotas),
        analysis_routes(control.analyses),
        dashboard_routes(control.dashboards, control.activity),
        alert_rule_routes(control.alerts),
        alert_route_routes(control.alerts),
        maintenance_routes(control.alerts),
        incident_routes(control.incidents),
        key_routes(control.keys),
        tenant_routes(control.tenants),
        tenant_settings_routes(control.tenant_settings),
        signing_key_routes(control.signing_keys),
        policy_in_force_routes(control.endpoints),
        member_routes(control.members, cookies),
        audit_routes(control.audit),
        account_routes(control.accounts, cookies),
        secret_routes(control.secrets),
        file_routes(control.files, control.exporter),
    )


def create_operations_app(*, health: StoreHealth, metrics: Callable[[], Awaitable[bytes]]) -> FastAPI:
    """The application of a process without an API: how it is, and what it measures."""
    app = FastAPI(title="Cronicorn", version=VERSION, openapi_url=None, redirect_slashes=False)
    app.include_router(operation_routes(health, metrics))
    add_problem_handlers(app)
    app.add_middleware(RequestFrame, new_id=random_id)
    return app


_OTHER: dict[str, Any] = {"description": "Any other problem", "model": ProblemAnswer}


class _Api(FastAPI):
    """An application that describes its problems and examples as well."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            complete(super().openapi())
        return super().openapi()
