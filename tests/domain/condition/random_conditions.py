"""Random conditions, each written twice: in our language and in CEL, with the same brackets or the lack of them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from cronicorn.domain.condition.kinds import FieldKind, Scalar

FIELDS: Mapping[str, FieldKind] = {
    "a": FieldKind.NUMBER, "b": FieldKind.NUMBER, "n": FieldKind.NUMBER, "m": FieldKind.NUMBER,
    "s": FieldKind.STRING, "t": FieldKind.STRING, "p": FieldKind.BOOL, "q": FieldKind.BOOL,
}  # fmt: skip
WHOLE = ("n", "m")
"""Fields that hold whole numbers, the only ones that CEL has a `%` for."""

_NUMBERS = ("0", "1", "2", "5", "5.0", "2.5", ".5", "1e3", "1.5E-3", "1e400", "10", "100")
_DURATIONS = (("90s", "90.0"), ("500ms", "0.5"), ("1h30m", "5400.0"), ("2d", "172800.0"), ("10m", "600.0"))
_STRINGS = (
    "''", '""', "'a'", '"b"', "'ab'", "'AB'", '"B"', "'é'", "'É'", "'😀'", "'\\uffff'", "'\\''", '"\\""', "'\\x41'",
    "'\\101b'", "'a\\tb'", "'\\U0001F600'", '"it\'s"', "'\\\\'", "'&&'", "'//'", "'a && b'",
)  # fmt: skip
_DOUBLES = (0.0, -0.0, 1.0, 2.0, 2.5, 5.0, -3.0, 90.0, 600.0, 1e308, 5e-324, math.inf, -math.inf, math.nan)
# No U+0000: cel_expr_python cuts a string off there when it takes one in.
_TEXTS = ("", "a", "b", "ab", "AB", "A", "é", "É", "😀", "\uffff", "'", '"', "a\tb", "\\", "it's")

# How tightly an expression holds together; an operand that holds looser than its operator asks needs brackets.
_CHOICE, _OR, _AND, _RELATION, _SUM, _PRODUCT, _UNARY, _MEMBER = range(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    ours: str
    cel: str
    tightness: int


Writer: TypeAlias = Callable[[int], Written]


class Author:
    """Writes conditions of every form, and values for their fields."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def condition(self) -> Written:
        return self._flag(self._random.randint(1, 4))

    def values(self, missing: float) -> dict[str, Scalar]:
        """Values for all fields but a share of *missing*."""
        return {name: self._value(name) for name in FIELDS if self._random.random() >= missing}

    def _value(self, name: str) -> Scalar:
        match FIELDS[name]:
            case FieldKind.STRING:
                return self._random.choice(_TEXTS)
            case FieldKind.BOOL:
                return self._random.random() < 0.5
            case FieldKind.NUMBER if name in WHOLE:
                whole = self._random.randint(-7, 7)
                return whole if self._random.random() < 0.5 else float(whole)
            case FieldKind.NUMBER:
                return self._random.choice([*_DOUBLES, 5, 10**400, -(10**400), self._random.uniform(-10, 10)])

    def _flag(self, depth: int) -> Written:
        leaves: list[Writer] = [self._flag_field, self._presence, self._truth]
        nodes: list[Writer] = [
            self._negation, self._conjunction, self._disjunction, self._flag_choice, self._same_flag,
            *(self._number_comparison, self._string_comparison, self._membership, self._question) * 2,
        ]  # fmt: skip
        return self._random.choice(nodes if depth > 0 else leaves)(depth - 1)

    def _number(self, depth: int) -> Written:
        leaves: list[Writer] = [self._number_field, self._number_constant]
        nodes: list[Writer] = [*leaves, self._opposite, self._sum, self._product, self._remainder, self._number_choice]
        return self._random.choice(nodes if depth > 0 else leaves)(depth - 1)

    def _string(self, depth: int) -> Written:
        leaves: list[Writer] = [self._string_field, self._string_constant]
        nodes: list[Writer] = [*leaves, self._lower, self._concatenation, self._string_choice]
        return self._random.choice(nodes if depth > 0 else leaves)(depth - 1)

    def _flag_field(self, depth: int) -> Written:
        return _atom(self._random.choice("pq"))

    def _number_field(self, depth: int) -> Written:
        return _atom(self._random.choice("abnm"))

    def _string_field(self, depth: int) -> Written:
        return _atom(self._random.choice("st"))

    def _presence(self, depth: int) -> Written:
        name = self._random.choice(list(FIELDS))
        return Written(ours=f"known({name})", cel=known(name), tightness=_MEMBER)

    def _truth(self, depth: int) -> Written:
        return _atom(self._random.choice(["true", "false"]))

    def _number_constant(self, depth: int) -> Written:
        if self._random.random() < 0.2:
            ours, cel = self._random.choice(_DURATIONS)
            return Written(ours=ours, cel=cel, tightness=_MEMBER)
        text = self._random.choice(_NUMBERS)
        return Written(ours=text, cel=text if "e" in text.lower() or "." in text else f"{text}.0", tightness=_MEMBER)

    def _string_constant(self, depth: int) -> Written:
        return _atom(self._random.choice(_STRINGS))

    def _negation(self, depth: int) -> Written:
        return self._composed(_UNARY, "!{0}", (self._flag(depth), _UNARY))

    def _opposite(self, depth: int) -> Written:
        return self._composed(_UNARY, "-{0}", (self._number(depth), _UNARY))

    def _conjunction(self, depth: int) -> Written:
        return self._composed(_AND, "{0} && {1}", (self._flag(depth), _AND), (self._flag(depth), _RELATION))

    def _disjunction(self, depth: int) -> Written:
        return self._composed(_OR, "{0} || {1}", (self._flag(depth), _OR), (self._flag(depth), _AND))

    def _same_flag(self, depth: int) -> Written:
        sign = self._random.choice(["==", "!="])
        return self._composed(_RELATION, f"{{0}} {sign} {{1}}", (self._flag(depth), _SUM), (self._flag(depth), _SUM))

    def _number_comparison(self, depth: int) -> Written:
        sign = self._random.choice(["==", "!=", "<", "<=", ">", ">="])
        return self._composed(
            _RELATION, f"{{0}} {sign} {{1}}", (self._number(depth), _SUM), (self._number(depth), _SUM)
        )

    def _string_comparison(self, depth: int) -> Written:
        sign = self._random.choice(["==", "!=", "<", "<=", ">", ">="])
        return self._composed(
            _RELATION, f"{{0}} {sign} {{1}}", (self._string(depth), _SUM), (self._string(depth), _SUM)
        )

    def _membership(self, depth: int) -> Written:
        write, constant = self._random.choice([
            (self._number, self._signed_constant), (self._string, self._string_constant), (self._flag, self._truth),
        ])  # fmt: skip
        options = [(constant(0), _UNARY) for _ in range(self._random.randint(1, 4))]
        listed = ", ".join(f"{{{index}}}" for index in range(1, len(options) + 1))
        return self._composed(_RELATION, f"{{0}} in [{listed}]", (write(depth), _SUM), *options)

    def _signed_constant(self, depth: int) -> Written:
        constant = self._number_constant(depth)
        return constant if self._random.random() < 0.7 else self._composed(_UNARY, "-{0}", (constant, _UNARY))

    def _question(self, depth: int) -> Written:
        method = self._random.choice(["contains", "startsWith", "endsWith"])
        return self._composed(
            _MEMBER, f"{{0}}.{method}({{1}})", (self._string(depth), _MEMBER), (self._string(depth), _CHOICE)
        )

    def _lower(self, depth: int) -> Written:
        return self._composed(_MEMBER, "{0}.lowerAscii()", (self._string(depth), _MEMBER))

    def _concatenation(self, depth: int) -> Written:
        return self._composed(_SUM, "{0} + {1}", (self._string(depth), _SUM), (self._string(depth), _PRODUCT))

    def _sum(self, depth: int) -> Written:
        sign = self._random.choice("+-")
        return self._composed(_SUM, f"{{0}} {sign} {{1}}", (self._number(depth), _SUM), (self._number(depth), _PRODUCT))

    def _product(self, depth: int) -> Written:
        sign = self._random.choice("*/")
        return self._composed(
            _PRODUCT, f"{{0}} {sign} {{1}}", (self._number(depth), _PRODUCT), (self._number(depth), _UNARY)
        )

    def _remainder(self, depth: int) -> Written:
        left, right = (self._random.choice([*WHOLE, "0", "2", "3", "-2", "7"]) for _ in range(2))
        cel = [name if name in WHOLE else f"{name}.0" for name in (left, right)]
        return Written(ours=f"{left} % {right}", cel=f"double(int({cel[0]}) % int({cel[1]}))", tightness=_PRODUCT)

    def _flag_choice(self, depth: int) -> Written:
        return self._choice(depth, self._flag)

    def _number_choice(self, depth: int) -> Written:
        return self._choice(depth, self._number)

    def _string_choice(self, depth: int) -> Written:
        return self._choice(depth, self._string)

    def _choice(self, depth: int, write: Writer) -> Written:
        return self._composed(
            _CHOICE, "{0} ? {1} : {2}", (self._flag(depth), _OR), (write(depth), _OR), (write(depth), _CHOICE)
        )

    def _composed(self, tightness: int, form: str, *operands: tuple[Written, int]) -> Written:
        """*operands* in *form*, each in brackets if it holds looser than the number beside it, or by chance."""
        put = [
            (f"({written.ours})", f"({written.cel})")
            if written.tightness < least or self._random.random() < 0.1
            else (written.ours, written.cel)
            for written, least in operands
        ]
        ours, cel = (form.format(*texts) for texts in zip(*put, strict=True))
        return Written(ours=ours, cel=cel, tightness=tightness)


def known(name: str) -> str:
    """How CEL is told whether a field has a value."""
    return f"known_{name}"


def _atom(text: str) -> Written:
    return Written(ours=text, cel=text, tightness=_MEMBER)
