"""Conditional requests: asking only for what has changed (RFC 9110, section 13)."""

import re
from typing import NamedTuple

from cronicorn.domain.call import Method, Outcome
from cronicorn.domain.signals.memory import SignalMemory
from cronicorn.domain.signals.retry_after import http_date
from cronicorn.domain.signals.signal import Signal, Signals

ETAG_CHARACTERS_MAX = 256
NOT_MODIFIED_STATUS = 304
SAFE = (Method.GET, Method.HEAD)
"""Methods that change nothing on the server."""

_ETAG = re.compile(r'(W/)?"[\x21\x23-\x7e]*"')


def says_something(outcome: Outcome) -> bool:
    """Whether *outcome* is an answer by itself: 304 says that the last one still holds, and what we ended nothing."""
    return not outcome.kind.tells_nothing and outcome.status_code != NOT_MODIFIED_STATUS


class Validators(NamedTuple):
    """What tells one version of an answer from the next."""

    etag: str | None
    last_modified: str | None


def validators_in(etag: str | None, last_modified: str | None) -> Validators:
    """The validators among these two fields of an answer; a malformed one is none."""
    if etag is not None and (len(etag) > ETAG_CHARACTERS_MAX or not _ETAG.fullmatch(etag)):
        etag = None
    if last_modified is not None and not _is_date(last_modified):
        last_modified = None
    return Validators(etag, last_modified)


def conditional_headers(memory: SignalMemory, method: Method, signals: Signals) -> tuple[tuple[str, str], ...]:
    """The fields that make the next call conditional on a change since the last success.

    Empty unless `not-modified` speaks, the method is GET or HEAD, and that success came with a validator.
    """
    if memory.etag is None and memory.last_modified is None:
        return ()
    if method not in SAFE or not signals.speaks(Signal.NOT_MODIFIED):
        return ()
    fields = (("If-None-Match", memory.etag), ("If-Modified-Since", memory.last_modified))
    return tuple((name, value) for name, value in fields if value is not None)


def _is_date(text: str) -> bool:
    return text.isascii() and text.isprintable() and http_date(text) is not None
