"""Runs `cronicorn` as a person would: in a process of its own, with an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass


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
    ended = subprocess.run(
        [sys.executable, "-m", "cronicorn", *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        env=dict(env) if env is not None else environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())
