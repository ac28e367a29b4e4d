"""The Python in the documentation runs. The blocks of one page share their names, as a reader would type them."""

from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.docs.markdown import blocks, pages


def examples(page: Path) -> str:
    """The Python of *page* as one program, each block on its own lines so that a traceback points to the page."""
    program: list[str] = []
    for block in blocks(page):
        if block.language == "python":
            program.extend("" for _ in range(block.line - 1 - len(program)))
            program.extend(block.text.splitlines())
    return "\n".join(program)


PAGES = [page for page in pages() if examples(page)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    exec(compile(examples(page), str(page), "exec"), {"__name__": "__main__"})
