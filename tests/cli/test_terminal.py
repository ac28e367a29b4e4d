import pytest
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from cronicorn.cli.terminal import console

HOSTILE = "a\x1b[2Jb\x9b2Jc\u202ed\x07e\u2028f"


def _tree(text):
    tree = Tree(Text(text))
    tree.add(text).add(Text(text, style="red"))
    return tree


def _table(text):
    table = Table(text)
    table.add_row(Text(text))
    return table


@pytest.mark.parametrize("made", [Text, str, _tree, _table])
@pytest.mark.parametrize("coloured", ["", "1"])
def test_a_terminal_obeys_no_text_that_is_shown_however_it_is_shown(made, coloured, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", coloured)

    console().print(made(HOSTILE))

    shown = capsys.readouterr().out
    assert "\ufffd[2Jb" in shown
    assert [each for each in ("\x1b[2J", "\x9b", "\u202e", "\x07", "\u2028") if each in shown] == []
    assert "\n" in shown
