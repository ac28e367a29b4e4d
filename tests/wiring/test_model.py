"""The language model is there when it is named, and not so much as imported when it is not."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from cronicorn.domain.errors import UnavailableError
from cronicorn.scheduler import Question, tool
from cronicorn.wiring import extras
from cronicorn.wiring.model import model_client
from cronicorn.wiring.settings import Settings
from tests.servers.model import calls, fake_model

LIBRARIES = ["anthropic", "google.genai", "httpx2", "openai", "pydantic_ai"]
ASKING = [
    "cronicorn.adapters.ai", "cronicorn.scheduler.analysing", "cronicorn.scheduler.analyst",
    "cronicorn.scheduler.compiling", "cronicorn.scheduler.drafting", "cronicorn.scheduler.looking",
    "cronicorn.scheduler.planner", "cronicorn.scheduler.recompiling",
]  # fmt: skip
UP = f"""
import asyncio, os, signal, sys
from cronicorn.wiring.model import model_client
from cronicorn.wiring.process import serve
from cronicorn.wiring.settings import Settings

settings = Settings.from_env(os.environ)

def told(started):
    print(*(name for name in {LIBRARIES + ASKING} if name in sys.modules), "ready")
    os.kill(os.getpid(), signal.SIGTERM)

async def main():
    async with model_client(settings) as client:
        assert client is None
        return await serve(settings, told)

sys.exit(asyncio.run(main()))
"""


@tool("End the analysis.")
async def submit_analysis(*, reasoning: str):
    return "done"


QUESTION = Question(
    system="You decide.", input="What?", tools=[submit_analysis], final_tool="submit_analysis", tokens_max=5_000
)


async def test_the_model_of_the_settings_is_asked(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-from-a-file\n", encoding="utf-8")
    with fake_model(calls(("submit_analysis", {"reasoning": "All is well."}))) as model:
        settings = Settings.from_env(
            {
                "CRONICORN_AI_MODEL": "openai:fake-1",
                "CRONICORN_AI_BASE_URL": model.url,
                "CRONICORN_AI_API_KEY_FILE": str(tmp_path / "key"),
            }
        )
        async with model_client(settings) as client:
            assert client is not None
            assert model.asked == []
            session = await client.plan_with_tools(QUESTION)

    assert session.final == {"reasoning": "All is well."}
    assert model.asked[0].headers["authorization"] == "Bearer sk-from-a-file"


@pytest.mark.parametrize(("given", "sent"), [({}, 0.0), ({"CRONICORN_AI_TEMPERATURE": "none"}, None)])
async def test_the_temperature_is_zero_unless_settings_leave_it_out(given, sent) -> None:
    with fake_model(calls(("submit_analysis", {"reasoning": "All is well."}))) as model:
        environ = {"CRONICORN_AI_MODEL": "openai:fake-1", "CRONICORN_AI_BASE_URL": model.url} | given
        async with model_client(Settings.from_env(environ)) as client:
            assert client is not None
            await client.plan_with_tools(QUESTION)

    assert model.asked[0].body.get("temperature") == sent


def test_without_a_model_nothing_that_asks_one_is_imported_by_a_process_that_serves(tmp_path: Path) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "CRONICORN_DATABASE_URL": f"sqlite:{tmp_path / 'store.db'}",
        "CRONICORN_PORT": "0",
        "CRONICORN_API_KEY": "a-key-for-tests-only",
    }
    done = subprocess.run(
        [sys.executable, "-c", UP], env=environ, capture_output=True, text=True, check=False, timeout=120
    )

    assert (done.returncode, done.stdout.split()) == (0, ["ready"]), done.stderr


@pytest.mark.parametrize("missing", ["pydantic_ai", "openai"])
async def test_a_model_without_its_library_is_told_with_the_extra_that_brings_it(missing, monkeypatch) -> None:

    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == missing else find_spec(name))
    settings = Settings.from_env({"CRONICORN_AI_MODEL": "openai:x", "CRONICORN_AI_API_KEY": "sk-1"})

    with pytest.raises(UnavailableError, match=rf"AI_MODEL=openai:x needs `{missing}`.*'cronicorn\[ai\]'"):
        async with model_client(settings):
            pass
