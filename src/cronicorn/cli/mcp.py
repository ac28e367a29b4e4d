"""`cronicorn mcp`: tools for an agent, over stdin and stdout."""

from typing import Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run
from cronicorn.cli.place import DEFAULT_TENANT


def mcp(
    *,
    enable_write: Annotated[
        bool, typer.Option("--enable-write", help="Offer tools that change something, too; see CRONICORN_MCP_WRITE.")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Offer none of those, whatever else is asked for.")
    ] = False,
    toolsets: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES", help="observe, steer, policy, admin: which of them, instead of CRONICORN_MCP_TOOLSETS."
        ),
    ] = None,
    exclude_tools: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Tools that are not offered, instead of CRONICORN_MCP_EXCLUDE.")
    ] = None,
    database: DatabaseOption = None,
    tenant: TenantOption = DEFAULT_TENANT,
) -> None:
    """Answer an agent by the Model Context Protocol over stdin and stdout, until it goes away. Needs the extra `mcp`.

    The agent starts this command itself. It acts on the database directly, as whoever runs the command, or for the API
    key in CRONICORN_MCP_KEY. It may only look unless told otherwise.

    Example: cronicorn mcp --enable-write --toolsets observe,policy
    """
    import signal

    from cronicorn.cli.local import read_settings, refuse_profile
    from cronicorn.wiring.agents import serve_agent
    from cronicorn.wiring.logging import configure_logging

    refuse_profile(database)
    settings = read_settings(
        database_url=database, mcp_write="yes" if enable_write else None, mcp_read_only="yes" if read_only else None,
        mcp_toolsets=toolsets, mcp_exclude=exclude_tools,
    )  # fmt: skip
    configure_logging("warning", settings.log_format)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # What waits for stdin is a thread, which nothing else would end.
    run(serve_agent(settings, tenant))
