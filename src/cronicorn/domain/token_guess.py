"""How long a text is in tokens, without asking whoever counts them."""

_BYTES_PER_TOKEN = 3
"""Of UTF-8. English prose has above four and compact JSON about three: the guess is rather high than low."""
_PER_PART = 16
"""Tokens that the frame of a message or of a tool takes."""


def guessed_tokens(text: str) -> int:
    """About how many tokens *text* is, rather too many than too few."""
    return len(text.encode(errors="replace")) // _BYTES_PER_TOKEN + _PER_PART
