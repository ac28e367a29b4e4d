"""Routes of files: jobs and endpoints are compared with what a file says, made so, and written as one."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from cronicorn.api.parameters import Asker
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_files import AppliedAnswer, applied_answer, plain
from cronicorn.control.apply import FileApplier
from cronicorn.control.exporting import Exporter
from cronicorn.control.file_document import FileDocument

Pruned = Annotated[bool, Query(description="Archive what the set has made and the file lists no longer.")]
Forced = Annotated[bool, Query(description="Overwrite what was edited elsewhere, or belongs to another set.")]


def file_routes(files: FileApplier, exporter: Exporter) -> APIRouter:
    """What can be asked about files."""
    router = APIRouter(prefix="/files", tags=["files"], route_class=StrictRoute)

    @router.post("/diff")
    async def diff_file(asker: Asker, document: FileDocument, *, prune: Pruned = False) -> AppliedAnswer:
        """What applying a file would do, conflicts included. Nothing is written."""
        return applied_answer(await files.apply(asker, document, dry_run=True, prune=prune))

    @router.post("/apply")
    async def apply_file(
        asker: Asker, document: FileDocument, *, force: Forced = False, prune: Pruned = False
    ) -> AppliedAnswer:
        """Make jobs, endpoints and alerts what a file says: all of it, or nothing. 409 for conflicts without force."""
        return applied_answer(await files.apply(asker, document, force=force, prune=prune))

    @router.get("/export")
    async def export_file(asker: Asker) -> dict[str, Any]:
        """All jobs and endpoints that are not archived, and what was said about alerts, as a file. Secrets are masked.

        Applied again, what is masked stays as it is stored.
        """
        document = plain(await exporter.export(asker))
        assert isinstance(document, dict)
        return document

    return router
