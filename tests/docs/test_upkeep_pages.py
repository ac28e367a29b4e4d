"""How-tos about what is kept, and where, work as printed, but for places of files and of a server."""

import re
import shlex

from tests.cli.test_policy_drafts import connected, model, store  # noqa: F401 - fixtures
from tests.docs.markdown import DOCS
from tests.docs.test_how_tos import exported, page, understood, yaml_of
from tests.docs.test_move_to_postgresql import SHOP
from tests.docs.test_shell_examples import Session, shell_blocks, typed
from tests.servers.databases import fresh_database


def test_secrets_are_set_named_and_sealed_anew_as_printed(tmp_path):
    terminal = Session(tmp_path)
    keep, start, rewrap = [typed(block) for block in shell_blocks(page("keep-secrets"))]
    (tmp_path / "token.txt").write_text("a-token-of-the-shop", encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(yaml_of("keep-secrets"), encoding="utf-8")

    listed = terminal.type(keep)
    refused = terminal.type("cronicorn apply -f shop.yaml 2>&1 || true")
    terminal.type("echo a-shop-account | cronicorn secret set shop-account && cronicorn apply -f shop.yaml")
    key = tmp_path / "new-key"
    assert start.splitlines()[0].startswith("cronicorn master-key new > ")
    found = understood(terminal, "keep-secrets", "/run/secrets/cronicorn-master-key", str(key))
    both = key.read_text() + (tmp_path / "store.db.key").read_text()
    key.write_text(both, encoding="utf-8")
    rewrapped = terminal.type(f"export CRONICORN_MASTER_KEY_FILE={key}\n{rewrap}")

    assert "shop-token" in listed
    assert "shop-account" in refused
    assert "a-token-of-the-shop" not in listed + exported(terminal)
    assert "CRONICORN_MASTER_KEY=***\n" in found
    assert "2" in rewrapped


def test_history_is_kept_as_printed(tmp_path):
    terminal = Session(tmp_path)
    _, tenant = shell_blocks(page("keep-history"))

    found = understood(terminal, "keep-history")
    told = terminal.type(typed(tenant))

    assert "CRONICORN_RETENTION=30d\n" in found
    assert "CRONICORN_RETENTION_FAILURES=90d\n" in found
    assert "shop" in told
    assert "180" in told


def test_an_installation_is_backed_up_restored_and_taken_back_as_printed(tmp_path):
    terminal = Session(tmp_path)
    backup, restore, back, text = [typed(block) for block in shell_blocks(page("back-up"))]
    file = tmp_path / "cronicorn-2026-01-31.db"
    (tmp_path / "first.yaml").write_text(SHOP, encoding="utf-8")
    terminal.type("cronicorn apply -f first.yaml")

    terminal.type(backup.replace(f"/var/backups/{file.name}", str(file)))
    with fresh_database(migrated=False) as url:
        restore = re.sub(r"CRONICORN_DATABASE_URL=\S+", f"CRONICORN_DATABASE_URL={shlex.quote(url)}", restore)
        terminal.type(restore.replace(f"/var/backups/{file.name}", str(file)))
        restored = terminal.type(f"cronicorn export --database {shlex.quote(url)}")
    terminal.type(back)
    terminal.type("cronicorn migrate")
    unchanged = terminal.type(text)

    assert restored == exported(terminal) != ""
    assert "stock" in restored
    assert "stock" not in unchanged or "unchanged" in unchanged


def test_an_upgrade_is_prepared_looked_at_and_taken_back_as_printed(tmp_path):
    terminal = Session(tmp_path)
    before, look, back = [typed(block) for block in shell_blocks(page("upgrade"))]
    file = "cronicorn-before.db"
    terminal.type("cronicorn tenant add shop")

    terminal.type(before.replace(f"/var/backups/{file}", str(tmp_path / file)))
    terminal.type(look)
    terminal.type(back)
    refused = terminal.type("cronicorn verify 2>&1 || echo refused")
    terminal.type("cronicorn migrate && cronicorn verify")

    assert (tmp_path / file).exists()
    assert "its revision is 0020" in refused


def test_a_draft_is_made_looked_at_and_taken_as_the_page_about_reviews_prints(tmp_path, store, model):  # noqa: F811
    terminal = Session(tmp_path)
    terminal.environment |= {
        name: text for name, text in connected(store, model).items() if name not in terminal.environment
    }
    terminal.environment["CRONICORN_DATABASE_URL"] = store["DATABASE_URL"]
    [review] = shell_blocks(DOCS / "explanation" / "how-compilation-is-reviewed.md")

    said = terminal.type(typed(review))

    assert "+ rule surge" in said
    assert said.endswith("of shop/errors is active.\n")
