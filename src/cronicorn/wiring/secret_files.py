"""Secrets that are given by the name of a file, as containers and service managers do."""

from collections.abc import Mapping
from pathlib import Path

from cronicorn.wiring.setting import FILE_SUFFIX, Setting

_BYTES_MAX = 8_192


def read_secret(setting: Setting, given: Mapping[str, str]) -> str:
    """The text of *setting*, a secret, from the file that *given* names for it; empty when it names none.

    Spaces and line ends around it are dropped. Raises ValueError, with a sentence, when the file can't be used.
    """
    name = setting.name + FILE_SUFFIX
    path = given.get(name, "").strip()
    if not path:
        return ""
    if setting.name in given:
        raise ValueError(f"{name} and {setting.name} are both set; keep one of them.")
    try:
        with Path(path).open("rb") as file:
            content = file.read(_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its name is none of a file"
        raise ValueError(f"{name} names {path!r}, which can't be read: {reason}.") from None
    text = content.decode(errors="replace").strip()
    if not text or len(content) > _BYTES_MAX:
        raise ValueError(f"{name} names {path!r}, which must hold one secret and nothing else.")
    return text
