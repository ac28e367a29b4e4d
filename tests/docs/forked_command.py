"""`cronicorn` for a shell: what the forker of the tests becomes, with this process's streams, folder and environment.

It hands a SIGTERM on, and is run without site packages: a command then takes as long as its work, not as its imports.
"""

import json
import os
import signal
import socket
import sys

LINK = "LINK_TO_FORKER"
"""The variable with the number of the descriptor that leads to the forker."""
_NUMBER_BYTES = 8


def main() -> int:
    told, tells = os.pipe()
    request = {
        "arguments": sys.argv[1:], "environment": dict(os.environ), "own_session": False, "program": None,
        "path": [], "folder": os.getcwd(),  # noqa: PTH109 - importing `pathlib` takes longer than the rest
    }  # fmt: skip
    with socket.socket(fileno=int(os.environ[LINK])) as link:
        socket.send_fds(link, [json.dumps(request).encode()], [0, 1, 2, tells])
    os.close(tells)
    process = _number(told)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(process, signal.SIGTERM))
    code = _number(told)
    return code if code >= 0 else 128 - code


def _number(told: int) -> int:
    return int.from_bytes(os.read(told, _NUMBER_BYTES), signed=True)


if __name__ == "__main__":
    sys.exit(main())
