"""Envelopes: each value is encrypted with a key of its own, and that key with a master key.

AES-256-GCM (NIST SP 800-38D) with random nonces for both. A nonce never meets a data key twice, because a data key
seals once; of one master key 2^32 wraps are safe, which no installation comes near. Both are bound to the place of the
value, so that who may write the store can't put one secret where another is asked for.
"""

import base64
import binascii
import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cronicorn.adapters.vault.master_keys import MASTER_KEY_BYTES, MasterKeySource
from cronicorn.domain.errors import MasterKeyError
from cronicorn.domain.keychain.ports import Vault

_FORM = "v1"
_NONCE_BYTES = 12
_PARTS = 4


class AesVault(Vault):
    """Seals with the first key of *source*, and opens with each of them."""

    def __init__(self, source: MasterKeySource) -> None:
        self._source = source
        self._keys: dict[str, bytes] = {}
        """By id, the one that seals first."""

    @property
    def ready(self) -> bool:
        return bool(self._known())

    def make_key(self) -> None:
        self._keep(self._source.make())

    def seal(self, plain: bytes, place: str) -> str:
        data_key = AESGCM.generate_key(8 * MASTER_KEY_BYTES)
        return self._sealed(data_key, _encrypted(data_key, plain, place), place)

    def open(self, sealed: str, place: str) -> bytes:
        key_id, wrapped, encrypted = _parts(sealed)
        return _decrypted(self._data_key(key_id, wrapped, place), encrypted, place)

    def rewrap(self, sealed: str, place: str) -> str:
        key_id, wrapped, encrypted = _parts(sealed)
        if key_id == self._sealing()[0]:
            return sealed
        return self._sealed(self._data_key(key_id, wrapped, place), encrypted, place)

    def _sealed(self, data_key: bytes, encrypted: bytes, place: str) -> str:
        key_id, key = self._sealing()
        wrapped = _encrypted(key, data_key, place)
        return ".".join((_FORM, key_id, *(base64.urlsafe_b64encode(part).decode() for part in (wrapped, encrypted))))

    def _data_key(self, key_id: str, wrapped: bytes, place: str) -> bytes:
        key = self._known().get(key_id)
        if key is None:  # Another process may have made it since.
            self._keep(self._source.read())
            key = self._keys.get(key_id)
        if key is None:
            raise MasterKeyError(
                f"It was sealed with the master key {key_id}, which this process does not have: give it that key, "
                "after the present one if there is one, by CRONICORN_MASTER_KEY_FILE."
            )
        return _decrypted(key, wrapped, place)

    def _sealing(self) -> tuple[str, bytes]:
        for key_id, key in self._known().items():
            return key_id, key
        raise MasterKeyError(
            "There is no master key to seal secrets with: set CRONICORN_MASTER_KEY_FILE to a file that holds one, as "
            "`cronicorn master-key new` prints it."
        )

    def _known(self) -> dict[str, bytes]:
        if not self._keys:
            self._keep(self._source.read())
        return self._keys

    def _keep(self, keys: tuple[bytes, ...]) -> None:
        self._keys = {key_id_of(key): key for key in keys}


def key_id_of(key: bytes) -> str:
    """What a master key is known by beside what it sealed: nobody gets from it to the key."""
    return hashlib.sha256(b"cronicorn master key\0" + key).hexdigest()[:8]


def _encrypted(key: bytes, plain: bytes, place: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, _bound(place))


def _decrypted(key: bytes, encrypted: bytes, place: str) -> bytes:
    try:
        return AESGCM(key).decrypt(encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:], _bound(place))
    except (InvalidTag, ValueError):
        raise MasterKeyError(_BROKEN) from None


def _bound(place: str) -> bytes:
    return f"cronicorn {_FORM} {place}".encode()


def _parts(sealed: str) -> tuple[str, bytes, bytes]:
    parts = sealed.split(".")
    try:
        if len(parts) == _PARTS and parts[0] == _FORM:
            wrapped, encrypted = (base64.urlsafe_b64decode(part) for part in parts[2:])
            return parts[1], wrapped, encrypted
    except binascii.Error:
        pass
    raise MasterKeyError(_BROKEN)


_BROKEN = "What was sealed is damaged, or stands in the place of something else: set it anew."
