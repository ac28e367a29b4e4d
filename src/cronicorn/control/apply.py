"""Applying files: jobs and endpoints are made to be what they say, told apart by their names.

A file speaks for the fields that it names, and for no others: what is edited elsewhere stays, and so do hints, pauses
and failures. A field that it names no longer gets its default. Where somebody else has set a field that it names, it is
refused, unless it is applied with force. What its set has made and it lists no longer is archived only on request, and
what its set has said about alerts, taken back.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from cronicorn.control.difference import Applied
from cronicorn.control.file_document import FileDocument
from cronicorn.control.file_plan import FilePlan
from cronicorn.control.file_planning import FileNouns, FilePlanner
from cronicorn.control.file_writing import FileWriter
from cronicorn.control.findings import Findings
from cronicorn.control.misfits import read_document
from cronicorn.control.permissions import operation
from cronicorn.domain.errors import ConflictError, PreconditionFailedError
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal

PLANS_MAX = 5
"""So often a file is planned anew when something changed while it was applied."""
TOLD_MAX = 20
"""Conflicts that an error tells of."""

T = TypeVar("T")


class AsOne(Protocol):
    """Does work with nouns of which all that they write stays together, or not at all when it raises."""

    async def __call__(self, work: Callable[[FileNouns], Awaitable[T]]) -> T:
        """Do *work*, perhaps more than once, and tell whom it concerns when it stays."""
        ...


class FileApplier:
    """Makes jobs and endpoints what files say."""

    def __init__(self, planner: FilePlanner, as_one: AsOne) -> None:
        self._planner = planner
        self._as_one = as_one

    @operation(Operation.FILE_APPLY)
    async def apply(
        self, principal: Principal, document: object, *, dry_run: bool = False, force: bool = False, prune: bool = False
    ) -> Applied:
        """Create and update what *document* lists; with *dry_run* only tell what would be done.

        With *prune* what its set has made and it lists no longer is archived, and what it has said about alerts taken
        back: it must name its set then. The whole file is checked first: InvalidInputError tells all that is wrong with
        it, and ConflictError of what somebody else has set, unless that is overwritten with *force*. All is written at
        once, or nothing.
        """
        for number in range(PLANS_MAX):
            plan = await self._plan(principal, document, prune=prune)
            applied = plan.applied()
            if dry_run:
                return applied
            if applied.conflicts and not force:
                raise ConflictError(_refusal(applied))
            try:
                await self._as_one(partial(_write, plan, principal))
            except PreconditionFailedError as error:
                if number == PLANS_MAX - 1:
                    raise ConflictError(f"Nothing was applied: {error}") from error
            else:
                return applied
        raise AssertionError

    async def _plan(self, principal: Principal, document: object, *, prune: bool) -> FilePlan:
        findings = Findings()
        file = read_document(FileDocument, document, findings)
        if file is not None and prune and file.set is None:
            findings.refuse("/set", "To prune, name the set: what it has made, and files list no longer, is archived.")
        plan = None if file is None else await self._planner.planned(principal, file, findings, prune=prune)
        findings.raise_errors()
        assert plan is not None
        return plan


async def _write(plan: FilePlan, asker: Principal, nouns: FileNouns) -> None:
    await FileWriter(nouns, plan).write(asker)


def _refusal(applied: Applied) -> str:
    found = applied.conflicts
    more = [f"and {len(found) - TOLD_MAX} more"] if len(found) > TOLD_MAX else []
    told = "\n".join((*found[:TOLD_MAX], *more))
    return (
        f"{told}\nNothing was applied. Take over what was set there, or name the fields no longer; force overwrites it."
    )
