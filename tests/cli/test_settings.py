import json

from cronicorn.wiring.settings_table import SETTINGS
from tests.cli.command import cronicorn, environment


def test_every_setting_is_listed_with_its_value():
    env = environment(PORT="4444", API_KEY="hunter22-and-more")

    rows = json.loads(cronicorn("settings", "--json", env=env).out)

    by_name = {row["name"]: row for row in rows}
    assert list(by_name) == [setting.name for setting in SETTINGS]
    assert (by_name["CRONICORN_PORT"]["value"], by_name["CRONICORN_PORT"]["set"]) == ("4444", True)
    assert by_name["CRONICORN_LEASE_TTL"]["value"] == by_name["CRONICORN_LEASE_TTL"]["default"] == "30s"


def test_secrets_are_masked():
    ended = cronicorn("settings", env=environment(API_KEY="hunter22-and-more"))

    assert "CRONICORN_API_KEY=***" in ended.out
    assert "hunter22" not in ended.out


def test_bad_settings_end_with_exit_code_2_and_a_line_each():
    ended = cronicorn("settings", env=environment(PORT="x", LEASE_TTL="y"))

    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 3
