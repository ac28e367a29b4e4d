"""Routes of jobs."""

# ruff: noqa: FAST003 - the parameters of paths have their names in `parameters`

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from cronicorn.api.beside import beside
from cronicorn.api.cursors import Cursor, Paging
from cronicorn.api.parameters import Asker, Id
from cronicorn.api.preconditions import IfMatch, tag_field
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_job import JobAnswer, JobsAnswer, job_answer, jobs_answer
from cronicorn.control.document import JobDocument, JobPatch
from cronicorn.control.file_owners import FileOwners
from cronicorn.control.jobs import Jobs
from cronicorn.domain.endpoint import Job, JobStatus
from cronicorn.domain.errors import FieldError
from cronicorn.domain.history import JobQuery
from cronicorn.domain.principal import Principal
from cronicorn.domain.unchanged import version_of_job

LISTED_MAX = 1_000
Listed = Annotated[int | None, Query(ge=1, le=LISTED_MAX)]


def job_routes(jobs: Jobs, owners: FileOwners) -> APIRouter:
    """What can be asked about jobs."""
    router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=StrictRoute)
    tell = partial(_told, owners)

    @router.post("", status_code=HTTPStatus.CREATED)
    async def create_job(asker: Asker, document: JobDocument, response: Response) -> JobAnswer:
        job = await jobs.create(asker, document)
        return await tell(asker, response, job, await beside(jobs.warnings(asker, job)) or ())

    @router.get("")
    async def list_jobs(
        asker: Asker, *, status: JobStatus | None = None, limit: Listed = None, cursor: Cursor = None
    ) -> JobsAnswer:
        """Oldest first, archived ones only when asked for; all of them unless `limit` or `cursor` say otherwise."""
        if limit is None and cursor is None:
            return jobs_answer(await jobs.list(asker, status))
        paging, most = Paging(asker, "jobs", status), limit or LISTED_MAX
        found = await jobs.list(asker, status, JobQuery(limit=most + 1, after=paging.after(cursor)))
        return jobs_answer(*paging.cut(found, most, lambda each: (each[0].id,)))

    @router.get("/{id}")
    async def get_job(asker: Asker, job_id: Id, response: Response) -> JobAnswer:
        return await tell(asker, response, await jobs.get(asker, job_id))

    @router.patch("/{id}")
    async def edit_job(asker: Asker, job_id: Id, patch: JobPatch, unchanged: IfMatch, response: Response) -> JobAnswer:
        """A merge patch (RFC 7396): what is absent stays, null clears."""
        job = await jobs.edit(asker, job_id, patch, unchanged)
        return await tell(asker, response, job, await beside(jobs.warnings(asker, job)) or ())

    @router.delete("/{id}")
    async def archive_job(asker: Asker, job_id: Id, unchanged: IfMatch, response: Response) -> JobAnswer:
        """Nothing is lost: an archived job can be unarchived."""
        return await tell(asker, response, await jobs.move(asker, job_id, JobStatus.ARCHIVED, unchanged))

    @router.post("/{id}/pause")
    async def pause_job(asker: Asker, job_id: Id, unchanged: IfMatch, response: Response) -> JobAnswer:
        return await tell(asker, response, await jobs.move(asker, job_id, JobStatus.PAUSED, unchanged))

    @router.post("/{id}/resume")
    async def resume_job(asker: Asker, job_id: Id, unchanged: IfMatch, response: Response) -> JobAnswer:
        """Also brings back an archived job."""
        return await tell(asker, response, await jobs.move(asker, job_id, JobStatus.ACTIVE, unchanged))

    @router.post("/{id}/unarchive")
    async def unarchive_job(asker: Asker, job_id: Id, unchanged: IfMatch, response: Response) -> JobAnswer:
        return await tell(asker, response, await jobs.move(asker, job_id, JobStatus.ACTIVE, unchanged))

    return router


async def _told(
    owners: FileOwners, asker: Principal, response: Response, job: Job, warnings: tuple[FieldError, ...] = ()
) -> JobAnswer:
    """*job* with whose its fields are, and *warnings* about it; *response* names its version."""
    response.headers.update(tag_field(version_of_job(job)))
    return job_answer(job, await beside(owners.of_job(asker, job)), warnings)
