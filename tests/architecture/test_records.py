"""The changelog and the decision records keep their order."""

import re
from collections import Counter
from collections.abc import Iterable

import pytest

from tests.architecture.source import ROOT

_HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
_RELEASE = re.compile(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})")
_RECORD = re.compile(r"(\d{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.md")


def changelog_faults(text: str) -> list[str]:
    """A changelog that does not begin with Unreleased, or whose releases do not descend."""
    first, *releases = _HEADING.findall(text) or [""]
    faults = [] if first == "[Unreleased]" else ["the first section is not [Unreleased]"]
    matches = [_RELEASE.fullmatch(release) for release in releases]
    faults += [
        f"{release} is not '[1.2.3] - 2026-01-31'"
        for release, match in zip(releases, matches, strict=True)
        if not match
    ]
    versions = [tuple(map(int, match.group(1, 2, 3))) for match in matches if match]
    if versions != sorted(set(versions), reverse=True):
        faults.append("versions do not descend")
    return faults


def record_faults(names: Iterable[str]) -> list[str]:
    """Decision records whose name is not `0001-some-title.md` or whose number is taken."""
    names = sorted(names)
    matches = {name: _RECORD.fullmatch(name) for name in names}
    numbers = Counter(match[1] for match in matches.values() if match)
    return [f"{name} is not named 0001-some-title.md" for name, match in matches.items() if not match] + [
        f"{number} is used {count} times" for number, count in numbers.items() if count > 1
    ]


def test_the_changelog_is_in_order() -> None:
    assert changelog_faults((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")) == []


def test_every_decision_record_has_a_number_of_its_own() -> None:
    records = [path.name for path in (ROOT / "docs" / "decisions").glob("*.md")]

    assert records
    assert record_faults(records) == []


def test_a_sound_changelog_passes() -> None:
    assert changelog_faults("## [Unreleased]\n\n## [0.10.0] - 2026-02-01\n\n## [0.9.1] - 2026-01-01\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "# Changelog\n",
        "## [0.1.0] - 2026-01-01\n",
        "## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n\n## [0.2.0] - 2026-02-01\n",
        "## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n\n## [0.1.0] - 2026-01-01\n",
        "## [Unreleased]\n\n## 0.1.0\n",
    ],
)
def test_a_changelog_out_of_order_is_noticed(text: str) -> None:
    assert len(changelog_faults(text)) == 1


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["0001-one.md", "0002-two.md"], 0),
        (["0001-one.md", "0001-two.md"], 1),
        (["one.md"], 1),
        (["0001-One_Two.md"], 1),
    ],
)
def test_a_decision_record_out_of_order_is_noticed(names: list[str], found: int) -> None:
    assert len(record_faults(names)) == found
