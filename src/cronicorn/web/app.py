"""The web door as an application."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from cronicorn.control.plane import ControlPlane
from cronicorn.domain.ports import Clock
from cronicorn.web.assets import STATIC
from cronicorn.web.errors import add_error_pages
from cronicorn.web.live import Mark, Streams, live_routes
from cronicorn.web.pages.account import account_pages
from cronicorn.web.pages.alert_routes import alert_route_mark, alert_route_pages
from cronicorn.web.pages.alert_rules import alert_rule_pages
from cronicorn.web.pages.analyses import analyses_pages
from cronicorn.web.pages.audit import audit_pages
from cronicorn.web.pages.calendar import calendar_pages
from cronicorn.web.pages.drafts import draft_pages
from cronicorn.web.pages.edit_endpoint import edit_endpoint_pages
from cronicorn.web.pages.ending import ending_pages
from cronicorn.web.pages.endpoint import endpoint_mark, endpoint_pages
from cronicorn.web.pages.incidents import incident_mark, incident_pages, incidents_mark
from cronicorn.web.pages.job_form import job_form_pages
from cronicorn.web.pages.jobs import job_list_pages, job_mark, job_pages
from cronicorn.web.pages.keys import key_pages
from cronicorn.web.pages.maintenance import maintenance_pages
from cronicorn.web.pages.members import member_pages
from cronicorn.web.pages.new_endpoint import new_endpoint_pages
from cronicorn.web.pages.overview import overview_mark, overview_pages
from cronicorn.web.pages.policy import policy_pages
from cronicorn.web.pages.runs import run_pages
from cronicorn.web.pages.search import search_pages
from cronicorn.web.pages.secrets import secret_pages
from cronicorn.web.pages.settings import settings_pages
from cronicorn.web.pages.signing_in import signing_in_pages
from cronicorn.web.pages.signing_key import signing_key_pages
from cronicorn.web.pages.tenants import tenant_pages
from cronicorn.web.pages.themes import theme_pages
from cronicorn.web.pages.usage import usage_pages
from cronicorn.web.pages.why import why_pages
from cronicorn.web.pages.workers import worker_pages, workers_mark
from cronicorn.web.porter import Porter
from cronicorn.web.site import WebSite
from cronicorn.web.view import BrowserSessions


def create_web_app(control: ControlPlane, *, sessions: BrowserSessions, clock: Clock, streams: Streams) -> FastAPI:
    """The application that shows *control* to people. Starts nothing and owns nothing.

    *streams* are those of its live pages; whoever stops the process closes them.
    """
    site = WebSite(clock)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    for router in (
        *_pages(site, control, sessions),
        live_routes(streams, _marks(control), control.admittance),
        _static_routes(site),
    ):
        app.include_router(router)
    add_error_pages(app, site)
    app.add_middleware(Porter, site=site, admittance=control.admittance, sessions=sessions)
    return app


def _pages(site: WebSite, control: ControlPlane, sessions: BrowserSessions) -> Sequence[APIRouter]:
    return (
        overview_pages(site, control),
        job_list_pages(site, control),
        job_form_pages(site, control),
        new_endpoint_pages(site, control),
        edit_endpoint_pages(site, control),
        ending_pages(site, control),
        job_pages(site, control),
        endpoint_pages(site, control),
        policy_pages(site, control),
        draft_pages(site, control),
        run_pages(site, control),
        calendar_pages(site, control),
        usage_pages(site, control),
        audit_pages(site, control),
        worker_pages(site, control),
        incident_pages(site, control),
        alert_route_pages(site, control),
        alert_rule_pages(site, control),
        maintenance_pages(site, control),
        why_pages(site, control),
        analyses_pages(site, control),
        member_pages(site, control, sessions),
        key_pages(site, control),
        secret_pages(site, control),
        signing_key_pages(site, control),
        tenant_pages(site, control),
        settings_pages(site),
        account_pages(site, control.accounts, sessions),
        search_pages(site, control),
        signing_in_pages(site, control.accounts, sessions),
        theme_pages(),
    )


def _marks(control: ControlPlane) -> Mapping[str, Mark]:
    """By the word that a template gives as `live`."""
    return {
        "overview": overview_mark(control),
        "job": job_mark(control),
        "endpoint": endpoint_mark(control),
        "workers": workers_mark(control),
        "incidents": incidents_mark(control),
        "incident": incident_mark(control),
        "alert-route": alert_route_mark(control),
    }


def _static_routes(site: WebSite) -> APIRouter:
    router = APIRouter()

    @router.get(f"{STATIC}/{{name}}")
    async def asset(request: Request, name: str) -> Response:
        return site.assets.answer(name, request) or Response("No such file.", 404, media_type="text/plain")

    return router
