"""Lengths of time among the options of a command."""

from datetime import timedelta


def milliseconds(text: str | None, option: str) -> int | None:
    """*text*, such as 30s, which *option* gave, in milliseconds. Raises InvalidInputError, which names the option."""
    from cronicorn.domain.durations import parse_duration
    from cronicorn.domain.errors import InvalidInputError

    if text is None:
        return None
    try:
        return parse_duration(text) // timedelta(milliseconds=1)
    except ValueError as error:
        raise InvalidInputError(f"{option} must be {error}, not {text!r}.") from error
