"""Who looks, at what, and how: all that a page needs to know of the request that asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Protocol

from fastapi import Depends
from pydantic import AfterValidator
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from cronicorn.control.accounts import csrf_token
from cronicorn.control.identity import possible_id
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal
from cronicorn.domain.unchanged import Unchanged

LIVE_HEADER = "x-live"
"""With it a page asks for itself, without a person: it wants the parts that may have changed, and no more."""


class Theme(StrEnum):
    """How pages are coloured."""

    AUTO = "auto"
    """As the person's system is."""
    LIGHT = "light"
    DARK = "dark"


class BrowserSessions(Protocol):
    """How browsers keep sessions, and that no other site asks in the name of one."""

    def token(self, scope: Scope, headers: Headers) -> str | None:
        """What a browser shows, or None."""
        ...

    def keep(self, response: Response, scope: Scope, token: str) -> None:
        """Have the browser show *token* from now on."""
        ...

    def forget(self, response: Response, scope: Scope) -> None:
        """Have the browser forget its session."""
        ...

    def check_site(self, scope: Scope, headers: Headers) -> None:
        """Raise ForbiddenError for what another site had a browser send."""
        ...

    def origin_of(self, scope: Scope, headers: Headers) -> str:
        """Where browsers find this site: a scheme and a host, without a slash at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One request for a page."""

    path: str
    """With its query, as it leads back to the page."""
    sent: bool = False
    """Whether it sends a form, so that its path is none that a browser can be led back to."""
    theme: Theme = Theme.AUTO
    live: bool = False
    """Whether the page asks by itself (`LIVE_HEADER`)."""
    principal: Principal | None = None
    """Who is signed in; None on the few pages for whoever is not."""
    token: str | None = field(default=None, repr=False)
    """Of the session."""
    form: Mapping[str, str] = field(default_factory=dict)
    """What was entered, of a request that sends a form; each field once."""
    request_id: str | None = None

    @property
    def asker(self) -> Principal:
        """Who is signed in, on a page that nobody else reaches."""
        assert self.principal is not None
        return self.principal

    @property
    def csrf(self) -> str:
        """What each form carries, so that no other site can send one."""
        return csrf_token(self.token) if self.token is not None else ""

    @property
    def back(self) -> str:
        """The path of the page, or of the one that its form stands on."""
        return self.path.partition("?")[0].rpartition("/")[0] or "/" if self.sent else self.path

    def may(self, operation: Operation | str) -> bool:
        """Whether whoever looks is permitted *operation*; pages show nothing that is refused anyway."""
        return self.principal is not None and self.principal.may(Operation(operation))

    def entered(self, name: str) -> str:
        """What was entered as *name*, without the blanks around it; empty when it is not there."""
        return self.form.get(name, "").strip()

    @property
    def unchanged(self) -> Unchanged:
        """That what is edited is still in the version that its form was made of."""
        return Unchanged(versions=frozenset({self.entered("version")}))


async def _view(request: Request) -> View:  # A plain function would be sent to a thread.
    view = request.state.view
    assert isinstance(view, View)
    return view


Looked = Annotated[View, Depends(_view)]
"""How a route takes its view."""
ThingId = Annotated[str, AfterValidator(possible_id)]
"""How a route takes an id of its path."""
