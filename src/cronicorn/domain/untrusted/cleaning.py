"""Text without what nobody sees: characters that are invisible to people carry orders to models."""

import re
from unicodedata import normalize

_INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for the tab and the end of a line
    "\xad\u034f\u061c\u180b-\u180f"  # soft hyphen, grapheme joiner, Arabic letter mark, Mongolian selectors
    "\u115f\u1160\u3164\uffa0"  # fillers of Hangul: letters without a shape
    "\u17b4\u17b5\u2800"  # vowels of Khmer without a shape, the empty pattern of Braille
    "\u200b-\u200f\u202a-\u202e"  # zero width, marks and overrides of direction
    "\u2028\u2029\u2060-\u206f"  # separators, word joiner, invisible operators, isolates of direction
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb"  # variation selectors, byte order mark, interlinear notes
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # controls of shorthand and of musical notation
    "\U000e0000-\U000e0fff"  # tags, and more variation selectors
    "\ud800-\udfff"  # halves of pairs, which no encoding carries
    "]+"
)


def invisible_in(text: str) -> str | None:
    """The first character of *text* that nobody sees, as in `U+200B`; None when there is none."""
    found = _INVISIBLE.search(text)
    return f"U+{ord(found[0][0]):04X}" if found is not None else None


def cleaned(text: str) -> str:
    """*text* in the form NFKC (Unicode Annex 15), without characters that have no shape; cleaning it again is idle.

    Emoji fall into their parts, and the end of a line is the newline alone.
    """
    shown = _INVISIBLE.sub("", text)
    return shown if shown.isascii() else _INVISIBLE.sub("", normalize("NFKC", shown))
