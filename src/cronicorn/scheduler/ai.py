"""The port through which a language model is asked. An adapter fills it; nothing is sent anywhere without one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from cronicorn.domain.errors import UnavailableError
from cronicorn.scheduler.tools import Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """Tokens as the provider counted them; None where it did not say."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call a model made, and what it got."""

    tool: str
    arguments: Mapping[str, object]
    result: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One analysis by the model. Without `final` it changes nothing."""

    final: Mapping[str, object] | None
    calls: tuple[ToolCall, ...] = ()
    usage: TokenUsage = field(default=TokenUsage())
    warnings: tuple[str, ...] = ()


class AITransientError(UnavailableError):
    """The model could not answer now; the same question may be asked later."""

    code = "ai_transient"

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AIFatalError(UnavailableError):
    """The model will not answer until a person changes something: credentials, credit or configuration."""

    code = "ai_fatal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a model is asked, and within which bounds."""

    system: str
    input: str
    tools: Sequence[Tool]
    final_tool: str
    tokens_max: int
    tool_calls_max: int = 15
    deadline: timedelta = timedelta(seconds=60)


class AIClient(Protocol):
    """A language model that can call tools."""

    async def plan_with_tools(self, question: Question) -> Session:
        """Let the model call tools until it calls the final one or meets a bound.

        Raises AITransientError and AIFatalError; nothing else for what a provider may do.
        """
        ...


class Planner(Protocol):
    """Asks a model about endpoints whose answers are new, beside the loop and never in its way."""

    async def analyse(self, tenant_id: str, endpoint_id: str) -> Session:
        """One analysis of one endpoint, inside the tenant's budget. Raises QuotaExceededError and AIClient's errors."""
        ...
