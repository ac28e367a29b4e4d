"""A planner over a real file, with the model that the settings name; and what the commands show of it."""

import json
import threading

import pytest

from cronicorn.control.document import EndpointDocument, JobDocument
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.permission import EVERYTHING
from cronicorn.domain.principal import Principal
from cronicorn.wiring.engine import engine
from cronicorn.wiring.process import ProcessRole, check_store
from cronicorn.wiring.settings import Settings
from tests.cli.command import cronicorn, environment
from tests.servers.model import calls, fake_model
from tests.waiting import eventually
from tests.wiring.up_process import service

HINT = ("propose_interval", {"interval_s": 120, "reason": "quiet"})
ENDPOINT = {"name": "stock", "url": "http://127.0.0.1:9/", "baselineIntervalMs": 60_000, "analysis": True}
FINAL = ("submit_analysis", {"reasoning": "Nothing goes on.", "confidence": 0.5})


async def test_what_is_asked_for_at_the_command_line_is_analysed_and_shown(tmp_path):
    with fake_model(calls(HINT, FINAL)) as model:
        variables = {"DATABASE_URL": f"sqlite:{tmp_path / 'store.db'}", "AI_MODEL": "openai:fake-1"}
        variables |= {"AI_BASE_URL": model.url}
        settings = Settings.from_env({f"CRONICORN_{name}": value for name, value in variables.items()})
        env = environment(**variables)
        async with engine(settings, scheduling=False, planning=True) as parts:
            await parts.control.tenants.bootstrap("a-key-for-tests-only")
            (tenant,) = await parts.stores.keys.tenants()
            asker = Principal(tenant_id=tenant.id, actor="test", permissions=EVERYTHING)
            job = await parts.control.jobs.create(asker, JobDocument(name="shop"))
            document = EndpointDocument.model_validate(ENDPOINT)
            view = await parts.control.endpoints.create(asker, job.id, document)
            asked = cronicorn("analyses", "request", "shop/stock", env=env)
            assert parts.planner is not None
            await parts.planner.look_once()
            after = await parts.control.endpoints.get(asker, view.endpoint.id)
        listed = cronicorn("analyses", "list", "shop/stock", env=env)
        page = cronicorn("analyses", "list", "shop/stock", "--json", env=env)
        newest = json.loads(page.out)["sessions"][0]["id"]
        shown = cronicorn("analyses", "show", newest, env=env)
        session = cronicorn("analyses", "show", newest, "--json", env=env)

    assert (asked.code, asked.err) == (0, "")
    assert asked.out == "shop/stock is to be analysed at a planner's next look.\n"
    assert [hint.author for hint in after.endpoint.state.hints] == ["model"]
    assert "interval 120 s" in listed.out
    assert "Reasoning (50 % sure): Nothing goes on." in shown.out.splitlines()
    assert "applied: interval 120 s" in shown.out.splitlines()
    assert json.loads(page.out) == {"sessions": [json.loads(session.out)], "total": 1}
    assert json.loads(session.out)["reasoning"] == "Nothing goes on."


@pytest.mark.parametrize("command", ["up", "planner"])
def test_a_signal_lets_a_look_in_progress_end(tmp_path, command):
    asked, answered = threading.Event(), threading.Event()

    def slowly(_):
        asked.set()
        answered.wait(30)
        return calls(HINT, FINAL)

    with fake_model(slowly) as model:
        settings = {"AI_MODEL": "openai:fake-1", "AI_BASE_URL": model.url}
        env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}")
        file = tmp_path / "jobs.json"
        file.write_text(json.dumps({"jobs": [{"name": "shop", "endpoints": [ENDPOINT]}]}))
        with service(tmp_path, command=(command,), **settings) as running:
            eventually(lambda: running.events("process_started"), within_s=30)
            assert cronicorn("apply", "-f", str(file), env=env).code == 0
            assert cronicorn("analyses", "request", "shop/stock", env=env).code == 0
            assert asked.wait(30)
            running.process.terminate()
            eventually(lambda: running.events("process_stopping"), within_s=30)
            answered.set()
            code = running.ended()
        page = json.loads(cronicorn("analyses", "list", "shop/stock", "--json", env=env).out)

    assert code == 0
    assert [each["reasoning"] for each in page["sessions"]] == ["Nothing goes on."]
    assert len(model.asked) == 1


async def test_nobody_asks_where_no_model_is_named(tmp_path):
    settings = Settings.from_env({"CRONICORN_DATABASE_URL": f"sqlite:{tmp_path / 'store.db'}"})

    async with engine(settings, scheduling=False, planning=True) as parts:
        assert parts.planner is None
    with pytest.raises(InvalidInputError, match="CRONICORN_AI_MODEL"):
        check_store(settings, ProcessRole.PLANNER)


def test_the_start_says_which_model_may_be_asked_and_where_and_never_the_key(tmp_path):
    model = {"AI_MODEL": "openai:small", "AI_BASE_URL": "http://127.0.0.1:9/v1", "AI_API_KEY": "sk-never-shown"}
    with service(tmp_path, "asking", **model) as asking, service(tmp_path, "alone", ("api",)) as alone:
        asking.client().close()
        alone.client().close()
        (told,), (of_none,) = asking.events("process_started"), alone.events("process_started")

    assert (told["model"], told["model_host"], told["planner"]) == ("openai:small", "127.0.0.1", True)
    assert (of_none["model"], of_none["model_host"], of_none["planner"]) == (None, None, False)
    assert "sk-never-shown" not in asking.talk
