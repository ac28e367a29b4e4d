"""Child processes that never outlive the demonstration."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from cronicorn.cli.demonstration.rest import Rest, RestError
from cronicorn.cli.demonstration.story import Story
from cronicorn.cli.demonstration.tether import GRACE_S

READY_WITHIN_S = 30.0
_LOOK_AGAIN_S = 0.1
_LOG_LINES = 8
_HOST = "127.0.0.1"


class NotStartedError(Exception):
    """A part of the demonstration did not start. The message says what it last said."""


@dataclass(frozen=True, slots=True)
class RunningShop:
    """The shop's process and its address."""

    process: subprocess.Popen[bytes]
    url: str

    def open(self) -> None:
        """Let the story begin."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()


@contextmanager
def a_shop(story: Story) -> Iterator[RunningShop]:
    """A shop that tells *story*, on a free port."""
    with _child([sys.executable, "-m", "cronicorn.cli.demonstration.shop", str(story.seconds)]) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port.isdigit():
            raise NotStartedError(f"The shop did not start. It said: {port.decode(errors='replace') or 'nothing'}")
        yield RunningShop(process, f"http://{_HOST}:{int(port)}")


@contextmanager
def a_scheduler(api_key: str, port: int | None = None) -> Iterator[Rest]:
    """`cronicorn up` on a database of its own that goes with it; answers its REST interface once that is ready."""
    port = port if port is not None else _free_port()
    with tempfile.TemporaryDirectory(prefix="cronicorn-demo-", ignore_cleanup_errors=True) as folder:
        settings = {
            "CRONICORN_DATABASE_URL": f"sqlite:///{folder}/demo.sqlite3",
            "CRONICORN_HOST": _HOST,
            "CRONICORN_PORT": str(port),
            "CRONICORN_API_KEY": api_key,
            "CRONICORN_EGRESS_ALLOW": "127.0.0.0/8",
            "CRONICORN_DRAIN_GRACE": "2s",
        }
        log = Path(folder, "cronicorn.log")
        command = [sys.executable, "-m", "cronicorn.cli.demonstration.tethered", folder, "up"]
        with _child(command, settings=settings, log=log) as process:
            rest = Rest(_HOST, port, api_key)
            _wait_until_ready(rest, process, log)
            yield rest


@contextmanager
def _child(
    command: list[str], *, settings: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run *command* tied to this process. In a session of its own: Ctrl-C is for us, who then stop it in order."""
    environment = _without_settings() | dict(settings or {})
    output = log.open("wb") if log is not None else subprocess.PIPE
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        if not isinstance(output, int):
            output.close()
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(GRACE_S + 2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        if process.stdout is not None:
            process.stdout.close()


def _without_settings() -> dict[str, str]:
    """Our environment without settings of Cronicorn's: the demonstration is the same for everybody."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("CRONICORN_")}


def _wait_until_ready(rest: Rest, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            rest.get("/readyz")
        except (OSError, HTTPException, RestError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotStartedError(f"Cronicorn did not start. Its log ends with:\n{_tail(log)}") from None
            time.sleep(_LOOK_AGAIN_S)
        else:
            return


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-_LOG_LINES:]) or "(nothing)"


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
