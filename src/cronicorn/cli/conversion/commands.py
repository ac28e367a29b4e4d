"""What a command calls, also where another command runs it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from cronicorn.cli.conversion.curl import described_by_curl
from cronicorn.cli.conversion.request import DescribedRequest
from cronicorn.cli.conversion.shell_line import NotConvertibleError, shell_line
from cronicorn.cli.conversion.telling import limit
from cronicorn.cli.conversion.wget import described_by_wget

_SHELLS = {"sh", "bash", "dash", "ash"}
_DEPTH_MAX = 4
_BEFORE = re.compile(
    r"\s*(?:set\s+[-+]\w+(?:\s+pipefail)?|(?P<wait>sleep\s+(?:[\d.]+[smhd]?|\$\(\(?[^();|&]*\)?\)[smhd]?|`[^`;|&]*`)))"
    r"\s*(?:;|&&|\n)"
)
"""What stands before a command and calls nothing: a wait, fixed or by chance, and options of the shell."""
_WAITED = (
    "It waited before it called (`sleep`); here it is called at the instant. `windowMs` spreads calls, and a cron of "
    "six fields begins with seconds."
)


def described(command: str, variables: Mapping[str, str], stdin: str | None = None, depth: int = 0) -> DescribedRequest:
    """What the line of shell *command* calls. Raises NotConvertibleError."""
    waited = False
    while (before := _BEFORE.match(command)) is not None:
        waited, command = waited or before["wait"] is not None, command[before.end() :]
    line = shell_line(command, variables)
    found = described_by(line.words, variables, stdin, depth)
    for note in (*line.notes, *([_WAITED] if waited else [])):
        found.note(note)
    return found


def described_by(
    words: Sequence[str], variables: Mapping[str, str], stdin: str | None = None, depth: int = 0
) -> DescribedRequest:
    """What the command of these *words* calls, also where another one runs it. Raises NotConvertibleError."""
    if not words or depth > _DEPTH_MAX:
        raise NotConvertibleError("It runs nothing." if not words else "It is nested too deeply.")
    name, rest = PurePosixPath(words[0]).name, list(words[1:])
    if name in {"curl", "wget"}:
        return (described_by_curl if name == "curl" else described_by_wget)(rest, stdin)
    if name in _SHELLS:
        return described(_script(rest), variables, stdin, depth + 1)
    if name == "timeout":
        return _within(rest, variables, stdin, depth)
    if name == "flock":
        return _alone(rest, variables, stdin, depth)
    if name in {"nice", "ionice", "nohup", "chronic", "env", "exec"}:
        while rest and (rest[0].startswith("-") or "=" in rest[0]):
            takes = rest.pop(0) in {"-n", "-c", "-p"}
            del rest[: 1 if takes else 0]
        return described_by(rest, variables, stdin, depth + 1)
    raise NotConvertibleError("It runs something other than curl or wget: give that an address first.")


def _script(rest: Sequence[str]) -> str:
    """The line that a shell is given with `-c`."""
    for place, word in enumerate(rest[:-1]):
        if word.startswith("-") and word.endswith("c"):
            return rest[place + 1]
    raise NotConvertibleError("It runs a script: give that an address first.")


def _within(rest: list[str], variables: Mapping[str, str], stdin: str | None, depth: int) -> DescribedRequest:
    while rest and rest[0].startswith("-"):
        del rest[: 2 if rest[0] in {"-k", "-s"} else 1]
    if not rest:
        raise NotConvertibleError("It runs nothing.")
    found = described_by(rest[1:], variables, stdin, depth + 1)
    found.seconds = min(filter(None, (limit(rest[0]), found.seconds)), default=None)
    return found


def _alone(rest: list[str], variables: Mapping[str, str], stdin: str | None, depth: int) -> DescribedRequest:
    """What `flock` runs: the file that is locked comes first, and there may be a `-c`."""
    while rest and rest[0].startswith("-") and rest[0] != "-c":
        del rest[: 2 if rest[0] in {"-w", "--timeout", "-E", "--conflict-exit-code"} else 1]
    del rest[:1]
    if rest and rest[0] in {"-c", "--command"} and len(rest) > 1:
        return described(rest[1], variables, stdin, depth + 1)
    return described_by(rest, variables, stdin, depth + 1)
