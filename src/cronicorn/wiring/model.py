"""The language model that the settings name, if any."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cronicorn.scheduler import AIClient
from cronicorn.wiring.extras import require
from cronicorn.wiring.setting import PREFIX
from cronicorn.wiring.settings import Settings

_LIBRARIES = {"openai": "openai", "anthropic": "anthropic", "google": "google.genai"}


@asynccontextmanager
async def model_client(settings: Settings) -> AsyncIterator[AIClient | None]:
    """A client of the model that *settings* name, with connections that end with the block; None when they name none.

    Only then anything is imported, in a thread of its own: it takes seconds, for which no call must wait. Nothing is
    sent before a question is asked. Raises UnavailableError when the extra is not installed.
    """
    if settings.ai_model is None:
        yield None
        return
    provider = settings.ai_model.partition(":")[0]
    for module in ("pydantic_ai", _LIBRARIES[provider]):
        require(module, "ai", f"{PREFIX}AI_MODEL={settings.ai_model}")
    await asyncio.to_thread(_load)
    from cronicorn.adapters.ai.connecting import connected

    base_url = None if settings.ai_base_url is None else settings.ai_base_url.text
    temperature = 0.0 if settings.ai_temperature == "0" else None
    async with connected(
        settings.ai_model, base_url=base_url, api_key=settings.ai_api_key, temperature=temperature
    ) as client:
        yield client


def _load() -> None:
    import cronicorn.adapters.ai.connecting  # noqa: F401
