"""The file with profiles: servers that commands may act on, and how the key of each is got."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from cronicorn.domain.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError

FILE_VARIABLE = "CRONICORN_PROFILES_FILE"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Servers on this machine: nobody is on the way to them."""
LOCAL = "local"
"""The profile that always is: the store of the settings."""
_BYTES_MAX = 1_048_576
_OTHERS = 0o077
_FIELDS = ("url", "key", "keyFile", "keyVariable", "ask")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProfile:
    """A server, and where its key is: here, in a file, in a variable, or asked for each time."""

    name: str
    url: str
    key: str | None = field(default=None, repr=False)
    key_file: str | None = None
    key_variable: str | None = None
    ask: bool = False

    @property
    def key_place(self) -> str:
        """Where the key is, for people."""
        if self.key_file is not None:
            return f"file {self.key_file}"
        if self.key_variable is not None:
            return f"variable {self.key_variable}"
        return "asked for" if self.ask else "in the profile"

    def read_key(self, environ: Mapping[str, str]) -> str | None:
        """The key as it is now; None where it is to be asked for. Raises InvalidInputError where there is none."""
        if self.key_variable is not None:
            key = environ.get(self.key_variable, "").strip()
            where = f"the variable {self.key_variable}, which is not set"
        elif self.key_file is not None:
            key, where = _first_line(self.key_file), f"the file {self.key_file}, which is empty"
        else:
            key, where = self.key or "", "nowhere"
        if not key and not self.ask:
            raise InvalidInputError(f"The key of the profile {self.name!r} is in {where}.")
        return usable_key(self.name, key) if key else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProfiles:
    """All profiles, and which of them is in use."""

    by_name: Mapping[str, ServerProfile] = field(default_factory=dict)
    used: str | None = None

    def find(self, name: str) -> ServerProfile:
        """The profile *name*. Raises NotFoundError."""
        if name not in self.by_name:
            known = ", ".join(map(repr, sorted(self.by_name))) or "none yet"
            raise NotFoundError(f"There is no profile {name!r}: `cronicorn profile add` makes one. There are: {known}.")
        return self.by_name[name]

    def with_profile(self, profile: ServerProfile) -> Self:
        """With one more. Raises ConflictError where there is one of its name."""
        if profile.name in self.by_name:
            raise ConflictError(f"There is a profile {profile.name!r} already: remove it first, or name another one.")
        return replace(self, by_name={**self.by_name, profile.name: profile})

    def using(self, name: str) -> Self:
        """With *name* in use. Raises NotFoundError."""
        return replace(self, used=None if name == LOCAL else self.find(name).name)

    def without(self, name: str) -> Self:
        """Without *name*. Raises NotFoundError."""
        gone = self.find(name).name
        left = {each: profile for each, profile in self.by_name.items() if each != gone}
        return replace(self, by_name=left, used=None if self.used == gone else self.used)


def usable_key(name: str, text: str) -> str:
    """*text* as the key of the profile *name*. Raises InvalidInputError for what no key can be."""
    if not text or not text.isascii() or any(each <= " " for each in text):
        raise InvalidInputError(f"The key for the profile {name!r} is empty, or holds spaces or other odd characters.")
    return text


def profiles_path() -> Path:
    """Where the profiles of this user are."""
    given = os.environ.get(FILE_VARIABLE, "").strip()
    if given:
        return Path(given)
    from platformdirs import user_config_path

    return user_config_path("cronicorn") / "profiles.json"


def read_profiles() -> ServerProfiles:
    """The profiles of this user; none where there is no file.

    Raises InvalidInputError for a file that is none of profiles, or that others may read.
    """
    path = profiles_path()
    try:
        with path.open("rb") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read(_BYTES_MAX)
    except (FileNotFoundError, NotADirectoryError):
        return ServerProfiles()
    except OSError as error:
        raise UnavailableError(f"The profiles in {path} can't be read: {error.strerror}.") from error
    if os.name == "posix" and mode & _OTHERS:
        raise InvalidInputError(f"Others may read the keys in {path}: `chmod 600 {path}` keeps them out.")
    try:
        return _profiles_in(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvalidInputError(f"{path} is no file of profiles: mend or remove it, and add them again.") from error


def change_profiles(change: Callable[[ServerProfiles], ServerProfiles]) -> ServerProfiles:
    """Keep what *change* makes of the profiles, one process after the other. Raises what *change* does, and as both do.

    The lock ends with the process that has it, however it ends.
    """
    change(read_profiles())  # What can't be done leaves no file.
    path = profiles_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UnavailableError(f"The profiles can't be written to {path}: {error.strerror}.") from error
    try:
        if os.name == "posix":
            from fcntl import LOCK_EX, flock

            flock(lock, LOCK_EX)
        changed = change(read_profiles())
        write_profiles(changed)
    finally:
        os.close(lock)
    return changed


def write_profiles(profiles: ServerProfiles) -> None:
    """Keep *profiles*, for this user alone; the file is the old one or the new one. Raises UnavailableError."""
    path = Path(os.path.realpath(profiles_path()))  # A link stays one: people keep such files in a place of their own.
    document = {"used": profiles.used, "profiles": {name: _document(each) for name, each in profiles.by_name.items()}}
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.unlink(missing_ok=True)  # Left by a process that was killed, or laid there: it may be open to others.
        with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise UnavailableError(f"The profiles can't be written to {path}: {error.strerror}.") from error


def _profiles_in(document: Mapping[str, Any]) -> ServerProfiles:
    found = {name: _profile(name, **given) for name, given in document["profiles"].items()}
    used = document["used"]
    return ServerProfiles(by_name=found, used=used if used in found else None)


def _profile(name: str, **given: Any) -> ServerProfile:
    texts = [given.get(each) for each in _FIELDS[:-1]]
    if not given.keys() <= set(_FIELDS) or any(each is not None and not isinstance(each, str) for each in texts):
        raise ValueError(name)
    return ServerProfile(
        name=name, url=given["url"], key=given.get("key"), key_file=given.get("keyFile"),
        key_variable=given.get("keyVariable"), ask=given.get("ask") is True,
    )  # fmt: skip


def _document(profile: ServerProfile) -> dict[str, object]:
    values = (profile.url, profile.key, profile.key_file, profile.key_variable, profile.ask or None)
    return {name: value for name, value in zip(_FIELDS, values, strict=True) if value is not None}


def _first_line(path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8") as file:
            return file.readline(8_192).strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InvalidInputError(f"The key's file {path} can't be read: {reason}.") from error
