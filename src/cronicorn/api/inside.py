"""The REST interface for a process that holds the store itself: no key is asked for, and none is counted."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from cronicorn.api.app import door_to
from cronicorn.api.cookies import Cookies
from cronicorn.api.rehearsing import Rehearsal
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.principal import Principal


class LetIn:
    """Lets every request pass as one of the same principal's. Plain ASGI, in the place of the gatekeeper."""

    def __init__(self, app: ASGIApp, asker: Principal) -> None:
        self._app = app
        self._asker = asker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["principal"] = self._asker
        await self._app(scope, receive, send)


def create_inside_app(
    control: ControlPlane, asker: Principal, *, rehearsing: Callable[[], ControlPlane], site: str | None = None
) -> ASGIApp:
    """What `create_app` answers under `/api`, asked by *asker*. Bugs rise to whoever calls it.

    *site* is where browsers find the web app, for links that lead there.
    """
    cookies = Cookies(origin=site)
    inner = Rehearsal(door_to(control, cookies), rehearsing=rehearsing, door=lambda other: door_to(other, cookies))
    return LetIn(inner, asker)
