"""Routes for whoever asks about themselves: signing in and out."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from cronicorn.api.cookies import Cookies
from cronicorn.api.parameters import Asker
from cronicorn.api.problems import request_id_of
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_members import MeAnswer, me_answer, signed_in_answer
from cronicorn.api.wire_rates import limit_fields
from cronicorn.control.accounts import Accounts, PasswordDocument, SignInDocument


def account_routes(accounts: Accounts, cookies: Cookies) -> APIRouter:
    """What somebody may ask about themselves."""
    router = APIRouter(tags=["account"], route_class=StrictRoute)

    @router.post("/sign-in")
    async def sign_in(request: Request, response: Response, document: SignInDocument) -> MeAnswer:
        """Begins a new session in a cookie; 401 for a wrong login or password, 429 after too many attempts."""
        address = request.client.host if request.client is not None else "unknown"
        session = await accounts.sign_in(document, address, request_id_of(request.scope))
        cookies.keep(response, request.scope, session.token)
        response.headers.update(limit_fields(session.limit))
        return signed_in_answer(session)

    @router.post("/sign-out", status_code=HTTPStatus.NO_CONTENT)
    async def sign_out(request: Request, response: Response, asker: Asker) -> None:
        """Ends the session of the cookie, if there is one."""
        token = _token(request)
        if token is not None:
            await accounts.sign_out(asker, token)
        cookies.forget(response, request.scope)

    @router.get("/me")
    async def get_me(request: Request, asker: Asker) -> MeAnswer:
        """Who asks and what they may do; with a cookie also the token that changing something needs."""
        return me_answer(await accounts.show(asker), _token(request))

    @router.post("/me/password")
    async def change_password(
        request: Request, response: Response, asker: Asker, document: PasswordDocument
    ) -> MeAnswer:
        """All sessions of the member end, and a new one begins. 409 for a key."""
        session = await accounts.change_password(asker, document)
        cookies.keep(response, request.scope, session.token)
        response.headers.update(limit_fields(session.limit))
        return signed_in_answer(session)

    @router.delete("/me/sessions", status_code=HTTPStatus.NO_CONTENT)
    async def sign_out_everywhere(request: Request, response: Response, asker: Asker) -> None:
        """Ends all sessions of the member. 409 for a key."""
        await accounts.sign_out_everywhere(asker)
        cookies.forget(response, request.scope)

    return router


def _token(request: Request) -> str | None:
    """What the cookie showed by which the gatekeeper let somebody in."""
    token = getattr(request.state, "token", None)
    return token if isinstance(token, str) else None
