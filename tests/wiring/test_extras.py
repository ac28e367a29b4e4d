"""Backends that are not installed."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.mechanism import Mechanism
from cronicorn.wiring import extras
from cronicorn.wiring.agents import agents_over_http, serve_agent
from cronicorn.wiring.extras import require, require_client
from cronicorn.wiring.settings import Settings


def test_what_is_not_installed_is_named_with_the_extra_that_brings_it():
    with pytest.raises(UnavailableError, match=r"A PostgreSQL database needs .* pip install 'cronicorn\[postgres\]'"):
        require("no_such_driver", "postgres", "A PostgreSQL database")


def test_a_part_of_what_is_not_installed_is_named_too():
    with pytest.raises(UnavailableError, match=r"no_such_vendor\.model"):
        require("no_such_vendor.model", "ai", "A model")


def test_what_is_installed_is_no_hindrance():
    require("sqlite3", "postgres", "A PostgreSQL database")


@pytest.mark.parametrize(("mechanism", "extra"), [(Mechanism.REDIS, "redis"), (Mechanism.ETCD, "etcd")])
def test_what_speaks_to_the_service_of_a_mechanism_is_asked_for_by_its_extra(mechanism, extra, monkeypatch):
    require_client(mechanism)

    monkeypatch.setattr(extras, "find_spec", lambda _: None)

    with pytest.raises(UnavailableError, match=rf"The mechanism {mechanism} needs .* 'cronicorn\[{extra}\]'"):
        require_client(mechanism)


@pytest.mark.parametrize("answering", [agents_over_http, lambda parts: serve_agent(parts.settings, "default")])
async def test_agents_are_answered_only_with_their_extra(answering, monkeypatch):
    parts = cast("Any", SimpleNamespace(settings=Settings.from_env({"CRONICORN_MCP": "yes"})))
    monkeypatch.setattr(extras, "find_spec", lambda _: None)

    with pytest.raises(UnavailableError, match=r"needs `mcp`, .* 'cronicorn\[mcp\]'"):
        await answering(parts)


def test_a_mechanism_of_the_database_needs_nothing_more(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda _: None)

    require_client(Mechanism.LEASE)
