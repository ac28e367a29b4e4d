"""Read the documentation: pages, fenced blocks, tables and links."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.architecture.source import ROOT

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<marks>```+|~~~+)(?P<language>\S*)[^\n]*\n(?P<text>.*?)^ *(?P=marks)$",
    re.MULTILINE | re.DOTALL,
)
_INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
_MARKED = re.compile(r"<!-- begin (\S+) -->\n(.*?)<!-- end -->", re.DOTALL)
_FIRST_CELL = re.compile(r"^\| `([^`]+)`", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block."""

    page: Path
    language: str
    text: str
    line: int

    @property
    def lines(self) -> list["Block"]:
        """Each line of it as a block of its own, empty ones left out."""
        numbered = enumerate(self.text.splitlines(keepends=True), self.line)
        return [replace(self, text=text, line=line) for line, text in numbered if text.strip()]


def pages() -> list[Path]:
    """Every page a reader may open."""
    beside = [page for folder in ("benchmarks", "deploy", "examples") for page in (ROOT / folder).rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *beside, *DOCS.rglob("*.md")])


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of *page*, in order."""
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        inside = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        yield Block(page, match["language"], inside, text.count("\n", 0, match.start()) + 2)


def shell_blocks(page: Path) -> list[Block]:
    """What *page* tells to type."""
    return [block for block in blocks(page) if block.language == "shell"]


def inline(page: Path) -> list[str]:
    """What stands in backticks in the sentences of *page*, each on one line."""
    return [" ".join(found.split()) for found in _INLINE.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))]


def links(page: Path) -> list[str]:
    """Where the links of *page* lead, code left out."""
    return _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """What may follow `#` in a link to *page*, spelled as code hosts do."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text))
    return set(plain)


def marked(text: str) -> dict[str, str]:
    """The parts of a page that stand between marks, by name."""
    return dict(_MARKED.findall(text))


def with_marked(text: str, parts: dict[str, str]) -> str:
    """The page with *parts* between its marks."""
    return _MARKED.sub(lambda match: f"<!-- begin {match[1]} -->\n{parts[match[1]]}<!-- end -->", text)


def first_cells(text: str) -> list[str]:
    """What stands in backticks at the beginning of each row of a table."""
    return _FIRST_CELL.findall(text)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
