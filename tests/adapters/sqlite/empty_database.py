"""A database file with the newest schema and nothing in it, copied where one is needed: quicker than making one."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.migration import migrate


@cache
def _template() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name, "empty.db")
    migrate(SqliteFile(path=path))
    return folder, path


def copy_to(path: Path) -> Path:
    shutil.copy(_template()[1], path)
    return path
