"""Every command of the documentation is typed by a test, or at least understood where it stands in a sentence."""

import re
from dataclasses import replace
from importlib import import_module

import pytest

from tests.architecture.source import ROOT
from tests.docs.journeys import JOURNEYS, types_every_command_of
from tests.docs.markdown import Block, blocks, inline, pages, shell_blocks
from tests.docs.spoken import mistake_in
from tests.docs.terminal import STAND_INS, Terminal

LANGUAGES = {
    "", "abnf", "go", "http", "json", "python", "shell", "sql", "text", "typescript", "yaml",
}  # fmt: skip
"""Those of blocks. What is to be typed is `shell`; how others are tested is their pages' business."""
TYPED = re.compile(
    rf"^(?:[$#%] +)?(?:sudo +)?(?:cronicorn|cp|curl|git|python|{'|'.join(STAND_INS)}) [\x20-\x7e]*$", re.MULTILINE
)


def journeys():
    """The pages that tests type which pytest finds and never skips by a mark."""
    for folder in ("docs", "examples"):
        for file in (ROOT / "tests" / folder).glob("test_*.py"):
            for name, test in vars(import_module(f"tests.{folder}.{file.stem}")).items():
                marks = {mark.name for mark in getattr(test, "pytestmark", [])}
                if name.startswith("test_") and test in JOURNEYS and not marks & {"skip", "skipif", "xfail"}:
                    yield from JOURNEYS[test]


def test_every_page_with_commands_is_typed_by_a_test():
    assert {str(page.relative_to(ROOT)) for page in pages() if shell_blocks(page)} == set(journeys())


def commands_out_of_place(page):
    """Commands in blocks that no test types, as they are not told to be any."""
    others = [block for block in blocks(page) if block.language in {"", "text"}]
    unknown = [block.text for block in blocks(page) if block.language not in LANGUAGES]
    return unknown + [found for block in others for found in TYPED.findall(block.text)]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_what_is_to_be_typed_is_in_blocks_of_the_shell(page):
    assert commands_out_of_place(page) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_command_in_a_sentence_is_one_that_there_is_with_options_that_there_are(page):
    spoken = [code for code in inline(page) if code.startswith("cronicorn ")]

    assert [(each, mistake) for each in spoken if (mistake := mistake_in(each))] == []


TOLD = re.compile(r"(?<!`)`(cronicorn [^`]+)`(?!`)|<code>(cronicorn [^<]+)</code>|^# +(cronicorn .*)$", re.MULTILINE)
FILLED_IN = re.compile(r"\{[^{}]*\}")


@pytest.mark.parametrize("folder", ["deploy", "examples", "src"])
def test_what_messages_and_comments_tell_to_type_is_a_command_that_there_is(folder):
    files = [file for file in (ROOT / folder).rglob("*") if file.is_file() and file.suffix != ".pyc"]
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    told = [FILLED_IN.sub("NAME", "".join(found)) for text in texts for found in TOLD.findall(text)]

    assert told
    assert [(each, mistake) for each in told if (mistake := mistake_in(each))] == []


PAGE = """# A page

1. First:

   ```shell
   echo one
   echo two
   ```

```shell
cronicorn version
```

```bash
echo three
```

```
pip install cronicorn
 cronicorn api ─┐
```
"""


@pytest.fixture
def planted(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    return page


def test_a_test_that_leaves_a_line_of_its_page_out_fails(planted, tmp_path):
    terminal = Terminal(tmp_path)
    first, last = shell_blocks(planted)

    @types_every_command_of(planted)
    def whole(terminal):
        terminal.type_all([first, last])

    @types_every_command_of(planted)
    def half():
        for block in [*first.lines[:1], last]:
            Terminal(tmp_path / "half").type(block)

    @types_every_command_of(planted)
    def other():
        Terminal(tmp_path / "other").type_all([replace(first, text=first.text.replace("two", "2")), last])

    whole(terminal=terminal)
    for wrong in (half, other):
        with pytest.raises(AssertionError, match=r"page\.md:7: .*echo two"):
            wrong()


def test_a_command_that_fails_is_no_command_that_was_typed(planted, tmp_path):
    terminal = Terminal(tmp_path)

    with pytest.raises(AssertionError, match="explian"):
        terminal.type(Block(planted, "shell", "cronicorn explian\n", 1))
    with (
        pytest.raises(AssertionError, match="CRONICORN_PROT"),
        terminal.running(Block(planted, "shell", "CRONICORN_PROT=1 cronicorn up\n", 1)),
    ):
        pass
    terminal.places["cronicorn up"] = "true"
    with pytest.raises(AssertionError, match="one word"):
        terminal.type("cronicorn up")

    assert terminal.typed == []


def test_commands_that_no_test_would_type_are_found(planted):
    assert commands_out_of_place(planted) == ["echo three\n", "pip install cronicorn"]


@pytest.mark.parametrize(
    ("spoken", "mistake"),
    [
        ("cronicorn explian", "explian"),
        ("cronicorn policy show|dif ENDPOINT", "dif"),
        ("cronicorn scheduler --process N", "--process"),
        ("cronicorn runs --limit many", "valid integer"),
        ("cronicorn version now", "now"),
        ("cronicorn key add|list|revoke", ""),
        ("cronicorn policy show JOB/ENDPOINT", ""),
        ("cronicorn schema > cronicorn.schema.json", ""),
        ("cronicorn --version", ""),
    ],
)
def test_a_mistake_in_a_sentence_is_found(spoken, mistake):
    assert mistake in mistake_in(spoken)
    assert bool(mistake) == bool(mistake_in(spoken))
