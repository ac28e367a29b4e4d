"""How help lists commands: under headings, each with the whole of its first sentence."""

from collections.abc import Iterable, Mapping
from typing import Any

from typer.core import TyperGroup

HEADINGS = {
    "Run it": "up scheduler planner api mcp demo",
    "Jobs, endpoints and runs": "job endpoint run runs tail explain calendar",
    "How it goes": "top doctor workers alert audit quota leases",
    "Files": "apply diff export import schema convert",
    "Rules and planning": "policy backtest analyses simulate next plan",
    "Tenants, people, keys and secrets": "tenant member key secret signing-key master-key",
    "The database": "backup restore copy migrate verify",
    "This command": "settings profile completion version",
}
"""The commands under each, in the order of help. A test holds that there is no other."""
_SENTENCE_MAX = 200
"""Help of a command is told to the end of its first sentence, over as many lines as that takes."""


class WholeSentences(TyperGroup):
    """A group of commands whose help lists each with the whole of its first sentence."""

    def headings(self) -> Mapping[str, Iterable[str]]:
        """The commands that are listed, under their headings."""
        return {"Commands": [name for name, command in self.commands.items() if not command.hidden]}

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the lists; the left columns of all are equally wide."""
        width = max(map(len, self.list_commands(ctx)))
        for heading, names in self.headings().items():
            told = [(name.ljust(width), self.commands[name].get_short_help_str(_SENTENCE_MAX)) for name in names]
            with formatter.section(heading):
                formatter.write_dl(told)


class CommandsUnderHeadings(WholeSentences):
    """The commands of `cronicorn`, under HEADINGS."""

    def headings(self) -> Mapping[str, Iterable[str]]:
        return {heading: names.split() for heading, names in HEADINGS.items()}
