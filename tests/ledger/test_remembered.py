"""What was published is kept outside the store, and whoever would publish less or another thing is told so."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.ledger.faults import LedgerFault
from projections.ledger.remembered import RememberedCheckpoints, TreeHead
from tests.support.ledgers import SignedLog, signed_log
from tests.support.shell import Shell
from tests.support.tampering import tamper
from tracker.merkle import leaf_hash
from tracker.signed_note import encode_base64

ORIGIN = "example.com/log"
HEAD = TreeHead(3, bytes(32))
BROKEN = (
    b"",
    b"{",
    b"[]",
    b'{"example.com/log": 3}',
    b'{"example.com/log": {"size": "3", "root": ""}}',
    b'{"example.com/log": {"size": 3, "root": "AAAA"}}',
    b'{"example.com/log": {"size": 3, "root": "no base64"}}',
    b'{"another.example/log": {}}',
)


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[SignedLog]:
    with signed_log(sqlite_url, tmp_path / "state") as world:
        yield world


def test_what_was_noted_is_known_to_the_next_process_and_never_lowered(tmp_path: Path) -> None:
    remembered = RememberedCheckpoints(tmp_path / "state")
    assert remembered.last(ORIGIN) is None
    for size in (2, 3, 1):
        remembered.note(ORIGIN, TreeHead(size, bytes(32)), b"note")
        remembered.keep(at_once=True)
    assert RememberedCheckpoints(tmp_path / "state").last(ORIGIN) == HEAD


@pytest.mark.parametrize("broken", BROKEN)
def test_of_a_broken_file_nobody_knows_what_was_published(broken: bytes, tmp_path: Path) -> None:
    (tmp_path / "checkpoints.json").write_bytes(broken)
    with pytest.raises(LedgerFault, match=r"checkpoints\.json is broken .* move it away"):
        RememberedCheckpoints(tmp_path).last(ORIGIN)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "checkpoints.json").mkdir()
    with pytest.raises(LedgerFault, match=r"cannot be read \(Is a directory\).*TRACKER_STATE_DIR"):
        RememberedCheckpoints(tmp_path).last(ORIGIN)


def test_a_process_that_begins_beside_a_broken_file_signs_nothing_until_it_is_moved_away(world: SignedLog) -> None:
    world.record(2)
    world.sign()
    file = world.state / "checkpoints.json"
    file.write_bytes(b"{")
    with signed_log(world.url, world.state) as again:
        again.record(1)
        assert again.sign() == 2
        assert "is broken" in again.fault()
        file.unlink()
        assert again.sign() == 3
        assert again.fault() == ""


def test_a_process_at_work_puts_a_broken_file_aside_and_writes_another(
    world: SignedLog, caplog: pytest.LogCaptureFixture
) -> None:
    world.record(2)
    world.sign()
    file = world.state / "checkpoints.json"
    file.write_bytes(b"{")
    world.record(1)
    assert world.sign() == 3
    assert world.fault() == ""
    assert json.loads(file.read_bytes())[world.ledger.origin]["size"] == 3
    assert file.with_suffix(".broken").read_bytes() == b"{"
    assert any("is written anew" in r.getMessage() for r in caplog.records if r.levelno == logging.ERROR)


# The commands that publish


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    """A store with the seed, of which all was published; then an older copy is put back."""
    shell = Shell(database_url, tmp_path)
    shell.run("init")
    shell.run("seed")
    assert "68 events" in shell.run("log", "export", "out").stdout
    return shell


def put_back(shell: Shell, size: int) -> None:
    """Take away what came after a position, as an older copy of the database would."""
    tamper(
        shell.url,
        "DELETE FROM {events} WHERE {number} > :size",
        "DELETE FROM {log} WHERE position > :size",
        "DELETE FROM ledger_checkpoint",
        "DELETE FROM ledger_tile",
        "DELETE FROM ledger_state",
        size=size,
    )


def _state(shell: Shell) -> Path:
    """The state directory of the commands."""
    (file,) = shell.directory.rglob("checkpoints.json")
    return file.parent


COMMANDS = (("export", "again"), ("prove", "1"))


@pytest.mark.parametrize("command", COMMANDS)
def test_of_a_log_that_went_back_nothing_is_exported_and_nothing_proved(shell: Shell, command: tuple[str, str]) -> None:
    put_back(shell, 60)
    said = shell.run("log", *command, code=1).stderr.replace("\n", " ")
    assert "the log ends at position 60, and 68 was recorded" in said
    assert not (shell.directory / "again").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_less_than_was_published_is_not_exported(shell: Shell, command: tuple[str, str]) -> None:
    with shell.log() as log:
        log.look()
        origin = f"commitments-tracker-{log.guard.log}"
    remembered = RememberedCheckpoints(_state(shell))
    remembered.note(origin, TreeHead(70, leaf_hash(b"")), b"note")
    remembered.keep(at_once=True)
    said = shell.run("log", *command, code=1).stderr.replace("\n", " ")
    assert "a checkpoint of 70 events was published, and the store has one of 68" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_another_history_than_was_published_is_not_exported(shell: Shell, command: tuple[str, str]) -> None:
    file = _state(shell) / "checkpoints.json"
    kept = json.loads(file.read_bytes())
    (origin,) = kept
    kept[origin] |= {"size": 60, "root": encode_base64(bytes(32))}
    file.write_text(json.dumps(kept))
    said = shell.run("log", *command, code=1).stderr
    assert "the first 60 events are not those of the checkpoint that was published" in said
    file.write_bytes(b"{")
    assert "is broken" in shell.run("log", *command, code=1).stderr
