"""Endpoints by the names people know them by."""

from collections.abc import Sequence
from dataclasses import dataclass

from cronicorn.control.plane import ControlPlane
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.principal import Principal

_CLOSE = 0.8
"""How much alike a name must be to be suggested."""
_LISTED_MAX = 5


@dataclass(frozen=True, slots=True)
class NamedEndpoint:
    """An endpoint and its full name."""

    endpoint: JobEndpoint
    job: str

    @property
    def name(self) -> str:
        """`job/endpoint`."""
        return f"{self.job}/{self.endpoint.name}"


async def all_endpoints(control: ControlPlane, principal: Principal) -> Sequence[NamedEndpoint]:
    """Every endpoint of the jobs that are not archived, oldest first."""
    found = []
    for job, _ in await control.jobs.list(principal):
        found += [NamedEndpoint(view.endpoint, job.name) for view in await control.endpoints.list(principal, job.id)]
    return found


async def find_endpoint(control: ControlPlane, principal: Principal, text: str) -> NamedEndpoint:
    """The endpoint with the id or the full name *text*. Raises NotFoundError, ConflictError when several have it."""
    known = await all_endpoints(control, principal)
    matches = [each for each in known if text in {each.endpoint.id, each.name}]
    living = [each for each in matches if each.endpoint.archived_at is None] or matches
    if not living:
        near = _near(text, known)
        raise NotFoundError(f"There is no endpoint {text!r}: give its id, or its name as job/endpoint.{near}")
    if len(living) > 1:
        ids = ", ".join(each.endpoint.id for each in living)
        raise ConflictError(f"Several endpoints are called {text!r}; give the id of one of them: {ids}.")
    return living[0]


def _near(text: str, known: Sequence[NamedEndpoint]) -> str:
    from difflib import get_close_matches

    of_job = [each.name for each in known if each.job == text]
    if of_job:
        return f" {text!r} is a job: its endpoints are {', '.join(map(repr, of_job[:_LISTED_MAX]))}."
    called = [each.name for each in known if each.endpoint.name == text]
    if called:
        return f" Did you mean {' or '.join(map(repr, called[:_LISTED_MAX]))}?"
    near = get_close_matches(text, [each.name for each in known], n=1, cutoff=_CLOSE)
    return f" Did you mean {near[0]!r}?" if near else ""
