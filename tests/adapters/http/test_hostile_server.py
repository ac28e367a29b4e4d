"""Whatever a server sends, the call ends in time, in bounded memory, and in an outcome."""

import gzip
import resource

import pytest

from cronicorn.adapters.http.answer import HEADERS_KEPT
from cronicorn.domain.call import Method, Outcome, OutcomeKind
from tests.adapters.http.loopback import (
    LIMITS,
    OK,
    Script,
    always,
    answering,
    call_of,
    dispatching,
    endless,
    once,
    serving,
    then_silent,
)

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
KILOBYTE = b"x" * 1_024


async def outcome_from(script: Script, *, bytes_max: int = 65_536, timeout_s: float = 5.0) -> Outcome:
    async with serving(script) as server, dispatching() as dispatcher:
        return await dispatcher.dispatch(call_of(server.url(), bytes_max=bytes_max, timeout_s=timeout_s))


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (HEAD + b"\r\n", KILOBYTE),
        (CHUNKED, b"400\r\n" + KILOBYTE + b"\r\n"),
        (HEAD + b"Content-Length: 1000000000000\r\n\r\n", KILOBYTE),
        (HEAD + b"Content-Length: 99999999999999999999999999\r\n\r\n", KILOBYTE),
    ],
    ids=["no end", "chunks", "a terabyte", "more than 64 bits"],
)
async def test_a_body_over_the_cap_is_cut_there_and_the_rest_is_not_read(start: bytes, piece: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    async with serving(endless(start, piece * 64)) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(), bytes_max=50_000))
        sent = server.sent

    assert (outcome.kind, outcome.status_code, outcome.error) == (OutcomeKind.RESPONDED, 200, None)
    assert (outcome.body, outcome.body_truncated, outcome.body_is_json) == ("x" * 50_000, True, False)
    assert sent < 16 * 1_024**2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1_024


async def test_a_body_that_just_fits_is_whole() -> None:
    outcome = await outcome_from(always(answering(b"x" * 1_000)), bytes_max=1_000)

    assert (outcome.body, outcome.body_truncated) == ("x" * 1_000, False)


async def test_of_a_cap_of_nothing_nothing_is_kept() -> None:
    outcome = await outcome_from(always(OK), bytes_max=0)

    assert (outcome.kind, outcome.body, outcome.body_truncated) == (OutcomeKind.RESPONDED, None, True)


async def test_a_server_that_never_answers_times_out() -> None:
    outcome = await outcome_from(then_silent(b""), timeout_s=0.3)

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.TIMED_OUT, None)
    assert 0.25 < outcome.duration.total_seconds() < 1


async def test_headers_that_drip_time_out_with_the_status() -> None:
    outcome = await outcome_from(endless(HEAD + b"X: ", b"x", pause_s=0.02), timeout_s=0.3)

    assert (outcome.kind, outcome.status_code, outcome.body) == (OutcomeKind.TIMED_OUT, 200, None)


async def test_a_body_that_drips_times_out_with_its_status_and_beginning() -> None:
    outcome = await outcome_from(endless(HEAD + b"A: b\r\n\r\n", b"x", pause_s=0.02), timeout_s=0.3)

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.TIMED_OUT, 200)
    assert outcome.headers == (("a", "b"),)
    assert set(outcome.body or "") == {"x"}
    assert outcome.duration.total_seconds() < 1


async def test_an_answer_that_stalls_ends_before_the_call_would() -> None:
    limits = LIMITS.__class__(stall_s=0.2)
    script = then_silent(HEAD + b"Content-Length: 9\r\n\r\nabc")

    async with serving(script) as server, dispatching(limits=limits) as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(), timeout_s=10))

    assert (outcome.kind, outcome.status_code, outcome.body) == (OutcomeKind.TIMED_OUT, 200, "abc")
    assert outcome.duration.total_seconds() < 3
    assert "stalled" in (outcome.error or "")


@pytest.mark.parametrize(
    "script",
    [
        once(HEAD + b"X: " + b"x" * 10 * 1_024**2 + b"\r\n\r\n"),
        once(HEAD + b"A: b\r\n" * 200_000 + b"\r\n"),
        once(HEAD + (b"X: " + b"x" * 1_000 + b"\r\n") * 250 + b"Content-Length: 2\r\n\r\nok"),
        endless(HEAD, b"A: b\r\n" * 100),
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 100),
        endless(CHUNKED + b"0\r\n", b"Trailer: x\r\n" * 100),
    ],
    ids=["one line", "200,000 lines", "250 KB", "endless", "interim answers", "early hints", "trailers"],
)
async def test_too_many_headers_end_the_call(script: Script) -> None:
    outcome = await outcome_from(script)

    assert outcome.kind is OutcomeKind.BROKEN
    assert outcome.duration.total_seconds() < 2


async def test_interim_answers_that_drip_time_out() -> None:
    outcome = await outcome_from(endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n", pause_s=0.02), timeout_s=0.3)

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.TIMED_OUT, None)


async def test_an_interim_answer_is_passed_over() -> None:
    outcome = await outcome_from(always(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + OK))

    assert (outcome.kind, outcome.status_code, outcome.body) == (OutcomeKind.RESPONDED, 200, "ok")
    assert outcome.header("link") is None


async def test_a_switch_of_protocols_that_nobody_asked_for_ends_the_call() -> None:
    outcome = await outcome_from(then_silent(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"))

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.BROKEN, None)
    assert outcome.duration.total_seconds() < 1


async def test_the_list_of_headers_is_bounded() -> None:
    outcome = await outcome_from(always(answering(b"ok", *(f"H-{n}: {n}" for n in range(500)))))

    assert outcome.kind is OutcomeKind.RESPONDED
    assert len(outcome.headers) == HEADERS_KEPT


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", None),
        (b"no HTTP at all, as in version 0.9", None),
        (b"HTTP/1.1 200 OK\r\nBad\0: x\r\n\r\n", 200),
        (HEAD + b"X: a\0b\r\nContent-Length: 2\r\n\r\nok", 200),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", 200),
        (HEAD + b"Content-Length: -1\r\n\r\nok", 200),
        (HEAD + b"Content-Length: 100\r\n\r\nshort", 200),
        (HEAD + b"Content-Length: 999999999999999999999\r\n\r\n{}", 200),
        (CHUNKED + b"5\r\nab", 200),
        (CHUNKED + b"zz\r\nab\r\n0\r\n\r\n", 200),
        (CHUNKED + b"fffffffffffffffff\r\nab\r\n0\r\n\r\n", 200),
        (CHUNKED + b"2\r\nabXX0\r\n\r\n", 200),
        (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!", 200),
        (HEAD + b"Content-Encoding: compress-me\r\nContent-Length: 2\r\n\r\nok", 200),
        (HEAD + b"Content-Encoding: " + b"gzip, " * 20 + b"gzip\r\nContent-Length: 2\r\n\r\nok", 200),
    ],
    ids=[
        "nothing", "HTTP/0.9", "NUL in a name", "NUL in a value", "two lengths", "negative length",
        "short body", "short of more than 64 bits",
        "cut chunk",
        "bad chunk", "overlong chunk", "chunk without an end", "not gzip", "unknown encoding", "many encodings",
    ],
)  # fmt: skip
async def test_an_answer_that_is_not_sound_is_broken(data: bytes, status: int | None) -> None:
    outcome = await outcome_from(once(data))

    assert outcome.kind is OutcomeKind.BROKEN
    assert outcome.status_code in {status, None}
    assert outcome.error
    assert not outcome.body_is_json


@pytest.mark.parametrize("status", ["99999", "600", "000", "099", "0200", "9" * 5_000, "200x", "abc", ""])
async def test_an_answer_whose_status_is_none_is_broken_without_one(status: str, caplog) -> None:
    outcome = await outcome_from(once(f"HTTP/1.1 {status} Odd\r\nContent-Length: 2\r\n\r\nok".encode()))

    assert (outcome.kind, outcome.status_code, outcome.body) == (OutcomeKind.BROKEN, None, None)
    assert outcome.error
    assert not caplog.records


@pytest.mark.parametrize("method", [Method.GET, Method.HEAD, Method.POST])
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (HEAD, 200),
        (HEAD + b"X-Nonce: /a", 200),
        (HEAD + b"Content-Length: 1", 200),
        (HEAD + b"Transfer-Encoding: chun", 200),
        (HEAD + b"\r", 200),
        (HEAD + b":\nA: b\r\n", 200),
        (b"HTTP/1.0 200 OK\r\nA: b\r\n", 200),
        (b"HTTP/1.1 204 No Content\r\n", 204),
        (b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n', 304),
        (b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1", 503),
        (b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + HEAD, 200),
        (b"HTTP/1.1 103 Early Hints\r\nLink: <x", None),
    ],
    ids=[
        "no header", "half a header", "half a length", "half a coding", "half a blank line",
        "after a line of two bytes", "HTTP/1.0", "204", "304", "503", "after an interim answer", "an interim answer",
    ],
)  # fmt: skip
async def test_an_answer_that_is_cut_in_its_headers_is_broken(method: Method, data: bytes, status: int | None) -> None:
    async with serving(once(data)) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(), method=method))

    assert (outcome.kind, outcome.status_code, outcome.body) == (OutcomeKind.BROKEN, status, None)
    assert outcome.error == f"The answer of 127.0.0.1:{server.port} ended before its headers did."
    assert len(server.requests) == 1


async def test_the_whole_headers_of_an_answer_that_is_cut_in_them_are_kept() -> None:
    outcome = await outcome_from(once(HEAD + b"A: b\r\nX-Nonce: /a"))

    assert (outcome.kind, outcome.headers) == (OutcomeKind.BROKEN, (("a", "b"),))


@pytest.mark.parametrize("method", [Method.GET, Method.HEAD])
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (HEAD + b"\r\n", 200),
        (b"HTTP/1.1 200 OK\nA: b\n\n", 200),
        (HEAD + b":\nA: b\r\n\r\n", 200),
        (b"HTTP/1.0 200 OK\r\n\r\n", 200),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', 304),
        (b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + HEAD + b"\r\n", 200),
    ],
    ids=["no header", "bare LF", "a line of two bytes", "HTTP/1.0", "204", "304", "after an interim answer"],
)
async def test_an_answer_that_ends_with_its_headers_is_whole(method: Method, data: bytes, status: int) -> None:
    async with serving(once(data)) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(), method=method))

    assert (outcome.kind, outcome.status_code, outcome.error) == (OutcomeKind.RESPONDED, status, None)


async def test_a_reset_in_the_body_is_broken_with_the_status_kept() -> None:
    async def script(connection) -> None:
        await connection.request()
        await connection.send(HEAD + b"Content-Length: 100\r\n\r\nabc")
        connection.reset()

    outcome = await outcome_from(script)

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.BROKEN, 200)


async def test_a_reset_at_once_is_broken() -> None:
    async def script(connection) -> None:
        connection.reset()

    assert (await outcome_from(script)).kind is OutcomeKind.BROKEN


async def test_chunks_win_over_a_length() -> None:
    data = HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"

    outcome = await outcome_from(once(data))

    assert outcome.kind is OutcomeKind.BROKEN or outcome.body == "ok"


async def test_gzip_is_decoded() -> None:
    data = answering(gzip.compress(b'{"calm": true}'), "Content-Encoding: gzip")

    outcome = await outcome_from(always(data))

    assert (outcome.body, outcome.body_is_json) == ('{"calm": true}', True)


async def test_a_gzip_bomb_is_cut_at_the_cap() -> None:
    bomb = gzip.compress(bytes(100 * 1_024**2), compresslevel=1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    outcome = await outcome_from(always(answering(bomb, "Content-Encoding: gzip")), bytes_max=1_000)

    assert (outcome.kind, outcome.body_truncated) == (OutcomeKind.RESPONDED, True)
    assert len((outcome.body or "").encode()) <= 1_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1_024


async def test_a_204_with_a_body_has_none() -> None:
    outcome = await outcome_from(once(b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok"))

    assert (outcome.kind, outcome.status_code, outcome.body) == (OutcomeKind.RESPONDED, 204, None)


async def test_a_body_after_an_answer_to_head_is_dropped() -> None:
    async with serving(always(OK)) as server, dispatching() as dispatcher:
        first = await dispatcher.dispatch(call_of(server.url(), method=Method.HEAD))
        second = await dispatcher.dispatch(call_of(server.url()))

    assert (first.kind, first.body) == (OutcomeKind.RESPONDED, None)
    assert (second.kind, second.body) == (OutcomeKind.RESPONDED, "ok")


async def test_an_answer_that_comes_before_the_request_is_read_still_counts() -> None:
    async def script(connection) -> None:
        await connection.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await connection.ended()

    async with serving(script) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(), method=Method.POST, body=bytes(2_000_000)))

    assert outcome.kind in {OutcomeKind.RESPONDED, OutcomeKind.BROKEN}
    assert outcome.duration.total_seconds() < 3
