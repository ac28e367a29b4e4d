"""`cronicorn endpoint`: what is called, and when."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli import endpoint_steering
from cronicorn.cli.completing import complete_job
from cronicorn.cli.endpoint_fields import told_of_options, with_fields
from cronicorn.cli.local import run
from cronicorn.cli.options import EndpointArgument, given
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.showing import (
    DryRunOption,
    JsonOption,
    YesOption,
    confirm,
    deed,
    print_done,
    print_fields,
    print_json,
    print_table,
    tell_warnings,
)

if TYPE_CHECKING:
    from cronicorn.cli.finding import FoundEndpoint
    from cronicorn.cli.interface import Interface

app = typer.Typer(help="List, make, edit, run, steer, archive and delete endpoints.", no_args_is_help=True)

_COLUMNS = {
    "NAME": "name",
    "SCHEDULE": "schedule",
    "NEXT": "next",
    "STATE": "state",
    "FAILURES": "failureCount",
    "ID": "id",
}


@app.command("list")
@at_place
def list_all(
    job: Annotated[
        str | None,
        typer.Argument(metavar="[JOB]", help="Only those of this job.", autocompletion=complete_job),
    ] = None,
    *,
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones, too.")] = False,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """List endpoints, when each runs next, and how it stands.

    Examples: cronicorn endpoint list · cronicorn endpoint list shop --json
    """
    run(_list(place, job, archived=archived, as_json=as_json))


@app.command("show")
@at_place
def show(endpoint: EndpointArgument, *, as_json: JsonOption = False, place: Place) -> None:
    """Show all fields of an endpoint. `cronicorn explain` tells why it runs when it does.

    Example: cronicorn endpoint show shop/stock
    """
    run(_show(place, endpoint, as_json=as_json))


@app.command("create")
@at_place
@with_fields
def create(
    name: Annotated[
        str, typer.Argument(metavar="JOB/NAME", help="The job, which must be there, and what the endpoint is called.")
    ],
    *,
    document: dict[str, Any],
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Make an endpoint, and print its id.

    Examples: cronicorn endpoint create shop/stock --url https://shop.example/stock --every 1m · cronicorn endpoint
    create shop/report --url https://shop.example/report --cron '0 6 * * *' --tz Europe/Berlin
    """
    run(_create(place, name, document, dry_run=dry_run, as_json=as_json))


@app.command("edit")
@at_place
@with_fields
def edit(
    endpoint: EndpointArgument,
    *,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Another name.")] = None,
    document: dict[str, Any],
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Change what options name, and leave the rest. Headers are replaced all together.

    Examples: cronicorn endpoint edit shop/stock --every 30s · cronicorn endpoint edit shop/stock --set description=null
    """
    run(_edit(place, endpoint, document | given(name=name), dry_run=dry_run, as_json=as_json))


@app.command("archive")
@at_place
def archive(
    endpoint: EndpointArgument, *, dry_run: DryRunOption = False, as_json: JsonOption = False, place: Place
) -> None:
    """Put an endpoint away, with its runs; `unarchive` brings it back.

    Example: cronicorn endpoint archive shop/stock
    """
    run(_move(place, endpoint, "archive", "is archived", dry_run=dry_run, as_json=as_json))


@app.command("unarchive")
@at_place
def unarchive(
    endpoint: EndpointArgument, *, dry_run: DryRunOption = False, as_json: JsonOption = False, place: Place
) -> None:
    """Bring an archived endpoint back.

    Example: cronicorn endpoint unarchive shop/stock
    """
    run(_move(place, endpoint, "unarchive", "is back", dry_run=dry_run, as_json=as_json))


@app.command("delete")
@at_place
def delete(
    endpoint: EndpointArgument,
    *,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Delete an endpoint, and its runs with it, for good. `archive` keeps them.

    Example: cronicorn endpoint delete shop/stock --yes
    """
    run(_delete(place, endpoint, yes=yes, dry_run=dry_run, as_json=as_json))


app.command("run")(endpoint_steering.run_now)
app.command("test")(endpoint_steering.try_out)
app.command("pause")(endpoint_steering.pause)
app.command("resume")(endpoint_steering.resume)
app.command("hint")(endpoint_steering.hint)
app.command("clear-hints")(endpoint_steering.clear_hints)
app.command("reset-failures")(endpoint_steering.reset_failures)
app.command("next")(endpoint_steering.next_runs)


async def _list(place: Place, job: str | None, *, archived: bool, as_json: bool) -> None:
    from cronicorn.cli.finding import endpoints_of, find_job, jobs_of

    async with reached(place, to_read=True) as there:
        jobs = await jobs_of(there) if job is None else [await find_job(there, job)]
        found = [each for one in jobs for each in await endpoints_of(there, one)]
    shown = [each for each in found if archived or "archivedAt" not in each.document]
    print_table(
        [_row(each) for each in shown], _COLUMNS, as_json=as_json, whole=[each.whole for each in shown],
        empty="No endpoints; `cronicorn endpoint create JOB/NAME --url URL --every 5m` makes one.",
    )  # fmt: skip


def _row(found: "FoundEndpoint") -> dict[str, Any]:
    from cronicorn.cli.endpoint_words import schedule_in_words, state_in_words

    document = found.document
    return {
        "name": found.name, "schedule": schedule_in_words(document), "next": document["plan"]["nextRunAt"],
        "state": state_in_words(document), "failureCount": document["failureCount"], "id": found.id,
    }  # fmt: skip


async def _show(place: Place, text: str, *, as_json: bool) -> None:
    from cronicorn.cli.endpoint_words import file_sets_in_words
    from cronicorn.cli.finding import whole_endpoint

    async with reached(place, to_read=True) as there:
        found = await whole_endpoint(there, text)
    if as_json:
        print_json(found.whole)
    else:
        print_fields({**found.whole, "fileSets": "; ".join(file_sets_in_words(found.document)) or "none"})


async def _create(place: Place, name: str, document: dict[str, Any], *, dry_run: bool, as_json: bool) -> None:
    from cronicorn.cli.finding import FoundEndpoint

    async with reached(place) as there:
        job, own = await _job_of(there, name)
        with told_of_options():
            path = f"/jobs/{job['id']}/endpoints"
            made = await there.post(path, {"name": own, **document}, validate_only=dry_run or None)
    tell_warnings(made)
    found = FoundEndpoint(job["name"], made)
    if as_json:
        print_json(found.whole)
    elif dry_run:
        print(f"{found.name} could be made. Nothing was.")
    else:
        print(f"{found.name} was made; `cronicorn explain {found.name!r}` tells when it runs.", file=sys.stderr)
        print(found.id)


async def _job_of(there: "Interface", name: str) -> tuple[dict[str, Any], str]:
    """The job in which *name* is to be made, and its name there; the longest job's name that fits counts."""
    from cronicorn.cli.finding import find_job, jobs_of
    from cronicorn.domain.errors import InvalidInputError

    jobs = await jobs_of(there)
    known = [job for job in jobs if name.startswith((f"{job['name']}/", f"{job['id']}/"))]
    if known:
        longest = max(known, key=lambda job: len(job["name"]))
        start = longest["name"] if name.startswith(f"{longest['name']}/") else longest["id"]
        return await find_job(there, start), name[len(start) + 1 :]
    job, slash, own = name.partition("/")
    if not slash or not own:
        raise InvalidInputError(f"Name the job and the endpoint, such as shop/stock, not {name!r}.")
    return await find_job(there, job), own


async def _edit(place: Place, text: str, changes: dict[str, Any], *, dry_run: bool, as_json: bool) -> None:
    from cronicorn.cli.finding import find_endpoint
    from cronicorn.domain.errors import InvalidInputError

    if not changes:
        raise InvalidInputError("Say what to change, such as --every 30s or --set overlap=skip.")
    async with reached(place, to_read=True) as there:
        found = await find_endpoint(there, text)
        path = f"/jobs/{found.document['jobId']}/endpoints/{found.id}"
        with told_of_options():
            changed = await there.patch(path, changes, validate_only=dry_run or None)
    tell_warnings(changed)
    now = found.now(changed)
    print_done(now.whole, deed(now.name, "was changed", dry_run=dry_run), as_json=as_json)


async def _move(place: Place, text: str, verb: str, done: str, *, dry_run: bool, as_json: bool) -> None:
    from cronicorn.cli.finding import find_endpoint

    async with reached(place, to_read=True) as there:
        found = await find_endpoint(there, text)
        path = f"/jobs/{found.document['jobId']}/endpoints/{found.id}/{verb}"
        moved = await there.post(path, validate_only=dry_run or None)
    print_done(found.now(moved).whole, deed(found.name, done, dry_run=dry_run), as_json=as_json)


async def _delete(place: Place, text: str, *, yes: bool, dry_run: bool, as_json: bool) -> None:
    from cronicorn.cli.finding import find_endpoint

    async with reached(place, to_read=True) as there:
        found = await find_endpoint(there, text)
        confirm(f"{found.name} and all its runs on {there.where} are to be deleted for good.", yes=yes or dry_run)
        path = f"/jobs/{found.document['jobId']}/endpoints/{found.id}"
        await there.delete(path, validate_only=dry_run or None)
    shown = {"id": found.id, "name": found.name, "deleted": not dry_run}
    print_done(shown, deed(found.name, "is deleted", dry_run=dry_run), as_json=as_json)
