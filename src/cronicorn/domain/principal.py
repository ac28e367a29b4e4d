"""Who asks."""

from dataclasses import dataclass
from enum import StrEnum

from cronicorn.domain.errors import ForbiddenError
from cronicorn.domain.permission import NEEDED, Operation, Permission


class ActorKind(StrEnum):
    """What kind of actor stands behind a call."""

    USER = "user"
    """A member who signed in."""
    KEY = "key"
    """A program with an API key."""
    AGENT = "agent"
    """A program with an API key that was made for an agent."""
    MODEL = "model"
    """A language model, inside its grant."""
    RULE = "rule"
    """A rule: of a policy, or about what people are told."""
    SIGNAL = "signal"
    """What an endpoint answered."""
    LOCAL = "local"
    """A person at the command line of the machine that holds the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A tenant and who acts for it. Every call of the control plane takes one."""

    tenant_id: str
    actor: str
    """A name for logs and reasons, such as `an API key`. Never a secret, and no part of one."""
    permissions: frozenset[Permission]
    """What it may do for this tenant."""
    kind: ActorKind = ActorKind.KEY
    actor_id: str | None = None
    """The id of the member or of the key."""
    request_id: str | None = None
    """The id of the request that it made, if it made one."""
    operation: Operation | None = None
    """What it is doing, once that has been checked."""

    def may(self, operation: Operation) -> bool:
        """Whether it is permitted what *operation* needs."""
        needed = NEEDED[operation]
        return needed is None or needed in self.permissions

    def check(self, operation: Operation) -> None:
        """Raise ForbiddenError unless it may do *operation*."""
        if not self.may(operation):
            raise ForbiddenError(
                f"`{operation}` needs the permission `{NEEDED[operation]}`, which {self.actor} does not have. "
                "Ask an owner of the tenant for a role or a key that has it."
            )
