"""The YAML files of a folder: all of them, or an error, because what is missing would be archived by pruning."""

import os
from collections.abc import Iterator
from pathlib import Path

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.sentence import as_sentence

FILES_MAX = 1_000
_ENDINGS = (".yaml", ".yml")


def files_in(folder: Path) -> list[Path]:
    """All *.yaml and *.yml in *folder*, and in folders inside it, also by links; not those that begin with a dot.

    Raises InvalidInputError for a folder that can't be read or holds more than FILES_MAX, and for what is no file.
    """
    found: list[Path] = []
    for path in _walked(folder, set()):
        found.append(path)
        if len(found) > FILES_MAX:
            raise InvalidInputError(f"{folder} holds more than {FILES_MAX} YAML files: split it.")
    return sorted(found)


def _walked(folder: Path, within: set[tuple[int, int]]) -> Iterator[Path]:
    """*within* are the folders that one is in: a link to one of them would lead around for ever."""
    try:
        about = folder.stat()
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names, which may begin with a dot
    except OSError as error:
        raise InvalidInputError(as_sentence(f"{folder} can't be read: {error.strerror}")) from None
    here = (about.st_dev, about.st_ino)
    if here in within:
        raise InvalidInputError(f"{folder} is a link to a folder that it is in: remove it.")
    for path in (folder / name for name in names if not name.startswith(".")):
        if path.is_dir():
            yield from _walked(path, within | {here})
        elif path.suffix in _ENDINGS and path.is_file():
            yield path
        elif path.suffix in _ENDINGS or (path.is_symlink() and not path.exists()):
            raise InvalidInputError(f"{path} is no file, or a link that leads nowhere: mend or remove it.")
