"""The port of file sets. What holds of the others in `cronicorn.domain.ports` holds of it."""

from collections.abc import Mapping
from typing import Protocol

from cronicorn.domain.filing.file_set import FileSet, Managed


class FileSetBook(Protocol):
    """The file sets of tenants."""

    async def all(self, tenant_id: str) -> Mapping[str, FileSet]:
        """The tenant's sets by their names."""
        ...

    async def about(self, tenant_id: str, thing_id: str) -> Mapping[str, Managed]:
        """What each of the tenant's sets says of one job or endpoint, by their names; those that say nothing aside."""
        ...

    async def put(self, tenant_id: str, name: str, managed: FileSet) -> None:
        """Write the set *name*, in its next revision.

        Raises PreconditionFailedError where *managed* is not of the revision that is stored, 0 meaning none;
        NotFoundError where no such tenant is.
        """
        ...
