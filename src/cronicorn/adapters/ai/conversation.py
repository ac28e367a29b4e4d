"""The turns of one analysis: what the model asks for, and the bounds at which it ends.

The loop is ours and not the library's agent: every bound is checked before anything runs, tools run one after another
in the order in which they were asked for, and what a tool raises rises as it is.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic_ai.messages import ModelRequestPart, ModelResponse, ToolCallPart, ToolReturnPart, UserPromptPart
from pydantic_core import from_json

from cronicorn.adapters.ai.requesting import Requesting
from cronicorn.domain.errors import ConflictError, CronicornError, InvalidInputError, NotFoundError
from cronicorn.scheduler.ai import Question, SessionWarning, ToolCall
from cronicorn.scheduler.tools import call_tool

_SAME_CALL_MAX = 3
_FINALS_MAX = 10
"""So many calls of the final tool may stand in one answer; one is meant."""
_ARGUMENTS_MAX = 64 << 10
"""Characters of the arguments of one call. Longer ones are refused unread."""
_NOT_YET = "Not accepted: another call of this turn was refused. Mend that one or leave it out, then call {} again."
_REMINDER = "Only calls of tools count; text is not read. When you are done, call {}."


class Conversation:
    """One question to a model, in as many turns as it takes."""

    def __init__(self, question: Question, requesting: Requesting) -> None:
        self.calls: list[ToolCall] = []
        self.warnings: list[SessionWarning] = []
        self._question = question
        self._requesting = requesting
        self._tools = {each.name: each for each in question.tools}
        self._asked: Counter[str] = Counter()
        self._reminded = False

    async def run(self) -> Mapping[str, object] | None:
        """The arguments of the final tool; None when a bound was met, and then a warning says which."""
        self._requesting.say([UserPromptPart(self._question.input)])
        while True:
            answer = await self._answer()
            if isinstance(answer, SessionWarning):
                self._warn(answer)
                return None
            final, replies = await self._carried_out(answer.tool_calls)
            if final is not None:
                return final
            self._requesting.say(replies)

    async def _answer(self) -> ModelResponse | SessionWarning:
        """What the model answers, or the bound that forbids to ask it or to do what it says."""
        answer = await self._requesting.answer()
        return answer if isinstance(answer, SessionWarning) else self._bound_met_by(answer) or answer

    def _bound_met_by(self, answer: ModelResponse) -> SessionWarning | None:
        """The bound that forbids to go on with *answer*; none of its calls has been made yet."""
        if answer.finish_reason == "length":
            self._warn(SessionWarning.OUTPUT_TRUNCATED)
        if not answer.tool_calls:
            return SessionWarning.MISSING_FINAL_TOOL if self._reminded else None
        made = sum(not self._is_final(call.tool) for call in self.calls)
        asked = sum(not self._is_final(part.tool_name) for part in answer.tool_calls)
        finals = len(answer.tool_calls) - asked
        if made + asked > self._question.tool_calls_max or finals > _FINALS_MAX:
            return SessionWarning.TOOL_CALLS_MAX  # Counted before any of them is read.
        self._asked.update(_call_digest(part) for part in answer.tool_calls)
        return SessionWarning.REPEATED_CALL if max(self._asked.values()) >= _SAME_CALL_MAX else None

    async def _carried_out(
        self, asked: Sequence[ToolCallPart]
    ) -> tuple[Mapping[str, object] | None, list[ModelRequestPart]]:
        """Make the calls of one turn, the final one last, and only if no other was refused; and what to reply."""
        if not asked:
            self._reminded = True
            return None, [UserPromptPart(_REMINDER.format(self._question.final_tool))]
        replies: list[ModelRequestPart] = []
        refused = False
        for part in sorted(asked, key=lambda each: self._is_final(each.tool_name)):
            call = _not_yet(part) if refused and self._is_final(part.tool_name) else await self._made(part)
            self.calls.append(call)
            if call.refusal is None and self._is_final(part.tool_name):
                return call.arguments, []
            refused = refused or (call.refusal is not None and part.tool_name in self._tools)
            replies.append(_reply(part, call))
        return None, replies

    async def _made(self, part: ToolCallPart) -> ToolCall:
        """The call that *part* asks for."""
        if part.tool_name not in self._tools:
            self._warn(SessionWarning.UNKNOWN_TOOL)
        arguments: Mapping[str, object] = {}
        try:
            arguments = _arguments(part)
            result = await call_tool(self._tools, part.tool_name, arguments)
        except (ConflictError, InvalidInputError, NotFoundError) as error:
            return ToolCall(tool=part.tool_name, arguments=arguments, result=None, refusal=_told(error))
        return ToolCall(tool=part.tool_name, arguments=arguments, result=result)

    def _is_final(self, name: str) -> bool:
        return name == self._question.final_tool

    def _warn(self, warning: SessionWarning) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)


def _arguments(part: ToolCallPart) -> dict[str, object]:
    """What the model wrote, read as JSON. Raises InvalidInputError."""
    if len(_written(part)) > _ARGUMENTS_MAX:
        raise InvalidInputError(f"The arguments are longer than {_ARGUMENTS_MAX:,} characters: write less.")
    if isinstance(part.args, dict):
        return part.args
    try:
        arguments = from_json(_written(part))
    except ValueError as error:
        raise InvalidInputError("The arguments are not JSON.") from error
    if not isinstance(arguments, dict):
        raise InvalidInputError("The arguments must be a JSON object.")
    return {name: _whole(value) for name, value in arguments.items()}


def _whole(value: object) -> object:
    """5 for 5.0: small models write whole numbers so, and JSON knows no difference (RFC 8259, 6)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _call_digest(part: ToolCallPart) -> str:
    try:
        return f"{part.tool_name} {json.dumps(_arguments(part), sort_keys=True)}"
    except InvalidInputError:
        return f"{part.tool_name} {part.args}"


def _written(part: ToolCallPart) -> str:
    """The arguments as text, whether the provider sends them as such or not."""
    return json.dumps(part.args) if isinstance(part.args, dict) else part.args or "{}"


def _told(error: CronicornError) -> str:
    fields = error.fields if isinstance(error, InvalidInputError) else ()
    return " ".join([str(error), *(each.message for each in fields)])


def _not_yet(part: ToolCallPart) -> ToolCall:
    return ToolCall(tool=part.tool_name, arguments={}, result=None, refusal=_NOT_YET.format(part.tool_name))


def _reply(part: ToolCallPart, call: ToolCall) -> ToolReturnPart:
    if call.refusal is not None:
        return ToolReturnPart(part.tool_name, call.refusal, part.tool_call_id, outcome="failed")
    told = call.result if isinstance(call.result, str) else json.dumps(call.result, ensure_ascii=False)
    return ToolReturnPart(part.tool_name, told, part.tool_call_id)
