"""`cronicorn job`: what groups endpoints."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli.completing import complete_job
from cronicorn.cli.local import run
from cronicorn.cli.options import given
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.showing import (
    DryRunOption,
    JsonOption,
    deed,
    print_done,
    print_fields,
    print_json,
    print_table,
    tell_warnings,
)

if TYPE_CHECKING:
    from cronicorn.cli.interface import Interface

app = typer.Typer(help="List, make, edit, pause and archive jobs.", no_args_is_help=True)

_Job = Annotated[str, typer.Argument(metavar="JOB", help="Its id, or its name.", autocompletion=complete_job)]
_Description = Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")]
_COLUMNS = {"NAME": "name", "STATUS": "status", "ENDPOINTS": "endpointCount", "ID": "id", "CREATED": "createdAt"}


class JobStatusWord(StrEnum):
    """How a job stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"


@app.command("list")
@at_place
def list_all(
    *,
    status: Annotated[JobStatusWord | None, typer.Option(help="Only these; archived ones are listed only so.")] = None,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """List jobs, oldest first.

    Examples: cronicorn job list · cronicorn job list --status archived --json
    """
    run(_list(place, status.value if status is not None else None, as_json=as_json))


@app.command("show")
@at_place
def show(job: _Job, *, as_json: JsonOption = False, place: Place) -> None:
    """Show a job.

    Example: cronicorn job show shop
    """
    run(_show(place, job, as_json=as_json))


@app.command("create")
@at_place
def create(
    name: Annotated[str, typer.Argument(help="What the job is called.")],
    *,
    description: _Description = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Make a job, and print its id.

    Example: cronicorn job create shop --description "All that the shop needs"
    """
    run(_create(place, given(name=name, description=description), dry_run=dry_run, as_json=as_json))


@app.command("edit")
@at_place
def edit(
    job: _Job,
    *,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Another name.")] = None,
    description: _Description = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Change what options name, and leave the rest.

    Example: cronicorn job edit shop --name "the shop"
    """
    changes = given(name=name, description=description)
    run(_change(place, job, ("PATCH", "", "was changed"), changes, dry_run=dry_run, as_json=as_json))


@app.command("pause")
@at_place
def pause(job: _Job, *, dry_run: DryRunOption = False, as_json: JsonOption = False, place: Place) -> None:
    """Let nothing of a job run until it is resumed.

    Example: cronicorn job pause shop
    """
    run(_change(place, job, ("POST", "/pause", "is paused"), dry_run=dry_run, as_json=as_json))


@app.command("resume")
@at_place
def resume(job: _Job, *, dry_run: DryRunOption = False, as_json: JsonOption = False, place: Place) -> None:
    """Let a paused job run again.

    Example: cronicorn job resume shop
    """
    run(_change(place, job, ("POST", "/resume", "runs again"), dry_run=dry_run, as_json=as_json))


@app.command("archive")
@at_place
def archive(job: _Job, *, dry_run: DryRunOption = False, as_json: JsonOption = False, place: Place) -> None:
    """Put a job away with all that is in it; `unarchive` brings it back.

    Example: cronicorn job archive shop
    """
    run(_change(place, job, ("DELETE", "", "is archived"), dry_run=dry_run, as_json=as_json))


@app.command("unarchive")
@at_place
def unarchive(job: _Job, *, dry_run: DryRunOption = False, as_json: JsonOption = False, place: Place) -> None:
    """Bring an archived job back.

    Example: cronicorn job unarchive shop
    """
    run(_change(place, job, ("POST", "/unarchive", "is back"), dry_run=dry_run, as_json=as_json))


async def _list(place: Place, status: str | None, *, as_json: bool) -> None:
    from cronicorn.cli.finding import jobs_of

    async with reached(place, to_read=True) as there:
        jobs = await jobs_of(there, status)
    print_table(jobs, _COLUMNS, as_json=as_json, empty="No such jobs; `cronicorn job create NAME` makes one.")


async def _show(place: Place, text: str, *, as_json: bool) -> None:
    from cronicorn.cli.endpoint_words import file_sets_in_words
    from cronicorn.cli.finding import find_job
    from cronicorn.cli.interface import segment

    async with reached(place, to_read=True) as there:
        found = await find_job(there, text)
        job = found | await there.get(f"/jobs/{segment(found['id'])}")
    if as_json:
        print_json(job)
    else:
        print_fields({**job, "fileSets": "; ".join(file_sets_in_words(job)) or "none"})


async def _create(place: Place, document: dict[str, Any], *, dry_run: bool, as_json: bool) -> None:
    async with reached(place) as there:
        job = await there.post("/jobs", document, validate_only=dry_run or None)
    tell_warnings(job)
    if as_json:
        print_json(job)
    elif dry_run:
        print(f"Job {job['name']!r} could be made. Nothing was.")
    else:
        print(f"Job {job['name']!r} was made; `cronicorn endpoint create` adds endpoints to it.", file=sys.stderr)
        print(job["id"])


async def _change(
    place: Place, text: str, how: tuple[str, str, str], changes: dict[str, Any] | None = None, *, dry_run: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Send what *how* names: a method, the end of the path, and what is said when it is done."""
    from cronicorn.cli.finding import find_job

    method, end, done = how
    async with reached(place, to_read=True) as there:
        job = await find_job(there, text)
        changed = await _sent(there, method, f"/jobs/{job['id']}{end}", changes, dry_run=dry_run)
    tell_warnings(changed)
    print_done(changed, deed(f"Job {changed['name']!r}", done, dry_run=dry_run), as_json=as_json)


async def _sent(there: "Interface", method: str, path: str, body: dict[str, Any] | None, *, dry_run: bool) -> Any:
    answer, _ = await there.answer(method, path, body, query={"validate_only": dry_run or None})
    return answer
