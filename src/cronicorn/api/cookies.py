"""The cookie of whoever is signed in, and that no other site asks in their name.

A request with a cookie that may change something needs the token that `GET /api/me` answers, and must not come from
another site (Fetch Metadata, Origin); a key in a header needs neither: no other site can send it.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import Scope

from cronicorn.control.accounts import is_csrf_token
from cronicorn.domain.access.member import SESSION_LIFE_MAX
from cronicorn.domain.errors import ForbiddenError

CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_PLAIN_NAME = "cronicorn-session"
_HOST_NAME = f"__Host-{_PLAIN_NAME}"
"""A browser takes a cookie of this name only from this very host, over TLS, for all paths."""
_ELSEWHERE = "The request comes from another site; only pages of this one may ask with a cookie."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookies:
    """How sessions are kept by browsers. *origin* is what they see, where a proxy stands before this process."""

    origin: str | None = None

    def token(self, scope: Scope, headers: Headers) -> str | None:
        """What a browser shows, or None."""
        shown = cookie_parser(headers.get("cookie", ""))
        return shown.get(self._name(scope, headers))

    def keep(self, response: Response, scope: Scope, token: str) -> None:
        """Have the browser show *token* from now on, to this site alone and to no script."""
        headers = Headers(scope=scope)
        response.set_cookie(
            self._name(scope, headers), token, max_age=int(SESSION_LIFE_MAX.total_seconds()), path="/",
            secure=self._secure(scope, headers), httponly=True, samesite="strict",
        )  # fmt: skip

    def forget(self, response: Response, scope: Scope) -> None:
        """Have the browser forget its session."""
        headers = Headers(scope=scope)
        response.delete_cookie(
            self._name(scope, headers), path="/", secure=self._secure(scope, headers), httponly=True, samesite="strict"
        )

    def check_site(self, scope: Scope, headers: Headers) -> None:
        """Raise ForbiddenError for what another site had a browser send."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None and site not in {"same-origin", "none"}:
            raise ForbiddenError(_ELSEWHERE)
        if origin is not None and origin != self.origin_of(scope, headers):
            raise ForbiddenError(_ELSEWHERE)

    def check_token(self, headers: Headers, token: str) -> None:
        """Raise ForbiddenError unless the page knows what goes with the cookie."""
        if not is_csrf_token(headers.get(CSRF_HEADER, ""), token):
            raise ForbiddenError(
                "A request with a cookie that may change something needs the header X-CSRF-Token with the `csrfToken` "
                "that GET /api/me answers."
            )

    def origin_of(self, scope: Scope, headers: Headers) -> str:
        """Where browsers find this site: a scheme and a host, without a slash at the end."""
        return self.origin or f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"

    def _secure(self, scope: Scope, headers: Headers) -> bool:
        return urlsplit(self.origin_of(scope, headers)).scheme == "https"

    def _name(self, scope: Scope, headers: Headers) -> str:
        return _HOST_NAME if self._secure(scope, headers) else _PLAIN_NAME
