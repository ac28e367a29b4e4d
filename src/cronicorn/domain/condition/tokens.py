"""Cutting the text of a condition into words, numbers, strings and signs."""

import re
from dataclasses import dataclass
from enum import StrEnum

from cronicorn.domain.condition.literals import number_written, string_written
from cronicorn.domain.condition.misreading import MisreadError


class TokenKind(StrEnum):
    NUMBER = "number"
    STRING = "string"
    WORD = "word"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """`text` as it was written; `value` is what a number or a string means."""

    kind: TokenKind
    at: int
    text: str
    value: float | str = ""

    @property
    def end(self) -> int:
        return self.at + len(self.text)


_BLANK = re.compile(r"[ \t\n\f\r]*")
_NUMBER = re.compile(r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?P<tail>[A-Za-z0-9_.]*)", re.ASCII)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_STRING = re.compile(r""""(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*'""", re.DOTALL)
_MISTAKE = re.compile(r"===|!==|=>|=<|<>|\*\*|//|=(?!=)|&(?!&)|\|(?!\|)|[“”„‘’;#{}^~@$`]|[≤≥≠×÷−–]")
_SIGN = re.compile(r"&&|\|\||==|!=|<=|>=|[-+*/%<>!?:()\[\],.]")
_MEANT = {
    "===": "==", "=": "==", "!==": "!=", "<>": "!=", "≠": "!=", "=>": ">=", "≥": ">=", "=<": "<=", "≤": "<=",
    "&": "&&", "|": "||", "×": "*", "÷": "/", "−": "-", "–": "-",
}  # fmt: skip


def tokens_of(text: str) -> list[Token]:
    """*text* in tokens, the last of them an END. Raises MisreadError."""
    tokens: list[Token] = []
    at = _end_of_blank(text, 0)
    while at < len(text):
        tokens.append(_token(text, at))
        at = _end_of_blank(text, tokens[-1].end)
    return [*tokens, Token(kind=TokenKind.END, at=len(text), text="")]


def _end_of_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return at if match is None else match.end()


def _token(text: str, at: int) -> Token:
    if match := _WORD.match(text, at):
        return Token(kind=TokenKind.WORD, at=at, text=match[0])
    if match := _NUMBER.match(text, at):
        return Token(kind=TokenKind.NUMBER, at=at, text=match[0], value=number_written(match[0], match["tail"], at))
    if match := _STRING.match(text, at):
        return Token(kind=TokenKind.STRING, at=at, text=match[0], value=string_written(match[0], at))
    if match := _MISTAKE.match(text, at):
        raise MisreadError(at, _advice(match[0]))
    if match := _SIGN.match(text, at):
        return Token(kind=TokenKind.SIGN, at=at, text=match[0])
    if text[at] in "\"'":
        raise MisreadError(at, "The string that begins here has no closing quote on its line.")
    raise MisreadError(at, f"{text[at]!r} means nothing in a condition.")


def _advice(sign: str) -> str:
    if sign in _MEANT:
        return f"{sign} is no operator; write {_MEANT[sign]}."
    if sign in "“”„‘’`":
        return "Write straight quotes, ' or \"."
    if sign in {"//", "#"}:
        return "A condition holds no comments; take it out."
    if sign == "**":
        return "There is no ** for powers; write the product out, as in a * a."
    return f"{sign} means nothing in a condition."
