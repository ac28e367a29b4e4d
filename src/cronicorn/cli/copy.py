"""`cronicorn copy`: a whole installation from one database to another."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import run
from cronicorn.cli.showing import ObjectOption, print_table

if TYPE_CHECKING:
    from cronicorn.control.copying import Copied, TellProgress
    from cronicorn.domain.archive import Table


def copy(
    source: Annotated[str, typer.Option("--from", metavar="URL", help="The database to copy; stop its workers first.")],
    target: Annotated[str, typer.Option("--to", metavar="URL", help="An empty database, or a SQLite file to make.")],
    *,
    drop_leases: Annotated[
        bool,
        typer.Option("--drop-leases", help="Copy although leases live, their workers being dead: slots run again."),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only read the source and show what it holds; the target is not looked at."),
    ] = False,
    as_json: ObjectOption = False,
) -> None:
    """Copy everything from one database to another, in one transaction, and compare the two.

    Tenants, keys, jobs, endpoints with their schedules and fences, runs, skips, drafts and used tokens keep their ids
    and numbers.

    Whatever stops it, the target is empty as before, or whole.

    Example: cronicorn copy --from sqlite:cronicorn.db --to postgresql://cronicorn@db.example/cronicorn
    """
    run(_copy(source, target, drop_leases=drop_leases, dry_run=dry_run, as_json=as_json))


async def _copy(source: str, target: str, *, drop_leases: bool, dry_run: bool, as_json: bool) -> None:
    import sys

    from cronicorn.cli.local import read_settings
    from cronicorn.control.copying import Copier
    from cronicorn.wiring.archives import whole_store

    settings = read_settings(database_option="--from", database_url=source)
    there = read_settings(database_option="--to", database_url=target)
    with progress() as told:
        copier = Copier(source=whole_store(settings).archive, drop_leases=drop_leases, told=told)
        copied = await (copier.weigh() if dry_run else copier.copy_to(whole_store(there).archive))
    show_copied(copied, as_json=as_json, wrote=not dry_run)
    rows = sum(each.count for each in copied)
    done = "would be copied; nothing was written" if dry_run else "copied, counted and compared"
    print(f"{rows} rows {done}: {settings.database_url} to {there.database_url}.", file=sys.stderr)


def show_copied(copied: Sequence["Copied"], *, as_json: bool, wrote: bool = True) -> None:
    """Show what was copied, table by table, or with *wrote* false what would be."""
    rows = [{"table": each.table.value, "rows": each.count, "checksum": each.checksum} for each in copied]
    columns = {"TABLE": "table", "ROWS": "rows", "CHECKSUM": "checksum"}
    print_table(rows, columns, as_json=as_json, whole={"copied": wrote, "tables": rows})


@contextmanager
def progress() -> Iterator["TellProgress"]:
    """A bar for each table on stderr, if a person looks there."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    what = (TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*what, console=console, disable=not console.is_terminal, transient=True) as progress:
        tasks: dict[Table, TaskID] = {}

        def told(table: "Table", done: int, total: int) -> None:
            task = tasks.get(table)
            if task is None:
                task = tasks[table] = progress.add_task(table.value, total=total)
            progress.update(task, completed=done, total=total)

        yield told
