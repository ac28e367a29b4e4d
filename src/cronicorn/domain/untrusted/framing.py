"""A frame around what others wrote, out of which no text can break."""

import re

from cronicorn.domain.untrusted.cleaning import cleaned

_NAME = re.compile(r"[a-z][a-z_]{0,31}")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def framed(name: str, text: str) -> str:
    """*text*, cleaned, between the tags `<untrusted name="…">` and `</untrusted>`; it holds no tag of its own.

    *name* is ours and says what it is, as in `response`. Cleaned first: NFKC makes ordinary brackets of wide ones.
    """
    assert _NAME.fullmatch(name), "a name of ours"
    return f'<untrusted name="{name}">\n{cleaned(text).translate(_ESCAPES)}\n</untrusted>'
