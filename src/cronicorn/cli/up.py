"""`cronicorn up`: the API and a scheduler in one process."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption

if TYPE_CHECKING:
    from cronicorn.wiring.process import Started


def up(
    *,
    host: Annotated[str | None, typer.Option(help="The address to listen on, instead of CRONICORN_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="The port, instead of CRONICORN_PORT; 0 picks a free one.")] = None,
    database: DatabaseOption = None,
) -> None:
    """Run the API and a scheduler until interrupted.

    The first Ctrl-C (or SIGTERM) lets calls in progress finish; the second stops at once.

    Examples: cronicorn up · cronicorn up --port 8080 --database sqlite:cronicorn.db
    """
    from cronicorn.cli.local import read_settings
    from cronicorn.wiring.event_loop import run_in_event_loop
    from cronicorn.wiring.logging import configure_logging
    from cronicorn.wiring.process import serve

    settings = read_settings(host=host, port=port, database_url=database)
    configure_logging(settings.log_level, settings.log_format)
    raise SystemExit(run_in_event_loop(serve(settings, tell_address)))


def tell_address(started: "Started") -> None:
    """Show what a person should know now that a process listens."""
    import sys

    from cronicorn.cli.local import show_first

    if started.first is not None:
        show_first(started.first, started.link)
    if sys.stderr.isatty():
        print(
            f"Cronicorn listens on {started.url}: pages for people, and the API, described at /docs.", file=sys.stderr
        )
