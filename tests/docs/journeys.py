"""Which test types which pages: nothing but a test that passed says so."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path

from tests.architecture.source import ROOT
from tests.docs.markdown import Block, shell_blocks
from tests.docs.terminal import OPENED, Terminal

JOURNEYS: dict[Callable[..., None], tuple[str | Path, ...]] = {}
"""Tests that type every command of pages, each with the places of its pages in the repository."""


def types_every_command_of(*names: str | Path) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Of a test: it gives every line of the shell blocks of these pages to terminals, or it fails.

    Those count that it opened, or that were opened for it as a fixture; and only text that stands on the page.
    """

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def checked(**given: object) -> None:
            before = len(OPENED)
            test(**given)
            terminals = OPENED[before:] + [each for each in given.values() if isinstance(each, Terminal)]
            typed = {line for terminal in terminals for line in terminal.typed}
            left = [f"{line.page}:{line.line}: {line.text}" for line in printed(*names) if line not in typed]
            assert not left, f"not typed: {''.join(left)}"

        JOURNEYS[checked] = names
        return checked

    return decorate


def printed(*names: str | Path) -> list[Block]:
    """Every line of a shell block of these pages."""
    return [line for name in names for block in shell_blocks(ROOT / name) for line in block.lines]
