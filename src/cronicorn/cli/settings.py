"""`cronicorn settings`: every setting, what it means and what it is now."""

from typing import Annotated

import typer

from cronicorn.cli.showing import print_json


def settings(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list with one object for each setting.")] = False,
) -> None:
    """List all settings with their defaults and the values now in force; secrets are masked.

    Example: cronicorn settings --json
    """
    import os

    from cronicorn.wiring.settings import Settings, shown_settings
    from cronicorn.wiring.settings_table import SETTINGS

    values = shown_settings(Settings.from_env(os.environ))
    rows = [
        {
            "name": setting.name,
            "value": values[setting.field],
            "default": setting.default,
            "set": any(os.environ.get(name, "").strip() for name in setting.names),
            "unit": setting.unit,
            "meaning": setting.meaning,
        }
        for setting in SETTINGS
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        default = "" if row["set"] else " (default)"
        print(f"{row['name']}={row['value']}{default}\n    {row['meaning']}")
