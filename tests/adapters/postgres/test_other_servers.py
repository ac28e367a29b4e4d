"""What older servers and poolers know less of than the server of the tests does."""

import ast
import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

import asyncpg
import pytest

from cronicorn.adapters.postgres import archive as package
from cronicorn.adapters.postgres.archive import PostgresArchive
from cronicorn.adapters.postgres.connecting import connect
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.external import ExternalJobStore
from cronicorn.adapters.postgres.faults import translated
from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.legacy import SET_LOCK, PostgresLegacyJobStore
from cronicorn.adapters.postgres.optimistic import PostgresOptimisticJobStore
from cronicorn.adapters.postgres.options import Feature, PostgresOptions
from cronicorn.domain.archive import Table
from cronicorn.domain.errors import InvalidInputError, UnavailableError
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.verification import Findings
from cronicorn.testing.claim_service import ClockedClaimService
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.archives import an_installation, fill
from tests.adapters.http.loopback import CERTIFICATES

POOLED = PostgresOptions(without=frozenset({Feature.NOTIFY, Feature.PREPARED}))
_SUBQUERY = re.compile(r"\b(?:FROM|JOIN|LATERAL)\s*\((?=\s*(?:SELECT|VALUES|WITH|…))")
_NAMED = re.compile(r"\)\s*(AS\s+\w|TO\s*\()")
"""A name follows; or it was none, but the bounds of a partition."""


async def _take_names(connection):
    """Prepare statements under the names that come next, as if another process had done so in this session."""
    newest = int(connection._get_unique_id("stmt").rstrip("_").rpartition("_")[2], 16)
    for number in range(newest, newest + 50):
        await connection.execute(f'PREPARE "__asyncpg_stmt_{number:x}__" AS SELECT 1')


async def test_a_whole_database_is_examined_and_read_beside_the_statements_of_others(postgres_url):
    archive = PostgresArchive(postgres_url, POOLED)
    await fill(archive, an_installation())

    async def work(snapshot):
        await _take_names(snapshot._connection)
        await snapshot.examine(Findings())
        return [portion for table in Table async for portion in snapshot.rows(table)]

    assert await archive.read(work)


async def test_a_pooler_that_mixes_up_statements_is_told_from_a_mistake(postgres_url):
    database = await PostgresDatabase.open(postgres_url, PostgresOptions())

    async with database.connection() as connection:
        await connection.fetchval("SELECT 1 + $1::bigint", 1)
        await connection.execute("DEALLOCATE ALL")  # The statement lies in another session now.
    with pytest.raises(UnavailableError, match="set CRONICORN_POSTGRES_WITHOUT to notify,prepared"):
        await database.alone(lambda connection: connection.fetchval("SELECT 1 + $1::bigint", 1))

    await database.aclose()


@pytest.mark.parametrize("parameter", ["sslmode=sometimes", "sslmode=verify-full", "nonsense=1", "work_mem=much"])
async def test_a_parameter_that_nobody_knows_is_told_from_an_outage(postgres_url, parameter, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(InvalidInputError, match=r"After a \? come parameters"):
        await connect(f"{postgres_url}?{parameter}", PostgresOptions())


async def test_a_server_without_tls_is_told_from_a_wrong_parameter(postgres_url):
    with pytest.raises(UnavailableError, match="rejected SSL upgrade"):
        await connect(f"{postgres_url}?sslmode=require", PostgresOptions())


@pytest.fixture
async def untrusted():
    """The URL of a server whose certificate has another name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "shop_test.pem")

    async def offer(reader, writer):
        await reader.readexactly(8)
        writer.write(b"S")
        with suppress(OSError):
            await writer.start_tls(context)
        writer.close()

    async with await asyncio.start_server(offer, "127.0.0.1") as server:
        yield f"postgresql://user:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}/postgres"


async def test_a_certificate_that_is_not_trusted_is_told_from_a_wrong_parameter(untrusted):
    trusting = f"sslmode=verify-full&sslrootcert={CERTIFICATES / 'authority.pem'}"

    with pytest.raises(UnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        await connect(f"{untrusted}?{trusting}", PostgresOptions())


def _redis(database):
    return ExternalJobStore(database, ClockedClaimService(VirtualClock()), Mechanism.REDIS)


def _sent(store):
    """The statements that *store* sends, whatever part of it keeps them."""
    own = getattr(store._claimer, "_own", store._claimer._statements)
    kept = (store._statements, store._settler._statements, own)
    return [store._renewer._statement, SET_LOCK, *(text for each in kept for text in astuple(each))]


@pytest.mark.parametrize("store_of", [PostgresJobStore, PostgresLegacyJobStore, PostgresOptimisticJobStore, _redis])
async def test_a_server_without_skip_locked_is_never_asked_for_it(postgres_url, store_of):
    lacking = PostgresOptions(without=frozenset({Feature.SKIP_LOCKED}))
    stores = [store_of(await PostgresDatabase.open(postgres_url, options)) for options in (lacking, PostgresOptions())]

    without, with_it = (sum("SKIP LOCKED" in text for text in _sent(store)) for store in stores)

    assert without == 0
    assert with_it > 0
    for store in stores:
        await store.aclose()
        await store._database.aclose()


def test_what_a_pooler_refuses_is_told_in_its_words():
    answer = {"S": "FATAL", "C": "08P01", "M": "unsupported startup parameter: default_transaction_isolation"}

    said = str(translated(asyncpg.PostgresError.new(answer)))

    assert "a pooler before it, says why (unsupported startup parameter: default_transaction_isolation)" in said


def test_a_name_that_is_taken_is_told_without_the_drivers_hint():
    answer = {"S": "ERROR", "C": "42P05", "M": 'prepared statement "__asyncpg_stmt_1__" already exists'}

    said = str(translated(asyncpg.PostgresError.new(answer)))

    assert "set CRONICORN_POSTGRES_WITHOUT to notify,prepared (prepared statement" in said
    assert "HINT" not in said


def test_subqueries_have_names_as_servers_before_16_demand():
    nameless, found = [], 0
    for path in sorted(Path(package.__file__).parent.glob("*.py")):
        for text in _texts(ast.parse(path.read_text())):
            for match in _SUBQUERY.finditer(text):
                found += 1
                if not _NAMED.match(text, _end(text, match.end() - 1)):
                    nameless.append(f"{path.name}: {text[match.start() :][:60]}")

    assert nameless == []
    assert found > 20


def _texts(node):
    """The strings in a module, with … for what is put into them."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for part in ast.iter_child_nodes(node):
            yield from _texts(part)


def _end(text, start):
    """Where the parenthesis that opens at *start* closes."""
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    return len(text)
