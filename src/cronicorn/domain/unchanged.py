"""Conditions on the state of what is to be changed: an edit made for one version is not applied to another."""

from dataclasses import dataclass

from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.errors import PreconditionFailedError
from cronicorn.domain.fields import us


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """That what is to be changed is as it was in one of some versions."""

    versions: frozenset[str]

    def check(self, version: str) -> None:
        """Raise PreconditionFailedError unless *version* is one of them."""
        if version not in self.versions:
            raise PreconditionFailedError(
                f'This has changed since you read it: its version is "{version}" now. Read it again, and decide anew.'
            )


def version_of_endpoint(endpoint: JobEndpoint) -> str:
    """What differs after every edit of *endpoint*, and stays when it merely runs."""
    return str(endpoint.version)


def version_of_job(job: Job) -> str:
    """What differs after every edit of *job*."""
    return f"{us(job.updated_at):x}"
