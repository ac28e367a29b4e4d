"""A line of shell as the words of its one command, or the reason why it is more than that.

Only what a line that calls a URL needs of POSIX's shell language (IEEE Std 1003.1, XCU 2) is understood: quotes,
variables, redirections. What would run anything else is refused. Reasons never repeat what stands in the line: it may
be a secret.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_OPERATOR = re.compile(r"\d*(?:>>|>&|>\||>|<<|<&|<)|&>>?|&&|\|\||;;|[|&;()\n]")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_NOWHERE = {"/dev/null", "/dev/stdout", "/dev/stderr"}
_HARMLESS = ({"true"}, {":"})


class NotConvertibleError(Exception):
    """Why something can't be converted, as a sentence without what stands there."""


class Word(NamedTuple):
    """A word of a line."""

    text: str


class Sign(NamedTuple):
    """An operator of a line."""

    text: str


Token = Word | Sign


@dataclass(slots=True)
class ShellLine:
    """What a line calls."""

    words: list[str]
    notes: list[str] = field(default_factory=list)
    """What of it means nothing here, as sentences."""


def shell_line(text: str, variables: Mapping[str, str]) -> ShellLine:
    """The one command of the line *text*, in which the shell knows *variables*. Raises NotConvertibleError."""
    line = ShellLine(words=[])
    commands: list[list[str]] = [[]]
    signs: list[str] = []
    tokens = iter(_Reader(text, variables).tokens())
    for token in tokens:
        if isinstance(token, Word):
            commands[-1].append(token.text)
        elif "<" in token.text:
            raise NotConvertibleError("It reads a file or a here-document, and nothing here has one.")
        elif ">" in token.text:
            _redirected(token.text, tokens, line)
        else:
            signs.append(token.text)
            commands.append([])
    while signs and not commands[-1] and signs[-1] in {";", "\n"}:
        del signs[-1], commands[-1]
    _only_one(signs, commands, line)
    line.words = commands[0]
    return line


def _only_one(signs: Sequence[str], commands: Sequence[Sequence[str]], line: ShellLine) -> None:
    """Refuse all but one command, and what does not matter after it."""
    if not signs:
        return
    if "|" in signs:
        raise NotConvertibleError(
            "Its answer goes through a pipe: say what matters in it with `criteria` or a policy of the endpoint."
        )
    if list(signs) == ["||"] and set(commands[1]) in _HARMLESS:
        line.notes.append("Its failures were passed over (`|| true`); here they count.")
    elif list(signs) == ["&"] and not commands[1]:
        line.notes.append("It ran in the background; every call here does.")
    else:
        raise NotConvertibleError(
            "It runs more than one command, and an endpoint is one call: make each an entry of its own."
        )


def _redirected(sign: str, tokens: Iterator[Token], line: ShellLine) -> None:
    """Take the place that output goes to from the *tokens* that follow."""
    target = next(tokens, None)
    if not isinstance(target, Word):
        raise NotConvertibleError("It is not a line that a shell understands.")
    if target.text not in _NOWHERE and not sign.endswith("&"):
        line.notes.append("Its output went to a file; here what was answered is kept with each run.")


class _Reader:
    """Reads a line character by character."""

    def __init__(self, text: str, variables: Mapping[str, str]) -> None:
        self._text = text
        self._variables = variables
        self._at = 0
        self._word: list[str] | None = None
        self._found: list[Token] = []

    def tokens(self) -> list[Token]:
        """All of them, in their order."""
        while self._at < len(self._text):
            self._step(self._text[self._at])
        self._end_word()
        return self._found

    def _step(self, character: str) -> None:
        if character in " \t":
            self._end_word()
            self._at += 1
        elif character == "#" and self._word is None:
            self._at = len(self._text)
        elif character == "'":
            end = self._text.find("'", self._at + 1)
            if end < 0:
                raise NotConvertibleError("A quote in it is not closed.")
            self._add(self._text[self._at + 1 : end])
            self._at = end + 1
        elif character == '"':
            self._quoted()
        elif character == "\\":
            self._escaped(self._text[self._at + 1 : self._at + 2])
        elif (sign := self._sign()) is not None:
            self._end_word()
            self._found.append(Sign(sign))
            self._at += len(sign)
        else:
            self._plain(character)

    def _sign(self) -> str | None:
        found = _OPERATOR.match(self._text, self._at)
        if found is None or (self._word is not None and found[0][0].isdigit()):
            return None
        return found[0]

    def _quoted(self) -> None:
        self._add("")
        self._at += 1
        while self._at < len(self._text):
            character = self._text[self._at]
            if character == '"':
                self._at += 1
                return
            if character == "\\" and self._text[self._at + 1 : self._at + 2] in {"$", "`", '"', "\\", "\n"}:
                self._escaped(self._text[self._at + 1])
            else:
                self._plain(character)
        raise NotConvertibleError("A quote in it is not closed.")

    def _escaped(self, character: str) -> None:
        """Take *character*, which a backslash is before; an end of a line goes on with the next one."""
        if character != "\n":
            self._add(character)
        self._at += 2

    def _plain(self, character: str) -> None:
        if character == "`" or self._text.startswith("$(", self._at):
            raise NotConvertibleError("It asks another command for a part of it (command substitution).")
        if character == "$" and self._at + 1 < len(self._text) and self._text[self._at + 1] not in ' \t"':
            found = _VARIABLE.match(self._text, self._at)
            if found is None:
                raise NotConvertibleError("It uses a variable in a way that only a shell understands.")
            name = found[1] or found[2]
            if name not in self._variables:
                raise NotConvertibleError(f"It uses the variable {name}, which is not set where it stands.")
            self._add(self._variables[name])
            self._at = found.end()
        else:
            self._add(character)
            self._at += 1

    def _add(self, text: str) -> None:
        self._word = [*(self._word or []), text]

    def _end_word(self) -> None:
        if self._word is not None:
            self._found.append(Word("".join(self._word)))
            self._word = None
