"""`cronicorn apply` and `cronicorn diff`: make jobs and endpoints what files say, or see what that would be."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli.local import run
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place
from cronicorn.cli.showing import ObjectOption, cell, harmless, print_json

if TYPE_CHECKING:
    from cronicorn.cli.yaml_files import YamlFiles
    from cronicorn.control.difference import Applied

FilesOption = Annotated[
    list[str],
    typer.Option(
        "--file", "-f", metavar="FILE|FOLDER", help="A file, or a folder of *.yaml; - reads stdin. Can be repeated."
    ),
]
SetOption = Annotated[
    str | None,
    typer.Option("--set", metavar="NAME", help="The file set to apply to, where the files name none with `set:`."),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Overwrite what was edited elsewhere, or belongs to another set.")
]
PruneOption = Annotated[
    bool,
    typer.Option(
        "--prune", help="Archive what the set has made and its files list no longer; what is about alerts is removed."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What was typed."""

    files: list[str]
    file_set: str | None
    place: Place
    force: bool
    prune: bool
    as_json: bool


@at_place
def apply(
    files: FilesOption,
    *,
    file_set: SetOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    force: ForceOption = False,
    prune: PruneOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --prune: archive without asking.")] = False,
    as_json: ObjectOption = False,
    place: Place,
) -> None:
    """Create or update the jobs, endpoints and alerts that files list, by name: all of it, or nothing.

    A file: jobs: [{name: shop, endpoints: [{name: stock, url: https://shop.example/stock, baselineIntervalMs: 60000}]}]

    Files speak for the fields that they name. What else was edited stays; where a field that they name was edited
    elsewhere, nothing is written without --force. Nothing is removed without --prune.

    Examples: cronicorn apply -f jobs.yaml --dry-run · cronicorn apply -f cron.d --set shop --prune --yes
    """
    wanted = _Wanted(files=files, file_set=file_set, place=place, force=force, prune=prune, as_json=as_json)
    run(_show(wanted, command="apply") if dry_run else _apply(wanted, yes=yes))


@at_place
def diff(
    files: FilesOption,
    *,
    file_set: SetOption = None,
    prune: PruneOption = False,
    as_json: ObjectOption = False,
    place: Place,
) -> None:
    """Show what `cronicorn apply` would change, and change nothing. Exit code 0: nothing; 1: something; 5: conflicts.

    Other exit codes are those of all commands: 2 is a file that can't be applied, say.

    Examples: cronicorn diff -f jobs.yaml · cronicorn diff -f cron.d --prune --profile prod
    """
    wanted = _Wanted(files=files, file_set=file_set, place=place, force=False, prune=prune, as_json=as_json)
    run(_show(wanted, command="diff"))


async def _show(wanted: _Wanted, *, command: str) -> None:
    from cronicorn.cli.file_places import files_at
    from cronicorn.cli.terminal import working
    from cronicorn.cli.yaml_file import locating

    files, document = _read(wanted)
    async with files_at(wanted.place, to_try=True) as there:
        with locating(files), working("Comparing"):
            applied = await there.apply(document, dry_run=True, prune=wanted.prune)
    _tell(wanted, files, applied, dry_run=True)
    if applied.conflicts and not wanted.force:
        raise SystemExit(5)
    if command == "diff" and applied.changes:
        raise SystemExit(1)


async def _apply(wanted: _Wanted, *, yes: bool) -> None:
    from cronicorn.cli.file_places import files_at
    from cronicorn.cli.terminal import working
    from cronicorn.cli.yaml_file import locating

    files, document = _read(wanted)
    async with files_at(wanted.place) as there:
        with locating(files):
            if wanted.prune and not yes:
                with working("Comparing"):
                    imagined = await there.apply(document, dry_run=True, prune=True)
                _ask(imagined)
            with working("Applying"):
                applied = await there.apply(document, force=wanted.force, prune=wanted.prune)
    _tell(wanted, files, applied, dry_run=False)


def _read(wanted: _Wanted) -> "tuple[YamlFiles, dict[str, Any]]":
    import sys

    from cronicorn.cli.yaml_file import locating
    from cronicorn.cli.yaml_files import read_yaml_files
    from cronicorn.domain.plain_json import plain_json

    files = read_yaml_files(wanted.files)
    for name in files.passed_over:
        print(cell(f"Passed over: {name}, which has none of set, jobs and alerts."), file=sys.stderr)
    with locating(files):
        document = plain_json(files.value, "`jobs:`, a list of jobs with their endpoints")
    if wanted.file_set is not None:
        if document.get("set", wanted.file_set) != wanted.file_set:
            from cronicorn.domain.errors import InvalidInputError

            raise InvalidInputError(f"--set says {wanted.file_set!r}, and `set:` of the files {document['set']!r}.")
        document = document | {"set": wanted.file_set}
    return files, document


def _ask(applied: "Applied") -> None:
    """Have somebody at a terminal confirm what is to go. Raises InvalidInputError where nobody is."""
    import sys

    from cronicorn.cli.differences import archived_as_lines
    from cronicorn.domain.errors import InvalidInputError

    lines = list(archived_as_lines(applied))
    if not lines:
        return
    print("\n".join(map(cell, lines)), file=sys.stderr)
    if not sys.stdin.isatty():
        raise InvalidInputError(
            "Nothing was applied: --prune would archive or remove these; say --yes where nobody can be asked."
        )
    typer.confirm("Archive or remove them?", abort=True, err=True)


def _tell(wanted: _Wanted, files: "YamlFiles", applied: "Applied", *, dry_run: bool) -> None:
    import sys

    from cronicorn.cli.differences import applied_as_json, applied_as_lines

    for warning in applied.warnings:
        print(harmless(f"Warning: {files.located(warning)}"), file=sys.stderr)
    if wanted.as_json:
        print_json(applied_as_json(applied, dry_run=dry_run))
    else:
        print("\n".join(map(cell, applied_as_lines(applied, dry_run=dry_run, force=wanted.force))))
