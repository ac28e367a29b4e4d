"""What is logged of a request names it, and never what is secret in it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from cronicorn.wiring.logging import configure_logging
from tests.api.door import a_door


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a process writes that was told to log everything, as JSON."""
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level
    configure_logging("debug", "json", stream)
    yield stream
    root.handlers[:] = before[0]
    root.setLevel(before[1])


async def test_whatever_is_logged_during_a_request_names_it_as_its_answer_does(written: io.StringIO) -> None:
    async with a_door() as door:
        refused = await door.client.post("/api/sign-in", json={"login": "nobody", "password": "a-long-password"})
        found = await door.client.get("/api/jobs?status=secret-word", headers={"x-request-id": "of-a-client.1"})
    logging.getLogger("cronicorn").info("after")
    entries = [json.loads(line) for line in written.getvalue().splitlines()]
    answered = {entry["request"]: entry for entry in entries if entry["event"] == "request_answered"}

    (told,) = [entry for entry in entries if entry["event"] == "sign_in_refused"]
    assert told["request"] == refused.headers["x-request-id"]
    assert answered[told["request"]]["status_code"] == refused.status_code == 401
    of_client = answered["of-a-client.1"]
    assert (of_client["method"], of_client["path"], of_client["status_code"]) == ("GET", "/api/jobs", found.status_code)
    assert of_client["duration_ms"] > 0
    ours = [
        line for line, entry in zip(written.getvalue().splitlines(), entries, strict=True) if entry["logger"] != "httpx"
    ]
    assert "secret-word" not in "".join(ours)
    assert "a-long-password" not in written.getvalue()
    assert "request" not in entries[-1]
