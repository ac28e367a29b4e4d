"""What every request for a page passes: who is signed in, forms of bounded size that come from this site, no crash.

Plain ASGI: nothing is wrapped in tasks, so cancellation and errors go straight through.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cronicorn.control.accounts import is_csrf_token
from cronicorn.control.admittance import Admittance
from cronicorn.domain.errors import CronicornError, ForbiddenError, UnauthenticatedError, UnavailableError
from cronicorn.domain.principal import Principal
from cronicorn.web.addresses import own_path
from cronicorn.web.assets import STATIC
from cronicorn.web.errors import error_page, page_of_error
from cronicorn.web.forms import read_form
from cronicorn.web.live import EVENTS
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import LIVE_HEADER, BrowserSessions, Theme, View

log = logging.getLogger(__name__)

SIGN_IN = "/sign-in"
THEME = "/theme"
THEME_COOKIE = "cronicorn-theme"
FOR_ANYBODY = {SIGN_IN, THEME}
"""The pages for whoever is not signed in."""
_READING = {"GET", "HEAD"}
_STALE = (
    "The form does not belong to your present session: you may have signed in anew since it was opened. Open the page"
    " again and send it once more."
)
_REFUSALS: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "The form can't be read: send it as a browser does, in UTF-8.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The form is too long; send less.",
    HTTPStatus.REQUEST_TIMEOUT: "The form took too long to arrive; send it again.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "Send what was entered as a form does.",
}
_LAST = {"Connection": "close"}
"""The rest of such a form may still be under way, so the connection can't carry another request."""


class Porter:
    """Lets requests pass that may see the page they ask for, each with its `View`."""

    def __init__(self, app: ASGIApp, *, site: WebSite, admittance: Admittance, sessions: BrowserSessions) -> None:
        self._app = app
        self._site = site
        self._admittance = admittance
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        view = _stranger(scope, headers)
        scope.setdefault("state", {})["view"] = view
        started = False
        if scope["method"] == "HEAD" and scope["path"] != EVENTS:  # A stream has no end to wait for.
            scope, send = {**scope, "method": "GET"}, _headless(send)

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            answer = _without_slash(view, scope) or await self._admitted(view, scope, headers, receive)
            if isinstance(answer, View):
                view = scope["state"]["view"] = answer
                await self._app(scope, receive, sending)
            elif answer is not None:
                await answer(scope, receive, sending)
        except Exception as error:
            if isinstance(error, CronicornError) and not started:
                if isinstance(error, UnavailableError):
                    log.warning("request_unavailable", extra={"path": scope["path"], "reason": str(error)})
                await page_of_error(self._site, view, error)(scope, receive, sending)
                return
            log.exception("page_crashed", extra={"request": view.request_id, "path": scope["path"]})
            if started:
                raise
            await error_page(self._site, view, HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, sending)

    async def _admitted(self, view: View, scope: Scope, headers: Headers, receive: Receive) -> View | Response | None:
        """The view of whoever may go on; else what they are answered, or None when they went away."""
        if scope["path"].startswith(f"{STATIC}/"):
            return view
        token = self._sessions.token(scope, headers)
        principal = await self._signed_in(view, token, used=not view.live and scope["path"] != EVENTS)
        if principal is None and scope["path"] not in FOR_ANYBODY:
            if token is None and _followed_from_elsewhere(scope, headers):
                return self._site.page(view, "again.html", to=own_path(view.path))
            return _sent_to_sign_in(view, scope)
        form: Mapping[str, str] = {}
        if scope["method"] not in _READING:
            self._sessions.check_site(scope, headers)
            read = await read_form(headers, receive)
            if read is None:
                return None
            if isinstance(read, HTTPStatus):
                return error_page(self._site, view, read, _REFUSALS[read], _LAST)
            form = read
            if scope["path"] not in FOR_ANYBODY and not is_csrf_token(form.get("csrf", ""), token or ""):
                raise ForbiddenError(_STALE)
        return View(
            path=view.path, sent=view.sent, theme=view.theme, live=view.live, principal=principal, form=form,
            token=token if principal is not None else None, request_id=view.request_id,
        )  # fmt: skip

    async def _signed_in(self, view: View, token: str | None, *, used: bool) -> Principal | None:
        if token is None:
            return None
        try:
            return (await self._admittance.by_session(token, view.request_id, used=used)).principal
        except UnauthenticatedError:
            return None


def _stranger(scope: Scope, headers: Headers) -> View:
    """The view of whoever has shown nothing yet."""
    query = scope.get("query_string", b"").decode("latin-1")
    path = quote(scope["path"], safe="/:@!$&'()*+,;=~-._")
    theme = cookie_parser(headers.get("cookie", "")).get(THEME_COOKIE)
    request_id = scope.get("state", {}).get("request_id")
    return View(
        path=f"{path}?{query}" if query else path,
        sent=scope["method"] not in _READING,
        theme=Theme(theme) if theme in set(Theme) else Theme.AUTO,
        live=LIVE_HEADER in headers,
        request_id=request_id if isinstance(request_id, str) else None,
    )


def _without_slash(view: View, scope: Scope) -> Response | None:
    """Whoever asks for a page with slashes behind its path is sent to it; None for all others.

    The framework would do so, too, but by a whole address, whose scheme and host it only guesses behind a proxy.
    """
    if view.sent or scope["path"] == "/" or not scope["path"].endswith("/"):
        return None
    path, mark, query = view.path.partition("?")
    return see(own_path(f"{path.rstrip('/')}{mark}{query}"))


def _headless(send: Send) -> Send:
    """*send* without the bodies: what HEAD is answered is what GET would be, but for that."""

    async def sending(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return sending


def _followed_from_elsewhere(scope: Scope, headers: Headers) -> bool:
    """Whether a link of another site, say in a message about an incident, led here.

    Browsers keep the cookie of a session back then. They show it when this site itself sends them to the same page.
    """
    return scope["method"] == "GET" and headers.get("sec-fetch-site") == "cross-site"


def _sent_to_sign_in(view: View, scope: Scope) -> Response:
    if scope["path"] == EVENTS or view.live:
        return Response("Nobody is signed in.", HTTPStatus.UNAUTHORIZED, media_type="text/plain")
    back = view.back  # What was sent went with the session; where its form stands it can be sent again.
    return see(SIGN_IN if back == "/" else f"{SIGN_IN}?next={quote(back, safe='')}")
