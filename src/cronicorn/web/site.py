"""How pages are made: templates, what all of them may use, and the headers that keep them harmless."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock
from cronicorn.web.assets import Assets
from cronicorn.web.view import View
from cronicorn.web.words import FILTERS

PAGE_FIELDS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Vary": "Cookie",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A page that all pages lead to."""

    path: str
    label: str
    needs: Operation
    """Whoever may not do this is not led there."""
    holds: tuple[str, ...] = ()
    """What the paths of the pages below it begin with."""

    def leads_to(self, path: str) -> bool:
        """Whether the page at *path* is this one, or below it."""
        return path.partition("?")[0] == self.path or path.startswith(self.holds)


NAVIGATION = (
    Entry(path="/", label="Overview", needs=Operation.OVERVIEW_SHOW),
    Entry(
        path="/jobs", label="Jobs", needs=Operation.JOB_LIST, holds=("/jobs/", "/endpoints/", "/runs/", "/analyses/")
    ),
    Entry(path="/calendar", label="Calendar", needs=Operation.FORECAST_SHOW, holds=("/calendar/",)),
    Entry(path="/incidents", label="Incidents", needs=Operation.INCIDENT_LIST, holds=("/incidents/", "/alerts")),
    Entry(
        path="/settings",
        label="Settings",
        needs=Operation.ACCOUNT_SHOW,
        holds=(
            "/settings/",
            "/members",
            "/keys",
            "/secrets",
            "/signing-key",
            "/tenant",
            "/usage",
            "/workers",
            "/audit",
        ),
    ),
)
"""In this order."""


class WebSite:
    """Makes pages of templates. Text in them is escaped, and a name that nobody gave a value is an error."""

    def __init__(self, clock: Clock) -> None:
        self.assets = Assets()
        self._clock = clock
        self._templates = Environment(
            loader=PackageLoader("cronicorn.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip
        self._templates.filters.update(FILTERS)
        self._templates.globals.update(asset=self.assets.url, navigation=NAVIGATION)

    def now(self) -> datetime:
        """This moment."""
        return self._clock.now()

    def page(
        self, view: View, template: str, *, status: HTTPStatus = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None, **values: object,
    ) -> Response:  # fmt: skip
        """The page that *template* makes of *values*; in it `view` is the request and `now` this moment.

        One that asks by itself gets what is inside of its frame alone.
        """
        frame = "bare.html" if view.live else "frame.html"
        text = self._templates.get_template(template).render({"view": view, "now": self.now(), "frame": frame} | values)
        content = text.encode("utf-8", "replace")  # Answers may hold halves of surrogate pairs.
        return HTMLResponse(content, status, headers={**PAGE_FIELDS, **(headers or {})})


def see(path: str) -> Response:
    """Send the browser on to *path*, after a form was carried out."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
