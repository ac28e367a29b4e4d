"""A reader's terminal: it runs the commands of pages, and remembers which it ran."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.cli.command import _forker
from tests.docs.forked_command import LINK
from tests.docs.markdown import Block
from tests.waiting import eventually

STAND_INS = {
    "crontab": "it shows what whoever runs the tests has in theirs",
    "docker": "it needs a daemon, and builds and runs images",
    "helm": "it needs a cluster",
    "kubectl": "it needs a cluster",
    "make": "its targets run these tests, install from a network, or take minutes to hours",
    "pip": "it installs from a network",
    "python3": "it makes an environment for what is installed from a network",
    "podman": "it builds and runs images",
    "systemctl": "it needs root, and systemd",
    "systemd-run": "it needs root, and systemd",
    "useradd": "it needs root",
}
"""What a test may not run, and why. What stands in for it notes what it was asked for, and the test judges that."""

READY_WITHIN_S = 60.0
_PRINTED_URL = "http://127.0.0.1:3333"
_CURL, _FORKED, _NOTING = (
    Path(__file__).with_name(name) for name in ("curl.py", "forked_command.py", "noting_command.py")
)
_EXPORTED = "-- exported --"
_INSTALLED = str(Path(sys.executable).parent)


class Terminal:
    """The commands of pages, one after the other, in one folder, with one store and one port."""

    def __init__(self, folder: Path, *, without_curl: bool = False) -> None:
        self.folder = folder
        self.typed: list[Block] = []
        """The lines that were run as their pages print them, but for places."""
        self.places: dict[str, str] = {}
        """Words of pages that mean another place here: a file, a port, a server, an id."""
        for name, program in (("tools/curl", _CURL), ("forked/cronicorn", _FORKED)):
            _command(folder / name, program)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        tools, found = str(folder / "tools"), os.environ["PATH"]
        self._path = [_INSTALLED, tools, found] if without_curl else [_INSTALLED, found, tools]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CRONICORN_")}
        self.environment = kept | {
            "CRONICORN_PORT": self.url.rpartition(":")[2],
            "CRONICORN_DATABASE_URL": f"sqlite:{folder}/store.db",
            "CRONICORN_PROFILES_FILE": f"{folder}/profiles.json",
        }
        OPENED.append(self)

    def stand_in(self, name: str, says: str = "", at: str = "") -> None:
        """Have the command *name*, one of `STAND_INS`, or the one *at* a place, only say something and be noted."""
        assert name in STAND_INS
        _command(self.folder / (at or f"stand-ins/{name}"), _NOTING, str(self._notes(name)), says)

    def asked_of(self, stand_in: str) -> list[list[str]]:
        """The arguments of each call of a stand-in."""
        return [json.loads(line) for line in self._notes(stand_in).read_text(encoding="utf-8").splitlines()]

    def type(self, what: Block | str) -> str:
        """Run *what* in what the commands before it exported, and say what it printed."""
        link = _forker(())
        text = self._text(what)
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{text}\necho '{_EXPORTED}'\nenv -0"],
            cwd=self.folder,
            env=self._known(link),
            pass_fds=[link.fileno()],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, f"{text}\n{ended.stdout}{ended.stderr}"
        said, _, exported = ended.stdout.partition(f"{_EXPORTED}\n")
        self.environment = dict(line.split("=", 1) for line in exported.split("\0") if line)
        self._remember(what)
        return said

    def type_all(self, blocks: Sequence[Block]) -> list[str]:
        """Run *blocks* one after the other, and say what each printed."""
        return [self.type(block) for block in blocks]

    def settings_of(self, start: Block) -> str:
        """What the settings mean with which *start* would start Cronicorn; nothing it exports stays."""
        before = self.environment
        said = self.type(re.sub(r"cronicorn up$", "cronicorn settings", start.text, flags=re.MULTILINE))
        self.environment = before
        return said

    @contextmanager
    def running(self, what: Block, *, log: str = "up.log", until: str = "", forked: bool = True) -> Iterator[Path]:
        """*what*, whose last command goes on until it is stopped, in a terminal beside this one; its log.

        It has begun when the URL *until* answers: that of Cronicorn, unless another is given. Cronicorn is as it is
        installed, if not *forked*.
        """
        link = _forker(())
        file = self.folder / log
        with file.open("wb") as errors:
            process = subprocess.Popen(
                ["bash", "-euc", f"trap : TERM\n{self._text(what)}"],
                cwd=self.folder,
                env=self._known(link, forked=forked),
                pass_fds=[link.fileno()],
                stderr=errors,
                process_group=0,
            )
        try:
            answering = until or f"{self.url}/readyz"
            eventually(lambda: process.poll() is not None or answers(answering), within_s=READY_WITHIN_S)
            assert process.poll() is None, f"{what.text}\n{file.read_text(encoding='utf-8')}"
            self._remember(what)
            yield file
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)

    def _text(self, what: Block | str) -> str:
        """What the shell gets, with this terminal's places."""
        text = what.text if isinstance(what, Block) else what
        places = self.places | {_PRINTED_URL: self.url}
        assert not re.search(r"\s", "".join(places)), "a place is one word"
        words = "|".join(map(re.escape, sorted(places, key=len, reverse=True)))
        return re.sub(rf"(?<![\w.])(?:{words})(?!\w)", lambda found: places[found[0]], text)

    def _known(self, link: socket.socket, *, forked: bool = True) -> dict[str, str]:
        """The environment of a command, without the paths that were exported: what is installed is where it is."""
        own = [str(self.folder / name) for name in ("stand-ins", *(["forked"] if forked else []))]
        return self.environment | {"PATH": os.pathsep.join(own + self._path), LINK: str(link.fileno())}

    def _remember(self, what: Block | str) -> None:
        if isinstance(what, Block):
            self.typed += what.lines

    def _notes(self, stand_in: str) -> Path:
        return self.folder / f"asked-of-{stand_in}"


OPENED: list[Terminal] = []
"""All terminals of this process, so that what tests typed can be looked at."""


def answers(url: str) -> bool:
    """Whether a server answers that all is well."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _command(place: Path, program: Path, *arguments: str) -> None:
    """Put a command at *place* that is *program* with *arguments* before those it is given."""
    place.parent.mkdir(parents=True, exist_ok=True)
    words = shlex.join([sys.executable, "-I", "-S", str(program), *arguments])
    place.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    place.chmod(0o755)
