"""The vault of an installation, and where its master keys come from."""

import asyncio
import secrets
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from cronicorn.control.sealing import SealedPorts, Sealer
from cronicorn.domain.errors import MasterKeyError
from cronicorn.domain.keychain.ports import Vault
from cronicorn.wiring.database_url import DatabaseUrl, default_folder
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import Stores

if TYPE_CHECKING:
    from cronicorn.adapters.vault.master_keys import MasterKeySource

_COMMAND_SECONDS_MAX = 10


async def open_vault(settings: Settings) -> Vault:
    """The vault that *settings* name the keys of. Raises MasterKeyError when their command does not tell them."""
    from cronicorn.adapters.vault.aes_vault import AesVault

    return AesVault(await _source(settings))


def sealer(stores: Stores, vault: Vault) -> Sealer:
    """Seals for *stores* what nobody shall read in them."""
    return Sealer(SealedPorts(keychains=stores.keychains, alertings=stores.alertings), vault)


def key_file_of(url: DatabaseUrl) -> Path:
    """Where the master key of a store is when the settings name none: beside a SQLite file, else with this user."""
    if url.backend == "sqlite":
        return url.file.with_name(f"{url.file.name}.key")
    return default_folder() / "master.key"


def new_master_key() -> str:
    """A master key that nobody has yet, as the settings take it."""
    from cronicorn.adapters.vault.master_keys import MASTER_KEY_BYTES, master_key_text

    return master_key_text(secrets.token_bytes(MASTER_KEY_BYTES))


async def _source(settings: Settings) -> "MasterKeySource":
    from cronicorn.adapters.vault.master_keys import GivenKeys, KeyFile, PassingKey

    if settings.master_key:
        return GivenKeys(settings.master_key)
    if settings.master_key_command is not None:
        return GivenKeys(await asyncio.to_thread(_told_by, settings.master_key_command))
    if settings.database_url.backend == "memory":
        return PassingKey()
    return KeyFile(key_file_of(settings.database_url))


def _told_by(command: str) -> tuple[bytes, ...]:
    """The keys that *command* prints. What it prints is shown nowhere."""
    from cronicorn.adapters.vault.master_keys import master_keys

    try:
        words = shlex.split(command)
        done = subprocess.run(  # noqa: S603 - the owner of the machine named it
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_COMMAND_SECONDS_MAX, check=True
        )
        return master_keys(done.stdout.decode(errors="replace"))
    except subprocess.CalledProcessError as error:
        why = f"it ended with {error.returncode}"
    except subprocess.TimeoutExpired:
        why = f"it took longer than {_COMMAND_SECONDS_MAX} s"
    except OSError as error:
        why = error.strerror or "it can't be started"
    except ValueError as error:
        why = str(error)
    raise MasterKeyError(f"CRONICORN_MASTER_KEY_COMMAND does not tell a master key: {why}.")
