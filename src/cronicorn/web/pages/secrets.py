"""Secrets of a tenant: their names, and how one is set and removed. The text of none is ever shown."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.document import SecretDocument
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.errors import CronicornError
from cronicorn.domain.permission import Operation
from cronicorn.domain.secret_references import SECRET_LENGTH_MAX, SECRET_LENGTH_MIN
from cronicorn.web.addresses import page_in
from cronicorn.web.form_shown import TOLD_IN_FORMS, form_shown
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, View

SECRETS_SHOWN = 40
"""On one page."""
_LABELS: Final = {"name": "Name", "value": "Text"}


def secret_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """Which secrets there are, and how they are set and removed."""
    router = APIRouter()

    @router.get("/secrets")
    async def show(view: Looked, page: str = "", name: str = "") -> Response:
        return await _list(site, control, view, name, page=page)

    @router.post("/secrets/set")
    async def keep(view: Looked) -> Response:
        view.asker.check(Operation.SECRET_SET)
        name = view.entered("name")
        try:
            await control.secrets.set(view.asker, name, SecretDocument(value=_text(view)))
        except TOLD_IN_FORMS as error:
            return await _list(site, control, view, name, error)
        return see("/secrets")

    @router.post("/secrets/{name}/remove")
    async def remove(view: Looked, name: str) -> Response:
        await control.secrets.remove(view.asker, name)
        return see("/secrets")

    return router


def _text(view: View) -> str:
    """What was entered as it was, but for the line break that pasting leaves at its end."""
    return view.form.get("value", "").replace("\r\n", "\n").rstrip("\n")


async def _list(
    site: WebSite, control: ControlPlane, view: View, name: str, error: CronicornError | None = None, *, page: str = ""
) -> Response:
    secrets = await control.secrets.list(view.asker)
    number = page_in(page)
    first = (number - 1) * SECRETS_SHOWN
    return site.page(
        view, "secrets.html", secrets=secrets[first : first + SECRETS_SHOWN], page=number,
        further=len(secrets) > first + SECRETS_SHOWN, least=SECRET_LENGTH_MIN, most=SECRET_LENGTH_MAX,
        **form_shown(view, {"name": name, "value": ""}, _LABELS, error),
    )  # fmt: skip
