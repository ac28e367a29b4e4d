"""`cronicorn top`: what goes on, live."""

from signal import SIGTERM
from typing import Annotated

import typer

from cronicorn.cli.local import run
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.showing import JsonOption, print_json

_TERMINATED = 128 + SIGTERM
_EVERY_LEAST_S, _EVERY_MOST_S = 0.5, 3_600


@at_place
def top(
    *,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=_EVERY_LEAST_S, max=_EVERY_MOST_S, help="Look so often.")
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Show it once, and end; so it is where nobody looks.")] = False,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Show workers, incidents, what is called now, what comes next and what ended last, again and again.

    Ctrl-C ends it. Examples: cronicorn top · cronicorn top --profile prod --every 5 · cronicorn top --once --json
    """
    run(_top(place, every, once=once, as_json=as_json))


async def _top(place: Place, every: float, *, once: bool, as_json: bool) -> None:
    import asyncio

    from rich.live import Live

    from cronicorn.cli.terminal import console
    from cronicorn.cli.top_picture import picture, waiting
    from cronicorn.cli.top_sight import look
    from cronicorn.domain.errors import RateExceededError, UnavailableError

    screen = console()
    async with reached(place, to_read=True) as there:
        sight = await look(there)
        if as_json:
            print_json(sight.document())
        elif once or not screen.is_terminal or screen.is_dumb_terminal:
            screen.print(picture(there.where, sight))
        else:
            asyncio.get_running_loop().add_signal_handler(SIGTERM, _leave)
            with Live(picture(there.where, sight), console=screen, screen=True, auto_refresh=False) as live:
                while True:
                    await asyncio.sleep(every)
                    try:
                        sight = await look(there)
                    except (RateExceededError, UnavailableError) as error:
                        live.update(waiting(there.where, sight, str(error)), refresh=True)
                        continue
                    live.update(picture(there.where, sight), refresh=True)


def _leave() -> None:
    """End as whoever stops this process wants it, but give the terminal back as it was."""
    raise SystemExit(_TERMINATED)
