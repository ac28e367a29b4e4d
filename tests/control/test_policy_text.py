"""Policies as people write them: every fault on its line, and what is written reads as the same policy."""

from pathlib import Path

import pytest

from cronicorn.control.policy_text import POLICY_CHARACTERS_MAX, read_policy_text, write_part, write_policy_text
from cronicorn.domain.errors import FieldError
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.policy.text import policy_text

EXAMPLES = sorted(Path("examples/policies").glob("*.yaml"))
MERGED = "m0: &m0 {x: 1}\n" + "".join(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}\n" for n in range(1, 30))
"""Every line merges the one before nine times."""
LADDER = Path("examples/policies/escalation-ladder.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_what_is_written_reads_as_the_same_policy(path: Path) -> None:
    policy = read_policy_text(path.read_text(encoding="utf-8")).policy
    assert policy is not None

    again = read_policy_text(write_policy_text(policy))

    assert again.faults == ()
    assert again.policy is not None
    assert policy_text(again.policy) == policy_text(policy)


def test_texts_that_mean_something_to_yaml_stay_texts() -> None:
    hard = [
        "yes",
        "12:30",
        "# no comment",
        "a: b",
        "- x",
        "1e3",
        "'\"",
        "Ünï ☃ 漢",
        "line\nline\n",
        "  x",
        "{",
        "null",
        "2026-01-01",
    ]
    policy = policy_of({
        "version": 1,
        "fields": {"on": {"path": "$.on", "type": "string", "enum": hard[:10]}},
        "rules": [
            {"id": f"r{number}", "why": text, "when": f"on == {text!r}", "action": {"interval": "30s"}}
            for number, text in enumerate(hard) if "\n" not in text
        ],
        "unsupported": hard,
    })  # fmt: skip

    again = read_policy_text(write_policy_text(policy)).policy

    assert again is not None
    assert policy_text(again) == policy_text(policy)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", []),
        (" \n\t\n", []),
        (LADDER.replace("when: err > 5\n", "when: er > 5\n"), [(15, "/rules/0/when")]),
        (LADDER.replace("    until: err < 2\n    for: 2", "    unti: err < 2\n    for: 2"), [(16, "/rules/0/unti")]),
        ("version: 1\nrules:\n  - [\n", [(4, "")]),
        ("version: 1\nrules: []\nversion: 1\n", [(3, "")]),
        ("just words", [(0, "")]),
        ("- a list", [(0, "")]),
        ("version: 1\n", [(1, "/rules")]),
        ('{"version": 2, "rules": []}', [(1, "/version")]),
        ('{\n\t"version": 1}', [(2, "")]),
        ("version: 1\nrules: &a [*a]", [(2, "")]),
        ("version: 1\nrules: " + "[" * 5_000, [(0, "")]),
        ("version: 1\nrules: [{id: \x00}]", [(0, "")]),
        ("x" * (POLICY_CHARACTERS_MAX + 1), [(0, "")]),
        (MERGED, [(7, "")]),
        (MERGED.replace("<<: ", "y: "), [(7, "")]),
        ("version: 1\nrules: []\nmeta: &m {<<: [*m, *m]}", [(3, "")]),
    ],
)  # fmt: skip
def test_each_fault_has_its_line_and_its_pointer(text: str, faults: list[tuple[int, str]]) -> None:
    read = read_policy_text(text)

    assert [(each.line, each.pointer) for each in read.faults] == faults
    assert read.policy is None
    assert read.document is None


def test_a_tab_is_told_to_be_no_indentation() -> None:
    (fault,) = read_policy_text("version: 1\nrules:\n\t- id: x").faults

    assert "indent with blanks" in fault.message


def test_what_is_odd_gets_the_line_that_it_stands_on_in_the_order_of_lines() -> None:
    read = read_policy_text(LADDER)

    placed = read.placed(
        [FieldError(pointer="/rules/3/action", message="b"), FieldError(pointer="/fields/err", message="a")]
    )

    assert [(each.line, LADDER.splitlines()[each.line - 1].split()[0]) for each in placed] == [
        (9, "err:"),
        (36, "action:"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), ("err > 5", "err > 5"), (True, "true"), (30, "30"), ({"interval": "30s"}, "{interval: 30s}"),
        ({"count": 2, "then": {"run": "x"}}, "{count: 2, then: {run: x}}"), (["a", "b"], "[a, b]"),
        ({"why": "x" * 5_000}, "{why: " + "x" * 5_000 + "}"),
    ],
)  # fmt: skip
def test_a_part_is_written_on_one_line(value: object, text: str) -> None:
    assert write_part(value) == text  # type: ignore[arg-type]
