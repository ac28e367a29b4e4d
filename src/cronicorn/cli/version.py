"""`cronicorn version`."""

from typing import Annotated

import typer


def version(as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Show the version.

    Example: cronicorn version --json
    """
    import json
    from importlib.metadata import version as version_of

    found = version_of("cronicorn")
    print(json.dumps({"version": found}) if as_json else f"cronicorn {found}")
