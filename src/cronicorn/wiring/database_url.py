"""Which store a process works on, as one line of text."""

from dataclasses import dataclass, field
from pathlib import Path

from cronicorn.wiring.secret_url import SecretUrl, parse_secret_url

FORMS = (
    "sqlite:, sqlite:PATH, sqlite:///PATH (a fourth slash begins an absolute path), "
    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE (what is not a letter or a digit in the password as %XX) or memory:"
)
POSTGRES_SCHEMES = ("postgresql", "postgres")
_FILE_NAME = "cronicorn.db"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A backend, and where its data lies."""

    backend: str
    """`sqlite`, `postgresql` or `memory`."""
    path: Path | None = None
    """The file of a SQLite store. None means `cronicorn.db` in the platform's data folder."""
    server: SecretUrl | None = None
    """Where a PostgreSQL store is."""
    given_as: str = field(default="CRONICORN_DATABASE_URL", compare=False, repr=False)
    """The variable or the option by which it was named: what to change if it is wrong."""

    @property
    def file(self) -> Path:
        """The file of a SQLite store."""
        return self.path if self.path is not None else default_folder() / _FILE_NAME

    @property
    def connection(self) -> str:
        """What to connect to, password included. Only of a PostgreSQL store."""
        assert self.server is not None
        return self.server.text

    def __str__(self) -> str:
        if self.server is not None:
            return str(self.server)
        return "memory:" if self.backend == "memory" else f"sqlite:{self.file}"


def parse_database_url(text: str) -> DatabaseUrl:
    """Read *text*, in one of FORMS, slashes counted as SQLAlchemy counts them. Raises ValueError."""
    backend, colon, rest = text.partition(":")
    if text in {"memory:", "memory://"}:
        return DatabaseUrl("memory")
    if backend in POSTGRES_SCHEMES:
        try:
            return DatabaseUrl("postgresql", server=parse_secret_url(text, *POSTGRES_SCHEMES))
        except ValueError:
            raise ValueError(FORMS) from None
    if backend != "sqlite" or not colon or "\0" in rest:
        raise ValueError(FORMS)
    path = rest.removeprefix("///")
    if path in {":memory:", "//"} or (rest.startswith("//") and path == rest):
        raise ValueError(FORMS)
    return DatabaseUrl("sqlite", Path(path).expanduser() if path else None)


def default_folder() -> Path:
    """Where the platform keeps data of this user's applications."""
    from platformdirs import user_data_path

    return user_data_path("cronicorn", appauthor=False)
