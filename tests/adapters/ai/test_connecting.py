"""Providers: each is spoken to in its own protocol, and only the library of the one that was chosen is loaded."""

import json
import subprocess
import sys

import pytest

from cronicorn.adapters.ai.connecting import connected
from cronicorn.scheduler import AIFatalError, TokenUsage
from tests.adapters.ai.desk import FINAL, LATEST, a_desk
from tests.servers.model import Answer, calls, refuses, sends


def anthropic_calls(name: str, arguments: object) -> Answer:
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-fake",
        "content": [{"type": "tool_use", "id": "toolu_1", "name": name, "input": arguments}],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 30},
    }
    return sends(json.dumps(body).encode())


def google_calls(name: str, arguments: object) -> Answer:
    content = {"role": "model", "parts": [{"functionCall": {"name": name, "args": arguments}}]}
    body = {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120},
        "modelVersion": "gemini-fake",
    }
    return sends(json.dumps(body).encode())


async def test_anthropic_is_asked_in_its_own_protocol():
    script = (anthropic_calls(*LATEST), anthropic_calls(*FINAL))
    async with a_desk(*script, name="anthropic:claude-fake") as desk:
        session = await desk.asks(answer_tokens_max=500)

    first, second = desk.model.asked
    assert first.headers["authorization"] == "Bearer sk-test"
    assert first.body["tool_choice"]["type"] == "any"
    assert first.body["max_tokens"] == 500
    assert "degraded" in json.dumps(second.body["messages"][-1])
    assert session.final == FINAL[1]
    assert session.usage == TokenUsage(input=260, output=40, cached=60, requests=2)


async def test_google_is_asked_in_its_own_protocol():
    script = (google_calls(*LATEST), google_calls(*FINAL))
    async with a_desk(*script, name="google:gemini-fake") as desk:
        session = await desk.asks(answer_tokens_max=500)

    first, second = desk.model.asked
    assert first.path.endswith("/models/gemini-fake:generateContent")
    assert first.headers["x-goog-api-key"] == "sk-test"
    assert first.body["generationConfig"]["maxOutputTokens"] == 500
    assert "degraded" in json.dumps(second.body["contents"][-1])
    assert session.final == FINAL[1]
    assert session.usage == TokenUsage(input=200, output=40, requests=2)


ANSWERS = {
    "openai": calls(FINAL),
    "anthropic": anthropic_calls(*FINAL),
    "google": google_calls(*FINAL),
}


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("openai:fake-1", [0.0]),
        ("openai:gpt-4o", [0.0]),
        ("openai:gpt-5.4", [0.0]),
        ("openai:gpt-5-mini", []),
        ("openai:openai/gpt-5-mini", []),
        ("openai:gpt-5.5", []),
        ("anthropic:claude-fake", [0.0]),
        ("anthropic:claude-opus-5", []),
        ("google:gemini-fake", [0.0]),
    ],
)
async def test_the_temperature_is_zero_where_the_model_is_not_known_to_refuse_it(name, sent):
    async with a_desk(ANSWERS[name.partition(":")[0]], name=name) as desk:
        await desk.asks()

    body = desk.model.asked[0].body
    assert [part["temperature"] for part in (body, body.get("generationConfig", {})) if "temperature" in part] == sent


@pytest.mark.parametrize("name", ["openai:fake-1", "anthropic:claude-fake", "google:gemini-fake"])
async def test_every_provider_is_left_alone_once_it_refuses_the_key(name):
    async with a_desk(refuses(401, "invalid_api_key"), name=name) as desk:
        with pytest.raises(AIFatalError, match="401"):
            await desk.asks()

    assert len(desk.model.asked) == 1


PROVIDERS = {
    "openai:fake-1": "https://api.openai.com/v1/",
    "anthropic:claude-fake": "https://api.anthropic.com",
    "google:gemini-fake": "https://generativelanguage.googleapis.com",
}


@pytest.fixture
def variables_of_libraries(monkeypatch):
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/elsewhere")
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "sk-of-somebody-else")


@pytest.mark.usefixtures("variables_of_libraries")
@pytest.mark.parametrize("name", PROVIDERS)
async def test_a_key_that_the_libraries_find_by_themselves_is_sent_to_nobody(name):
    async with a_desk(refuses(401), name=name, api_key=None) as desk:
        await desk.ends()

    (asked,) = desk.model.asked
    assert "somebody-else" not in json.dumps(dict(asked.headers)) + asked.path


@pytest.mark.usefixtures("variables_of_libraries")
@pytest.mark.parametrize(("name", "home"), PROVIDERS.items())
async def test_without_an_address_the_provider_is_asked_at_home(name, home):
    async with connected(name, api_key="sk-test") as client:
        assert client._model.base_url == home


@pytest.mark.parametrize(
    ("provider", "library"), [("openai", "openai"), ("anthropic", "anthropic"), ("google", "google.genai")]
)
def test_only_the_library_of_the_chosen_provider_is_loaded(provider, library):
    program = f"""
import asyncio, sys
from cronicorn.adapters.ai.connecting import connected
async def main():
    async with connected("{provider}:fake", api_key="sk-test"):
        print(*[name for name in ("openai", "anthropic", "google.genai") if name in sys.modules])
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)

    assert done.stdout.split() == [library]
