"""A model that speaks OpenAI's protocol, whose answer counts also where its count of tokens can't be read."""

from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion
from pydantic import BaseModel, ValidationError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.openai._chat_completions import LenientChatCompletion


class OpenAIModel(OpenAIChatModel):
    """Takes a count that is not whole for none at all: the request is charged what was guessed, and its answer kept."""

    def _validate_completion(self, response: ChatCompletion) -> LenientChatCompletion:
        if not _counts(response.usage):
            response.usage = None
        return super()._validate_completion(response)


def _counts(usage: object) -> bool:
    """Whether *usage*, as the library made it of what came without looking, holds what the protocol asks for."""
    try:
        CompletionUsage.model_validate(usage.model_dump(warnings=False) if isinstance(usage, BaseModel) else usage)
    except ValidationError:
        return False
    return True
