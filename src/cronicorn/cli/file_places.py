"""Where files are applied to, and exported from: the store of the settings, or the server of a profile."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from cronicorn.api.wire_files import plain
from cronicorn.cli.local import opened, opened_to_read, opened_to_try
from cronicorn.cli.place import Place, chosen_profile
from cronicorn.cli.reaching import reached
from cronicorn.control.difference import Applied, Deed, Difference, FieldChange
from cronicorn.domain.errors import FieldError, InvalidInputError

if TYPE_CHECKING:
    from cronicorn.cli.interface import Interface
    from cronicorn.wiring.local import LocalControl


class FilePlace(Protocol):
    """What can be asked about files, wherever that is answered."""

    async def apply(
        self, document: dict[str, Any], *, dry_run: bool = False, force: bool = False, prune: bool = False
    ) -> Applied:
        """As `FileApplier.apply`."""
        ...

    async def export(self, *, reveal: bool) -> dict[str, Any]:
        """As `Exporter.export`, of what JSON can say."""
        ...


@asynccontextmanager
async def files_at(place: Place, *, to_try: bool = False, to_read: bool = False) -> AsyncIterator[FilePlace]:
    """The files of the place that was chosen. A store that is not there is made.

    With *to_try* it is imagined instead, with *to_read* it is an error. Raises as `reached` does.
    """
    if chosen_profile(place) is not None:
        async with reached(place) as there:
            yield _FilesThere(there)
        return
    way = opened_to_try if to_try else opened_to_read if to_read else opened
    async with way(place.database) as local:
        yield _FilesHere(local, place.tenant_here)


class _FilesHere(FilePlace):
    """Those of a store."""

    def __init__(self, local: "LocalControl", tenant: str) -> None:
        self._control = local.control
        self._asker = local.principal(tenant)

    async def apply(
        self, document: dict[str, Any], *, dry_run: bool = False, force: bool = False, prune: bool = False
    ) -> Applied:
        return await self._control.files.apply(self._asker, document, dry_run=dry_run, force=force, prune=prune)

    async def export(self, *, reveal: bool) -> dict[str, Any]:
        document = plain(await self._control.exporter.export(self._asker, reveal=reveal))
        assert isinstance(document, dict)
        return document


class _FilesThere(FilePlace):
    """Those of a server."""

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface

    async def apply(
        self, document: dict[str, Any], *, dry_run: bool = False, force: bool = False, prune: bool = False
    ) -> Applied:
        if dry_run:
            return _applied(await self._interface.post("/files/diff", document, prune=prune))
        return _applied(await self._interface.post("/files/apply", document, force=force, prune=prune))

    async def export(self, *, reveal: bool) -> dict[str, Any]:
        if reveal:
            raise InvalidInputError("--reveal is about a store: a server shows credentials to nobody.")
        document: dict[str, Any] = await self._interface.get("/files/export")
        return document


def _applied(answer: dict[str, Any]) -> Applied:
    return Applied(
        file_set=answer["set"],
        differences=tuple(_difference(each) for each in answer["differences"]),
        unlisted=tuple(answer["unlisted"]),
        warnings=tuple(FieldError(pointer=each["pointer"], message=each["detail"]) for each in answer["warnings"]),
    )


def _difference(answer: dict[str, Any]) -> Difference:
    about = Difference(deed=Deed(answer["deed"]), job=answer["job"], endpoint=answer["endpoint"], alert=answer["alert"])
    changes = tuple(
        FieldChange(field=each["field"], before=each["before"], after=each["after"]) for each in answer["changes"]
    )
    return replace(about, changes=changes, conflicts=tuple(answer["conflicts"]))
