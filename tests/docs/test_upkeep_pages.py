"""How-tos about what is kept, and where, work as printed, but for places of files and of a server."""

import shlex

from tests.cli.test_policy_drafts import connected, model, store  # noqa: F401 - fixtures
from tests.docs.journeys import types_every_command_of
from tests.docs.markdown import DOCS, shell_blocks
from tests.docs.terminal import Terminal
from tests.docs.test_how_tos import exported, page, yaml_of
from tests.docs.test_move_to_postgresql import SHOP
from tests.servers.databases import fresh_database


@types_every_command_of("docs/how-to/keep-secrets.md")
def test_secrets_are_set_named_and_sealed_anew_as_printed(tmp_path):
    terminal = Terminal(tmp_path)
    keep, start, rewrap = shell_blocks(page("keep-secrets"))
    (tmp_path / "token.txt").write_text("a-token-of-the-shop", encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(yaml_of("keep-secrets"), encoding="utf-8")

    listed = terminal.type(keep)
    refused = terminal.type("cronicorn apply -f shop.yaml 2>&1 || true")
    terminal.type("echo a-shop-account | cronicorn secret set shop-account && cronicorn apply -f shop.yaml")
    key = tmp_path / "new-key"
    terminal.places["/run/secrets/cronicorn-master-key"] = str(key)
    with terminal.running(start):
        found = terminal.settings_of(start.lines[-1])
    both = key.read_text() + (tmp_path / "store.db.key").read_text()
    key.write_text(both, encoding="utf-8")
    terminal.type(f"export CRONICORN_MASTER_KEY_FILE={key}")
    rewrapped = terminal.type(rewrap)

    assert "shop-token" in listed
    assert "shop-account" in refused
    assert "a-token-of-the-shop" not in listed + exported(terminal)
    assert "CRONICORN_MASTER_KEY=***\n" in found
    assert "2 secrets were sealed anew" in rewrapped


@types_every_command_of("docs/how-to/keep-history.md")
def test_history_is_kept_as_printed(tmp_path):
    terminal = Terminal(tmp_path)
    start, tenant = shell_blocks(page("keep-history"))

    with terminal.running(start):
        found = terminal.settings_of(start)
    told = terminal.type(tenant)

    assert "CRONICORN_RETENTION=30d\n" in found
    assert "CRONICORN_RETENTION_FAILURES=90d\n" in found
    assert "shop" in told
    assert "180" in told


@types_every_command_of("docs/how-to/back-up.md")
def test_an_installation_is_backed_up_restored_and_taken_back_as_printed(tmp_path):
    terminal = Terminal(tmp_path)
    backup, restore, back, text = shell_blocks(page("back-up"))
    file = tmp_path / "cronicorn-2026-01-31.db"
    terminal.places[f"/var/backups/{file.name}"] = str(file)
    (tmp_path / "first.yaml").write_text(SHOP, encoding="utf-8")
    terminal.type("cronicorn apply -f first.yaml")

    terminal.type(backup)
    with fresh_database(migrated=False) as url:
        terminal.places["postgresql://cronicorn@db.example.com/cronicorn"] = shlex.quote(url)
        terminal.type(restore)
        restored = terminal.type(f"cronicorn export --database {shlex.quote(url)}")
    terminal.type(back)
    terminal.type("cronicorn migrate")
    unchanged = terminal.type(text)

    assert restored == exported(terminal) != ""
    assert "stock" in restored
    assert "Nothing to do: " in unchanged


@types_every_command_of("docs/how-to/upgrade.md")
def test_an_upgrade_is_prepared_looked_at_and_taken_back_as_printed(tmp_path):
    terminal = Terminal(tmp_path)
    before, look, back = shell_blocks(page("upgrade"))
    file = "cronicorn-before.db"
    terminal.places[f"/var/backups/{file}"] = str(tmp_path / file)
    terminal.type("cronicorn tenant add shop")

    terminal.type(before)
    terminal.type(look)
    terminal.type(back)
    refused = terminal.type("cronicorn verify 2>&1 || echo refused")
    terminal.type("cronicorn migrate && cronicorn verify")

    assert (tmp_path / file).exists()
    assert "its revision is 0020" in refused


@types_every_command_of("docs/explanation/how-compilation-is-reviewed.md")
def test_a_draft_is_made_looked_at_and_taken_as_the_page_about_reviews_prints(tmp_path, store, model):  # noqa: F811
    terminal = Terminal(tmp_path)
    terminal.environment |= {
        name: text for name, text in connected(store, model).items() if name not in terminal.environment
    }
    terminal.environment["CRONICORN_DATABASE_URL"] = store["DATABASE_URL"]
    [review] = shell_blocks(DOCS / "explanation" / "how-compilation-is-reviewed.md")

    said = terminal.type(review)

    assert "+ rule surge" in said
    assert said.endswith("of shop/errors is active.\n")
