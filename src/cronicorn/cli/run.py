"""`cronicorn run`: one run, whether it waits, goes on or has ended."""

from typing import Annotated

import typer

from cronicorn.cli.local import run
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.runs import runs
from cronicorn.cli.showing import JsonOption, print_fields, print_json

app = typer.Typer(help="Show and cancel runs; `cronicorn endpoint run` makes one.", no_args_is_help=True)
app.command("list")(runs)

_Run = Annotated[str, typer.Argument(metavar="RUN", help="Its id, as `cronicorn runs --json` shows it.")]


@app.command("show")
@at_place
def show(run_id: _Run, *, as_json: JsonOption = False, place: Place) -> None:
    """Show a run: how it went, what it was answered, and why it was made then.

    Example: cronicorn run show run_0123abcd --json
    """
    run(_show(place, run_id, as_json=as_json))


@app.command("cancel")
@at_place
def cancel(run_id: _Run, *, as_json: JsonOption = False, place: Place) -> None:
    """Let a run not begin, or stop its call.

    Example: cronicorn run cancel run_0123abcd
    """
    run(_cancel(place, run_id, as_json=as_json))


async def _show(place: Place, run_id: str, *, as_json: bool) -> None:
    from cronicorn.cli.interface import segment

    async with reached(place, to_read=True) as there:
        document = await there.get(f"/runs/{segment(run_id)}")
    (print_json if as_json else print_fields)(document)


async def _cancel(place: Place, run_id: str, *, as_json: bool) -> None:
    from cronicorn.cli.interface import segment

    async with reached(place, to_read=True) as there:
        answer = await there.post(f"/runs/{segment(run_id)}/cancel")
    if as_json:
        print_json(answer)
    elif answer["status"] == "canceled":
        print(f"Run {run_id} is canceled: it had not begun.")
    else:
        print(f"Run {run_id} is to stop; `cronicorn run show {run_id}` tells when it has.")
