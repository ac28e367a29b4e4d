"""The reference names every command that knows no server, and says why; every other one takes a profile."""

from typing import Any

from typer.main import get_command

from cronicorn.cli.main import app
from tests.docs.markdown import REFERENCE
from tests.docs.reference import commands_in


def options_of(command: Any) -> set[str]:
    return {name for each in command.params for name in each.opts}


def test_the_commands_that_act_on_no_server_are_those_of_the_table() -> None:
    text = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    section = text.partition("\n## Where commands act\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("| `")]
    named = [name for first, _ in rows for name in first.split("`")[1::2]]
    commands = dict(commands_in("cronicorn", get_command(app)))
    local = {path.removeprefix("cronicorn ") for path, each in commands.items() if "--profile" not in options_of(each)}

    assert all(why.strip() for _, why in rows)
    assert {path for path in local if not any(f"{path} ".startswith(f"{name} ") for name in named)} == set()
    assert {name for name in named if not any(f"{path} ".startswith(f"{name} ") for path in local)} == set()
    assert len(commands) - len(local) >= 60
