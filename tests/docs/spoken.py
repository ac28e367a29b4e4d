"""Commands in the sentences of pages, as the real command line understands them."""

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from typer._click.exceptions import BadOptionUsage, ClickException, MissingParameter, NoArgsIsHelpError
from typer.main import get_command

from cronicorn.cli.main import app

_PLACEHOLDER = re.compile(r"[A-Z_]+(?:/[A-Z_]+)?|\.\.\.|…")
_IN_VAIN = {"--help", "--version"}
_COMMANDS: Any = get_command(app)
_FOR_THE_SHELL = {"|", "<", ">", ">>", "&&", "||", "<<<"}


def mistake_in(spoken: str) -> str:
    """What `cronicorn` would say against the command *spoken*; nothing where it would not.

    A word in capitals stands for something, `show|diff` for each of both, and what is needed may be left out.
    """
    return next((mistake for words in _meant(spoken) if (mistake := _mistake(words))), "")


def _meant(spoken: str) -> Iterator[Sequence[str]]:
    words = shlex.split(re.sub(r"(?<=\w)\|(?=\w)", ",or,", spoken))
    end = next((number for number, word in enumerate(words) if word in _FOR_THE_SHELL), len(words))
    return product(*(word.split(",or,") for word in words[1:end]))


def _mistake(words: Sequence[str]) -> str:
    command = _COMMANDS
    context = command.context_class(command, info_name="cronicorn")
    rest = list(words)
    try:
        while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
            if _PLACEHOLDER.fullmatch(rest[0]):
                return ""
            name, command, rest = command.resolve_command(context, rest)
            if command is None:
                return f"{name} is no command"
            context = command.context_class(command, info_name=name, parent=context)
        _, over, _ = command.make_parser(context).parse_args(list(rest))
        if over:
            return f"{over[0]} is too much"
        if not _IN_VAIN & {*rest} and not any(map(_PLACEHOLDER.fullmatch, rest)):
            command.make_context(context.info_name, rest)
    except (MissingParameter, NoArgsIsHelpError, BadOptionUsage):
        return ""
    except ClickException as error:
        return f"{error!r}"
    return ""
