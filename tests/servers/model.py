"""A language model that says what a test wrote: a real HTTP server that speaks OpenAI's chat completions."""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server sends: a status, headers and a body."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    hangs: bool = False
    """It never comes."""
    breaks_off: bool = False
    """The connection is closed in the middle of the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    """By their names in small letters."""
    body: Mapping[str, Any]

    @property
    def tools(self) -> Mapping[str, Any]:
        """The definitions of the tools by name."""
        return {each["function"]["name"]: each["function"] for each in self.body["tools"]}

    @property
    def results(self) -> list[str]:
        """What the tools called by the answer before this request gave."""
        results: list[str] = []
        for message in reversed(self.body["messages"]):
            if message["role"] != "tool":
                break
            results.insert(0, message["content"])
        return results


def completion(
    message: Mapping[str, Any], *, usage: object = USAGE, finish: str = "stop", model: str = "fake-1", **more: object
) -> Answer:
    """A chat completion with *message*; *usage* None leaves it out."""
    body: dict[str, object] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
        **more,
    }
    if usage is not None:
        body["usage"] = usage
    return Answer(body=json.dumps(body).encode())


def says(text: str | None, **more: Any) -> Answer:
    """A text and no call."""
    return completion({"content": text}, **more)


def calls(*made: tuple[str, object], **more: Any) -> Answer:
    """Calls of tools, in parallel: a name and its arguments each, a text being sent as it is."""
    parts = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
        }
        for number, (name, given) in enumerate(made)
    ]
    return completion({"content": None, "tool_calls": parts}, **{"finish": "tool_calls", **more})


def refuses(status: int, code: str | None = None, **headers: str) -> Answer:
    """An error as OpenAI writes it; underscores in the names of *headers* are hyphens."""
    body = {"error": {"message": "No, says <b>sk-secret-of-the-provider</b>.", "type": code, "code": code}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=json.dumps(body).encode())


def sends(body: bytes, **headers: str) -> Answer:
    """Whatever, with the status 200."""
    return Answer(body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


HANGS = Answer(hangs=True)
BREAKS_OFF = Answer(body=b'{"id": "chatcmpl-1", "choices": [', breaks_off=True)


class FakeModel:
    """Answers one after another what it was told to; the last one again and again. *asked* is what it heard."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/v1"
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._script: list[Answer | Callable[[Asked], Answer]] = []
        self._lock = threading.Lock()

    def then(self, *answers: Answer | Callable[[Asked], Answer]) -> None:
        """Answer *answers* next; a function makes its answer of the request."""
        self._script.extend(answers)

    def hear(self, asked: Asked) -> Answer:
        """The answer to *asked*."""
        with self._lock:
            self.asked.append(asked)
            answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        return answer if isinstance(answer, Answer) else answer(asked)


@contextmanager
def fake_model(*script: Answer | Callable[[Asked], Answer]) -> Iterator[FakeModel]:
    """A server on the loopback that answers *script*, while the block lasts."""
    server = _Server(("127.0.0.1", 0), _Handler)
    model = FakeModel(server.server_port)
    model.then(*script)
    server.model = model
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        model.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    model: FakeModel

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no fault of the server; whatever else goes wrong is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # Head and body leave together: one waits for no acknowledgement of the other.

    def do_POST(self) -> None:
        assert isinstance(self.server, _Server)
        model = self.server.model
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = model.hear(
            Asked(path=self.path, headers={name.lower(): text for name, text in self.headers.items()}, body=body)
        )
        if answer.hangs:
            model.closing.wait()
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) + 1_000 * answer.breaks_off))
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = answer.breaks_off

    def log_message(self, *_: object) -> None:
        """A test is quiet."""


def names(made: Sequence[Any]) -> list[str]:
    """The tools of the calls of a session."""
    return [each.tool for each in made]
