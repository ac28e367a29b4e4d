"""Reading the text of a condition: recursive descent over the operators, loosest first, kinds checked on the way."""

from collections.abc import Callable, Mapping
from functools import partial

from cronicorn.domain.condition import advice, checking
from cronicorn.domain.condition.kinds import KNOWN, METHODS, FieldKind
from cronicorn.domain.condition.misreading import MisreadError
from cronicorn.domain.condition.nodes import Constant, FieldRead, Node, Presence, Quote
from cronicorn.domain.condition.tokens import Token, TokenKind, tokens_of

DEPTH_MAX = 24
_RELATIONS = ("==", "!=", "<", "<=", ">", ">=", "in")


def parsed(text: str, fields: Mapping[str, FieldKind]) -> Node:
    """The tree of the condition *text* over *fields*. Raises MisreadError."""
    return _Parser(text, fields).whole()


class _Parser:
    def __init__(self, text: str, fields: Mapping[str, FieldKind]) -> None:
        self._text = text
        self._fields = fields
        self._tokens = tokens_of(text)
        self._index = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._expression()
        if self._next.kind is not TokenKind.END:
            raise MisreadError(self._next.at, advice.no_operator(self._next))
        return checking.whole(node)

    def _expression(self) -> Node:
        begin = self._next.at
        test = self._disjunction()
        if not self._take("?"):
            return test
        yes = self._deeper(self._disjunction)
        self._expect(":")
        no = self._deeper(self._expression)
        return checking.chosen(self._quote(begin), test, yes, no)

    def _disjunction(self) -> Node:
        return self._joined("||", self._conjunction)

    def _conjunction(self) -> Node:
        return self._joined("&&", self._relation)

    def _joined(self, operator: str, operand: Callable[[], Node]) -> Node:
        begin = self._next.at
        operands = [operand()]
        while self._take(operator):
            operands.append(operand())
        return operands[0] if len(operands) == 1 else checking.joined(self._quote(begin), operator, operands)

    def _relation(self) -> Node:
        begin = self._next.at
        node = self._sum()
        operator = self._take(*_RELATIONS)
        if operator is None:
            return node
        if operator.text == "in":
            options = self._options()
            node = checking.chosen_from(self._quote(begin), node, options)
        else:
            right = self._sum()
            node = checking.compared(self._quote(begin), operator.text, node, right)
        if self._next.text in _RELATIONS:
            raise MisreadError(
                self._next.at, "Comparisons do not chain: write 1 < a && a < 5, or put brackets around the first."
            )
        return node

    def _sum(self) -> Node:
        return self._calculated(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._calculated(("*", "/", "%"), self._unary)

    def _calculated(self, operators: tuple[str, ...], operand: Callable[[], Node]) -> Node:
        begin = self._next.at
        first = operand()
        rest: list[tuple[str, Node]] = []
        while operator := self._take(*operators):
            rest.append((operator.text, operand()))
        return checking.calculated(self._quote(begin), first, rest) if rest else first

    def _unary(self) -> Node:
        sign = self._take("!", "-")
        if sign is None:
            return self._member()
        operand = self._deeper(self._unary)
        put = checking.negated if sign.text == "!" else checking.opposite
        return put(self._quote(sign.at), operand)

    def _member(self) -> Node:
        begin = self._next.at
        node = self._primary()
        depth = self._depth
        while self._take("."):
            node = self._deeper(partial(self._method, begin, node))
            self._depth += 1
        self._depth = depth
        return node

    def _method(self, begin: int, target: Node) -> Node:
        name = self._advance()
        if name.kind is not TokenKind.WORD or self._next.text != "(":
            raise MisreadError(name.at, advice.no_member(name))
        if name.text not in METHODS:
            raise MisreadError(name.at, advice.no_method(name.text))
        arguments = self._arguments()
        return checking.called(self._quote(begin), target, name.text, arguments)

    def _arguments(self) -> list[Node]:
        self._expect("(")
        if self._take(")"):
            return []
        arguments = [self._expression()]
        while self._take(","):
            arguments.append(self._expression())
        self._expect(")")
        return arguments

    def _primary(self) -> Node:
        token = self._advance()
        quote = Quote(at=token.at, text=token.text)
        match token.kind:
            case TokenKind.NUMBER:
                return Constant(quote=quote, kind=FieldKind.NUMBER, value=token.value)
            case TokenKind.STRING:
                return Constant(quote=quote, kind=FieldKind.STRING, value=token.value)
            case TokenKind.WORD:
                return self._word(token, quote)
            case TokenKind.SIGN if token.text == "(":
                node = self._deeper(self._expression)
                self._expect(")")
                return node
            case _:
                raise MisreadError(token.at, advice.no_value(token, self._fields))

    def _word(self, token: Token, quote: Quote) -> Node:
        if token.text in {"true", "false"}:
            return Constant(quote=quote, kind=FieldKind.BOOL, value=token.text == "true")
        if self._next.text == "(":
            return self._presence(token)
        return FieldRead(quote=quote, kind=self._kind_of(token), name=token.text)

    def _presence(self, function: Token) -> Node:
        if function.text != KNOWN:
            raise MisreadError(function.at, advice.no_function(function.text))
        self._expect("(")
        field = self._advance()
        if field.kind is not TokenKind.WORD:
            raise MisreadError(field.at, f"{KNOWN}() takes the name of a field, as in {KNOWN}(err).")
        of = self._kind_of(field)
        self._expect(")")
        return Presence(quote=self._quote(function.at), kind=FieldKind.BOOL, name=field.text, of=of)

    def _options(self) -> list[Constant]:
        if not self._take("["):
            raise MisreadError(self._next.at, advice.NO_LIST)
        options = [self._option()]
        while self._take(","):
            options.append(self._option())
        self._expect("]")
        return options

    def _option(self) -> Constant:
        if self._next.text == "]":
            raise MisreadError(self._next.at, "A value is missing before ].")
        node = self._unary()
        if not isinstance(node, Constant):
            raise MisreadError(node.quote.at, advice.no_option(node.quote.text))
        return node

    def _kind_of(self, field: Token) -> FieldKind:
        kind = self._fields.get(field.text)
        if kind is None:
            raise MisreadError(field.at, advice.unknown_field(field.text, self._fields))
        return kind

    @property
    def _next(self) -> Token:
        return self._tokens[self._index]

    def _advance(self) -> Token:
        """The next token, which is gone past unless it is the end."""
        token = self._next
        self._index += token.kind is not TokenKind.END
        return token

    def _take(self, *texts: str) -> Token | None:
        return self._advance() if self._next.text in texts else None

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise MisreadError(self._next.at, advice.missing(text, self._next))

    def _quote(self, begin: int) -> Quote:
        return Quote(at=begin, text=self._text[begin : self._tokens[self._index - 1].end])

    def _deeper(self, read: Callable[[], Node]) -> Node:
        if self._depth >= DEPTH_MAX:
            raise MisreadError(
                self._next.at, f"A condition nests at most {DEPTH_MAX} deep; make it flatter, or several rules of it."
            )
        self._depth += 1
        node = read()
        self._depth -= 1
        return node
