"""`cronicorn member`, `key` and `audit`, and what the first start prints."""

import json
import re

import pytest

from tests.cli.command import cronicorn
from tests.servers.databases import fresh_database

PASSWORD = re.compile(r"^    ([0-9a-f]{24})$", re.MULTILINE)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path}/cronicorn.db"
    else:
        with fresh_database(migrated=False) as found:
            yield found


def command(url, *arguments, code=0):
    ended = cronicorn(*arguments, "--database", url)
    assert ended.code == code, ended.err
    return ended


def test_who_owns_an_installation_lets_people_and_programs_in_and_sees_who_did_what(url):
    first = command(url, "tenant", "add", "acme")
    again = command(url, "tenant", "add", "more")
    made = json.loads(command(url, "member", "add", "Ann@example.org", "--role", "owner", "--json").out)
    reset = command(url, "member", "reset-password", "ann@example.org")
    link = command(url, "member", "sign-in-link", "ANN@example.org")
    command(url, "member", "set", "owner", "--role", "viewer")
    last = command(url, "member", "remove", made["id"], code=5)
    listed = command(url, "member", "list")
    key = json.loads(command(url, "key", "add", "ci", "--role", "editor", "--scope", "jobs:read", "--json").out)
    command(url, "key", "revoke", key["id"])
    keys = json.loads(command(url, "key", "list", "--json").out)
    entries = json.loads(command(url, "audit", "--json").out)
    table = command(url, "audit", "--action", "key.revoke").out

    assert "signs in as 'owner'" in first.err
    assert len(PASSWORD.findall(first.err)) == 1
    assert PASSWORD.findall(again.err) == []
    assert reset.out.strip() not in {made["password"], ""}
    assert "only owner" in last.err
    assert "ann@example.org" in listed.out
    assert [each["name"] for each in keys] == ["ci", ""]
    assert keys[0]["revoked_at"] is not None
    assert [entry["action"] for entry in entries] == [
        "key.revoke", "key.create", "member.edit", "member.offer_link", "member.reset_password", "member.add",
        "tenant.add", "tenant.add",
    ]  # fmt: skip
    assert {(entry["actor_kind"], entry["actor"]) for entry in entries} == {("local", "local")}
    assert re.fullmatch(r"http://127.0.0.1:3333/sign-in\?token=cl_[0-9a-f]{64}", link.out.strip())
    secrets = [
        key["key"],
        made["password"],
        reset.out.strip(),
        link.out.strip().partition("=")[2],
        *PASSWORD.findall(first.err),
    ]
    assert not any(secret in json.dumps(entries) + table + listed.out for secret in secrets)
    assert table.splitlines()[0].split() == [
        "AT",
        "ACTOR",
        "KIND",
        "ACTOR",
        "ACTOR",
        "ID",
        "ACTION",
        "OBJECT",
        "ID",
        "CHANGED",
    ]
    assert table.splitlines()[1].endswith("revoked_at_us")


def test_whom_nobody_knows_is_told_with_the_way_to_find_them(tmp_path):
    url = f"sqlite:{tmp_path}/cronicorn.db"
    command(url, "tenant", "add", "acme")

    told = command(url, "member", "remove", "nobody", code=4)
    unknown = command(url, "key", "revoke", "nothing", code=4)
    bad = command(url, "key", "add", "ci", "--role", "editor", "--scope", "jobs:all", code=2)

    assert "`cronicorn member list`" in told.err
    assert "There is no key nothing" in unknown.err
    assert "/scopes/0" in bad.err
