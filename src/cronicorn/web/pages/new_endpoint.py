"""A new endpoint: its form, filled in by a pattern, and what would come of it before it is stored."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.drafting import blank
from cronicorn.control.plane import ControlPlane
from cronicorn.control.rendering import Fields, shown
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.permission import Operation
from cronicorn.web.endpoint_form import KIND, NAMES, ReadForm, entered_of, read_endpoint, tidy
from cronicorn.web.endpoint_looking import Looking, look, looking_status, looking_values, tried
from cronicorn.web.once import made_once, opened
from cronicorn.web.patterns import PATTERNS, PatternPart, pattern_named
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, ThingId, View

_BLANK: Fields = shown(blank("", "", "", EPOCH))
_PAGE = "endpoint_form.html"


def new_endpoint_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """How endpoints are made."""
    router = APIRouter()

    @router.get("/jobs/{job_id}/endpoints/new")
    async def ask(view: Looked, job_id: ThingId, pattern: str = "", part: str = "1") -> Response:
        view.asker.check(Operation.ENDPOINT_CREATE)
        entered = entered_of({**_BLANK, **_part(pattern, part).document})
        new = await _new(control, view, job_id, pattern, part)
        looked = await look(control, view.asker, _read(entered), None, job_id=job_id)
        return site.page(view, _PAGE, **new, **looking_values(entered, looked))

    @router.post("/jobs/{job_id}/endpoints/new")
    async def create(view: Looked, job_id: ThingId, pattern: str = "", part: str = "1") -> Response:
        entered = entered_of(_BLANK) | tidy(view.form)
        new, read = await _new(control, view, job_id, pattern, part), _read(entered)
        looked = await look(control, view.asker, read, None, job_id=job_id, wanted=view.entered("do"))
        document = read.document
        if view.entered("do") == "save" and looked.error is None and document is not None:

            async def making() -> str:
                made = await control.endpoints.create(view.asker, job_id, document)
                return _after(made.endpoint, pattern, part)

            path = await tried(made_once(control.repeats, view, making), looked)
            if not isinstance(path, Looking):
                return see(path)
            looked = path
        values = looking_values(entered, looked, told=True)
        return site.page(view, _PAGE, status=looking_status(view, looked), **new, **values)

    return router


def _read(entered: Mapping[str, str]) -> ReadForm:
    """What was entered; when it runs has to be said."""
    initial = entered_of(_BLANK)
    changed = {name for name in NAMES if entered[name] != initial[name]}
    return read_endpoint(entered, frozenset({KIND, *changed}))


async def _new(control: ControlPlane, view: View, job_id: str, pattern: str, part: str) -> dict[str, Any]:
    """What the page of a new endpoint shows besides."""
    chosen = pattern_named(pattern)
    return {
        "job": await control.jobs.get(view.asker, job_id),
        "endpoint": None,
        "once": opened(view),
        "action": f"/jobs/{job_id}/endpoints/new?pattern={chosen.key}&part={_number(pattern, part)}",
        "patterns": PATTERNS,
        "pattern": chosen,
        "number": _number(pattern, part),
        "told": _part(pattern, part).told,
        "meanwhile": [],
    }


def _number(pattern: str, part: str) -> int:
    last = len(pattern_named(pattern).parts)
    return int(part) if part in {str(number) for number in range(1, last + 1)} else 1


def _part(pattern: str, part: str) -> PatternPart:
    return pattern_named(pattern).parts[_number(pattern, part) - 1]


def _after(made: JobEndpoint, pattern: str, part: str) -> str:
    """Where one goes on: to the next endpoint of the pattern, or to the one that was *made*."""
    chosen, number = pattern_named(pattern), _number(pattern, part)
    if number < len(chosen.parts):
        return f"/jobs/{made.job_id}/endpoints/new?pattern={chosen.key}&part={number + 1}"
    return f"/endpoints/{made.id}"
