"""`cronicorn demo`: a shop's endpoints being called, planned and explained, live."""

import signal
import sys
from typing import Annotated

import typer


def demo(
    seconds: Annotated[float, typer.Option(help="How long the story takes: 12 to 3600, divided by --speed.")] = 120.0,
    speed: Annotated[float, typer.Option(help="Tell it so many times as fast.")] = 1.0,
    plain: Annotated[
        bool, typer.Option("--plain", help="Lines instead of a live picture, also in a terminal.")
    ] = False,
) -> None:
    """Watch a small shop go through a flash sale and a failure, and what the scheduler makes of it.

    Starts the shop and `cronicorn up` on a database of their own, ends by itself, and leaves nothing behind.

    Examples: cronicorn demo · cronicorn demo --seconds 60 --plain
    """
    from rich.console import Console

    from cronicorn.cli.demonstration.performance import perform
    from cronicorn.cli.demonstration.story import SECONDS_MAX, SECONDS_MIN, Story
    from cronicorn.wiring.timekeeping import system_clock

    length = seconds / speed if speed > 0 else 0.0
    if not SECONDS_MIN <= length <= SECONDS_MAX:
        made = (
            f"; --seconds {seconds:g} / --speed {speed:g} is {length:g}, and that counts" if speed not in {0, 1} else ""
        )
        raise typer.BadParameter(f"the story takes from {SECONDS_MIN:.0f} to {SECONDS_MAX:.0f} seconds{made}")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    console = Console(highlight=False)
    live = console.is_terminal and not plain
    raise SystemExit(perform(Story(length), console, system_clock().now, live=live))
