"""`cronicorn planner`: the asking of the model, in a process of its own."""

from typing import Annotated

import typer

from cronicorn.cli.local import DatabaseOption


def planner(
    *,
    metrics_port: Annotated[
        int | None, typer.Option(help="Where it can be watched, instead of CRONICORN_METRICS_PORT.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Ask the model about what is new, until interrupted, beside any number of other processes on the same database.

    Needs CRONICORN_AI_MODEL. `cronicorn up` asks, too, when that is set; planners share the work.

    Example: cronicorn planner --metrics-port 9464
    """
    from cronicorn.cli.local import read_settings
    from cronicorn.cli.scheduler import tell_metrics_address
    from cronicorn.wiring.event_loop import run_in_event_loop
    from cronicorn.wiring.logging import configure_logging
    from cronicorn.wiring.process import ProcessRole, serve

    settings = read_settings(database_url=database, metrics_port=metrics_port)
    configure_logging(settings.log_level, settings.log_format)
    raise SystemExit(run_in_event_loop(serve(settings, tell_metrics_address, ProcessRole.PLANNER)))
