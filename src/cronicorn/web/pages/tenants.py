"""Tenants, and what holds for one alone: what it may call, how long its history is kept, its tokens."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.findings import Findings
from cronicorn.control.misfits import D, whole_document
from cronicorn.control.plane import ControlPlane
from cronicorn.control.tenant_settings import EgressDocument, RetentionDocument, TenantView, TermsDocument
from cronicorn.control.tenants import TenantDocument
from cronicorn.domain.calendar import Period
from cronicorn.domain.errors import CronicornError, PreconditionFailedError
from cronicorn.domain.instant import MILLISECOND
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal
from cronicorn.domain.unchanged import Unchanged, version_of_egress, version_of_retention, version_of_terms
from cronicorn.web.form_fields import ZONES, Notations, read_texts, texts_of, tidied
from cronicorn.web.form_shown import TOLD_IN_FORMS, form_shown
from cronicorn.web.form_values import LENGTH, LINES, NUMBER, TEXT
from cronicorn.web.once import made_to_show
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, ThingId, View

_TENANTS_SHOWN = 100
_LABELS: Final = {
    "allow": "May call",
    "runsMs": "Runs that did not fail",
    "failuresMs": "Runs that failed",
    "tier": "Tier",
    "limit": "Tokens in a window",
    "period": "A window lasts",
    "zone": "Windows begin by the clock of",
}


@dataclass(frozen=True, slots=True)
class TenantForm:
    """One of the forms on the page of a tenant."""

    notations: Notations
    version: Callable[[TenantView], str]
    send: Callable[[ControlPlane, Principal, str, Mapping[str, str], Unchanged], Awaitable[TenantView]]


async def _send_egress(
    control: ControlPlane, asker: Principal, tenant_id: str, entered: Mapping[str, str], unchanged: Unchanged
) -> TenantView:
    document = _document(EgressDocument, entered, {"allow": LINES}, {"allow": []})
    return await control.tenant_settings.set_egress(asker, tenant_id, document, unchanged)


async def _send_retention(
    control: ControlPlane, asker: Principal, tenant_id: str, entered: Mapping[str, str], unchanged: Unchanged
) -> TenantView:
    document = _document(RetentionDocument, entered, FORMS["retention"].notations)
    return await control.tenant_settings.set_retention(asker, tenant_id, document, unchanged)


async def _send_terms(
    control: ControlPlane, asker: Principal, tenant_id: str, entered: Mapping[str, str], unchanged: Unchanged
) -> TenantView:
    document = _document(TermsDocument, entered, FORMS["terms"].notations)
    return await control.tenant_settings.set_terms(asker, tenant_id, document, unchanged)


FORMS: Final[Mapping[str, TenantForm]] = {
    "egress": TenantForm({"allow": LINES}, lambda shown: version_of_egress(shown.provision.egress), _send_egress),
    "retention": TenantForm(
        {"runsMs": LENGTH, "failuresMs": LENGTH}, lambda shown: version_of_retention(shown.provision), _send_retention
    ),
    "terms": TenantForm(
        {"tier": TEXT, "limit": NUMBER, "period": TEXT, "zone": TEXT},
        lambda shown: version_of_terms(shown.tenant.terms), _send_terms,
    ),
}  # fmt: skip
"""By the last part of the path that each is sent to."""


def tenant_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """Which tenants there are, and what holds for one."""
    router = APIRouter()

    @router.get("/tenants")
    async def show_all(view: Looked) -> Response:
        return await _list(site, control, view, "")

    @router.post("/tenants/new")
    async def add(view: Looked) -> Response:
        view.asker.check(Operation.TENANT_ADD)
        name = view.entered("name")
        try:
            document = TenantDocument(name=name)
            made = await made_to_show(control.repeats, view, lambda: control.tenants.create(view.asker, document))
        except TOLD_IN_FORMS as error:
            return await _list(site, control, view, name, error)
        return see("/tenants") if made is None else await _list(site, control, view, "", made=made)

    @router.get("/tenant")
    async def show_own(view: Looked) -> Response:
        return _shown(site, view, await control.tenant_settings.get(view.asker, view.asker.tenant_id))

    @router.get("/tenants/{tenant_id}")
    async def show(view: Looked, tenant_id: ThingId) -> Response:
        return _shown(site, view, await control.tenant_settings.get(view.asker, tenant_id))

    @router.post("/tenants/{tenant_id}/{part}")
    async def change(view: Looked, tenant_id: ThingId, part: str) -> Response:
        before, form = await control.tenant_settings.get(view.asker, tenant_id), FORMS.get(part)
        if form is None:
            return see(f"/tenants/{tenant_id}")
        entered, version = tidied(view.form, form.notations), view.entered("version")
        try:
            after = await form.send(control, view.asker, tenant_id, entered, view.unchanged)
        except TOLD_IN_FORMS as error:
            late = isinstance(error, PreconditionFailedError)
            now = await control.tenant_settings.get(view.asker, tenant_id) if late else before
            return _shown(site, view, now, entered, error, sent=part, version=None if late else version)
        return _shown(site, view, after) if after.warnings else see(f"/tenants/{tenant_id}")

    return router


def _document(
    model: type[D], entered: Mapping[str, str], notations: Notations, usual: Mapping[str, object] | None = None
) -> D:
    findings = Findings()
    return whole_document(model, {**(usual or {}), **read_texts(entered, notations, findings)}, findings)


async def _list(
    site: WebSite, control: ControlPlane, view: View, name: str, error: CronicornError | None = None, **made: Any
) -> Response:
    tenants = await control.tenants.list(view.asker)
    return site.page(
        view, "tenants.html", tenants=tenants[:_TENANTS_SHOWN], more=len(tenants) - _TENANTS_SHOWN,
        **{"made": None, **made}, **form_shown(view, {"name": name}, {"name": "Name"}, error),
    )  # fmt: skip


def _shown(
    site: WebSite, view: View, shown: TenantView, entered: Mapping[str, str] | None = None,
    error: CronicornError | None = None, *, sent: str = "", version: str | None = None,
) -> Response:  # fmt: skip
    """The page of a tenant; the form that was *sent* has what was *entered*, and its *version* unless it is late."""
    stored = _entered(shown)
    late = {name: stored[name] for name in entered or {}} if isinstance(error, PreconditionFailedError) else None
    versions = {name: form.version(shown) for name, form in FORMS.items()}
    if sent and version is not None:
        versions[sent] = version
    values = form_shown(view, stored | dict(entered or {}), _LABELS, error, stored=late)
    return site.page(
        view, "tenant.html", tenant=shown.tenant, provision=shown.provision, warnings=shown.warnings, versions=versions,
        stored=stored, periods=[("", "as usual"), *((period.value, f"a {period.value}") for period in Period)],
        zones=ZONES, **values,
    )  # fmt: skip


def _entered(shown: TenantView) -> dict[str, str]:
    provision, terms = shown.provision, shown.tenant.terms
    kept = {"runsMs": provision.runs_kept, "failuresMs": provision.failures_kept}
    return texts_of({
        "allow": [*map(str, provision.egress.ranges), *provision.egress.hosts],
        **{name: None if length is None else length // MILLISECOND for name, length in kept.items()},
        "tier": terms.tier, "limit": terms.limit, "period": terms.period, "zone": terms.zone,
    }, {name: notation for form in FORMS.values() for name, notation in form.notations.items()})  # fmt: skip
