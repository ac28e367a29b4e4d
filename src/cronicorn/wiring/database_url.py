"""Which store a process works on, as one line of text."""

import re
from dataclasses import dataclass
from pathlib import Path

FORMS = "sqlite:, sqlite:PATH, sqlite:///PATH (a fourth slash begins an absolute path) or memory:"
_CREDENTIALS = re.compile(r"//[^/@]*@")
_FILE_NAME = "cronicorn.db"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A backend, and where its data lies."""

    backend: str
    path: Path | None = None
    """The file of a SQLite store. None means `cronicorn.db` in the platform's data folder."""

    @property
    def file(self) -> Path:
        """The file of a SQLite store."""
        return self.path if self.path is not None else default_folder() / _FILE_NAME

    def __str__(self) -> str:
        return "memory:" if self.backend == "memory" else f"sqlite:{self.file}"


def parse_database_url(text: str) -> DatabaseUrl:
    """Read *text*, in one of FORMS, slashes counted as SQLAlchemy counts them. Raises ValueError."""
    backend, colon, rest = text.partition(":")
    if text in {"memory:", "memory://"}:
        return DatabaseUrl("memory")
    if backend != "sqlite" or not colon or "\0" in rest:
        raise ValueError(FORMS)
    path = rest.removeprefix("///")
    if path in {":memory:", "//"} or (rest.startswith("//") and path == rest):
        raise ValueError(FORMS)
    return DatabaseUrl("sqlite", Path(path).expanduser() if path else None)


def masked_url(text: str) -> str:
    """*text* without the credentials it may hold."""
    return _CREDENTIALS.sub("//***@", text)


def default_folder() -> Path:
    """Where the platform keeps data of this user's applications."""
    from platformdirs import user_data_path

    return user_data_path("cronicorn", appauthor=False)
