"""Who asks."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What kind of actor stands behind a call."""

    KEY = "key"
    LOCAL = "local"
    """A person at the command line of the machine that holds the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A tenant and who acts for it. Every call of the control plane takes one."""

    tenant_id: str
    actor: str
    """A name for logs and reasons, such as `an API key`. Never a secret, and no part of one."""
    kind: ActorKind = ActorKind.KEY
