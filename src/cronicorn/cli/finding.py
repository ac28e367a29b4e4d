"""Jobs, endpoints and tenants by the names people know them by, through the interface."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cronicorn.cli.interface import Interface, segment
from cronicorn.domain.errors import ConflictError, ForbiddenError, NotFoundError

_CLOSE = 0.8
"""How much alike a name must be to be suggested."""
_LISTED_MAX = 5
_NAMED_MAX = 50
_JOBS_SEARCHED_MAX = 50
"""In so many jobs a name that is not there is compared with others."""


@dataclass(frozen=True, slots=True)
class FoundEndpoint:
    """An endpoint as it is answered, and its full name."""

    job: str
    document: dict[str, Any]

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.document["id"])

    @property
    def name(self) -> str:
        """`job/endpoint`."""
        return f"{self.job}/{self.document['name']}"

    @property
    def whole(self) -> dict[str, Any]:
        """All that is answered of it, with its job's name."""
        return {**self.document, "jobName": self.job}

    def now(self, document: dict[str, Any]) -> "FoundEndpoint":
        """It as *document* says that it is now."""
        return FoundEndpoint(self.job, document)


async def jobs_of(there: Interface, status: str | None = None) -> Sequence[dict[str, Any]]:
    """The jobs that are not archived, or those with *status*; oldest first."""
    return [each async for each in there.listed("/jobs", "jobs", status=status)]


async def endpoints_of(there: Interface, job: dict[str, Any]) -> Sequence[FoundEndpoint]:
    """The endpoints of a job, archived ones too; oldest first."""
    path = f"/jobs/{segment(job['id'])}/endpoints"
    return [FoundEndpoint(job["name"], each) async for each in there.listed(path, "endpoints")]


async def find_job(there: Interface, text: str) -> dict[str, Any]:
    """The job with the id or the name *text*. Raises NotFoundError, ConflictError when several have the name."""
    jobs = await jobs_of(there)
    matches = [each for each in jobs if text in {each["id"], each["name"]}]
    if not matches:
        archived = await jobs_of(there, "archived")
        matches = [each for each in archived if text in {each["id"], each["name"]}]
    if not matches:
        raise NotFoundError(f"There is no job {text!r}: `cronicorn job list` shows them.{_like(text, jobs)}")
    return _only(matches, f"Several jobs are called {text!r}")


async def find_endpoint(there: Interface, text: str) -> FoundEndpoint:
    """The endpoint with the id or the full name *text*. Raises NotFoundError, ConflictError when several have it."""
    if "/" not in text:
        try:
            return await _by_id(there, text)
        except NotFoundError:
            raise NotFoundError(await _no_endpoint(there, text, await jobs_of(there))) from None
    jobs = await jobs_of(there)
    inside = [job for job in jobs if text.startswith(f"{job['name']}/")]
    found = [each for job in inside for each in await endpoints_of(there, job) if each.name == text]
    living = [each for each in found if "archivedAt" not in each.document] or found
    if not living:
        raise NotFoundError(await _no_endpoint(there, text, jobs))
    chosen = _only([each.document for each in living], f"Several endpoints are called {text!r}")
    return next(each for each in living if each.document is chosen)


async def whole_endpoint(there: Interface, text: str) -> FoundEndpoint:
    """The same with all that is answered of one endpoint alone, whose its fields are among it. Raises the same."""
    found = await find_endpoint(there, text)
    return FoundEndpoint(found.job, await there.get(f"/endpoints/{segment(found.id)}"))


async def names_of(there: Interface, ids: Iterable[str]) -> dict[str, str]:
    """The full names of endpoints by their *ids*, for the first of many; whatever is gone has none."""
    names = {}
    for each in list(dict.fromkeys(ids))[:_NAMED_MAX]:
        try:
            names[each] = (await _by_id(there, each)).name
        except NotFoundError:
            continue
    return names


async def find_tenant(there: Interface, text: str) -> dict[str, Any]:
    """The tenant with the id or the name *text*; whoever does not run the installation sees only their own.

    Raises NotFoundError.
    """
    try:
        tenants, known = (await there.get("/tenants"))["tenants"], "`cronicorn tenant list` shows those there are"
    except ForbiddenError:
        own = await there.get(f"/tenants/{segment((await there.get('/me'))['tenantId'])}")
        tenants, known = [own], f"your key is of {own['name']!r}, and knows no other"
    for each in tenants:
        if text in {each["id"], each["name"]}:
            return dict(each)
    raise NotFoundError(f"There is no tenant {text!r}: {known}.")


async def _by_id(there: Interface, endpoint_id: str) -> FoundEndpoint:
    document = await there.get(f"/endpoints/{segment(endpoint_id)}")
    job = await there.get(f"/jobs/{segment(document['jobId'])}")
    return FoundEndpoint(job["name"], document)


def _only(matches: Sequence[dict[str, Any]], several: str) -> dict[str, Any]:
    if len(matches) > 1:
        ids = ", ".join(each["id"] for each in matches)
        raise ConflictError(f"{several}; give the id of one of them: {ids}.")
    return matches[0]


async def _no_endpoint(there: Interface, text: str, jobs: Sequence[dict[str, Any]]) -> str:
    """That there is no such endpoint, with what may have been meant."""
    told = f"There is no endpoint {text!r}: give its id, or its name as job/endpoint."
    known = [each for job in jobs[:_JOBS_SEARCHED_MAX] for each in await endpoints_of(there, job)]
    of_job = [each.name for each in known if each.job == text]
    if of_job:
        return f"{told} {text!r} is a job: its endpoints are {', '.join(map(repr, of_job[:_LISTED_MAX]))}."
    called = [each.name for each in known if each.document["name"] == text]
    if called:
        return f"{told} Did you mean {' or '.join(map(repr, called[:_LISTED_MAX]))}?"
    return told + _suggestion(text, (each.name for each in known))


def _like(text: str, jobs: Sequence[dict[str, Any]]) -> str:
    return _suggestion(text, (each["name"] for each in jobs))


def _suggestion(text: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(text, list(names), n=1, cutoff=_CLOSE)
    return f" Did you mean {near[0]!r}?" if near else ""
