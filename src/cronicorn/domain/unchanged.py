"""Conditions on the state of what is to be changed: an edit made for one version is not applied to another."""

import json
from dataclasses import dataclass
from hashlib import blake2b

from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.errors import PreconditionFailedError
from cronicorn.domain.fields import length_us, us
from cronicorn.domain.provision.allowed import Allowed
from cronicorn.domain.provision.provision import Provision
from cronicorn.domain.quota.terms import Terms


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

    def check_endpoint(self, endpoint: JobEndpoint) -> None:
        """Raise PreconditionFailedError unless *endpoint* is in one of them."""
        self.check(version_of_endpoint(endpoint))


def version_of_endpoint(endpoint: JobEndpoint) -> str:
    """What differs after every edit of *endpoint*, and stays when it merely runs."""
    return str(endpoint.version)


def version_of_terms(terms: Terms) -> str:
    """What differs after every change of *terms*."""
    period = terms.period.value if terms.period is not None else None
    return digest_of(terms.tier, terms.limit, period, terms.zone)


def version_of_egress(egress: Allowed) -> str:
    """What differs after every change of *egress*."""
    return digest_of(str(egress))


def version_of_retention(provision: Provision) -> str:
    """What differs after every change of how long *provision* has history kept."""
    return digest_of(length_us(provision.runs_kept), length_us(provision.failures_kept))


def digest_of(*told: str | int | None) -> str:
    """A version that differs where *told* does."""
    return blake2b(json.dumps(told).encode(), digest_size=8).hexdigest()


def version_of_job(job: Job) -> str:
    """What differs after every edit of *job*."""
    return f"{us(job.updated_at):x}"
