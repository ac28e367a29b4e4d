"""The reference names every key that `--json` prints, and no other."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from typer.main import get_command

from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.api.wire_analyses import session_answer
from cronicorn.api.wire_drafts import draft_answer
from cronicorn.api.wire_file_sets import FileSetAnswer
from cronicorn.api.wire_quota import quota_answer
from cronicorn.cli.backtest_lines import backtest_document
from cronicorn.cli.comparison.measures import Row
from cronicorn.cli.draft_lines import draft_document
from cronicorn.cli.explain import explanation_document
from cronicorn.cli.main import app
from cronicorn.cli.past_decision import past_document
from cronicorn.cli.quota import quota_document
from cronicorn.cli.run_lines import run_document
from cronicorn.cli.watched_runs import NamedRun
from cronicorn.control.analyses import AnalysisView
from cronicorn.domain.analysis.analysis import Analysis, AnalysisUsage, CallMade
from cronicorn.domain.analysis.watching import Occasion, Why
from cronicorn.domain.compilation.draft import Figures, Finding, FindingCheck, Severity
from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from cronicorn.domain.quota.decision import DenialReason, Denied
from cronicorn.testing.contracts.stores import ask_to_run, claim, plant
from tests.cli.command import cronicorn, environment
from tests.cli.places import interface_to
from tests.control.world import ALICE, LOCAL, a_world
from tests.docs.markdown import REFERENCE, first_cells
from tests.docs.reference import commands_in

OPEN = {"before", "after", "policy", "steering"}
"""What is under these differs from thing to thing."""
TABLES = {
    title: first_cells(re.split(r"^#", after, maxsplit=1, flags=re.MULTILINE)[0])
    for title, _, after in (
        part.partition("\n")
        for part in (REFERENCE / "commands.md").read_text(encoding="utf-8").split("\n### Keys of ")[1:]
    )
}
"""The keys of each table of the reference, by its heading."""


def _listed(command: str) -> list[str]:
    return next(keys for title, keys in TABLES.items() if command in _named(title))


def _named(title: str) -> list[str]:
    """The commands, and the groups of commands, that a heading names."""
    return re.split(r", | and ", title)


def _keys(value: object, path: str = "") -> Iterator[str]:
    """The paths of all keys in *value*, of lists those of all items, each once."""
    match value:
        case dict() if path.rpartition(".")[2] not in OPEN:
            for key, inner in value.items():
                yield from _keys(inner, f"{path}.{key}" if path else key)
        case [dict(), *_]:
            yield from dict.fromkeys(key for each in value for key in _keys(each, f"{path}[]" if path else ""))
        case _:
            yield path


@pytest.fixture
async def url(tmp_path) -> str:
    """A store with a lease."""
    stores, now = await SqliteStores.open(tmp_path / "store.db", SystemClock()), SystemClock().now()
    await plant(stores, created_at=now, updated_at=now)
    await ask_to_run(stores)
    await claim(stores, ttl=timedelta(minutes=5))
    await stores.aclose()
    return f"sqlite:{tmp_path / 'store.db'}"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("workers", ("--database", "URL")),
        ("verify", ("--database", "URL")),
        ("copy", ("--from", "URL", "--to", "sqlite:none.db", "--dry-run", "--drop-leases")),
    ],
)
async def test_every_key_is_listed(url, command, options) -> None:
    ended = cronicorn(command, "--json", *(url if option == "URL" else option for option in options))

    assert ended.code == 0, ended.err
    assert list(_keys(json.loads(ended.out))) == _listed(command)


async def test_every_key_of_the_doctor_is_listed(url) -> None:
    ended = cronicorn("doctor", "--offline", "--json", "--database", url)

    assert ended.code in {0, 1}, ended.err
    assert list(_keys(json.loads(ended.out))) == _listed("doctor")


def test_every_key_of_a_comparison_is_listed() -> None:
    assert [field.name for field in fields(Row)] == _listed("leases compare")


async def test_every_key_of_a_backtest_is_listed() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    for err in (0, 0, 9):
        world.clock.move(minutes=1)
        await world.run_due(an_outcome(body=f'{{"err": {err}}}', body_is_json=True))
    fields = {"err": {"path": "$.err", "type": "number"}}
    rules = [{"id": "burst", "when": "err > 5", "action": {"interval": "30s"}}]
    policy = {"version": 1, "fields": fields, "rules": rules}

    there = interface_to(world)
    backtest = await there.post(f"/endpoints/{endpoint.id}/backtest", {"policy": policy, "overHours": 0.5})

    assert list(_keys(backtest_document("shop/stock", backtest))) == _listed("backtest")


async def test_every_key_of_a_draft_is_listed() -> None:
    world = a_world()
    endpoint = await world.endpoint(description="Look closer while errors are high.")
    view = await world.control.drafts.make(ALICE, endpoint.id)
    finding = Finding(
        check=FindingCheck.FIELDS, severity=Severity.WARNING, pointer="/fields/err", message="Unverified."
    )
    told = replace(view, draft=replace(view.draft, findings=(finding,), figures=Figures()))

    document: dict[str, Any] = draft_document("shop/stock", draft_answer(told).model_dump(mode="json", by_alias=True))
    assert list(_keys(document)) == _listed("policy show")


DENIED = Denied(reason=DenialReason.LIMIT, remaining=7, retry_after=timedelta(hours=1), reset_at=MIDNIGHT)


def test_every_key_of_an_analysis_is_listed() -> None:
    analysis = Analysis(
        id="session_1", tenant_id="t1", endpoint_id="ep1", at=MIDNIGHT, why=Why(occasion=Occasion.REQUEST, detail="me"),
        denied=DENIED, confidence_percent=90, next_analysis=timedelta(hours=1), warnings=("missing_reasoning",),
        calls=(CallMade(tool="get_sibling_names", arguments="null", result="[]"),), spent=AnalysisUsage(cost="0.001"),
        error="No.",
    )  # fmt: skip

    answer = session_answer(AnalysisView(analysis=analysis, endpoint_name="stock"))
    document = answer.model_dump(mode="json", by_alias=True)

    assert list(_keys(document)) == _listed("analyses show")


async def test_every_key_of_a_quota_is_listed() -> None:
    world = a_world(TierLimits(other=ExecutionLimits(runs=2)))
    await world.control.tenants.add(LOCAL, "acme")
    (tenant,) = await world.stores.keys.tenants()

    standing = await world.control.quotas.show(replace(ALICE, tenant_id=tenant.id))

    answer = quota_answer(standing).model_dump(mode="json", by_alias=True)

    assert list(_keys(quota_document(answer))) == _listed("quota show")


async def test_every_key_of_a_run_and_of_explanations_is_listed() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    world.clock.move(minutes=1)
    await world.run_due(an_outcome())
    world.clock.move(seconds=1)
    there = interface_to(world)
    await there.post(f"/endpoints/{endpoint.id}/hints/interval", {"intervalMs": 60_000})

    (run,) = (await there.get(f"/endpoints/{endpoint.id}/runs"))["runs"]
    explanation = await there.get(f"/endpoints/{endpoint.id}/explain")
    past = await there.get(f"/endpoints/{endpoint.id}/steering", at=run["finishedAt"])
    judged = {"answerClass": "failed", "condition": "err > 5"}
    limited = {"held": {"until": None, "reason": None}, "overLimit": {"state": None, "reason": None}}

    told = {
        "name": "",
        **explanation_document(explanation | limited),
        "next_analysis_at": None,
        "file_sets": [dict.fromkeys(FileSetAnswer.model_fields)],
    }
    assert list(_keys(run_document(NamedRun("shop/stock", {**run, "judged": judged})))) == _listed("runs")
    assert list(_keys(told)) == _listed("explain")
    assert list(_keys({"name": "", **past_document(past), "steering": None})) == _listed("explain --at")


POLICY = """
version: 1
fields: {err: {path: $.err, type: number}}
rules: [{id: surge, when: err > 5, until: err < 2, action: {interval: 60s}}]
tests: [{given: {err: 9}, expect: {interval: 60s}}, {given: {err: 1}, expect: {interval: baseline}}]
"""
ODD = """
version: 1
fields: {state: {path: $.state, type: string, enum: [up, down]}}
rules: [{id: odd, when: 'state == "gone"', action: {interval: 60s}}]
tests: [{given: {state: up}, expect: {interval: baseline}}]
"""
OTHER = POLICY.replace("60s", "50s")
FILE = "jobs: [{name: told, endpoints: [{name: one, url: 'https://x.example', baselineIntervalMs: 60000, %s}]}]"
TYPED: dict[str, tuple[str, ...]] = {
    "tenant": (
        "tenant add acme", "tenant set acme --limit 9", "tenant egress acme", "tenant retention acme", "tenant list",
    ),
    "member": (
        "member add ann@x.example --role viewer", "member list", "member sign-in-link ann@x.example",
        "member reset-password ann@x.example", "member set ann@x.example --role editor", "member remove ann@x.example",
    ),
    "key": ("key add ci --role viewer", "key list", "key revoke ID"),
    "secret": ("secret set token", "secret list", "secret remove token"),
    "signing-key": (
        "signing-key create", "signing-key show", "signing-key rotate", "signing-key end-overlap", "signing-key remove",
    ),
    "master-key": ("master-key new", "master-key rewrap"),
    "profile": (
        "profile add prod --url https://x.example --ask", "profile list", "profile use local", "profile remove prod",
    ),
    "apply": ("apply -f first.yaml", "apply -f second.yaml", "diff -f first.yaml", "import third.yaml"),
    "policy check": ("policy check odd.yaml",),
    "policy diff": ("policy propose told/one --policy policy.yaml", "policy diff told/one"),
    "policy activate": (
        "policy activate told/one",
        "policy propose told/one --policy other.yaml", "policy reject told/one",
    ),
    "backup": ("backup all.db",),
    "migrate": ("migrate",),
    "next": ("next @hourly",),
    "settings": ("settings",),
    "version": ("version",),
    "audit": ("audit",),
}  # fmt: skip
"""What is typed in one store, one after the other, by the table that lists its keys."""


def test_every_key_of_what_is_typed_is_listed(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    texts = {
        "policy": POLICY,
        "odd": ODD,
        "other": OTHER,
        "first": FILE % "",
        "third": FILE.replace("told", "other") % "maxIntervalMs: 500",
    }
    for name, text in (texts | {"second": FILE % "timeoutMs: 2000, description: again"}).items():
        (tmp_path / f"{name}.yaml").write_text(text)
    env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", PROFILES_FILE=str(tmp_path / "profiles.json"))
    printed: dict[str, list[object]] = {}
    last: Any = None

    for title, lines in TYPED.items():
        for line in lines:
            words = line.replace("ID", last[0]["id"] if "ID" in line else "").split()
            ended = cronicorn(*words, "--json", env=env, stdin="a text that nobody guesses")
            assert ended.code in ({0, 1} if words[0] == "diff" else {0}), (line, ended.err)
            last = json.loads(ended.out)
            if any(line.startswith(name) for name in _titled(title)):
                printed.setdefault(title, []).append(last)

    for title, documents in printed.items():
        found = {key for document in documents for key in _keys(document)}
        inner = {key for key in found if any(each.startswith((f"{key}[]", f"{key}.")) for each in found)}
        assert found - inner - {""} == set(_listed(title)), title


def test_every_command_that_prints_json_says_where_its_keys_are_told_of() -> None:
    commands = dict(commands_in("cronicorn", get_command(app)))
    told = {
        path.removeprefix("cronicorn "): option.help
        for path, command in commands.items()
        for option in command.params
        if "--json" in option.opts
    }
    named = [name for title in TABLES for name in _named(title)]

    untold = [path for path, text in told.items() if "REST" not in text and not _below(path, named)]
    assert untold == []
    assert [name for name in named if not any(_below(path, [name]) for path in (*told, "explain --at"))] == []
    assert len(told) >= 90


def _titled(command: str) -> list[str]:
    return next(names for title in TABLES if command in (names := _named(title)))


def _below(path: str, names: list[str]) -> bool:
    return any(f"{path} ".startswith(f"{name} ") for name in names)
