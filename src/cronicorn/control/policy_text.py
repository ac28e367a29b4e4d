"""Policies as people write them, YAML or JSON: read with every fault on its line, and written."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from cronicorn.control.findings import invalid
from cronicorn.control.yaml_text import YamlText, YamlTextError
from cronicorn.domain.errors import FieldError, InvalidInputError
from cronicorn.domain.json_body import Json
from cronicorn.domain.plain_json import plain_json
from cronicorn.domain.policy.document_part import PolicyError
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.policy.text import policy_document
from cronicorn.domain.sentence import as_sentence

BEGINNING = "`version: 1`, `fields` and `rules`"
POLICY_CHARACTERS_MAX = 65_536
"""Of a text that is typed; files and documents may be longer."""
_WIDTH = 110
_UNBROKEN = 1 << 20
_BRACKETS = re.compile(r"(?:\[\s*){64}")
"""Seconds would go by before a parser finds these to be too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFault:
    """What is wrong, or only odd, with a text, and where."""

    line: int
    """From 1; 0 for the whole."""
    pointer: str
    """JSON Pointer into the policy; empty for the whole."""
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyText:
    """A text, and what it says."""

    text: str
    policy: Policy | None = None
    """None for an empty text, and for one with faults."""
    faults: tuple[PolicyFault, ...] = ()
    read: YamlText | None = None

    @property
    def document(self) -> dict[str, Json] | None:
        """The policy as the control plane takes it; None for none."""
        return None if self.policy is None else policy_document(self.policy)

    def placed(self, found: Iterable[FieldError]) -> tuple[PolicyFault, ...]:
        """*found*, whose pointers lead into the policy, each with its line, in their order."""
        faults = [
            PolicyFault(
                line=self.read.line_of(each.pointer) if self.read is not None and each.pointer else 0,
                pointer=each.pointer,
                message=each.message,
            )
            for each in found
        ]  # fmt: skip
        return tuple(sorted(faults, key=lambda each: each.line))


def policy_in(value: object) -> Policy:
    """The policy that a *value* of YAML or JSON writes. Raises InvalidInputError with all faults in its fields."""
    try:
        return policy_of(plain_json(value, BEGINNING))
    except PolicyError as error:
        raise invalid(
            tuple(FieldError(pointer=each.pointer, message=each.problem) for each in error.problems)
        ) from None


def read_policy_text(text: str) -> PolicyText:
    """What *text* says, nothing for blanks; of one with faults each with its line."""
    if not text.strip():
        return PolicyText(text=text)
    if len(text) > POLICY_CHARACTERS_MAX:
        told = f"Longer than {POLICY_CHARACTERS_MAX:,} characters; say it shorter."
        return PolicyText(text=text, faults=(PolicyFault(line=0, pointer="", message=told),))
    if _BRACKETS.search(text):
        return PolicyText(text=text, faults=(PolicyFault(line=0, pointer="", message="Nested too deeply."),))
    try:
        read = YamlText(text)
    except YamlTextError as fault:
        return PolicyText(text=text, faults=(PolicyFault(line=fault.line, pointer="", message=as_sentence(fault.why)),))
    unread = PolicyText(text=text, read=read)
    try:
        return PolicyText(text=text, policy=policy_in(read.value), read=read)
    except InvalidInputError as error:
        return PolicyText(text=text, read=read, faults=unread.placed(error.fields))


def write_policy_text(policy: Policy | None) -> str:
    """*policy* as YAML that reads as the same one; empty for none."""
    if policy is None:
        return ""
    document = policy_document(policy)
    written: str = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=_WIDTH
    )
    return written


def write_part(value: Json) -> str:
    """A part of a policy on one line, as it stands in one; empty for none."""
    if isinstance(value, str) or value is None:
        return value or ""
    if not isinstance(value, dict | list):
        return json.dumps(value)
    written: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=True, width=_UNBROKEN)
    return written.rstrip("\n")


class _Dumper(yaml.SafeDumper):
    """Indents what is in a list, as the examples do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002 - as it is called
        super().increase_indent(flow, False)  # noqa: FBT003
