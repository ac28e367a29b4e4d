"""Runs `cronicorn` as a person would: in a process of its own, with an environment of its own."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from tests.cli import forker

_WITHIN_S = 60
_WITH_MODEL = ("cronicorn.adapters.ai.connecting", "cronicorn.adapters.ai.openai_model")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with only the given CRONICORN_* settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CRONICORN_")}
    return kept | {f"CRONICORN_{name}": value for name, value in settings.items()}


def cronicorn(*arguments: str, stdin: str | bytes = b"", env: Mapping[str, str] | None = None) -> Ended:
    """Run the command to its end."""
    env = dict(env) if env is not None else environment()
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode() if isinstance(stdin, str) else stdin)
        given.seek(0)
        code = _code_of(arguments, env, given.fileno(), out.fileno(), err.fileno())
        out.seek(0)
        err.seek(0)
        return Ended(code, out.read().decode(), err.read().decode())


def _code_of(arguments: tuple[str, ...], env: dict[str, str], *standard: int) -> int:
    """The exit code of the command, whose standard streams are *standard*."""
    if _of_python(env) != _of_python(os.environ):  # Python looks at these when it starts, not when it forks.
        stdin, stdout, stderr = standard
        command = [sys.executable, "-m", "cronicorn", *arguments]
        return subprocess.run(
            command, env=env, stdin=stdin, stdout=stdout, stderr=stderr, timeout=_WITHIN_S, check=False
        ).returncode
    request = json.dumps({"arguments": arguments, "environment": env, "folder": os.getcwd()}).encode()  # noqa: PTH109
    assert len(request) < forker.REQUEST_MAX
    reading, writing = os.pipe()
    with os.fdopen(reading) as told:
        try:
            socket.send_fds(
                _forker(_WITH_MODEL if "CRONICORN_AI_MODEL" in env else ()), [request], [*standard, writing]
            )
        finally:
            os.close(writing)
        process = int(told.readline())
        if not select.select([told], [], [], _WITHIN_S)[0]:
            os.kill(process, signal.SIGKILL)
            raise subprocess.TimeoutExpired(arguments, _WITHIN_S)
        return int(told.readline())


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
