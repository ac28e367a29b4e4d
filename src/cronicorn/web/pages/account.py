"""What somebody may do about themselves: another password, and the end of all their sessions."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from cronicorn.control.accounts import PASSWORD_LENGTH_MIN, Accounts, PasswordDocument
from cronicorn.control.findings import refused
from cronicorn.control.statuses import status_of
from cronicorn.domain.access.member import SESSION_IDLE_MAX, SESSION_LIFE_MAX
from cronicorn.domain.errors import InvalidInputError, RateExceededError
from cronicorn.domain.principal import Principal
from cronicorn.web.errors import retry_fields
from cronicorn.web.forms import faults_of
from cronicorn.web.porter import SIGN_IN
from cronicorn.web.roles import PERMISSIONS
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import BrowserSessions, Looked, View

_FIELDS = ("password", "newPassword", "again")


def account_pages(site: WebSite, accounts: Accounts, sessions: BrowserSessions) -> APIRouter:
    """The page under the name of whoever is signed in."""
    router = APIRouter()

    @router.get("/account")
    async def show(view: Looked, done: str = "") -> Response:
        return site.page(view, "account.html", faults={}, changed=done == "password", **_shown(view.asker))

    @router.post("/account/password")
    async def change_password(request: Request, view: Looked) -> Response:
        try:
            session = await accounts.change_password(view.asker, _document(view))
        except (InvalidInputError, RateExceededError) as error:
            return site.page(
                view, "account.html", status=status_of(error), headers=retry_fields(error), changed=False,
                faults=faults_of(error, _FIELDS), **_shown(view.asker),
            )  # fmt: skip
        answer = see("/account?done=password")
        sessions.keep(answer, request.scope, session.token)
        return answer

    @router.post("/account/sign-out-everywhere")
    async def sign_out_everywhere(request: Request, view: Looked) -> Response:
        await accounts.sign_out_everywhere(view.asker)
        answer = see(SIGN_IN)
        sessions.forget(answer, request.scope)
        return answer

    return router


def _shown(asker: Principal) -> dict[str, Any]:
    """What the page shows of *asker*."""
    return {
        "may": [told for permission, told in PERMISSIONS.items() if permission in asker.permissions],
        "least": PASSWORD_LENGTH_MIN,
        "idle": SESSION_IDLE_MAX,
        "life": SESSION_LIFE_MAX,
    }


def _document(view: View) -> PasswordDocument:
    """What was entered, as it was: blanks may belong to a password. Raises InvalidInputError."""
    new = view.form.get("newPassword", "")
    if new != view.form.get("again", ""):
        raise refused("/again", "This is not the same as above.")
    return PasswordDocument.model_validate({"password": view.form.get("password", ""), "newPassword": new})
