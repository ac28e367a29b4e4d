"""The port through which a language model is asked. An adapter fills it; nothing is sent anywhere without one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.token_guess import guessed_tokens
from cronicorn.scheduler.tools import Tool


def frame_tokens(system: str, tools: Sequence[Tool]) -> int:
    """About how many tokens every request takes before anything is said in it."""
    told = sum(guessed_tokens(f"{each.name}{each.description}{each.schema}") for each in tools)
    return told + guessed_tokens(system)


class SessionWarning(StrEnum):
    """What was odd about an analysis."""

    MISSING_FINAL_TOOL = "missing_final_tool"
    """The model answered in text, and did so again when reminded."""
    REPEATED_CALL = "repeated_call"
    """The model made one and the same call for the third time."""
    TOOL_CALLS_MAX = "tool_calls_max"
    REQUESTS_MAX = "requests_max"
    TOKENS_MAX = "tokens_max"
    """The next request would not have fitted into the tokens that were left."""
    INPUT_TOO_LONG = "input_too_long"
    """The question did not fit into what the model can read."""
    UNKNOWN_TOOL = "unknown_tool"
    """The model called what is not there. Alone it ends nothing."""
    OUTPUT_TRUNCATED = "output_truncated"
    """An answer of the model was cut off at `answer_tokens_max`. Alone it ends nothing."""
    MISSING_REASONING = "missing_reasoning"
    """The model ended the analysis without a word that can be seen. Whoever keeps the analysis says so, no client."""
    GRANT_EXCEEDED = "grant_exceeded"
    """The provider billed more than was reserved. Whoever reserves says so, no client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """What the requests of one analysis took, as the provider counted it."""

    input: int = 0
    output: int = 0
    cached: int = 0
    """That part of `input` which the provider had in its cache."""
    requests: int = 0
    """Requests the model answered or may have worked on; refused ones take nothing and are not counted."""
    unmeasured: int = 0
    """Those of `requests` for which the provider counted nothing."""
    estimated: int = 0
    """Tokens that the unmeasured requests took, guessed from the length of what was sent and received."""
    cost: Decimal | None = None
    """In US dollars, at list prices; None when the price of any request is unknown."""
    excess: int = 0
    """Tokens counted beyond what was reserved. Whoever reserves says so, no client."""
    charged: int = 0
    """Tokens that the tenant's books were charged. Whoever reserves says so, no client."""

    @property
    def tokens(self) -> int:
        """Counted, and guessed where the provider did not count."""
        return self.input + self.output + self.estimated


NOTHING_USED = TokenUsage()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call a model made, and what it got."""

    tool: str
    arguments: Mapping[str, object]
    result: object
    refusal: str | None = None
    """What the model was told instead of a result, when the call was not made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One analysis by the model. Without `final` it changes nothing."""

    final: Mapping[str, object] | None
    """The arguments of the final tool, as they were checked."""
    calls: tuple[ToolCall, ...] = ()
    """All calls in the order in which they were made, that of the final tool included."""
    usage: TokenUsage = field(default=NOTHING_USED)
    duration: timedelta = timedelta(0)
    warnings: tuple[SessionWarning, ...] = ()


class AITransientError(UnavailableError):
    """The model could not answer now; the same question may be asked later."""

    code = "ai_transient"

    def __init__(self, message: str, *, retry_after: timedelta | None = None, usage: TokenUsage = NOTHING_USED) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """How long the provider wants to be left alone; None when it did not say."""
        self.usage = usage
        """What the analysis took before it failed."""


class AIFatalError(UnavailableError):
    """The model will not answer until a person changes something: credentials, credit or configuration."""

    code = "ai_fatal"

    def __init__(self, message: str, *, usage: TokenUsage = NOTHING_USED) -> None:
        super().__init__(message)
        self.usage = usage
        """What the analysis took before it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a model is asked, and within which bounds."""

    system: str
    input: str
    tools: Sequence[Tool]
    final_tool: str
    """The one of `tools` whose call ends the analysis."""
    tokens_max: int
    """Of all requests together, input and output. A request that would not fit is not made."""
    answer_tokens_max: int = 4_096
    """Of one answer of the model."""
    requests_max: int = 16
    tool_calls_max: int = 15
    """The final one is not counted."""
    deadline: timedelta = timedelta(seconds=60)
    """For everything together: requests, waiting for the provider, and tools."""

    def __post_init__(self) -> None:
        names = [each.name for each in self.tools]
        assert len(set(names)) == len(names), "two tools of one name"
        assert self.final_tool in names, "the final tool is one of the tools"
        assert min(self.tokens_max, self.answer_tokens_max, self.requests_max) > 0, "room to ask"
        assert self.tool_calls_max >= 0, "a number of calls"
        assert self.deadline > timedelta(0), "time to ask"


class AIClient(Protocol):
    """A language model that can call tools."""

    async def plan_with_tools(self, question: Question) -> Session:
        """Let the model call tools, one after another, until it calls the final one or meets a bound.

        A tool that refuses its arguments is explained to the model, which may try again; one that is unknown changes
        nothing. Met bounds end in a session without `final`, with a warning that says why. The tools must only stage
        what they are asked for: whoever asks applies it once there is a `final`, and drops it otherwise.

        Raises AITransientError, also once the deadline has passed, and AIFatalError; nothing else for what a provider
        may do. What a tool raises beyond InvalidInputError, NotFoundError and ConflictError rises unchanged.
        """
        ...
