"""Profiles: kept for one user alone, chosen by option, environment and use; keys are never shown."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from operator import methodcaller

import pytest

from cronicorn.cli.place import Place, chosen_profile
from cronicorn.cli.profile_file import (
    FILE_VARIABLE,
    ServerProfile,
    ServerProfiles,
    change_profiles,
    read_profiles,
    write_profiles,
)
from cronicorn.domain.errors import NotFoundError
from tests.cli.command import cronicorn, environment

URL = "https://cron.example.com"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "kept" / "profiles.json"


@pytest.fixture
def profile(file):
    def typed(*arguments, stdin="", **variables):
        return cronicorn("profile", *arguments, stdin=stdin, env=environment(PROFILES_FILE=str(file)) | variables)

    return typed


def test_a_profile_is_added_listed_used_and_removed(profile, file):
    added = profile("add", "prod", "--url", f"{URL}/", stdin="ck_secret\n")
    used = profile("use", "prod")
    listed = profile("list")
    as_json = profile("list", "--json")
    removed = profile("remove", "prod")

    assert [each.code for each in (added, used, listed, removed)] == [0, 0, 0, 0], added.err
    assert f"Commands act on {URL}" in used.out
    assert json.loads(as_json.out) == [{"name": "prod", "url": URL, "key": "in the profile", "used": True}]
    assert "ck_secret" not in added.out + added.err + listed.out + as_json.out
    assert json.loads(file.read_text()) == {"used": None, "profiles": {}}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_may_stay_in_a_file_or_a_variable(profile, file, tmp_path):
    (tmp_path / "key").write_text("ck_other\n")

    profile("add", "a", "--url", URL, "--key-file", str(tmp_path / "key"))
    profile("add", "b", "--url", URL, "--key-variable", "PROD_KEY")

    assert json.loads(file.read_text())["profiles"] == {
        "a": {"url": URL, "keyFile": str(tmp_path / "key")},
        "b": {"url": URL, "keyVariable": "PROD_KEY"},
    }


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (("prod", "--url", "cron.example.com"), "k", "must be such as https://"),
        (("prod", "--url", "https://me:pw@cron.example.com"), "k", "must be such as https://"),
        (("local", "--url", URL), "k", "can't be a profile's name"),
        (("prod", "--url", URL), "", "is empty"),
        (("prod", "--url", URL), "two words", "spaces"),
        (("prod", "--url", URL, "--ask", "--key-variable", "X"), "", "in one way"),
    ],
)
def test_a_profile_that_could_not_work_is_refused(profile, file, arguments, stdin, said):
    ended = profile("add", *arguments, stdin=stdin)

    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "pw" not in ended.err
    assert not file.exists()


def test_a_second_profile_of_a_name_is_a_conflict(profile):
    profile("add", "prod", "--url", URL, "--ask")

    assert profile("add", "prod", "--url", URL, "--ask").code == 5


def test_over_plain_http_a_key_can_be_read_and_that_is_said(profile):
    assert "everybody on the way" in profile("add", "a", "--url", "http://cron.example.com", "--ask").err
    assert "everybody" not in profile("add", "b", "--url", "http://127.0.0.1:3333", "--ask").err


def test_a_file_that_others_may_read_or_that_is_none_is_refused(profile, file):
    profile("add", "prod", "--url", URL, "--ask")
    file.chmod(0o640)
    readable = profile("list")
    file.chmod(0o600)
    file.write_text('{"profiles": {"a": {"url": 3}}}')
    broken = profile("list")

    assert f"chmod 600 {file}" in readable.err
    assert "is no file of profiles" in broken.err
    assert (readable.code, broken.code) == (2, 2)


@pytest.mark.parametrize("laid", ["file", "link"])
def test_a_key_is_written_to_no_file_that_lay_there_open_to_others(monkeypatch, tmp_path, laid):
    path, elsewhere = tmp_path / "profiles.json", tmp_path / "elsewhere"
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    new = tmp_path / f"profiles.json.{os.getpid()}"
    if laid == "link":
        new.symlink_to(elsewhere)
    else:
        new.touch(mode=0o666)
    profile = ServerProfile(name="prod", url="https://cron.example.com", key="ck_1")

    write_profiles(ServerProfiles(by_name={"prod": profile}))

    assert (stat.S_IMODE(path.stat().st_mode), path.is_symlink(), elsewhere.exists()) == (0o600, False, False)
    assert read_profiles().find("prod") == profile


def test_profiles_that_are_added_at_once_are_all_there(monkeypatch, tmp_path):
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "kept" / "profiles.json"))
    names = [f"p{number}" for number in range(20)]

    with ThreadPoolExecutor(len(names)) as pool:
        adding = [
            pool.submit(change_profiles, methodcaller("with_profile", ServerProfile(name=name, url=URL)))
            for name in names
        ]

    assert [each.exception() for each in adding] == [None] * len(names)
    assert sorted(read_profiles().by_name) == sorted(names)


def test_what_can_not_be_done_makes_no_file_and_a_link_stays_one(monkeypatch, tmp_path):
    path, kept = tmp_path / "config" / "profiles.json", tmp_path / "dotfiles.json"
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    with pytest.raises(NotFoundError):
        change_profiles(lambda there: there.using("nobody"))
    made = path.parent.exists()
    path.parent.mkdir()
    path.symlink_to(kept)

    change_profiles(lambda there: there.with_profile(ServerProfile(name="a", url=URL)))

    assert (made, path.is_symlink(), "a" in json.loads(kept.read_text())["profiles"]) == (False, True, True)


@pytest.mark.parametrize(
    ("place", "variables", "chosen"),
    [
        (Place(), {}, "used"),
        (Place(), {"CRONICORN_DATABASE_URL": "sqlite:x.db"}, None),
        (Place(), {"CRONICORN_DATABASE_URL": "sqlite:x.db", "CRONICORN_PROFILE": "other"}, "other"),
        (Place(profile="other"), {"CRONICORN_DATABASE_URL": "sqlite:x.db"}, "other"),
        (Place(profile="other"), {"CRONICORN_PROFILE": "used"}, "other"),
        (Place(profile="local"), {"CRONICORN_PROFILE": "used"}, None),
        (Place(), {"CRONICORN_PROFILE": "local"}, None),
        (Place(database="sqlite:x.db"), {"CRONICORN_PROFILE": "other"}, None),
    ],
)
def test_what_was_typed_counts_before_the_environment_and_that_before_what_is_in_use(
    place, variables, chosen, *, file, monkeypatch
):
    file.parent.mkdir()
    both = {name: {"url": URL, "ask": True} for name in ("used", "other")}
    file.write_text(json.dumps({"used": "used", "profiles": both}))
    file.chmod(0o600)
    for name in ("CRONICORN_DATABASE_URL", "CRONICORN_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"CRONICORN_PROFILES_FILE": str(file)} | variables).items():
        monkeypatch.setenv(name, value)

    found = chosen_profile(place)

    assert (None if found is None else found.name) == chosen
