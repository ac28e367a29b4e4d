"""Texts that a rule compares a field with and that the field was declared never to have."""

from collections.abc import Iterator

from cronicorn.domain.condition.nodes import Comparison, Constant, FieldRead, Membership, Node
from cronicorn.domain.nearest import nearest
from cronicorn.domain.policy.document_part import PolicyProblem
from cronicorn.domain.policy.policy import Policy, PolicyField


def undeclared_texts(policy: Policy) -> Iterator[PolicyProblem]:
    """What the conditions of *policy* wait for in vain, as far as the `enum` of a field tells, each with its place."""
    fields = {field.name: field for field in policy.fields if field.enum}
    for number, rule in enumerate(policy.rules):
        conditions = {"when": rule.when}
        if rule.until != rule.when.negated():
            conditions["until"] = rule.until
        for key, condition in conditions.items():
            for name, text in _compared(condition.root):
                if name in fields and text not in fields[name].enum:
                    yield PolicyProblem(f"/rules/{number}/{key}", _sentence(fields[name], text))


def _compared(node: Node) -> Iterator[tuple[str, str]]:
    """Each field that *node* compares with a fixed text, and that text."""
    match node:
        case Comparison(left=FieldRead(name=name), right=Constant(value=str(text))):
            yield name, text
        case Comparison(left=Constant(value=str(text)), right=FieldRead(name=name)):
            yield name, text
        case Membership(operand=FieldRead(name=name), options=options):
            yield from ((name, option.value) for option in options if isinstance(option.value, str))
        case _:
            for operand in node.operands:
                yield from _compared(operand)


def _sentence(field: PolicyField, text: str) -> str:
    meant = nearest(text, field.enum)
    return f"{field.name} is declared to be one of {', '.join(field.enum)}, and never {text!r}." + (
        f" Did you mean {meant!r}?" if meant else ""
    )
