"""What requests take: as the provider counts it, and guessed where it does not."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from pydantic_ai.messages import ModelRequestPart, ModelResponse, ToolReturnPart, UserPromptPart

from cronicorn.domain.token_guess import guessed_tokens
from cronicorn.scheduler.ai import Question, TokenUsage, frame_tokens

_REPORTED_MAX = 10_000_000
"""Tokens of one request. What a provider reports beyond that is no count, and must not break the books."""


class Meter:
    """Counts the requests of one analysis, and says how much room is left for the next."""

    def __init__(self, question: Question) -> None:
        self.usage = TokenUsage()
        self._tokens_max = question.tokens_max
        self._next_input = frame_tokens(question.system, question.tools)

    @property
    def room(self) -> int:
        """Tokens that the next answer may have."""
        return self._tokens_max - self.usage.tokens - self._next_input

    def will_send(self, parts: Sequence[ModelRequestPart]) -> None:
        """*parts* come on top of what was said before."""
        self._next_input += sum(
            guessed_tokens(str(part.content)) for part in parts if isinstance(part, ToolReturnPart | UserPromptPart)
        )

    def received(self, response: ModelResponse) -> None:
        """The model answered *response*; with the next request it will read that again, too."""
        took = response.usage
        input_, output, cached = map(_reported, (took.input_tokens, took.output_tokens, took.cache_read_tokens))
        answer = sum(guessed_tokens(str(part)) for part in response.parts)
        if took.unmeasured_requests or not input_ or (answer and not output):  # Nobody writes with no token.
            self._count(estimated=self._next_input + answer, unmeasured=1)
            self._next_input += answer
        else:
            self._count(
                input_=input_,
                output=output,
                cached=cached,
                cost=_price(response),
            )
            self._next_input = input_ + output

    def lost(self, answer_max: int) -> None:
        """A request was sent and its answer never came: the model may have written all *answer_max* tokens of it."""
        self._count(estimated=self._next_input + answer_max, unmeasured=1)

    def _count(
        self,
        *,
        input_: int = 0,
        output: int = 0,
        cached: int = 0,
        estimated: int = 0,
        unmeasured: int = 0,
        cost: Decimal | None = None,
    ) -> None:
        before = self.usage
        known = Decimal(0) if before.requests == 0 else before.cost
        self.usage = replace(
            before,
            input=before.input + input_,
            output=before.output + output,
            cached=before.cached + cached,
            requests=before.requests + 1,
            unmeasured=before.unmeasured + unmeasured,
            estimated=before.estimated + estimated,
            cost=None if known is None or cost is None else known + cost,
        )


def _reported(count: object) -> int:
    """The number of tokens that a provider reports, as one that can be; 0 when it is none."""
    return max(0, min(count, _REPORTED_MAX)) if isinstance(count, int) else 0


def _price(response: ModelResponse) -> Decimal | None:
    try:
        return response.cost().total_price
    except (AssertionError, LookupError, ValueError):  # Nobody knows what the model costs.
        return None
