"""Requests to the model: bounded, counted, and made again when the provider asks to wait."""

import asyncio
from collections.abc import Sequence
from itertools import count

from pydantic_ai.direct import model_request
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelRequestPart, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from cronicorn.adapters.ai.faults import Fault, fault_of
from cronicorn.adapters.ai.meter import Meter
from cronicorn.adapters.ai.repairing import in_unicode
from cronicorn.scheduler.ai import Question, SessionWarning, TokenUsage

_ATTEMPTS_MAX = 3
_FIRST_WAIT_S = 0.5
"""Before the second attempt when the provider did not say; doubled for each that follows."""


class Requesting:
    """The conversation with the model about one question, and what it took so far."""

    def __init__(self, model: Model, question: Question, deadline: float, temperature: float | None) -> None:
        """*deadline* is an instant of the running loop's clock; *temperature* None leaves it to the model."""
        self._model = model
        self._question = question
        self._deadline = deadline
        # Whether to try again is ours to say.
        self._settings = ModelSettings(max_retries=0)
        if temperature is not None:
            self._settings["temperature"] = temperature
        self._parameters = _parameters(question)
        self._messages: list[ModelMessage] = []
        self._meter = Meter(question)
        self._in_flight: int | None = None
        """What the answer may have that is being waited for, in tokens."""

    def say(self, parts: Sequence[ModelRequestPart]) -> None:
        """Say *parts* with the next request."""
        self._messages.append(ModelRequest(parts=parts, instructions=self._question.system))
        self._meter.will_send(parts)

    async def answer(self) -> ModelResponse | SessionWarning:
        """What the model answers; or the bound that forbids to ask it. Raises AITransientError and AIFatalError."""
        if self._meter.usage.requests >= self._question.requests_max:
            return SessionWarning.REQUESTS_MAX
        if self._meter.room < 1:
            return SessionWarning.TOKENS_MAX
        for attempt in count(1):
            answer = await self._attempt()
            if isinstance(answer, ModelResponse):
                self._meter.received(answer)
                self._messages.append(answer)
                return answer
            if answer.bound is not None:
                return answer.bound
            await self._wait_or_raise(answer, attempt)
        raise AssertionError("the attempts are counted")

    def usage(self) -> TokenUsage:
        """What the requests took; one that was stopped half-way has taken something, too."""
        if self._in_flight is not None:
            self._meter.lost(self._in_flight)
            self._in_flight = None
        return self._meter.usage

    async def _attempt(self) -> ModelResponse | Fault:
        room = min(self._question.answer_tokens_max, self._meter.room)
        self._in_flight = room
        try:
            response = await model_request(
                self._model,
                self._messages,
                model_settings={**self._settings, "max_tokens": room},
                model_request_parameters=self._parameters,
                instrument=False,
            )
        except Exception as error:  # noqa: BLE001 - what a provider sends may break the library in any way
            fault = fault_of(error)
            self._in_flight = room if fault.may_have_worked else None
            return fault
        self._in_flight = None
        return in_unicode(response)

    async def _wait_or_raise(self, fault: Fault, attempt: int) -> None:
        """Wait as long as the provider wants; raise when there is no time or no tokens for that, or no sense in it."""
        usage = self.usage()
        wait_s = _FIRST_WAIT_S * 2 ** (attempt - 1)
        if fault.retry_after is not None:
            wait_s = fault.retry_after.total_seconds()
        left_s = self._deadline - asyncio.get_running_loop().time()
        spent = attempt >= _ATTEMPTS_MAX or wait_s >= left_s or self._meter.room < 1
        if not fault.may_pass or spent:
            raise fault.error(usage) from fault.cause
        await asyncio.sleep(wait_s)


def _parameters(question: Question) -> ModelRequestParameters:
    """The tools; that one of them is an output tool makes the library demand a call of some tool in every answer."""
    definitions = {
        each.name: ToolDefinition(
            name=each.name,
            description=each.description,
            parameters_json_schema=each.schema,
            kind="output" if each.name == question.final_tool else "function",
        )
        for each in question.tools
    }
    final = definitions.pop(question.final_tool)
    return ModelRequestParameters(
        function_tools=list(definitions.values()), output_tools=[final], output_mode="tool", allow_text_output=False
    )
