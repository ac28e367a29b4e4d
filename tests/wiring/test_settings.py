from dataclasses import fields
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from cronicorn.domain.errors import InvalidInputError
from cronicorn.scheduler import SchedulerSettings
from cronicorn.wiring.settings import SETTINGS, Settings, shown_settings


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
    "text", ["postgresql://localhost/x", "jobs.db", "sqlite://jobs.db", "sqlite::memory:", "memory:x"]
)
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


def test_credentials_in_an_unusable_url_are_not_shown():
    assert "secret" not in problems_of({"CRONICORN_DATABASE_URL": "mysql://me:secret@db/x"})["CRONICORN_DATABASE_URL"]


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
    environ = {"CRONICORN_EGRESS_ALLOW": "127.0.0.0/8,10.1.2.3/32", "CRONICORN_DATABASE_URL": "memory:"}
    settings = Settings.from_env(environ)

    shown = {setting.name: shown_settings(settings)[setting.field] for setting in SETTINGS}

    assert Settings.from_env(shown) == settings


def test_a_shorter_lease_is_renewed_and_left_in_proportion():
    settings = Settings.from_env({"CRONICORN_LEASE_TTL": "6s"})

    assert settings.renew_interval == timedelta(seconds=2)
    assert settings.lease_margin == timedelta(milliseconds=600)
