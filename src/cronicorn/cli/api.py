"""`cronicorn api`: the API without a scheduler."""

from typing import Annotated

import typer

from cronicorn.cli.local import DatabaseOption


def api(
    *,
    host: Annotated[str | None, typer.Option(help="The address to listen on, instead of CRONICORN_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="The port, instead of CRONICORN_PORT; 0 picks a free one.")] = None,
    database: DatabaseOption = None,
) -> None:
    """Answer requests until interrupted; `cronicorn scheduler` processes on the same database do the work.

    The first Ctrl-C (or SIGTERM) lets requests in progress finish; the second stops at once.

    Example: cronicorn api --host 0.0.0.0 --port 8080
    """
    from cronicorn.cli.local import read_settings
    from cronicorn.cli.up import tell_address
    from cronicorn.wiring.event_loop import run_in_event_loop
    from cronicorn.wiring.logging import configure_logging
    from cronicorn.wiring.process import ProcessRole, serve

    settings = read_settings(host=host, port=port, database_url=database)
    configure_logging(settings.log_level, settings.log_format)
    raise SystemExit(run_in_event_loop(serve(settings, tell_address, ProcessRole.API)))
