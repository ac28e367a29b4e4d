"""What to say of a condition that stops making sense at some word."""

from collections.abc import Iterable

from cronicorn.domain.condition.kinds import KNOWN, METHODS, RESERVED
from cronicorn.domain.condition.tokens import Token, TokenKind
from cronicorn.domain.nearest import nearest

NO_LIST = "A list of values follows `in`, as in status in ['a', 'b']."

_OPERATORS = {
    "and": "&&", "or": "||", "not": "!", "is": "==", "equals": "==", "eq": "==", "ne": "!=", "gt": ">", "gte": ">=",
    "ge": ">=", "lt": "<", "lte": "<=", "le": "<=", "mod": "%",
}  # fmt: skip
_ABSENT = {"null", "none", "nil", "undefined"}
_NAMES_SHOWN = 10


def no_value(token: Token, fields: Iterable[str]) -> str:
    """Why *token* does not stand for a value."""
    if token.kind is TokenKind.END:
        return "The condition ends where a value should follow."
    if token.kind is TokenKind.WORD:
        return unknown_field(token.text, fields)
    if token.text == "[":
        return NO_LIST
    return f"A field, a number or a string should stand here, not {token.text}."


def unknown_field(name: str, fields: Iterable[str]) -> str:
    """Why *name* is no field, and what may have been meant."""
    told = _foreign(name) or _out_of_place(name)
    if told is not None:
        return told
    meant = nearest(name, fields)
    return f"No field is called {name}; " + (f"did you mean {meant}?" if meant else _declared(sorted(fields)))


def _foreign(name: str) -> str | None:
    """What other languages write as *name*."""
    lower = name.lower()
    if lower in _OPERATORS:
        return f"{name} is written {_OPERATORS[lower]}."
    if lower in {"true", "false"}:
        return f"{name} is written {lower}."
    if lower in _ABSENT:
        return f"There is no {name}; ask {KNOWN}(field) whether a value is there."
    return None


def _out_of_place(name: str) -> str | None:
    """Where *name*, a word of conditions, belongs."""
    if name == KNOWN:
        return f"Brackets follow {KNOWN}, as in {KNOWN}(err)."
    if name in METHODS:
        return f"{name} follows a string, as in status.{_example(name)}."
    return f"{name} is a reserved word." if name in RESERVED else None


def no_function(name: str) -> str:
    """Why *name* cannot be called like a function."""
    if name in METHODS or name.lower() in _OPERATORS:
        return unknown_field(name, ())
    return f"There is no function {name}; the only one is {KNOWN}(field), which asks whether a value is there."


def no_method(name: str) -> str:
    """Why there is no method *name*."""
    meant = nearest(name, METHODS)
    offered = f"did you mean {meant}?" if meant else f"there are {', '.join(METHODS[:-1])} and {METHODS[-1]}."
    return f"There is no method {name}; {offered}"


def no_member(token: Token) -> str:
    """Why nothing follows a full stop but the call of a method."""
    if token.text in METHODS:
        return f"Brackets follow a method, as in status.{_example(token.text)}."
    return "A field has no members; declare a field with the path of the value."


def no_option(text: str) -> str:
    """Why *text* is no value of a list."""
    return f"A list holds fixed values only; for {text} write == and ||."


def no_operator(token: Token) -> str:
    """Why the condition cannot go on with *token* after a value."""
    operator = _OPERATORS.get(token.text.lower())
    if operator == "!":
        return "`not in` is written !(status in ['a', 'b'])."
    if operator is not None:
        return f"{token.text} is written {operator}."
    if token.text == "[":
        return "Nothing is taken out of lists here; declare a field with the path of the value."
    if token.text == ",":
        return "A comma stands between the values of a list only; a number has none."
    if token.text in {")", "]"}:
        return f"Nothing was opened that this {token.text} closes."
    return f"An operator such as &&, || or > should stand before {token.text}."


def missing(text: str, token: Token) -> str:
    """Why *token* should have been *text*."""
    if token.kind is TokenKind.WORD and token.text.lower() in _OPERATORS:
        return no_operator(token)
    return f"A {text} is missing " + ("at the end." if token.kind is TokenKind.END else f"before {token.text}.")


def _example(method: str) -> str:
    return f"{method}()" if method == "lowerAscii" else f"{method}('a')"


def _declared(names: list[str]) -> str:
    if not names:
        return "none is declared."
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"declared are {shown} and others." if len(names) > _NAMES_SHOWN else f"declared are {shown}."
