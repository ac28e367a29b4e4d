"""`cronicorn scheduler`: processes that run what is due, without an API."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption

if TYPE_CHECKING:
    from cronicorn.wiring.process import Started


def scheduler(
    *,
    processes: Annotated[
        int, typer.Option(min=1, max=256, help="So many processes, watched and replaced by this one.")
    ] = 1,
    metrics_port: Annotated[
        int | None,
        typer.Option(help="Where it can be watched, instead of CRONICORN_METRICS_PORT; the next process one further."),
    ] = None,
    database: DatabaseOption = None,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="Take orders on stdin and stop at its end: how a parent starts it.")
    ] = False,
) -> None:
    """Run what is due until interrupted, beside any number of other processes on the same database.

    The first Ctrl-C (or SIGTERM) lets calls in progress finish; the second stops at once.

    The API is another process: `cronicorn api`.

    Example: cronicorn scheduler --processes 4 --metrics-port 9464
    """
    from cronicorn.cli.local import read_settings, variables
    from cronicorn.wiring.event_loop import run_in_event_loop
    from cronicorn.wiring.logging import configure_logging
    from cronicorn.wiring.process import ProcessRole, serve
    from cronicorn.wiring.supervisor import supervise

    settings = read_settings(database_url=database, metrics_port=metrics_port)
    configure_logging(settings.log_level, settings.log_format)
    if processes > 1:
        environ = {**os.environ, **variables(database_url=database, metrics_port=metrics_port)}
        raise SystemExit(run_in_event_loop(supervise(settings, processes, environ, with_parent=with_parent)))
    raise SystemExit(
        run_in_event_loop(serve(settings, tell_metrics_address, ProcessRole.SCHEDULER, with_parent=with_parent))
    )


def tell_metrics_address(started: "Started") -> None:
    """Show where a process that answers nobody can be watched."""
    import sys

    if started.url is not None and sys.stderr.isatty():
        print(f"Metrics are at {started.url}/metrics.", file=sys.stderr)
