"""The keys that sign: made once, kept to their owner, changed with both signatures in between, and told to nobody."""

from __future__ import annotations

import logging
import re
import stat
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from api.settings import Settings
from projections.ledger.faults import LedgerFault
from projections.ledger.keys import KeyFile, SettingKeys, parse_signing_keys
from projections.ledger.signer import LedgerSigner
from tests.support.ledgers import SignedLog, signed_log
from tests.support.shell import Shell
from tests.support.tampering import tamper
from tracker.checkpoint import open_checkpoint
from tracker.signed_note import MalformedKey, SignedNote, SigningKey, VerifierKey

ORIGIN = "example.com/log"
SEED = bytes(range(32))


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[SignedLog]:
    with signed_log(sqlite_url, tmp_path / "state") as world:
        yield world


def signers(world: SignedLog) -> list[str]:
    """The names and ids of the keys that signed the last checkpoint, in its order."""
    published = world.ledger.checkpoint()
    assert published is not None
    return [f"{s.name}+{s.key_id.hex()}" for s in SignedNote.parse(published.note).signatures]


def ids(keys: Iterator[VerifierKey] | list[VerifierKey]) -> list[str]:
    return [f"{key.name}+{key.key_id.hex()}" for key in keys]


# The file


def test_a_key_is_made_once_in_a_file_that_its_owner_alone_can_read(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "state")
    (key,) = file.of(ORIGIN)
    assert key.name == ORIGIN
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert KeyFile(tmp_path / "state").of(ORIGIN) == (key,)


def test_each_log_has_a_key_of_its_own(tmp_path: Path) -> None:
    file = KeyFile(tmp_path)
    one, other = file.of("example.com/one"), file.of("example.com/other")
    assert one[0].seed != other[0].seed
    assert (file.of("example.com/one"), file.of("example.com/other")) == (one, other)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o700])
def test_a_file_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    file = KeyFile(tmp_path)
    keys = file.of(ORIGIN)
    file.path.chmod(mode)
    with pytest.raises(LedgerFault, match=f"{mode:o}"):
        file.of(ORIGIN)
    with pytest.raises(LedgerFault):
        file.add(ORIGIN)
    file.path.chmod(0o400)
    assert file.of(ORIGIN) == keys


def test_a_file_with_a_line_that_is_no_key_is_refused_and_the_line_is_not_told(tmp_path: Path) -> None:
    file = KeyFile(tmp_path)
    (key,) = file.of(ORIGIN)
    with file.path.open("a") as more:
        more.write(key.private_text()[:-4] + "\n")
    with pytest.raises(LedgerFault) as refused:
        file.of(ORIGIN)
    assert "PRIVATE" not in str(refused.value).replace("starts with PRIVATE+KEY+", "")
    assert key.private_text()[-20:-4] not in str(refused.value)


def test_a_log_is_not_signed_while_its_key_file_is_open_to_others_and_is_afterwards(
    world: SignedLog, caplog: pytest.LogCaptureFixture
) -> None:
    world.record(1)
    world.sign()
    world.keys.path.chmod(0o644)
    world.record(1)
    assert world.sign() == 1
    assert "has the mode 644" in world.fault()
    world.keys.path.chmod(0o600)
    assert world.sign() == 2
    assert world.fault() == ""
    assert "the ledger goes on" in caplog.messages


def test_a_state_directory_that_cannot_be_written_is_told(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    with signed_log(sqlite_url, tmp_path / "file") as world:
        world.record(1)
        assert world.sign() == 0
        assert "TRACKER_STATE_DIR" in world.fault()


# A key that is lost


def test_a_lost_key_is_replaced_by_who_serves_and_told(world: SignedLog, caplog: pytest.LogCaptureFixture) -> None:
    world.record(1)
    world.sign()
    (old,) = world.vkeys()
    world.keys.path.unlink()
    serving = KeyFile(world.state, replaces_lost_keys=True)
    world.signer = LedgerSigner(world.ledger, serving, world.remembered, lambda: world.now)
    assert world.sign() == 1
    (new,) = world.vkeys()
    assert new != old
    assert "is replaced: tell your readers" in caplog.text


def test_a_command_in_another_directory_signs_with_no_key_of_its_own(sqlite_url: str, tmp_path: Path) -> None:
    with signed_log(sqlite_url, tmp_path / "state") as world:
        world.record(1)
        world.sign()
        before = world.ledger.checkpoint()
    with signed_log(sqlite_url, tmp_path / "elsewhere") as elsewhere:
        elsewhere.record(1)
        assert elsewhere.sign() == 1
        assert "use the state directory of the process that signs it" in elsewhere.fault()
        assert elsewhere.ledger.checkpoint() == before
        assert not elsewhere.keys.path.exists()
    with signed_log(sqlite_url, tmp_path / "state") as world:
        assert world.sign() == 2
        assert world.fault() == ""


# The setting


def test_a_key_of_the_setting_signs_the_log_of_its_name_and_a_seed_signs_any() -> None:
    key = SigningKey("example.com/named", SEED)
    given = parse_signing_keys(f"{key.private_text()}, {b64encode(SEED[::-1]).decode()}")
    assert SettingKeys(given).of("example.com/named") == (key, SigningKey("example.com/named", SEED[::-1]))
    assert SettingKeys(given).of(ORIGIN) == (SigningKey(ORIGIN, SEED[::-1]),)


@pytest.mark.parametrize("text", ["", "PRIVATE+KEY+x", "c2hvcnQ=", "no base64", "?"])
def test_a_setting_that_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    if text:
        with pytest.raises(MalformedKey):
            parse_signing_keys(text)
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, signing_key=f"PRIVATE+KEY+secret-{text}+00000000+AAAA")  # type: ignore[arg-type]
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("origin", ["Our log", "a+b", "a\tb"])
def test_an_origin_that_cannot_name_a_key_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError, match="spaces"):
        Settings(_env_file=None, origin=origin)


def test_a_log_is_signed_with_the_key_of_the_setting_and_no_file_is_made(world: SignedLog, tmp_path: Path) -> None:
    key = SigningKey(world.ledger.origin, SEED)
    keys = SettingKeys(parse_signing_keys(key.private_text()))
    world.signer = LedgerSigner(world.ledger, keys, world.remembered, lambda: world.now)
    world.record(1)
    world.sign()
    published = world.ledger.checkpoint()
    assert published is not None
    assert open_checkpoint(published.note, [key.verifier]).size == 1
    assert not world.keys.path.exists()


def test_a_key_of_the_setting_that_has_the_name_of_another_log_does_not_sign(world: SignedLog) -> None:
    other, own = SigningKey("example.com/other", SEED), SigningKey(world.ledger.origin, SEED)
    for given, size in ((f"{other.private_text()}", 0), (f"{other.private_text()} {own.private_text()}", 1)):
        keys = SettingKeys(parse_signing_keys(given))
        world.signer = LedgerSigner(world.ledger, keys, world.remembered, lambda: world.now)
        if not size:
            world.record(1)
        assert world.sign() == size
        assert ("no key of TRACKER_SIGNING_KEY has the name of the log" in world.fault()) is not bool(size)
    assert signers(world) == ids([own.verifier])


# Changing it


def test_while_a_key_is_changed_both_sign_the_new_one_first_and_old_readers_go_on(world: SignedLog) -> None:
    world.record(1)
    world.sign()
    (old,) = world.vkeys()
    world.keys.add(world.ledger.origin)
    assert world.sign() == 1
    new, also_old = world.vkeys()
    assert also_old == old != new
    assert signers(world) == ids([new, old])
    world.record(1)
    world.sign()
    published = world.ledger.checkpoint()
    assert published is not None
    for key in (old, new):
        assert open_checkpoint(published.note, [key]).size == 2
    world.keys.drop_older(world.ledger.origin)
    world.sign()
    assert world.vkeys() == [new]
    assert signers(world) == ids([new])
    assert old.name == new.name == world.ledger.origin


def test_changing_the_key_of_one_log_leaves_those_of_others(tmp_path: Path) -> None:
    file = KeyFile(tmp_path)
    other = file.of("example.com/other")
    (old,) = file.of(ORIGIN)
    new, kept = file.add(ORIGIN)
    assert kept == old
    assert file.drop_older(ORIGIN) == (new,)
    assert file.of("example.com/other") == other
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_the_command_changes_the_key_and_says_the_new_one_alone_on_its_last_line(
    sqlite_url: str, tmp_path: Path
) -> None:
    shell = Shell(sqlite_url, tmp_path)
    shell.run("init")
    with shell.log() as log:
        log.look()
        origin = f"commitments-tracker-{log.guard.log}"
    file = KeyFile(tmp_path / "tracker.db.state")
    (old,) = file.of(origin)
    new = shell.run("log", "rotate-key").stdout.splitlines()[-1]
    assert [str(key.verifier) for key in file.of(origin)] == [new, str(old.verifier)]
    assert shell.run("log", "rotate-key", "--finish").stdout.splitlines()[-1] == new
    assert [str(key.verifier) for key in file.of(origin)] == [new]
    assert "one key only" in shell.run("log", "rotate-key", "--finish", code=1).stderr
    seed = b64encode(SEED).decode()
    said = shell.run("log", "rotate-key", code=2, TRACKER_SIGNING_KEY=seed)
    assert "TRACKER_SIGNING_KEY" in said.stderr
    assert seed not in said.output


def test_a_change_of_keys_is_in_the_next_export_although_nothing_was_recorded(sqlite_url: str, tmp_path: Path) -> None:
    shell = Shell(sqlite_url, tmp_path)
    shell.run("seed")
    shell.run("log", "export", "published")
    published = tmp_path / "published"
    (old,) = (published / "key").read_text().split()
    new = shell.run("log", "rotate-key").stdout.splitlines()[-1]
    shell.run("log", "export", "published")
    assert (published / "key").read_text().split() == [new, old]
    for key in (old, new):
        shell.run("log", "verify", "published", "--key", key)
    shell.run("log", "rotate-key", "--finish")
    shell.run("log", "export", "published")
    assert (published / "key").read_text().split() == [new]
    shell.run("log", "verify", "published", "--key", new)
    shell.run("log", "verify", "published", "--key", old, code=1)


def test_no_checkpoint_is_exported_that_was_changed_in_the_database(sqlite_url: str, tmp_path: Path) -> None:
    shell = Shell(sqlite_url, tmp_path)
    shell.run("seed")
    shell.run("log", "export", "published")
    before = (tmp_path / "published" / "checkpoint").read_bytes()
    tamper(sqlite_url, "UPDATE ledger_checkpoint SET note = :note", note=before.replace(b"\n\n", b"\n.\n\n"))
    said = shell.run("log", "export", "published", code=1)
    assert "is not the one that was signed" in said.stderr
    assert (tmp_path / "published" / "checkpoint").read_bytes() == before


# Nobody is told


def test_the_secret_is_in_no_database_and_in_no_line_that_is_logged(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with signed_log(database_url, tmp_path / "state") as world:
        world.record(3)
        world.sign()
        keys = world.keys.add(world.ledger.origin)
        world.sign()
        world.keys.path.chmod(0o644)
        world.sign()
        stored = _everything_stored(world)
    said = "\n".join(caplog.messages) + repr(keys) + repr(world.keys.__dict__)
    for key in keys:
        secret = key.private_text().split("+", 4)[4]
        for form in (key.seed, key.seed.hex().encode(), b64encode(key.seed)[:40], secret.encode()):
            assert form not in stored
            assert form not in said.encode()
    assert re.search(rb"PRIVATE\+KEY", stored) is None


def _everything_stored(world: SignedLog) -> bytes:
    """The bytes of the SQLite file and those beside it, or a dump of all tables of PostgreSQL."""
    if world.url.startswith("sqlite"):
        file = Path(world.url.removeprefix("sqlite:///"))
        return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")) if path.is_file())
    with world.engine.connect() as conn:
        tables = conn.exec_driver_sql(
            "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).scalars()
        return b"".join(
            bytes(value) if isinstance(value, bytes | memoryview) else repr(value).encode()
            for table in tables.all()
            for row in conn.exec_driver_sql(f"SELECT * FROM {table}")
            for value in row
        )
