"""Whose the fields of jobs and endpoints are: what file sets say of them, and what was edited since."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cronicorn.control.field_ownership import endpoint_values, job_values
from cronicorn.control.permissions import operation
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.errors import FieldError
from cronicorn.domain.filing.file_set import Managed, fingerprint
from cronicorn.domain.filing.ports import FileSetBook
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal

REFUSED = "its next apply is refused until a file says the same, or is applied with --force, which overwrites the edit"
"""What becomes of a field that a set owns and somebody edits: decision 0014."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOwner:
    """What the files of one set say of a job or an endpoint."""

    file_set: str
    made: bool
    """Whether the set made it."""
    fields: tuple[str, ...]
    """The fields that they name, as `field_ownership` calls them."""
    edited: tuple[str, ...]
    """Those of them that were edited since the set was applied."""


class FileOwners:
    """What can be asked about whose things are. All raise UnavailableError."""

    def __init__(self, sets: FileSetBook) -> None:
        self._sets = sets

    @operation(Operation.FILE_OWNERS)
    async def of_endpoint(self, principal: Principal, endpoint: JobEndpoint) -> tuple[FileOwner, ...]:
        """The sets that speak for fields of *endpoint*, by their names."""
        said = await self._sets.about(principal.tenant_id, endpoint.id)
        return _owners(said, endpoint_values(endpoint)) if said else ()

    @operation(Operation.FILE_OWNERS)
    async def of_job(self, principal: Principal, job: Job) -> tuple[FileOwner, ...]:
        """The same of *job*."""
        return _owners(await self._sets.about(principal.tenant_id, job.id), job_values(job))

    @operation(Operation.FILE_OWNERS)
    async def of_alerting(self, principal: Principal) -> Mapping[str, tuple[FileOwner, ...]]:
        """The sets that speak for parts of what the tenant has said about alerts, by how sets call these parts.

        Each is theirs as a whole, so that no fields are told.
        """
        found: dict[str, tuple[FileOwner, ...]] = {}
        for name, kept in sorted((await self._sets.all(principal.tenant_id)).items()):
            for part, said in kept.alerts.items():
                owner = FileOwner(file_set=name, made=said.made is not None, fields=(), edited=())
                found[part] = (*found.get(part, ()), owner)
        return found


def edit_warnings(owners: Iterable[FileOwner]) -> tuple[FieldError, ...]:
    """What becomes of the fields that were edited although files name them."""
    return tuple(
        FieldError(
            pointer=f"/{name}", message=f"The file set {owner.file_set} names it, and it was edited since: {REFUSED}."
        )
        for owner in owners
        for name in owner.edited
    )


def _owners(said: Mapping[str, Managed], current: Mapping[str, object]) -> tuple[FileOwner, ...]:
    """What is *said*, but for what a set has archived because its files list it no longer."""
    return tuple(
        FileOwner(
            file_set=name,
            made=managed.made,
            fields=tuple(sorted(managed.fields)),
            edited=tuple(
                sorted(each for each, known in managed.fields.items() if fingerprint(current.get(each)) != known)
            ),
        )
        for name, managed in sorted(said.items())
        if not managed.removed
    )
