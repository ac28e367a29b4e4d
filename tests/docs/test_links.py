"""Links inside the documentation lead somewhere."""

from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.docs.markdown import DOCS, anchors, links, pages


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_internal_link_resolves(page) -> None:
    broken = [link for link in links(page) if "://" not in link and not _resolves(page, link)]

    assert broken == []


def test_every_page_is_linked_from_another() -> None:
    linked = {(page.parent / link.partition("#")[0]).resolve() for page in pages() for link in links(page)}

    assert [page.relative_to(ROOT) for page in DOCS.rglob("*.md") if page.resolve() not in linked] == []


def test_a_link_to_nowhere_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here\n", encoding="utf-8")

    assert _resolves(page, "#here")
    assert not _resolves(page, "#there")
    assert not _resolves(page, "missing.md")


def _resolves(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))
