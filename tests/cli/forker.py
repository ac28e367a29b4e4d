"""Becomes `python -m cronicorn`, or a program, in a fork for each who asks, with what commands import imported before.

Importing is most of the time of a short command. No command ever runs in this process itself, so each starts afresh.
"""

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any

import cronicorn

REQUEST_MAX = 1 << 17
NUMBER_BYTES = 8
_LEFT_OUT = ("cronicorn.__main__", "cronicorn.adapters.ai.", "cronicorn.adapters.etcd.", "cronicorn.adapters.redis.")
"""The first runs when imported, the second takes seconds, the others start threads, which a fork would lose."""


def main(link: socket.socket, also: list[str]) -> str | None:
    """Fork for each request. Returns in the forks only, what to become; ends when nobody can ask any more."""
    for module in pkgutil.walk_packages(cronicorn.__path__, "cronicorn."):
        if not module.name.startswith(_LEFT_OUT) and ".migrations" not in module.name:
            importlib.import_module(module.name)
    for name in also:
        importlib.import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, descriptors, _, _ = socket.recv_fds(link, REQUEST_MAX, 4)
        if not request:
            os._exit(0)
        if os.fork() == 0:
            link.close()
            return _become(json.loads(request), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _become(request: dict[str, Any], descriptors: list[int]) -> str | None:
    """Return in the process of the command, which program it is; its parent tells its id, and then how it ended."""
    *standard, told = descriptors
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process = os.fork()
    if process != 0:
        _tell(told, process)
        _, status = os.waitpid(process, 0)
        _tell(told, os.waitstatus_to_exitcode(status))
        os._exit(0)
    os.close(told)
    for number, descriptor in enumerate(standard):
        os.dup2(descriptor, number)
        os.close(descriptor)
    if request["own_session"]:
        os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.path[:0] = request["path"]
    sys.argv[1:] = request["arguments"]
    program: str | None = request["program"]
    return program


def _tell(told: int, number: int) -> None:
    with suppress(BrokenPipeError):
        os.write(told, number.to_bytes(NUMBER_BYTES, signed=True))


if __name__ == "__main__":
    found = main(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
    if found is None:
        runpy.run_module("cronicorn", run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(found, run_name="__main__")
