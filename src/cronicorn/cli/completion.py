"""`cronicorn completion`: what makes a shell complete commands, options and names."""

from enum import StrEnum
from typing import Annotated

import typer

from cronicorn.cli.local import run
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached

app = typer.Typer(help="Let a shell complete commands, options and names.", no_args_is_help=True)


COMPLETING = "_CRONICORN_COMPLETE"
"""The variable by which a shell asks."""


class ShellWord(StrEnum):
    """A shell that can be told."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


@app.command("show")
def show(shell: Annotated[ShellWord, typer.Argument(help="For which shell.")]) -> None:
    """Print what a shell has to read to complete commands, options, and the names of jobs and endpoints.

    Examples: source <(cronicorn completion show bash) · cronicorn completion show fish >
    ~/.config/fish/completions/cronicorn.fish
    """
    from typer._completion_shared import get_completion_script

    named = {"prog_name": "cronicorn", "complete_var": COMPLETING, "shell": shell.value}
    print(get_completion_script(**named))


@app.command("refresh", hidden=True)
@at_place
def refresh(*, place: Place) -> None:
    """Ask for the names that are completed, and keep them."""
    run(_refresh(place))


async def _refresh(place: Place) -> None:
    from cronicorn.cli.completing import NAMES_MAX, keep_names
    from cronicorn.cli.finding import endpoints_of, jobs_of

    async with reached(place, to_read=True) as there:
        jobs = await jobs_of(there)
        endpoints: list[str] = []
        for job in jobs:
            if len(endpoints) < NAMES_MAX:
                endpoints += [each.name for each in await endpoints_of(there, job) if "archivedAt" not in each.document]
    keep_names(place, [job["name"] for job in jobs], endpoints)
