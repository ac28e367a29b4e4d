"""What the site of the documentation holds: these pages, the README before them, and whatever else they link to.

MkDocs knows the pages below `docs` alone. The same pages are read in a clone, where links lead to files beside that
folder: such files become pages of the site, and the links are written anew.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

_ROOT = Path(__file__).parent.parent
_HOME = "README.md"
_LINK = re.compile(r"(?<=\]\()(?P<to>[^()\s#:]+)(?=[#)])")
_FROM_ELSEWHERE = "https://unpkg.com/iframe-worker/shim"
_OF_OUR_OWN = "search_from_files.js"
_SECTIONS = {"How to": "how-to", "Reference": "reference", "Explanation": "explanation", "Decisions": "decisions"}
_BESIDE = {"Changelog": "CHANGELOG.md", "Contributing": "CONTRIBUTING.md", "Benchmarks": "benchmarks/README.md"}


def on_config(config: MkDocsConfig) -> None:
    """Sections in the order in which a reader needs them, each with its pages by their titles."""
    config.nav = [
        {"Home": _in_site(_HOME)},
        {"Quickstart": "quickstart.md"},
        *({name: _section(folder)} for name, folder in _SECTIONS.items()),
        {"Project": [{name: _in_site(path)} for name, path in _BESIDE.items()]},
    ]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add what stands beside `docs` and is linked to, once each."""
    beside = {_HOME, *_BESIDE.values()}
    unread = [_in_clone(page.src_uri) for page in files.documentation_pages()] + sorted(beside)
    while unread:
        path = unread.pop()
        for link in _LINK.findall((_ROOT / path).read_text(encoding="utf-8")):
            found = _leads_to(path, link)
            if found is not None and not found.startswith("docs/") and found not in beside:
                beside |= {found, *_held_by(found)}
                unread += [found] if found.endswith(".md") else []
    for path in sorted(beside):
        listed = (_ROOT / path).is_dir()
        kind = InclusionLevel.INCLUDED if path in {_HOME, *_BESIDE.values()} else InclusionLevel.NOT_IN_NAV
        what = {"content": _listed(path)} if listed else {"abs_src_path": str(_ROOT / path)}
        files.append(File.generated(config, _in_site(path), inclusion=kind, **what))


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """The same page with links that hold in the site."""
    here = page.file.src_uri
    path = _in_clone(here)

    def held(match: re.Match[str]) -> str:
        found = _leads_to(path, match["to"])
        return posixpath.relpath(_in_site(found), posixpath.dirname(here)) if found is not None else match["to"]

    return _LINK.sub(held, markdown)


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """The same page without the one script that would be loaded from elsewhere."""
    here = posixpath.dirname(page.file.dest_uri)
    return output.replace(_FROM_ELSEWHERE, posixpath.relpath(_OF_OUR_OWN, here or "."))


def on_post_template(output_content: str, **_: Any) -> str:
    """As `on_post_page`, of the page that a server shows where there is none."""
    return output_content.replace(_FROM_ELSEWHERE, f"/{_OF_OUR_OWN}")


def _section(folder: str) -> list[str]:
    pages = sorted((_ROOT / "docs" / folder).glob("*.md"), key=lambda page: _rank(page, folder))
    return [f"{folder}/{page.name}" for page in pages]


def _rank(page: Path, folder: str) -> str:
    """Decisions stand in the order in which they were made, all others in that of their titles."""
    return page.name if folder == "decisions" else page.read_text(encoding="utf-8").partition("\n")[0].lower()


def _leads_to(path: str, link: str) -> str | None:
    """The file or folder that a *link* of *path* leads to, both as in a clone; None where there is none."""
    found = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
    return found if not found.startswith("..") and (_ROOT / found).exists() else None


def _held_by(folder: str) -> list[str]:
    """The files below *folder*; none where it is a file itself."""
    found = sorted(path.relative_to(_ROOT) for path in (_ROOT / folder).rglob("*") if path.is_file())
    return [path.as_posix() for path in found if not {"__pycache__", ".git"} & set(path.parts)]


def _listed(folder: str) -> str:
    """A page that leads to all that is below *folder*."""
    names = [path.removeprefix(f"{folder}/") for path in _held_by(folder)]
    return "\n".join([f"# {folder}", "", *(f"- [{name}]({name})" for name in names)])


def _in_site(path: str) -> str:
    """Where a file of the clone is in the site."""
    if path == _HOME:
        return "index.md"
    return f"{path}/index.md" if (_ROOT / path).is_dir() else path.removeprefix("docs/")


def _in_clone(uri: str) -> str:
    """Where a file of the site is in the clone."""
    if uri == "index.md":
        return _HOME
    return uri if (_ROOT / uri).is_file() else f"docs/{uri}"
