"""What the end of a transfer means: an `Outcome`, with a sentence that names the host and no secret."""

import re
from datetime import timedelta

import pycurl

from cronicorn.adapters.http.answer import cut, headers_of, is_json, text_of
from cronicorn.adapters.http.exchange import Exchange, Stop
from cronicorn.adapters.http.room import no_room
from cronicorn.domain.call import Outcome, OutcomeKind
from cronicorn.domain.sentence import as_sentence
from cronicorn.domain.target import Site

_TLS = {
    pycurl.E_SSL_CONNECT_ERROR, pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CERTPROBLEM, pycurl.E_SSL_CIPHER,
    pycurl.E_SSL_CACERT_BADFILE, pycurl.E_SSL_ISSUER_ERROR, pycurl.E_SSL_INVALIDCERTSTATUS,
    pycurl.E_SSL_PINNEDPUBKEYNOTMATCH, pycurl.E_SSL_ENGINE_NOTFOUND, pycurl.E_SSL_ENGINE_SETFAILED,
    pycurl.E_SSL_ENGINE_INITFAILED,
}  # fmt: skip
_OUR_FAULT = {
    pycurl.E_FAILED_INIT, pycurl.E_OUT_OF_MEMORY, pycurl.E_BAD_FUNCTION_ARGUMENT, pycurl.E_UNKNOWN_OPTION,
    pycurl.E_NOT_BUILT_IN, pycurl.E_ABORTED_BY_CALLBACK,
}  # fmt: skip
_BROKEN = {
    pycurl.E_OK: "ended before its headers did",  # Incomplete by RFC 9112, section 8, though not to libcurl.
    pycurl.E_PARTIAL_FILE: "ended before it was complete",
    pycurl.E_GOT_NOTHING: "was empty: the connection was closed without one",
    pycurl.E_RECV_ERROR: "broke off, or could not be read",
    pycurl.E_SEND_ERROR: "never came: the connection broke off while the request was sent",
    pycurl.E_BAD_CONTENT_ENCODING: "is compressed in a way that can't be decoded",
    pycurl.E_UNSUPPORTED_PROTOCOL: "is not HTTP/1.x",
    pycurl.E_FTP_WEIRD_SERVER_REPLY: "has malformed headers",
    100: "has too many or too long header lines",  # CURLE_TOO_LARGE, which pycurl does not name
}
_ENDLESS = re.compile(rb"content-length:[ \t]*0*[1-9][0-9]{18}", re.IGNORECASE)
"""A length that libcurl can't hold, and so doesn't hold an answer to."""
_STOPPED = {
    Stop.REFUSED: (
        OutcomeKind.REFUSED,
        "{host} may not be called: the connection went to an address that was not checked.",
    ),
    Stop.HEADERS_TOO_LONG: (OutcomeKind.BROKEN, "The answer of {host} has more headers than are read."),
    Stop.SWITCHED: (OutcomeKind.BROKEN, "The answer of {host} switches to another protocol, unasked."),
    Stop.BAD_STATUS: (OutcomeKind.BROKEN, "The answer of {host} has a status that is not between 100 and 599."),
    Stop.SENT_ALREADY: (OutcomeKind.BROKEN, "{host} closed the connection without an answer; nothing was sent again."),
    Stop.STALLED: (OutcomeKind.TIMED_OUT, "The answer of {host} stalled: nothing came for too long."),
    Stop.CLOSING: (OutcomeKind.CANCELLED, "The call of {host} was ended because Cronicorn is stopping."),
    Stop.NOT_REUSABLE: (OutcomeKind.BROKEN, "{host} was not called: no clean connection could be opened."),
}


def is_connect_failure(exchange: Exchange) -> bool:
    """Whether another address of the same name may do better."""
    if exchange.code == pycurl.E_OK or exchange.stop is not None or exchange.connected:
        return False
    return exchange.code in {pycurl.E_COULDNT_CONNECT, pycurl.E_OPERATION_TIMEDOUT}


def outcome_of(exchange: Exchange, site: Site, duration: timedelta, *, in_time: bool) -> Outcome:
    """What the end of *exchange* with *site* amounts to; what had arrived by then is kept.

    *in_time*: the call's total time limit had not yet passed. Raises UnavailableError when there was no socket for it:
    nothing was sent.
    """
    if exchange.stop is Stop.NO_SOCKET:
        raise no_room()
    headers = headers_of(exchange.header_lines) if exchange.status is not None else ()
    kind, error = _kind_and_error(exchange, site, in_time=in_time)
    whole = kind is OutcomeKind.RESPONDED and exchange.stop is None
    text = text_of(exchange.body, _first(headers, "content-type"), whole=whole)
    kept = cut(text, exchange.body_bytes_max)
    return Outcome(
        kind=kind,
        duration=duration,
        status_code=exchange.status,
        headers=headers,
        body=kept or None,
        body_is_json=whole and kept == text and is_json(text),
        body_truncated=exchange.stop is Stop.BODY_FULL or kept != text,
        error=error,
    )


def _first(headers: tuple[tuple[str, str], ...], wanted: str) -> str | None:
    for name, value in headers:
        if name == wanted:
            return value
    return None


def _kind_and_error(exchange: Exchange, site: Site, *, in_time: bool) -> tuple[OutcomeKind, str | None]:
    stop, code = exchange.stop, exchange.code
    if stop is Stop.BODY_FULL:
        return OutcomeKind.RESPONDED, None
    if stop is None and code == pycurl.E_OK and exchange.status is not None and exchange.headers_ended:
        if not exchange.body or not any(map(_ENDLESS.match, exchange.header_lines)):
            return OutcomeKind.RESPONDED, None
        code = pycurl.E_PARTIAL_FILE
    host = site.authority
    if stop in _STOPPED:
        kind, sentence = _STOPPED[stop]
        return kind, sentence.format(host=host)
    if stop is Stop.CRASHED or code in _OUR_FAULT:
        return OutcomeKind.CRASHED, f"The call of {host} failed inside Cronicorn (libcurl error {code})."
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return _timed_out(exchange, host, in_time=in_time)
    return _failure(code, exchange.message, host)


def _failure(code: int, message: str, host: str) -> tuple[OutcomeKind, str]:
    if code == pycurl.E_COULDNT_CONNECT:
        return OutcomeKind.UNREACHABLE, f"No connection to {host} could be opened."
    if code in _TLS:
        why = message or "handshake failed"
        return OutcomeKind.TLS_FAILED, as_sentence(f"No trusted TLS connection to {host}: {why}")
    what = _BROKEN.get(code, f"could not be read (libcurl error {code})")
    return OutcomeKind.BROKEN, f"The answer of {host} {what}."


def _timed_out(exchange: Exchange, host: str, *, in_time: bool) -> tuple[OutcomeKind, str]:
    if not exchange.connected:
        kind = OutcomeKind.UNREACHABLE if in_time else OutcomeKind.TIMED_OUT
        return kind, f"No connection to {host} could be opened in time."
    if exchange.status is None:
        return OutcomeKind.TIMED_OUT, f"{host} did not answer in time."
    return OutcomeKind.TIMED_OUT, f"The answer of {host} did not end in time."
