"""Places where commands act: a store of this machine, and a server that holds such a store."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from cronicorn.api.inside import create_inside_app
from cronicorn.cli.interface import Interface
from tests.cli.command import Ended, cronicorn, environment
from tests.control.world import ALICE, World
from tests.wiring.up_process import KEY


@dataclass(frozen=True)
class Somewhere:
    """Commands with the environment that leads them to a place."""

    env: dict[str, str]

    def __call__(self, *arguments: str, stdin: str = "") -> Ended:
        return cronicorn(*arguments, stdin=stdin, env=self.env)

    def done(self, *arguments: str, stdin: str = "") -> str:
        """What a command that succeeds prints."""
        ended = self(*arguments, stdin=stdin)
        assert ended.code == 0, ended.err
        return ended.out

    def read(self, *arguments: str) -> Any:
        """What a command prints with `--json`."""
        return json.loads(self.done(*arguments, "--json"))


def interface_to(world: World) -> Interface:
    """The interface of a control plane in memory, as its store is reached."""
    app = create_inside_app(world.control, ALICE, rehearsing=lambda: world.control)
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost")
    return Interface(client, "memory:", profile=None)


def a_store(folder: Path) -> Somewhere:
    """A store that is made by the first command that needs one."""
    return Somewhere(environment(DATABASE_URL=f"sqlite:{folder / 'own.db'}"))


def a_server(folder: Path, url: str, key: str = KEY) -> Somewhere:
    """The server at *url*, by a profile that is in use."""
    file = folder / "profiles.json"
    file.write_text(json.dumps({"used": "there", "profiles": {"there": {"url": url, "key": key}}}), encoding="utf-8")
    file.chmod(0o600)
    assert os.environ.get("CRONICORN_DATABASE_URL") is None
    return Somewhere(environment(PROFILES_FILE=str(file)))
