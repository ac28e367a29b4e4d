"""Signing in and out."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from cronicorn.control.accounts import Accounts, SignInDocument
from cronicorn.control.statuses import status_of
from cronicorn.domain.errors import InvalidInputError, RateExceededError, UnauthenticatedError
from cronicorn.web.addresses import own_path
from cronicorn.web.errors import retry_fields
from cronicorn.web.forms import faults_of
from cronicorn.web.porter import SIGN_IN
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import BrowserSessions, Looked, View

_FIELDS = ("login", "password", "token")


def signing_in_pages(site: WebSite, accounts: Accounts, sessions: BrowserSessions) -> APIRouter:
    """The page that everybody else is sent to, and the way out."""
    router = APIRouter()

    @router.get(SIGN_IN)
    async def show(view: Looked, next: str = "/", token: str = "") -> Response:  # noqa: A002 - as the address has it
        if view.principal is not None:
            return see(own_path(next))
        return site.page(view, "sign_in.html", to=own_path(next), entered={"token": token}, faults={})

    @router.post(SIGN_IN)
    async def sign_in(request: Request, view: Looked) -> Response:
        to = own_path(view.entered("next"))
        document = _document(view)
        address = request.client.host if request.client is not None else "unknown"
        try:
            session = await accounts.sign_in(document, address, view.request_id)
        except (InvalidInputError, UnauthenticatedError, RateExceededError) as error:
            return site.page(
                view, "sign_in.html", status=status_of(error), headers=retry_fields(error), to=to,
                entered=view.form, faults=faults_of(error, _FIELDS),
            )  # fmt: skip
        answer = see(to)
        sessions.keep(answer, request.scope, session.token)
        return answer

    @router.post("/sign-out")
    async def sign_out(request: Request, view: Looked) -> Response:
        assert view.token is not None
        await accounts.sign_out(view.asker, view.token)
        answer = see(SIGN_IN)
        sessions.forget(answer, request.scope)
        return answer

    return router


def _document(view: View) -> SignInDocument:
    """What was entered: the token of a link, or else a login and a password."""
    if "token" in view.form:
        return SignInDocument(token=view.entered("token"))
    return SignInDocument(login=view.entered("login"), password=view.form.get("password", ""))
