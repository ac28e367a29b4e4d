"""Redirects: not followed unless asked, each hop guarded, and no secret leaves its origin."""

import pytest

from cronicorn.domain.call import Method, OutcomeKind
from tests.adapters.http.loopback import OK, Connection, Script, always, answering, call_of, dispatching, once, serving

SECRETS = {
    "Authorization": "Bearer s3cret",
    "Cookie": "a=b",
    "X-Api-Key": "s3cret",
    "X-Auth-Token": "s3cret",
    "Webhook-Signature": "v1,s3cret",
    "Idempotency-Key": "ep1:7",
    "User-Agent": "Cronicorn",
    "Content-Type": "application/json",
}


def redirecting(location: str, status: str = "302 Found") -> Script:
    return always(answering(b"", f"Location: {location}", status=status))


async def path_decides(connection: Connection) -> None:
    """Redirect `/to/x` to `/x`, and answer anything else with the request."""
    while True:
        request = await connection.request()
        path = request.split(b" ")[1].decode()
        if path.startswith("/to/"):
            await connection.send(answering(b"", f"Location: {path[3:]}", status="307 Temporary Redirect"))
        else:
            await connection.send(answering(request))


async def test_a_redirect_is_an_answer_like_any_other() -> None:
    async with serving(redirecting("/elsewhere")) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url()))

    assert (outcome.kind, outcome.status_code, outcome.error) == (OutcomeKind.RESPONDED, 302, None)
    assert outcome.header("location") == "/elsewhere"
    assert len(server.requests) == 1


async def test_a_redirect_is_followed_when_asked() -> None:
    async with serving(path_decides) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url("/to/to/x"), redirects_max=2))

    assert outcome.status_code == 200
    assert server.lines == ["GET /to/to/x", "GET /to/x", "GET /x"]


async def test_a_redirect_that_is_cut_in_its_headers_is_not_followed() -> None:
    script = once(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Len")

    async with serving(script) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(), redirects_max=3))

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.BROKEN, 302)
    assert "ended before its headers did" in (outcome.error or "")
    assert len(server.requests) == 1


async def test_one_redirect_too_many_is_broken_with_its_status() -> None:
    async with serving(redirecting("/again")) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(), redirects_max=3))

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.BROKEN, 302)
    assert "one more than the 3" in (outcome.error or "")
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2/", "http://[::1]/", "//127.0.0.2/x", "http://0x7f000002/",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "http://u:s3cret@127.0.0.1/",
        "http://[bad/", "http://x y/",
        "http://127.0.0.1:99999/",
    ],
)  # fmt: skip
async def test_a_redirect_to_a_closed_place_is_refused(location: str) -> None:
    async with serving(redirecting(location)) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(), redirects_max=5))

    assert outcome.kind is OutcomeKind.REFUSED
    assert "s3cret" not in (outcome.error or "")
    assert len(server.requests) == 1


async def test_a_redirect_without_a_place_is_an_answer() -> None:
    async with serving(always(answering(b"", status="302 Found"))) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(), redirects_max=5))

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.RESPONDED, 302)


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, Method.POST, "GET"),
        (302, Method.POST, "GET"),
        (303, Method.POST, "GET"),
        (303, Method.PUT, "GET"),
        (307, Method.POST, "POST"),
        (308, Method.POST, "POST"),
        (301, Method.PUT, "PUT"),
        (302, Method.DELETE, "DELETE"),
        (303, Method.HEAD, "HEAD"),
        (302, Method.GET, "GET"),
    ],
)
async def test_the_method_changes_as_the_standards_say(status: int, method: Method, then: str) -> None:
    body = b'{"a": 1}' if method is not Method.HEAD else None

    async with (
        serving(always(OK)) as end,
        serving(redirecting(end.url("/x"), f"{status} Moved")) as server,
        dispatching() as dispatcher,
    ):
        call = call_of(server.url(), method=method, body=body, headers=SECRETS, redirects_max=1)
        await dispatcher.dispatch(call)

    second = end.requests[0]
    assert second.startswith(f"{then} /x".encode())
    assert second.endswith(b'{"a": 1}') is (then == method and method is not Method.HEAD)
    assert (b"Content-Type: application/json" in second) is (then == method)


async def test_secrets_stay_at_home_when_the_origin_changes() -> None:
    async with serving(always(OK)) as end, serving(redirecting(end.url("/x"))) as server, dispatching() as dispatcher:
        await dispatcher.dispatch(call_of(server.url(), headers=SECRETS, redirects_max=1))

    assert server.requests[0].count(b"s3cret") == 4
    assert b"s3cret" not in end.requests[0]
    assert b"Cookie" not in end.requests[0]
    assert b"Idempotency-Key: ep1:7" in end.requests[0]
    assert b"User-Agent: Cronicorn" in end.requests[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Foo", "Bearer s3cret"),
        ("X-Foo", " bearer\ts3cret"),
        ("X-Foo", "eyJhbGciOiJI.eyJzdWIi.s3cret"),
        ("X-Foo", "sk_live_s3cret"),
        ("X-Private", "s3cret"),
        ("X-Passphrase", "s3cret"),
    ],
)
async def test_what_is_masked_when_shown_stays_at_home_too(name: str, value: str) -> None:
    async with serving(always(OK)) as end, serving(redirecting(end.url("/x"))) as server, dispatching() as dispatcher:
        await dispatcher.dispatch(call_of(server.url(), headers={name: value, "X-Plain": "y"}, redirects_max=1))

    assert b"s3cret" in server.requests[0]
    assert name.encode() not in end.requests[0]
    assert b"s3cret" not in end.requests[0]
    assert b"X-Plain: y" in end.requests[0]


async def test_secrets_stay_in_the_request_within_one_origin() -> None:
    async with serving(path_decides) as server, dispatching() as dispatcher:
        await dispatcher.dispatch(call_of(server.url("/to/x"), headers=SECRETS, redirects_max=1))

    assert server.requests[1].count(b"s3cret") == 4


async def test_the_time_limit_spans_all_hops() -> None:
    async def slow(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.pause(0.15)
            await connection.send(answering(b"", "Location: /again", status="302 Found"))

    async with serving(slow) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(), redirects_max=10, timeout_s=0.4))

    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert outcome.duration.total_seconds() < 1


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect"])
@pytest.mark.parametrize("elsewhere", [True, False])
async def test_a_signed_call_goes_where_its_signature_holds_and_nowhere_else(status: str, *, elsewhere: bool) -> None:
    stays = not elsewhere and status.startswith("307")
    async with serving(path_decides) as other, dispatching() as dispatcher:

        async def script(connection: Connection) -> None:
            while True:
                request = await connection.request()
                away = other.url("/x") if elsewhere else "/x"
                done = b"POST /x" in request or b"GET /x" in request
                sent = answering(b"done") if done else answering(b"", f"Location: {away}", status=status)
                await connection.send(sent)

        async with serving(script) as server:
            call = call_of(server.url("/a"), method=Method.POST, headers=SECRETS, body=b"{}", redirects_max=2)
            outcome = await dispatcher.dispatch(call._replace(signed=True))

    assert other.requests == []
    if stays:
        assert (outcome.status_code, outcome.body) == (200, "done")
        assert b"v1,s3cret" in server.requests[1]
    else:
        assert outcome.kind is OutcomeKind.REFUSED
        assert "signed" in (outcome.error or "")
        assert len(server.requests) == 1
