"""The form of a job: a new one, or an edit."""

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.document import JobDocument, JobPatch
from cronicorn.control.plane import ControlPlane
from cronicorn.control.statuses import status_of
from cronicorn.domain.errors import InvalidInputError, PreconditionFailedError
from cronicorn.domain.permission import Operation
from cronicorn.domain.unchanged import version_of_job
from cronicorn.web.form_fields import tidied_text
from cronicorn.web.forms import faults_of
from cronicorn.web.once import made_once, opened
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, ThingId, View

_PAGE = "job_form.html"
_FIELDS = ("name", "description")


def job_form_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """How jobs are made and changed."""
    router = APIRouter()
    router.include_router(_edit_pages(site, control))

    @router.get("/jobs/new")
    async def ask(view: Looked) -> Response:
        view.asker.check(Operation.JOB_CREATE)
        return site.page(view, _PAGE, job=None, once=opened(view), entered={}, faults={}, meanwhile=False)

    @router.post("/jobs/new")
    async def create(view: Looked) -> Response:
        view.asker.check(Operation.JOB_CREATE)
        document = JobDocument(name=view.entered("name"), description=_description(view))

        async def making() -> str:
            return f"/jobs/{(await control.jobs.create(view.asker, document)).id}"

        try:
            return see(await made_once(control.repeats, view, making))
        except InvalidInputError as error:
            return site.page(
                view, _PAGE, status=status_of(error), job=None, once=opened(view), entered=view.form,
                faults=faults_of(error, _FIELDS), meanwhile=False,
            )  # fmt: skip

    return router


def _edit_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    router = APIRouter()

    @router.get("/jobs/{job_id}/edit")
    async def begin(view: Looked, job_id: ThingId) -> Response:
        view.asker.check(Operation.JOB_EDIT)
        job = await control.jobs.get(view.asker, job_id)
        entered = {"name": job.name, "description": job.description or ""}
        return site.page(
            view, _PAGE, job=job, version=version_of_job(job), entered=entered, faults={}, meanwhile=False,
            owners=await control.file_owners.of_job(view.asker, job),
        )  # fmt: skip

    @router.post("/jobs/{job_id}/edit")
    async def change(view: Looked, job_id: ThingId) -> Response:
        patch = JobPatch(name=view.entered("name"), description=_description(view))
        try:
            await control.jobs.edit(view.asker, job_id, patch, view.unchanged)
        except (InvalidInputError, PreconditionFailedError) as error:
            job = await control.jobs.get(view.asker, job_id)
            late = isinstance(error, PreconditionFailedError)
            return site.page(
                view, _PAGE, status=status_of(error), job=job, entered=view.form, meanwhile=late,
                version=version_of_job(job) if late else view.entered("version"),
                faults={} if late else faults_of(error, _FIELDS),
                owners=await control.file_owners.of_job(view.asker, job),
            )  # fmt: skip
        return see(f"/jobs/{job_id}")

    return router


def _description(view: View) -> str | None:
    """What was entered as the description; None for nothing."""
    return tidied_text(view.form.get("description", "")) or None
