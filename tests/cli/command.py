"""Runs `cronicorn` as a person would: in a process of its own, with an environment of its own."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from tests.cli import forker

_WITHIN_S = 60
_WITH_MODEL = ("cronicorn.adapters.ai.connecting", "cronicorn.adapters.ai.openai_model")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


_NO_PROFILES = {"PROFILES_FILE": "/nowhere/profiles.json"}
"""Whoever runs the tests may have a profile in use."""


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with only the given CRONICORN_* settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CRONICORN_")}
    return kept | {f"CRONICORN_{name}": value for name, value in (_NO_PROFILES | settings).items()}


class Started:
    """A command that runs, with what tests need of `subprocess.Popen`."""

    def __init__(self, told: int, stdin: BinaryIO | None) -> None:
        self.stdin = stdin
        self.returncode: int | None = None
        self._told = os.fdopen(told, "rb", buffering=0)
        self.pid = self._number()

    def poll(self) -> int | None:
        """The exit code, once it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit code."""
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("cronicorn", timeout or 0)
            self.returncode = self._number()
            self._told.close()
        return self.returncode

    def send_signal(self, how: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, how)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _number(self) -> int:
        return int.from_bytes(self._told.read(forker.NUMBER_BYTES), signed=True)


def cronicorn(*arguments: str, stdin: str | bytes = b"", env: Mapping[str, str] | None = None) -> Ended:
    """Run the command to its end."""
    env = environment() if env is None else env
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode() if isinstance(stdin, str) else stdin)
        given.seek(0)
        if _of_python(env) == _of_python(os.environ):
            command: Started | subprocess.Popen[bytes] = started(
                *arguments, env=env, stdin=given.fileno(), stdout=out.fileno(), stderr=err.fileno()
            )
        else:  # Python looks at these when it starts, not when it forks.
            whole = [sys.executable, "-m", "cronicorn", *arguments]
            command = subprocess.Popen(whole, env=env, stdin=given, stdout=out, stderr=err)
        try:
            code = command.wait(_WITHIN_S)
        finally:
            command.kill()
        out.seek(0)
        err.seek(0)
        return Ended(code, out.read().decode(), err.read().decode())


def started(
    *arguments: str,
    env: Mapping[str, str],
    stdin: int | None = None,
    stdout: int = 1,
    stderr: int = 2,
    own_session: bool = False,
    program: str | None = None,
    path: Sequence[Path] = (),
) -> Started:
    """Start the command, or a *program*, with these streams; its *stdin* is a pipe unless one is given.

    Modules are looked for in the folders of *path* first.
    """
    request = {
        "arguments": arguments, "environment": dict(env), "folder": str(Path.cwd()), "own_session": own_session,
        "program": program, "path": [str(folder) for folder in path],
    }  # fmt: skip
    sent = json.dumps(request).encode()
    assert len(sent) < forker.REQUEST_MAX
    reading, writing = os.pipe() if stdin is None else (stdin, None)
    told, tells = os.pipe()
    link = _forker(_WITH_MODEL if "CRONICORN_AI_MODEL" in env else ())
    socket.send_fds(link, [sent], [reading, stdout, stderr, tells])
    os.close(tells)
    if writing is None:
        return Started(told, None)
    os.close(reading)
    return Started(told, os.fdopen(writing, "wb"))


def _of_python(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(("LANG", "LC_", "PYTHON"))}


@cache
def _forker(also: tuple[str, ...]) -> socket.socket:
    """The way to a process that becomes commands, has imported *also*, and lasts as long as this one."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:
        process = subprocess.Popen(
            [sys.executable, "-P", forker.__file__, str(there.fileno()), *also],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[there.fileno()],
        )
    process.returncode = 0  # Nobody waits for it: it ends when this process does.
    return here
