"""A model of a provider, by its name. Only the library of that provider is imported."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from pydantic_ai.models import Model

from cronicorn.adapters.ai.client import PydanticAIClient
from cronicorn.adapters.ai.transport import BoundedTransport

_HOMES = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
}
"""Said explicitly: the libraries would follow environment variables of their own."""
_NO_KEY = "none"
"""What is sent to a server of one's own that asks for no key, because the libraries insist on one."""


@asynccontextmanager
async def connected(
    model: str, *, base_url: str | None = None, api_key: str | None = None, temperature: float | None = 0.0
) -> AsyncIterator[PydanticAIClient]:
    """A client for *model*, written `provider:name`, with connections that end with the block.

    The provider `openai` with *base_url* is any server that speaks OpenAI's protocol. *temperature* is sent unless it
    is None or the model is known to refuse it. Nothing is sent until the client is asked.
    """
    provider, _, name = model.partition(":")
    timeout = httpx2.Timeout(None)  # The deadline of the question counts.
    async with httpx2.AsyncClient(transport=BoundedTransport(), timeout=timeout) as http:
        # What is imported here takes seconds, for which the event loop must not stand still.
        found = await asyncio.to_thread(_model, provider, name, http, base_url, api_key or _NO_KEY)
        yield PydanticAIClient(found, temperature if _takes_temperature(found) else None)


def _model(provider: str, name: str, http: httpx2.AsyncClient, base_url: str | None, api_key: str) -> Model:
    url = base_url or _HOMES[provider]
    match provider:
        case "openai":
            return _openai(name, http, url, api_key, is_home=base_url is None)
        case "anthropic":
            return _anthropic(name, http, url, api_key)
        case _:
            return _google(name, http, url, api_key)


def _takes_temperature(model: Model) -> bool:
    """Whether *model* accepts a temperature, as far as the library knows; one that it does not know does."""
    profile: Mapping[str, Any] = {**model.profile}
    if profile.get("openai_supports_reasoning"):
        efforts = profile.get("openai_reasoning_efforts")
        quiet = profile.get("openai_supports_reasoning_effort_none") if efforts is None else "none" in efforts
        return bool(quiet) and not profile.get("thinking_enabled_by_default")
    return not profile.get("anthropic_disallows_sampling_settings")


def _openai(name: str, http: httpx2.AsyncClient, url: str, api_key: str, *, is_home: bool) -> Model:
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    from cronicorn.adapters.ai.openai_model import OpenAIModel

    # Servers of this protocol know the older name of the bound on an answer, and some of them no other.
    profile = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False)
    if is_home:
        return OpenAIModel(name, provider=OpenAIProvider(base_url=url, api_key=api_key, http_client=http))
    other = OpenAICompatibleProvider("openai-compatible", base_url=url, api_key=api_key, http_client=http)
    return OpenAIModel(name, provider=other, profile=profile)


def _anthropic(name: str, http: httpx2.AsyncClient, url: str, api_key: str) -> Model:
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    return AnthropicModel(name, provider=AnthropicProvider(base_url=url, api_key=api_key, http_client=http))


def _google(name: str, http: httpx2.AsyncClient, url: str, api_key: str) -> Model:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    return GoogleModel(name, provider=GoogleProvider(base_url=url, api_key=api_key, http_client=http))
