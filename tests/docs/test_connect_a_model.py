"""The example that asks a model works against a server, and says so when there is none."""

import pytest

from tests.docs.markdown import DOCS
from tests.docs.test_python_examples import examples
from tests.servers.model import calls, fake_model, refuses, says

PROGRAM = examples(DOCS / "how-to" / "connect-a-model.md")
WELL = [calls(("propose_interval", {"interval_s": 30})), calls(("submit_analysis", {"reasoning": "it grows."}))]


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        (WELL, "Every 30.0 s, because it grows.\n240 tokens\n"),
        ([says("Hm.")], "No decision: missing_final_tool\n240 tokens\n"),
        ([refuses(401, "invalid_api_key")], "The model's server refused the request: 401 (invalid_api_key)."),
    ],
)
def test_the_example_asks_the_model_that_is_named(script, printed, monkeypatch, capsys) -> None:
    with fake_model(*script) as model:
        monkeypatch.setenv("CRONICORN_AI_MODEL", "openai:fake-1")
        monkeypatch.setenv("CRONICORN_AI_BASE_URL", model.url)

        exec(compile(PROGRAM, "connect-a-model", "exec"), {"__name__": "__main__"})

    assert capsys.readouterr().out.startswith(printed)


def test_the_example_says_when_no_model_is_named(capsys) -> None:
    exec(compile(PROGRAM, "connect-a-model", "exec"), {"__name__": "__main__"})

    assert capsys.readouterr().out == "No model is named.\n"
