"""What is sealed is opened with its master key, in its place, and by nothing else."""

import threading

import pytest

from cronicorn.adapters.vault.aes_vault import AesVault, key_id_of
from cronicorn.adapters.vault.master_keys import GivenKeys, KeyFile, PassingKey, master_key_text, master_keys
from cronicorn.domain.errors import MasterKeyError

OLD, NEW = b"o" * 32, b"n" * 32
PLAIN = b"tok-live-4711"


def a_vault(*keys):
    return AesVault(GivenKeys(keys))


def test_what_was_sealed_is_opened_and_no_two_seals_are_alike():
    vault = a_vault(OLD)
    first, second = vault.seal(PLAIN, "t1/x"), vault.seal(PLAIN, "t1/x")

    assert vault.open(first, "t1/x") == vault.open(second, "t1/x") == PLAIN
    assert first != second
    assert PLAIN.decode() not in first
    assert first.split(".")[:2] == ["v1", key_id_of(OLD)]


def test_it_is_opened_in_its_own_place_alone():
    vault = a_vault(OLD)
    sealed = vault.seal(PLAIN, "t1/secret/a")

    for place in ("t2/secret/a", "t1/secret/b", ""):
        with pytest.raises(MasterKeyError, match="stands in the place of something else"):
            vault.open(sealed, place)


def test_a_wrapped_key_of_one_does_not_open_another():
    vault = a_vault(OLD)
    ours, theirs = (vault.seal(PLAIN, place).split(".") for place in ("a", "b"))

    with pytest.raises(MasterKeyError):
        vault.open(".".join([*ours[:3], theirs[3]]), "a")


@pytest.mark.parametrize("place", range(2, 4))
def test_a_flipped_bit_anywhere_is_noticed(place):
    vault = a_vault(OLD)
    parts = vault.seal(PLAIN, "a").split(".")
    for at in range(len(parts[place]) - 1):  # The last digit may hold padding.
        changed = parts[place][:at] + ("A" if parts[place][at] != "A" else "B") + parts[place][at + 1 :]
        with pytest.raises(MasterKeyError, match="damaged"):
            vault.open(".".join([*parts[:place], changed, *parts[place + 1 :]]), "a")


@pytest.mark.parametrize("text", ["", "v1", "v2.k.AA.AA", f"v1.{key_id_of(OLD)}.A.A", "not sealed at all"])
def test_what_was_never_sealed_is_told_so(text):
    with pytest.raises(MasterKeyError, match="damaged"):
        a_vault(OLD).open(text, "a")


def test_a_missing_master_key_is_named_by_its_id():
    sealed = a_vault(OLD).seal(PLAIN, "a")

    with pytest.raises(MasterKeyError, match=key_id_of(OLD)):
        a_vault(NEW).open(sealed, "a")
    with pytest.raises(MasterKeyError, match="no master key to seal"):
        a_vault().seal(PLAIN, "a")


def test_a_master_key_is_changed_without_touching_what_it_sealed():
    sealed = a_vault(OLD).seal(PLAIN, "a")
    both = a_vault(NEW, OLD)

    rewrapped = both.rewrap(sealed, "a")

    assert both.open(sealed, "a") == PLAIN
    assert a_vault(NEW).open(rewrapped, "a") == PLAIN
    assert rewrapped.split(".")[3] == sealed.split(".")[3]
    assert both.rewrap(rewrapped, "a") == rewrapped


def test_a_key_file_is_made_once_for_its_owner_alone_and_read_by_others(tmp_path, caplog):
    path = tmp_path / "folder" / "store.db.key"
    vaults = [AesVault(KeyFile(path)) for _ in range(8)]
    assert not vaults[0].ready

    makers = [threading.Thread(target=vault.make_key) for vault in vaults]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()

    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert AesVault(KeyFile(path)).open(vaults[3].seal(PLAIN, "a"), "a") == PLAIN
    assert [record.message for record in caplog.records] == ["master_key_made"]
    assert path.read_text().strip() not in caplog.text


def test_a_process_learns_of_a_key_that_another_made_since(tmp_path):
    early, late = AesVault(KeyFile(tmp_path / "k")), AesVault(KeyFile(tmp_path / "k"))
    assert not early.ready
    late.make_key()

    assert early.open(late.seal(PLAIN, "a"), "a") == PLAIN


def test_a_key_file_that_is_none_is_told_of_without_its_text(tmp_path):
    (tmp_path / "k").write_text("hunter22")

    with pytest.raises(MasterKeyError, match="can't be read") as told:
        AesVault(KeyFile(tmp_path / "k")).seal(PLAIN, "a")
    assert "hunter22" not in str(told.value)


def test_a_key_file_that_cannot_be_written_is_told_of(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(MasterKeyError, match="CRONICORN_MASTER_KEY_FILE"):
        AesVault(KeyFile(tmp_path / "file" / "k")).make_key()


def test_keys_are_read_in_base64_and_hex():
    assert master_keys(f"{master_key_text(NEW)},\n{OLD.hex()}") == (NEW, OLD)
    assert master_keys("+/" + master_key_text(OLD)[2:])[0][:1] == b"\xfb"
    for text in ("", " , ", "short", "x" * 64, master_key_text(b"k" * 31)):
        with pytest.raises(ValueError, match="key"):
            master_keys(text)


def test_a_key_of_a_process_passes_with_it():
    source = PassingKey()
    vault = AesVault(source)
    vault.make_key()
    sealed = vault.seal(PLAIN, "a")
    vault.make_key()

    assert vault.open(sealed, "a") == PLAIN
    assert not AesVault(PassingKey()).ready
