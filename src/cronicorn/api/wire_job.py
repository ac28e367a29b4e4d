"""Jobs on the wire."""

from cronicorn.api.wire_values import Answer, Instant, Omittable
from cronicorn.domain.endpoint import Job, JobStatus


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
    endpoint_count: Omittable[int] = None


class JobsAnswer(Answer):
    """Jobs, oldest first."""

    jobs: list[JobAnswer]


def job_answer(job: Job, endpoint_count: int | None = None) -> JobAnswer:
    """*job* on the wire."""
    return JobAnswer(
        id=job.id, user_id=job.tenant_id, name=job.name, description=job.description, status=job.status,
        created_at=job.created_at, updated_at=job.updated_at, archived_at=job.archived_at,
        endpoint_count=endpoint_count,
    )  # fmt: skip
