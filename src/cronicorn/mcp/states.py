"""What a client hands back with a person's answer, sealed so that it can be neither read nor made up."""

import secrets

from mcp.server.mcpserver import AESGCMRequestStateCodec, InvalidRequestState, RequestStateCodec

from cronicorn.domain.errors import MasterKeyError
from cronicorn.domain.keychain.ports import Vault

_PLACE = "mcp/request-state"
_KEY_BYTES = 32


class SealedStates(RequestStateCodec):
    """Seals with the vault of the installation: what one process sealed, another opens."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def seal(self, payload: bytes) -> str:
        return self._vault.seal(payload, _PLACE)

    def unseal(self, token: str) -> bytes:
        try:
            return self._vault.open(token, _PLACE)
        except MasterKeyError as error:
            raise InvalidRequestState(str(error)) from error


def states_of_this_process() -> RequestStateCodec:
    """Seals with a key that this process alone has, where the installation has no master key."""
    return AESGCMRequestStateCodec([secrets.token_bytes(_KEY_BYTES)])
