"""`AIClient` on pydantic-ai: one model of one provider, asked within bounds."""

import asyncio
from datetime import timedelta

from pydantic_ai.models import Model

from cronicorn.adapters.ai.conversation import Conversation
from cronicorn.adapters.ai.requesting import Requesting
from cronicorn.scheduler.ai import AIClient, AITransientError, Question, Session


class PydanticAIClient(AIClient):
    """Asks *model*. May be asked many questions at once: they share connections, and nothing else."""

    def __init__(self, model: Model, temperature: float | None = None) -> None:
        """With *temperature* None the model takes its own."""
        self._model = model
        self._temperature = temperature

    async def plan_with_tools(self, question: Question) -> Session:
        now = asyncio.get_running_loop().time
        began = now()
        deadline = began + question.deadline.total_seconds()
        requesting = Requesting(self._model, question, deadline, self._temperature)
        conversation = Conversation(question, requesting)
        limit = asyncio.timeout_at(deadline)
        try:
            async with limit:
                final = await conversation.run()
        except TimeoutError as error:
            if not limit.expired():  # A tool's own.
                raise
            message = f"The model did not end its analysis within {question.deadline.total_seconds():g} s."
            raise AITransientError(message, usage=requesting.usage()) from error
        return Session(
            final=final,
            calls=tuple(conversation.calls),
            usage=requesting.usage(),
            duration=timedelta(seconds=now() - began),
            warnings=tuple(conversation.warnings),
        )
