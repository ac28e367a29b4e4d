"""The receivers on the page about signing do what it says: against real calls, over sockets."""

import json
import re
import shutil
import sqlite3
import subprocess
import threading
import types
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cronicorn.domain.keychain.signing import SigningSecret, signing_headers, signing_key_text
from tests.cli.command import cronicorn, environment
from tests.docs.journeys import types_every_command_of
from tests.docs.markdown import DOCS, blocks, shell_blocks
from tests.docs.terminal import Terminal
from tests.docs.test_python_examples import examples
from tests.waiting import TRIALS_APART_S, eventually
from tests.wiring.up_process import create_endpoint, runs_of, service

PAGE = DOCS / "how-to" / "sign-calls.md"
KEY, OTHER = signing_key_text(b"k" * 32), signing_key_text(b"o" * 32)
NOW = 1_800_000_000
BODY = '{"total":"12,50 €"}'.encode()


def the_kit():
    kit = types.ModuleType("kit")
    exec(compile(examples(PAGE), str(PAGE), "exec"), kit.__dict__)
    return kit


KIT = the_kit()


class Receiver:
    """A service that counts what it was asked to do in its database, once for each slot, by the kit of the page."""

    def __init__(self, folder, keys):
        self.keys, self.folder = keys, folder
        self.statuses: list[int] = []
        self.fail_after_effect = 0
        db = self.database()
        db.executescript(f"{KIT.TABLES} CREATE TABLE effects (slot TEXT)")
        db.close()

    def database(self):
        return sqlite3.connect(self.folder / "receiver.db", isolation_level=None, timeout=30)

    def answer(self, headers, body):
        headers = {name.lower(): value for name, value in headers.items()}
        try:
            call_id = KIT.verified(self.keys, headers, body)
        except PermissionError:
            return 401, ""

        def effect(db):
            db.execute("INSERT INTO effects (slot) VALUES (?)", [call_id])
            return json.dumps({"done": call_id})

        db = self.database()
        try:
            answer = KIT.once(db, call_id, headers, effect)
        except LookupError:
            return 409, ""
        finally:
            db.close()
        if self.fail_after_effect:
            self.fail_after_effect -= 1
            return 500, ""
        return 200, answer

    def effects(self):
        db = self.database()
        found = [slot for (slot,) in db.execute("SELECT slot FROM effects")]
        db.close()
        return found


def soon():
    return (datetime.now(UTC) + timedelta(seconds=1)).isoformat()  # noqa: TID251 - of a real process


@contextmanager
def listening(receiver):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = receiver.answer(self.headers, body)
            receiver.statuses.append(status)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *args):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/pay"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_calls_of_a_running_cronicorn_are_verified_and_done_once_through_rotation_and_retries(
    backend, tmp_path, request
):
    settings = {"MASTER_KEY_COMMAND": f"cat {tmp_path / 'master'}"} if backend == "postgresql" else {}
    if backend == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("postgres_url")
        (tmp_path / "master").write_text(cronicorn("master-key", "new").out)
    env = environment(**({"DATABASE_URL": f"sqlite:{tmp_path / 'store.db'}"} | settings))
    with service(tmp_path, **settings) as up, up.client() as client:
        key = client.post("/api/signing-keys").json()["rawKey"]
        receiver = Receiver(tmp_path, [key])
        receiver.fail_after_effect = 2
        with listening(receiver) as url:
            endpoint = create_endpoint(
                client, url=url, method="POST", bodyJson={"a": ["ü", 1.5]}, onceAt=soon(),
                retries={"retryCount": 3, "minBackoffMs": 50, "maxBackoffMs": 50},
            )  # fmt: skip

            eventually(lambda: len(runs_of(client, endpoint)) == 3, within_s=30)
            assert receiver.statuses == [500, 500, 200]
            assert receiver.effects() == [f"{endpoint}:1"]

            rotated = cronicorn("signing-key", "rotate", "--overlap", "1h", env=env)
            assert rotated.code == 0, rotated.err
            trial = f"/api/endpoints/{endpoint}/test"
            assert client.post(trial).json()["status"] == "success"

            receiver.keys = [rotated.out.strip()]
            eventually(lambda: client.post(trial).json()["status"] == "success", pause_s=TRIALS_APART_S)

            receiver.keys = [key]
            assert cronicorn("signing-key", "end-overlap", env=env).code == 0
            eventually(lambda: client.post(trial).json()["statusCode"] == 401, pause_s=TRIALS_APART_S)
        assert key not in up.talk
        assert rotated.out.strip() not in up.talk
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("store.db"))
    assert key.encode() not in kept
    assert rotated.out.strip().encode() not in kept


@types_every_command_of("docs/how-to/sign-calls.md")
def test_keys_are_made_and_changed_as_printed(tmp_path):
    terminal = Terminal(tmp_path)

    first, second = terminal.type_all(shell_blocks(PAGE))
    shown = terminal.type("cronicorn signing-key show")

    signing, until = shown.splitlines()
    assert signing.endswith("signs")
    assert "signs until" in until
    assert all(key.startswith(line.split("…")[0].strip()) for key, line in [(second, signing), (first, until)])


def test_what_is_belated_repeated_or_forged_does_nothing(tmp_path):
    receiver = Receiver(tmp_path, [KEY])

    def sent(slot, fence, *, key=KEY, body=b"{}", **changes):
        at = int(KIT.time.time())
        headers = signing_headers([SigningSecret.of(key.encode())], f"ep:{slot}", at, body, plain=False)
        return receiver.answer({**headers, "Cronicorn-Fence": str(fence), **changes}, body)

    assert sent(1, 10)[0] == 200
    assert sent(1, 11) == sent(1, 10) == (200, '{"done": "ep:1"}')
    assert sent(3, 12)[0] == 200
    assert sent(2, 9)[0] == 409
    assert sent(4, 13, key=OTHER)[0] == 401
    assert sent(4, 13, **{"webhook-id": "ep:9"})[0] == 401
    assert sent(4, 13, **{"webhook-timestamp": str(int(KIT.time.time()) - 301)})[0] == 401
    assert sent(4, 13, **{"webhook-timestamp": ""})[0] == 401
    assert receiver.effects() == ["ep:1", "ep:3"]


def test_an_effect_that_fails_half_way_is_done_by_the_next_attempt(tmp_path):
    receiver = Receiver(tmp_path, [KEY])
    db = receiver.database()

    def breaks(db):
        db.execute("INSERT INTO effects (slot) VALUES ('half')")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        KIT.once(db, "ep:1", {"cronicorn-fence": "4"}, breaks)
    assert receiver.effects() == []
    assert KIT.once(db, "ep:1", {"cronicorn-fence": "5"}, lambda db: "done") == "done"
    db.close()


def test_the_typescript_receiver_verifies_the_same(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed here")
    [source] = [block.text for block in blocks(PAGE) if block.language == "typescript"]
    # Older versions of Node.js read no types; these are all there are.
    plain = re.sub(r": (?:string\[\]|string|Buffer|Record<string, string \| undefined>)(?=[,)] ?| \{)", "", source)
    at = {"now": NOW, "old": NOW - 301, "new": NOW + 301, "late": NOW - 299}
    cases = [
        (keys, {name.lower(): value for name, value in headers.items()} | changes, expected)
        for keys, signers, when, changes, expected in [
            ([KEY], [KEY], "now", {}, True),
            ([OTHER, KEY], [KEY], "late", {}, True),
            ([KEY], [OTHER, KEY], "now", {}, True),
            ([KEY], [OTHER], "now", {}, False),
            ([KEY], [KEY], "old", {}, False),
            ([KEY], [KEY], "new", {}, False),
            ([KEY], [KEY], "now", {"webhook-id": "ep:2"}, False),
            ([KEY], [KEY], "now", {"webhook-timestamp": "soon"}, False),
            ([KEY], [KEY], "now", {"webhook-signature": ""}, False),
            ([KEY], [KEY], "now", {"webhook-signature": "v1"}, False),
        ]
        for headers in [
            signing_headers([SigningSecret.of(key.encode()) for key in signers], "ep:1", at[when], BODY, plain=False)
        ]
    ]
    (tmp_path / "kit.mjs").write_text(plain)
    (tmp_path / "judge.mjs").write_text(f"""
        import {{ verified }} from "./kit.mjs";
        Date.now = () => {NOW * 1_000};
        const found = {json.dumps(cases)}.map(([keys, headers]) => {{
          try {{ return verified(keys, headers, Buffer.from({json.dumps(BODY.decode())})) === "ep:1"; }}
          catch (error) {{ if (error.constructor !== Error) throw error; return false; }}
        }});
        console.log(JSON.stringify(found));
    """)

    done = subprocess.run([node, tmp_path / "judge.mjs"], check=False, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [expected for _, _, expected in cases]
