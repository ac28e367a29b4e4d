"""Jobs on the wire."""

from collections.abc import Iterable

from cronicorn.api.wire_file_sets import FileSetAnswer, file_set_answers
from cronicorn.api.wire_values import Answer, Instant, Omittable, WarningAnswer, warning_answers
from cronicorn.control.file_owners import FileOwner, edit_warnings
from cronicorn.domain.endpoint import Job, JobStatus
from cronicorn.domain.errors import FieldError


class JobAnswer(Answer):
    """A job."""

    id: str
    user_id: str
    name: str
    description: Omittable[str] = None
    status: JobStatus
    created_at: Instant
    updated_at: Instant
    archived_at: Omittable[Instant] = None
    file_sets: Omittable[list[FileSetAnswer]] = None
    """Left out of lists."""
    warnings: Omittable[list[WarningAnswer]] = None
    """What may not be meant; told to whoever makes or changes it."""


class ListedJobAnswer(JobAnswer):
    """A job with the number of its endpoints that are not archived."""

    endpoint_count: int


class JobsAnswer(Answer):
    """Jobs, oldest first."""

    jobs: list[ListedJobAnswer]
    next_cursor: Omittable[str] = None
    """What to ask with as `cursor` for the next ones; left out at the end."""


def job_answer(job: Job, owners: Iterable[FileOwner] | None = None, warnings: tuple[FieldError, ...] = ()) -> JobAnswer:
    """*job* on the wire, with *warnings* about it; its *owners* are None in a list."""
    return JobAnswer(
        id=job.id, user_id=job.tenant_id, name=job.name, description=job.description, status=job.status,
        created_at=job.created_at, updated_at=job.updated_at, archived_at=job.archived_at,
        file_sets=file_set_answers(owners), warnings=warning_answers((*warnings, *edit_warnings(owners or ()))) or None,
    )  # fmt: skip


def jobs_answer(jobs: Iterable[tuple[Job, int]], next_cursor: str | None = None) -> JobsAnswer:
    """*jobs*, each with the number of its endpoints, on the wire."""
    listed = [ListedJobAnswer(**dict(job_answer(job)), endpoint_count=count) for job, count in jobs]
    return JobsAnswer(jobs=listed, next_cursor=next_cursor)
