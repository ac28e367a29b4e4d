"""What goes out is what was asked for, and nothing besides."""

import pytest

from cronicorn.domain.call import Method, OutcomeKind
from tests.adapters.http.loopback import OK, always, call_of, dispatching, serving

HEADERS = {"User-Agent": "Cronicorn/1", "Idempotency-Key": "ep1:7"}


async def sent(
    method: Method = Method.GET,
    *,
    path: str = "/a?b=1",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> bytes:
    async with serving(always(OK)) as server, dispatching() as dispatcher:
        call = call_of(server.url(path), method=method, headers=HEADERS if headers is None else headers, body=body)
        outcome = await dispatcher.dispatch(call)
    assert outcome.kind is OutcomeKind.RESPONDED
    return server.requests[0].replace(str(server.port).encode(), b"80")


async def test_a_get_carries_the_given_headers_and_three_lines_of_ours() -> None:
    request = await sent()

    assert sorted(request.rstrip().split(b"\r\n")) == [
        b"Accept-Encoding: gzip, br",
        b"GET /a?b=1 HTTP/1.1",
        b"Host: 127.0.0.1:80",
        b"Idempotency-Key: ep1:7",
        b"User-Agent: Cronicorn/1",
    ]


@pytest.mark.parametrize("method", Method)
async def test_every_method_goes_out_under_its_name(method: Method) -> None:
    assert (await sent(method)).startswith(f"{method} /a?b=1 HTTP/1.1\r\n".encode())


@pytest.mark.parametrize("method", [Method.GET, Method.POST, Method.PUT, Method.PATCH, Method.DELETE])
async def test_a_body_goes_out_with_its_length(method: Method) -> None:
    request = await sent(method, body=b'{"a": 1}', headers={"Content-Type": "application/json"})

    assert b"Content-Length: 8\r\n" in request
    assert request.count(b"Content-Type: application/json\r\n") == 1
    assert request.endswith(b'\r\n\r\n{"a": 1}')


@pytest.mark.parametrize("method", [Method.POST, Method.PUT, Method.PATCH])
async def test_a_method_that_usually_has_a_body_says_when_it_has_none(method: Method) -> None:
    request = await sent(method)

    assert b"Content-Length: 0\r\n" in request
    assert b"Content-Type" not in request


@pytest.mark.parametrize("method", [Method.GET, Method.HEAD, Method.DELETE])
async def test_other_methods_send_no_length_without_a_body(method: Method) -> None:
    assert b"Content-Length" not in await sent(method)


async def test_head_sends_no_body() -> None:
    assert (await sent(Method.HEAD, body=b"x")).endswith(b"\r\n\r\n")


async def test_a_large_body_is_sent_without_asking_first() -> None:
    request = await sent(Method.POST, body=b"x" * 3_000_000)

    assert b"Expect" not in request.split(b"\r\n\r\n")[0]
    assert request.endswith(b"x" * 3_000_000)


async def test_binary_and_empty_values_arrive_as_they_are() -> None:
    request = await sent(headers={"X-Empty": "", "X-Word": "grün", "Accept": "application/json"}, body=b"\0\xff")

    assert b"X-Empty:\r\n" in request
    assert "X-Word: grün\r\n".encode() in request
    assert b"Accept: application/json\r\n" in request
    assert request.endswith(b"\0\xff")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "s3cret\r\nX-B: c"), ("X-A", "s3cret\n"), ("X-A", "s3cret\0"), ("X-A\r\nX-B", "s3cret"),
        ("X A", "s3cret"),
        ("X-A:", "s3cret"), ("", "s3cret"), ("X-Ä", "s3cret"), ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
        ("Host", "other"), ("Connection", "close"), ("Expect", "100-continue"), ("Upgrade", "h2c"),
        ("X-A", "s3cret\ud800"),
    ],
)  # fmt: skip
async def test_a_header_that_would_bend_the_message_is_refused(name: str, value: str) -> None:
    async with serving(always(OK)) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(), headers={name: value}))

    assert outcome.kind is OutcomeKind.REFUSED
    assert "s3cret" not in (outcome.error or "")
    assert server.requests == []


async def test_nothing_of_one_call_shows_in_the_next() -> None:
    async with serving(always(OK)) as server, dispatching() as dispatcher:
        first = call_of(server.url("/1"), method=Method.POST, headers={"X-A": "b"}, body=b"{}")
        for call in (
            first,
            call_of(server.url("/2")),
            call_of(server.url("/3"), method=Method.HEAD),
            call_of(server.url("/4")),
        ):
            await dispatcher.dispatch(call)

    assert server.lines == ["POST /1", "GET /2", "HEAD /3", "GET /4"]
    assert all(b"X-A" not in request and b"Content-Length" not in request for request in server.requests[1:])
