"""Options of a command line, as curl and wget read theirs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cronicorn.cli.conversion.shell_line import NotConvertibleError


class Option(NamedTuple):
    """What an option means to us: one of a few words."""

    meaning: str
    takes: bool
    """Whether a value follows."""


class Options(NamedTuple):
    """The options of a command."""

    short: Mapping[str, Option]
    long: Mapping[str, Option]


def options(table: str) -> Options:
    """Read a *table* of lines `meaning | X= long= other`: one letter is a short name, `=` says that a value follows."""
    short: dict[str, Option] = {}
    long: dict[str, Option] = {}
    for line in table.strip().splitlines():
        meaning, _, names = line.partition("|")
        for name in names.split():
            bare = name.rstrip("=")
            (short if len(bare) == 1 else long)[bare] = Option(meaning.strip(), name.endswith("="))
    return Options(short, long)


def given(words: Sequence[str], known: Options, *, joined: bool) -> Iterator[tuple[str, str]]:
    """What each of *words* means, with its value; operands mean `url`. With *joined* a long option may hold a `=`.

    Raises NotConvertibleError for an option that is not known, or that misses its value.
    """
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--" and joined:
            yield from (("url", each) for each in waiting)
            return
        if word.startswith("--") and word != "--":
            yield _long(word, waiting, known, joined=joined)
        elif word.startswith("-") and len(word) > 1:
            yield from _short(word, waiting, known)
        else:
            yield "url", word


def _long(word: str, waiting: list[str], known: Options, *, joined: bool) -> tuple[str, str]:
    name, equals, value = word[2:].partition("=") if joined else (word[2:], "", "")
    option = known.long.get(name)
    if option is None:
        raise NotConvertibleError(f"Its option --{name.partition('=')[0]} is not known here.")
    if option.takes and not equals:
        value = _next(waiting, f"--{name}")
    return option.meaning, value


def _short(word: str, waiting: list[str], known: Options) -> Iterator[tuple[str, str]]:
    for place, letter in enumerate(word[1:], 1):
        option = known.short.get(letter)
        if option is None:
            raise NotConvertibleError(f"Its option -{letter} is not known here.")
        if option.takes:
            yield option.meaning, word[place + 1 :] or _next(waiting, f"-{letter}")
            return
        yield option.meaning, ""


def _next(waiting: list[str], name: str) -> str:
    if not waiting:
        raise NotConvertibleError(f"Its option {name} misses a value.")
    return waiting.pop(0)
