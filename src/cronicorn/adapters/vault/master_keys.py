"""Where master keys come from."""

import base64
import binascii
import contextlib
import logging
import os
import secrets
from pathlib import Path
from typing import Protocol

from cronicorn.domain.errors import MasterKeyError

MASTER_KEY_BYTES = 32
_TEXT_MAX = 8_192

log = logging.getLogger(__name__)


class MasterKeySource(Protocol):
    """Gives master keys."""

    def read(self) -> tuple[bytes, ...]:
        """The keys, the one that seals first; none where there is none yet. Raises MasterKeyError."""
        ...

    def make(self) -> tuple[bytes, ...]:
        """As `read`, once there is a key. Raises MasterKeyError."""
        ...


class GivenKeys(MasterKeySource):
    """Keys that the owner chose."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = keys

    def read(self) -> tuple[bytes, ...]:
        return self._keys

    def make(self) -> tuple[bytes, ...]:
        return self._keys


class PassingKey(MasterKeySource):
    """A key that ends with the process, as a store in memory does."""

    def __init__(self) -> None:
        self._keys: tuple[bytes, ...] = ()

    def read(self) -> tuple[bytes, ...]:
        return self._keys

    def make(self) -> tuple[bytes, ...]:
        self._keys = self._keys or (secrets.token_bytes(MASTER_KEY_BYTES),)
        return self._keys


class KeyFile(MasterKeySource):
    """A file with keys, made when the first is needed, for this user only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[bytes, ...]:
        try:
            with self._path.open("rb") as file:
                return master_keys(file.read(_TEXT_MAX).decode(errors="replace"))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            raise MasterKeyError(f"The master key in {self._path} can't be read: {_why(error)}.") from error

    def make(self) -> tuple[bytes, ...]:
        """As promised. Of processes that make it at once one wins, and all read what that one wrote."""
        draft = self._path.with_name(f"{self._path.name}.{secrets.token_hex(8)}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(f"{master_key_text(secrets.token_bytes(MASTER_KEY_BYTES))}\n")
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, self._path)  # Unlike a renaming, it never replaces a key that is there.
                log.warning("master_key_made", extra={"file": str(self._path)})
        except OSError as error:
            raise MasterKeyError(
                f"A master key can't be written to {self._path}: {_why(error)}. Set CRONICORN_MASTER_KEY_FILE to a "
                "file that holds one, as `cronicorn master-key new` prints it."
            ) from error
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()
        return self.read()


def master_keys(text: str) -> tuple[bytes, ...]:
    """The keys in *text*, separated by commas or white space. Raises ValueError, which shows none of them."""
    keys = tuple(_master_key(word) for word in text.replace(",", " ").split())
    if not keys:
        raise ValueError("it holds no key")
    return keys


def master_key_text(key: bytes) -> str:
    """*key* as `master_keys` reads it."""
    return base64.urlsafe_b64encode(key).decode()


def _master_key(word: str) -> bytes:
    try:
        if len(word) == 2 * MASTER_KEY_BYTES:
            return bytes.fromhex(word)
        key = base64.b64decode(word.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise ValueError(
            f"a key is {MASTER_KEY_BYTES} random bytes in base64 or hex, as `cronicorn master-key new` prints"
        )
    return key


def _why(error: Exception) -> str:
    return (error.strerror or "it can't be opened") if isinstance(error, OSError) else str(error)
