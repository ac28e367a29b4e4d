"""The port of file sets. What holds of the others in `cronicorn.domain.ports` holds of it."""

from collections.abc import Mapping
from typing import Protocol

from cronicorn.domain.filing.file_set import FileSet


class FileSetBook(Protocol):
    """The file sets of tenants."""

    async def all(self, tenant_id: str) -> Mapping[str, FileSet]:
        """The tenant's sets by their names."""
        ...

    async def put(self, tenant_id: str, name: str, managed: FileSet) -> None:
        """Write the set *name*, in its next revision.

        Raises PreconditionFailedError where *managed* is not of the revision that is stored, 0 meaning none;
        NotFoundError where no such tenant is.
        """
        ...
