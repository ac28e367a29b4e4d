"""`cronicorn export` and `cronicorn import`: jobs and endpoints of a tenant as a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli.apply import apply
from cronicorn.cli.local import run
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place
from cronicorn.cli.showing import ObjectOption

if TYPE_CHECKING:
    from collections.abc import Mapping


@at_place
def export(
    file: Annotated[Path | None, typer.Argument(metavar="FILE.yaml", help="The file to make; or stdout.")] = None,
    *,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Write headers that look like credentials as they are, not masked.")
    ] = False,
    place: Place,
) -> None:
    """Write the jobs and endpoints of a tenant as a file that `cronicorn import` and `cronicorn apply` read.

    What it has said about alerts is in it, too, without URLs. Archived ones, hints, pauses, runs, keys and secrets are
    not; references to secrets are. For everything there is see `cronicorn backup`.

    Examples: cronicorn export · cronicorn export jobs.yaml --profile prod
    """
    run(_export(file, place, reveal=reveal))


@at_place
def import_file(
    file: Annotated[str, typer.Argument(metavar="FILE.yaml", help="What `cronicorn export` made; - reads stdin.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    as_json: ObjectOption = False,
    place: Place,
) -> None:
    """Create or update what an exported file lists, by name: `cronicorn apply --force` with another name.

    Where a value is masked, what is stored stays; an endpoint that is not there yet needs the value itself.

    Example: cronicorn import jobs.yaml --dry-run
    """
    apply(
        files=[file], force=True, dry_run=dry_run, as_json=as_json, profile=place.profile, database=place.database,
        tenant=place.tenant,
    )  # fmt: skip


async def _export(file: Path | None, place: Place, *, reveal: bool) -> None:
    import sys

    from cronicorn.cli.file_places import files_at
    from cronicorn.control.exporting import masked_headers, routes_without_url
    from cronicorn.control.file_schema import MODELINE

    async with files_at(place, to_read=True) as there:
        document = await there.export(reveal=reveal)
    text = MODELINE + _yaml(document)
    if file is None:
        sys.stdout.write(text)
    else:
        write_new(file, text)
    for header in masked_headers(document):
        print(f"Warning: {header} is masked; --reveal writes it, and so does an editor.", file=sys.stderr)
    for route in routes_without_url(document):
        print(
            f"Warning: the URL of alert route {route} is a secret, and left out; where the route is new, add it.",
            file=sys.stderr,
        )


def _yaml(document: "Mapping[str, Any]") -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes the objects of answers, too, which are more than dicts."""

    Dumper.add_multi_representer(dict, Dumper.represent_dict)
    written: str = yaml.dump(document, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=120)
    return written


def write_new(path: Path, text: str) -> None:
    """Make the file, for this user alone. Raises ConflictError where there is one, UnavailableError where it can't."""
    import os

    from cronicorn.domain.errors import ConflictError, UnavailableError

    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConflictError(f"There is a file {path} already: name another one, or remove it.") from error
    except OSError as error:
        raise UnavailableError(f"The file {path} can't be written ({error.strerror}): name another one.") from error
