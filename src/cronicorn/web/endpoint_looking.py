"""What would come of the form of an endpoint, as its pages show it before anything is stored."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, TypeVar

from cronicorn.control.findings import invalid
from cronicorn.control.plane import ControlPlane
from cronicorn.control.prospects import Prospect
from cronicorn.control.statuses import status_of
from cronicorn.domain.errors import CronicornError
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run
from cronicorn.domain.signals.signal import Signal
from cronicorn.web.endpoint_form import NAMES, ReadForm
from cronicorn.web.endpoint_labels import LABELS, label_of
from cronicorn.web.form_fields import ZONES
from cronicorn.web.form_shown import TOLD_ELSEWHERE
from cronicorn.web.forms import faults_of
from cronicorn.web.view import View

_IN_SIGHT = frozenset(("", "name", "url", "method", "timeoutMs", "description", "kind", "baselineCron")) | {
    "baselineIntervalMs",
    "onceAt",
    "timezone",
    "dstGap",
    "dstOverlap",
    "minIntervalMs",
    "maxIntervalMs",
}
"""The fields that are not among the further settings."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What somebody wanted to see before they save."""

    prospect: Prospect | None
    answer: Run | None = None
    error: CronicornError | None = None


def _of_request(name: str) -> bool:
    """Whether the field *name* is among headers, body and sign-in."""
    return name.startswith(("auth/", "headersJson", "bodyJson"))


async def look(
    control: ControlPlane, asker: Principal, read: ReadForm, endpoint_id: str | None, *, job_id: str | None = None,
    wanted: str = "",
) -> Looking:  # fmt: skip
    """What would come of the form; with the answer of a call where that is *wanted* and possible.

    Without *endpoint_id* it is a new one of the job *job_id*.
    """
    if read.document is None:
        return Looking(prospect=None, error=invalid(tuple(read.findings.errors)))
    prospect = await control.prospects.foresee(asker, read.document, endpoint_id, job_id)
    if errors := (*read.findings.errors, *prospect.errors):
        return Looking(prospect=prospect, error=invalid(errors))
    if wanted != "test":
        return Looking(prospect=prospect)
    answered = await tried(control.prospects.call(asker, read.document, endpoint_id), Looking(prospect=prospect))
    return answered if isinstance(answered, Looking) else Looking(prospect=prospect, answer=answered)


async def tried(doing: Awaitable[T], looked: Looking) -> T | Looking:
    """What *doing* it answers; where it fails, *looked* with the reason."""
    try:
        return await doing
    except TOLD_ELSEWHERE:
        raise
    except CronicornError as error:
        return replace(looked, error=error)


def looking_values(entered: Mapping[str, str], looked: Looking, *, told: bool = False) -> dict[str, Any]:
    """What every page with this form shows. Faults are *told* once something was sent."""
    faults = faults_of(looked.error, NAMES) if told and looked.error is not None else {}
    return {
        "entered": entered,
        "faults": faults,
        "request_faulty": any(_of_request(name) for name in faults),
        "advanced_faulty": any(name not in _IN_SIGHT and not _of_request(name) for name in faults),
        "labels": LABELS,
        "prospect": looked.prospect,
        "warnings": []
        if looked.prospect is None
        else [(label_of(each.pointer), each.message) for each in looked.prospect.warnings],
        "answer": looked.answer,
        "signals": [signal.value for signal in Signal],
        "zones": ZONES,
    }


def looking_status(view: View, looked: Looking) -> HTTPStatus:
    """A page that only asks whether all is well is told so in the page."""
    return HTTPStatus.OK if view.live or looked.error is None else status_of(looked.error)
