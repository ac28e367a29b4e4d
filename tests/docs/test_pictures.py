"""Pictures of the web app: small, shown, told in words, and of their own folder alone."""

import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.web.browser.pictures import PICTURE_BYTES_MAX, PICTURES

SHOWN = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")


def shown_by(page: Path) -> dict[Path, str]:
    """The pictures that *page* shows, each with the words that stand for it."""
    found = SHOWN.findall(page.read_text(encoding="utf-8"))
    return {(page.parent / path).resolve(): told for told, path in found}


def test_every_picture_is_shown_somewhere_and_told_in_words() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = {path: told for page in pages for path, told in shown_by(page).items()}

    assert {path for path in shown if PICTURES in path.parents} == set(PICTURES.iterdir())
    assert [told for told in shown.values() if len(told.split()) < 5] == []
    assert len(shown_by(ROOT / "README.md")) >= 2


@pytest.mark.parametrize("picture", sorted(PICTURES.iterdir()), ids=lambda picture: picture.name)
def test_a_picture_is_small(picture: Path) -> None:
    content = picture.read_bytes()

    assert (content[:4], content[8:12]) == (b"RIFF", b"WEBP")
    assert len(content) <= PICTURE_BYTES_MAX
