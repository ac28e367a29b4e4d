import subprocess
import sys
from dataclasses import fields
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from cronicorn.domain.errors import InvalidInputError
from cronicorn.scheduler import SchedulerSettings
from cronicorn.wiring.settings import Settings, shown_settings
from cronicorn.wiring.settings_table import SETTINGS


def problems_of(environ):
    with pytest.raises(InvalidInputError) as caught:
        Settings.from_env(environ)
    return {each.pointer.removeprefix("/"): each.message for each in caught.value.fields}


def test_the_table_lists_every_field_once():
    assert [setting.field for setting in SETTINGS] == [each.name for each in fields(Settings)]


def test_every_example_in_the_table_can_be_read():
    for setting in SETTINGS:
        assert setting.read(setting.example) is not None


def test_an_empty_environment_gives_the_defaults():
    settings = Settings.from_env({})

    assert (settings.host, settings.port, settings.api_key) == ("127.0.0.1", 3333, None)
    assert settings.database_url.path is None
    assert settings.egress_allow == ()
    assert settings.retention == timedelta(days=30)


def test_the_defaults_are_those_of_the_scheduler():
    ours, theirs = Settings.from_env({}), SchedulerSettings(worker_id="w")

    shared = {each.name for each in fields(Settings)} & {each.name for each in fields(SchedulerSettings)}

    assert len(shared) == 7
    assert {name: getattr(ours, name) for name in shared} == {name: getattr(theirs, name) for name in shared}


def test_settings_are_read_without_what_they_are_for():
    program = (
        "import sys, cronicorn.wiring.settings\n"
        "print(*(name for name in sys.modules if name.startswith(('cronicorn.scheduler', 'pydantic_ai'))))"
    )

    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert found.split() == []


def test_values_are_read_in_their_units():
    settings = Settings.from_env(
        {
            "CRONICORN_DATABASE_URL": "sqlite:///data/jobs.db",
            "CRONICORN_LEASE_TTL": "2500ms",
            "CRONICORN_RENEW_INTERVAL": "1",
            "CRONICORN_LEASE_MARGIN": "1s",
            "CRONICORN_EGRESS_ALLOW": "127.0.0.0/8, 10.1.2.3",
            "CRONICORN_LOG_LEVEL": "DEBUG",
        }
    )

    assert settings.database_url.path == Path("data/jobs.db")
    assert settings.lease_ttl == timedelta(seconds=2.5)
    assert settings.egress_allow == (ip_network("127.0.0.0/8"), ip_network("10.1.2.3/32"))
    assert settings.log_level == "debug"


@pytest.mark.parametrize(
    ("text", "path"),
    [("sqlite:jobs.db", "jobs.db"), ("sqlite:///jobs.db", "jobs.db"), ("sqlite:////srv/jobs.db", "/srv/jobs.db")],
)
def test_a_sqlite_url_counts_slashes_as_sqlalchemy_does(text, path):
    assert Settings.from_env({"CRONICORN_DATABASE_URL": text}).database_url.path == Path(path)


@pytest.mark.parametrize(
    "text",
    ["mysql://localhost/x", "postgresql+asyncpg://db/x", "postgresql:db", "postgresql://db:0/x", "postgres://d b/x",
     "jobs.db", "sqlite://jobs.db", "sqlite::memory:", "memory:x"],
)  # fmt: skip
def test_a_database_url_that_names_no_store_is_refused(text):
    assert "memory:" in problems_of({"CRONICORN_DATABASE_URL": text})["CRONICORN_DATABASE_URL"]


def test_empty_values_count_as_unset_and_test_names_are_left_alone():
    environ = {"CRONICORN_PORT": " ", "CRONICORN_API_KEY": "", "CRONICORN_TEST_SEED": "x", "OTHER": "y"}

    assert Settings.from_env(environ) == Settings.from_env({})


def test_all_problems_are_told_at_once_with_value_and_example():
    problems = problems_of(
        {
            "CRONICORN_PORT": "70000",
            "CRONICORN_CALLS_MAX": "many",
            "CRONICORN_LEASE_TTL": "soon",
            "CRONICORN_EGRESS_ALLOW": "10.0.0.1/8",
            "CRONICORN_LOG_FORMAT": "xml",
            "CRONICORN_HOST": "a b",
        }
    )

    assert len(problems) == 6
    assert problems["CRONICORN_PORT"] == (
        "CRONICORN_PORT is '70000', but must be a whole number from 0 to 65535; for example CRONICORN_PORT=3333."
    )


def test_an_unknown_name_is_refused_with_the_nearest_known_one():
    problems = problems_of({"CRONICORN_LEASE_TLL": "30s"})

    assert "Did you mean CRONICORN_LEASE_TTL?" in problems["CRONICORN_LEASE_TLL"]


def test_a_name_that_is_close_to_none_is_refused_without_a_guess():
    message = problems_of({"CRONICORN_FOO": "1"})["CRONICORN_FOO"]

    assert message == "CRONICORN_FOO is no setting. `cronicorn settings` lists all of them."


def test_an_unusable_secret_is_not_shown():
    message = problems_of({"CRONICORN_API_KEY": "hunter 2"})["CRONICORN_API_KEY"]

    assert "hunter" not in message
    assert "***" in message


@pytest.mark.parametrize(
    "text",
    ["mysql://me:secret@db/x", "postgresql://me:secret/secret@db/x", "postgresql://me:secret@secret@db/x",
     "postgresql://me:secret#secret@db/x", "postgresql://me:secret?secret@db/x", "postgres:me:secret@db/x",
     f"postgresql://me:{'secret' * 20}@@db/x", "postgresql://db:port/x?password=secret"],
)  # fmt: skip
def test_credentials_in_an_unusable_url_are_not_shown(text):
    message = problems_of({"CRONICORN_DATABASE_URL": text})["CRONICORN_DATABASE_URL"]

    assert "secret" not in message
    assert "postgresql://USER:PASSWORD@HOST:PORT/DATABASE" in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("postgresql://me:secret@db:5432/x?sslmode=require", "postgresql://me:***@db:5432/x?sslmode=require"),
        ("postgres://me:sec%40ret@[::1]/x", "postgres://me:***@[::1]/x"),
        ("postgresql://me@a:1,b:2/x", "postgresql://***@a:1,b:2/x"),
        ("postgresql:///x?host=/tmp&password=secret&user=me", "postgresql:///x?host=/tmp&password=***&user=me"),
    ],
)
def test_a_password_of_postgresql_goes_to_the_server_alone(text, told):
    settings = Settings.from_env({"CRONICORN_DATABASE_URL": text})

    assert settings.database_url.connection == text
    assert str(settings.database_url) == shown_settings(settings)["database_url"] == told
    assert "sec" not in repr(settings).replace("seconds", "")


@pytest.mark.parametrize(
    "environ",
    [
        {"CRONICORN_LEASE_TTL": "13s", "CRONICORN_RENEW_INTERVAL": "12s"},
        {"CRONICORN_RENEW_INTERVAL": "27s"},
        {"CRONICORN_LEASE_MARGIN": "1m"},
    ],
)
def test_a_lease_that_could_not_be_renewed_in_time_is_refused(environ):
    assert "together" in problems_of(environ)["CRONICORN_LEASE_TTL"]


def test_secrets_are_masked_where_settings_are_shown():
    settings = Settings.from_env({"CRONICORN_API_KEY": "hunter22-and-more"})

    assert shown_settings(settings)["api_key"] == "***"
    assert "hunter22-and-more" not in repr(settings)


def test_shown_values_read_as_the_same_settings():
    environ = {
        "CRONICORN_EGRESS_ALLOW": "127.0.0.0/8,10.1.2.3/32",
        "CRONICORN_DATABASE_URL": "postgresql:///jobs",
        "CRONICORN_LEASE_MECHANISM": "lease:60,redis:40",
        "CRONICORN_REDIS_URL": "redis://127.0.0.1:6379/0",
        "CRONICORN_POSTGRES_WITHOUT": "prepared, notify",
    }
    settings = Settings.from_env(environ)

    shown = {setting.name: shown_settings(settings)[setting.field] for setting in SETTINGS}

    assert Settings.from_env(shown) == settings


def test_a_shorter_lease_is_renewed_and_left_in_proportion():
    settings = Settings.from_env({"CRONICORN_LEASE_TTL": "6s"})

    assert settings.renew_interval == timedelta(seconds=2)
    assert settings.lease_margin == timedelta(milliseconds=600)


POSTGRES = {"CRONICORN_DATABASE_URL": "postgresql://db/x"}
MECHANISM = "CRONICORN_LEASE_MECHANISM"


@pytest.mark.parametrize("text", ["leases", "lease:50,redis:40", "lease:50,lease:50", "lease,redis", "lease:1e2", ","])
def test_shares_of_mechanisms_that_do_not_add_up_are_refused(text):
    assert "lease:90,optimistic:10" in problems_of({MECHANISM: text})[MECHANISM]


@pytest.mark.parametrize(
    ("environ", "name", "told"),
    [
        (POSTGRES | {MECHANISM: "lease:90,redis:10"}, "CRONICORN_REDIS_URL", "is not set"),
        (POSTGRES | {MECHANISM: "etcd"}, "CRONICORN_ETCD_URL", "is not set"),
        ({MECHANISM: "redis", "CRONICORN_REDIS_URL": "redis://cache"}, MECHANISM, "needs PostgreSQL"),
        ({MECHANISM: "legacy", "CRONICORN_DATABASE_URL": "memory:"}, MECHANISM, "must be lease"),
        ({MECHANISM: "legacy", "CRONICORN_LEGACY_LOCK": "10s"}, "CRONICORN_LEGACY_LOCK", "shorter than"),
        ({"CRONICORN_TENANT_CALLS_MAX": "5"}, "CRONICORN_TENANT_CALLS_MAX", "needs PostgreSQL"),
        ({"CRONICORN_HOST_CALLS_MAX": "5"}, "CRONICORN_HOST_CALLS_MAX", "needs PostgreSQL"),
        (
            POSTGRES | {MECHANISM: "lease:50,optimistic:50", "CRONICORN_HOST_CALLS_MAX": "5"},
            "CRONICORN_HOST_CALLS_MAX",
            "lease and legacy alone",
        ),
        ({"CRONICORN_POSTGRES_WITHOUT": "tables"}, "CRONICORN_POSTGRES_WITHOUT", "notify, prepared, skip_locked"),
    ],
)
def test_what_can_not_be_had_is_refused_at_the_start(environ, name, told):
    problems = problems_of(environ)

    assert list(problems) == [name]
    assert told in problems[name]


def test_a_lock_of_the_legacy_mechanism_matters_only_where_it_is_used():
    assert Settings.from_env({"CRONICORN_LEGACY_LOCK": "10s"}).legacy_lock == timedelta(seconds=10)


def test_the_password_of_redis_is_masked():
    settings = Settings.from_env({"CRONICORN_REDIS_URL": "rediss://:secret@cache:6379/0"})

    assert settings.redis_url is not None
    assert settings.redis_url.text == "rediss://:secret@cache:6379/0"
    assert "secret" not in shown_settings(settings)["redis_url"] + repr(settings)


def test_what_the_address_of_a_model_asks_with_is_masked():
    text = "https://me:secret@models.example/v1?api-version=secret&k=secret"
    settings = Settings.from_env(MODEL | {"CRONICORN_AI_BASE_URL": text})

    assert settings.ai_base_url is not None
    assert settings.ai_base_url.text == text
    assert shown_settings(settings)["ai_base_url"] == "https://me:***@models.example/v1?***"
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("CRONICORN_REDIS_URL", "http://me:secret@cache", "redis://"),
        ("CRONICORN_ETCD_URL", "https://me:secret@etcd:2379", "without a user"),
    ],
)
def test_an_unusable_address_of_a_lock_service_is_refused_and_its_password_not_shown(name, text, told):
    message = problems_of({name: text})[name]

    assert "secret" not in message
    assert told in message


MODEL = {"CRONICORN_AI_MODEL": "openai:gpt-5-mini", "CRONICORN_AI_API_KEY": "sk-hunter22"}


def test_no_model_is_asked_unless_one_is_named():
    settings = Settings.from_env({})

    assert (settings.ai_model, settings.ai_base_url, settings.ai_api_key) == (None, None, None)


@pytest.mark.parametrize(
    "name", ["openai:gpt-5-mini", "anthropic:claude-sonnet", "google:gemini-2.5-flash", "openai:org/model-7b:q4@2"]
)
def test_a_model_is_named_by_its_provider_and_its_name_there(name):
    assert Settings.from_env(MODEL | {"CRONICORN_AI_MODEL": name}).ai_model == name


@pytest.mark.parametrize(
    "name", ["gpt-5-mini", "openai:", "azure:gpt", "openai:a b", "openai:\N{SNOWMAN}", "openai:" + "x" * 300]
)
def test_a_model_that_nobody_has_is_refused(name):
    assert "openai:, anthropic: or google:" in problems_of(MODEL | {"CRONICORN_AI_MODEL": name})["CRONICORN_AI_MODEL"]


@pytest.mark.parametrize(
    ("environ", "name", "told"),
    [
        ({"CRONICORN_AI_API_KEY": "sk-1"}, "CRONICORN_AI_API_KEY", "CRONICORN_AI_MODEL is not"),
        ({"CRONICORN_AI_BASE_URL": "http://127.0.0.1:1/v1"}, "CRONICORN_AI_BASE_URL", "CRONICORN_AI_MODEL is not"),
        ({"CRONICORN_AI_MODEL": "openai:x"}, "CRONICORN_AI_API_KEY", "or CRONICORN_AI_BASE_URL"),
        (MODEL | {"CRONICORN_AI_BASE_URL": "127.0.0.1:11434"}, "CRONICORN_AI_BASE_URL", "a URL such as http://"),
        (MODEL | {"CRONICORN_AI_BASE_URL": "file:///etc/passwd"}, "CRONICORN_AI_BASE_URL", "a URL such as http://"),
        (MODEL | {"CRONICORN_AI_API_KEY": "sk hunter22"}, "CRONICORN_AI_API_KEY", "without spaces"),
    ],
)
def test_a_model_that_could_not_be_asked_is_refused_at_the_start(environ, name, told):
    problems = problems_of(environ)

    assert list(problems) == [name]
    assert told in problems[name]
    assert "hunter22" not in problems[name]


def test_the_key_of_the_model_is_masked():
    settings = Settings.from_env(MODEL)

    assert settings.ai_api_key == "sk-hunter22"
    assert shown_settings(settings)["ai_api_key"] == "***"
    assert "hunter22" not in repr(settings)


@pytest.mark.parametrize("name", ["API_KEY", "AI_API_KEY"])
def test_a_secret_may_be_given_by_a_file(name, tmp_path):
    (tmp_path / "key").write_text("  sk-from-a-file\n\n", encoding="utf-8")
    environ = {**MODEL, f"CRONICORN_{name}_FILE": str(tmp_path / "key")}
    environ.pop(f"CRONICORN_{name}", None)

    assert getattr(Settings.from_env(environ), name.lower()) == "sk-from-a-file"


def test_a_secret_in_a_file_that_can_not_be_used_is_told_of_without_it(tmp_path):
    key, name = tmp_path / "key", "CRONICORN_AI_API_KEY"
    environ = {"CRONICORN_AI_MODEL": "openai:x", f"{name}_FILE": str(key)}

    assert "can't be read: No such file" in problems_of(environ)[name]
    key.mkdir()
    assert "can't be read: Is a directory" in problems_of(environ)[name]
    key.rmdir()
    for content in (b"", b" \n", b"x" * 9_000):
        key.write_bytes(content)
        assert "one secret and nothing else" in problems_of(environ)[name]
    for content in (b"hunter 22", b"hunter\xff"):
        key.write_bytes(content)
        assert "hunter" not in problems_of(environ)[name]
    assert "none of a file" in problems_of(environ | {f"{name}_FILE": "\0"})[name]
    assert "both set" in problems_of(environ | {name: "sk-1"})[name]


def test_only_secrets_are_given_by_files():
    assert "is no setting" in problems_of({"CRONICORN_PORT_FILE": "port"})["CRONICORN_PORT_FILE"]
