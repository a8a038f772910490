"""What an administrator of the database does to the log, and who finds it: the table of docs/verify.md."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.support.api import made, statement
from tests.support.ledgers import SignedLog, signed_log
from tests.support.paths import ROOT
from tests.support.published_logs import entry
from tests.support.tampering import tamper
from tests.support.trees import flipped
from tracker.checkpoint import Checkpoint
from tracker.event import Event
from tracker.log.rows import NewLogRow
from tracker.merkle import MerkleError, leaf_hash
from tracker.signed_note import VerifierKey
from tracker.verification.log_verification import LogVerification, must_be_signed

EVENTS = 12
KEPT = 8
"""The size of the log when the auditor kept a checkpoint."""

SHOWN = re.compile(r"^\| (.+?) \| (finds it|—) \| (finds it|—) \| (finds it|—) \|$", re.M)


def lines() -> list[bytes]:
    """The lines of the log that is tampered with."""
    return [entry(n, "aid", n + 1, statement(summary=f"Talk {n}.") if n else made()) for n in range(EVENTS + 1)]


@dataclass
class Scene:
    """A log in the hands of its administrator; the reader has its key, and the auditor a checkpoint from before."""

    world: SignedLog
    key: VerifierKey
    kept: bytes
    outside: Path
    """A directory of the administrator's own."""

    @property
    def url(self) -> str:
        return self.world.url

    def put(self, position: int, line: bytes, *, leaf: bool = True) -> None:
        """Another line in the place of the one at a position, and its leaf in the log's table."""
        tamper(self.url, "UPDATE {events} SET state = :line WHERE {number} = :at", line=line, at=position)
        if leaf:
            tamper(
                self.url, "UPDATE {log} SET leaf = :leaf WHERE position = :at", leaf=leaf_hash(line), at=position
            )  # fmt: skip

    def put_all(self, changed: Sequence[bytes]) -> None:
        """Other lines from the first position on, each with its leaf."""
        for position, line in enumerate(changed, start=1):
            if line != lines()[position - 1]:
                self.put(position, line)

    def cut(self, size: int) -> None:
        """Delete what comes after a position."""
        tamper(
            self.url,
            "DELETE FROM {events} WHERE {number} > :size",
            "DELETE FROM {log} WHERE position > :size",
            size=size,
        )

    def forget_what_was_signed(self) -> None:
        """Empty the ledger's tables."""
        for table in ("ledger_tile", "ledger_checkpoint", "ledger_state"):
            tamper(self.url, f"DELETE FROM {table}")

    def sign_as(self, state: Path) -> None:
        """Sign what is there with the key of a state directory."""
        with signed_log(self.url, state) as forger:
            forger.sign()
            assert forger.fault() == ""


def _rewritten() -> list[bytes]:
    """A history as well-formed as the true one, in which something else was said."""
    return [line.replace(b"Talk 4.", b"Lies 4.") for line in lines()[:EVENTS]]


def _flip(scene: Scene) -> None:
    scene.put(5, flipped(lines()[4], 700), leaf=False)


def _empty(scene: Scene) -> None:
    scene.put(5, b"", leaf=False)


def _withhold(scene: Scene) -> None:
    at = Event.read(lines()[4], 5).recorded_at
    scene.world.log.withhold("id-5", ["summary"], reason="It displeases.", at=at, by="administrator")


def _flip_with_leaf(scene: Scene) -> None:
    scene.put(5, lines()[4].replace(b"Talk 4.", b"Lies 4."))


def _delete(scene: Scene) -> None:
    tamper(scene.url, "DELETE FROM {events} WHERE {number} = 5", "DELETE FROM {log} WHERE position = 5")


def _delete_and_close(scene: Scene) -> None:
    scene.put_all([*lines()[:4], *lines()[5:EVENTS]])
    scene.cut(EVENTS - 1)


def _insert(scene: Scene) -> None:
    record(scene.world, lines()[EVENTS:])
    scene.put_all([*lines()[:4], entry(3, "other", 1, made()), *lines()[4:EVENTS]])


def _swap(scene: Scene) -> None:
    third, fourth = lines()[2:4]
    scene.put(3, fourth)
    scene.put(4, third)


def _reverse(scene: Scene) -> None:
    scene.put_all(lines()[:EVENTS][::-1])


def _back_date(scene: Scene) -> None:
    scene.put(5, lines()[4].replace(b'"2026-01-01T00:00:04', b'"2026-01-01T00:00:03'))
    # The column is text on SQLite and an instant on PostgreSQL; both read this.
    tamper(scene.url, "UPDATE {log} SET recorded_at = '2026-01-01T00:00:03.000000Z' WHERE position = 5")


def _truncate(scene: Scene) -> None:
    scene.cut(10)


def _with_another_key(scene: Scene) -> None:
    scene.put_all(_rewritten())
    scene.forget_what_was_signed()
    scene.sign_as(scene.outside / "own-key")


def _with_the_key(scene: Scene) -> None:
    scene.put_all(_rewritten())
    scene.forget_what_was_signed()
    shutil.copytree(scene.world.state, scene.outside / "stolen")
    (scene.outside / "stolen" / "checkpoints.json").unlink()
    scene.sign_as(scene.outside / "stolen")


def _with_the_key_and_the_state(scene: Scene) -> None:
    scene.put_all(_rewritten())
    scene.forget_what_was_signed()
    (scene.world.state / "checkpoints.json").unlink()
    scene.sign_as(scene.world.state)


def _roll_back(scene: Scene) -> None:
    scene.cut(5)
    scene.forget_what_was_signed()
    shutil.copytree(scene.world.state, scene.outside / "stolen")
    (scene.outside / "stolen" / "checkpoints.json").unlink()
    scene.sign_as(scene.outside / "stolen")


def _roll_back_with_the_state(scene: Scene) -> None:
    scene.cut(5)
    scene.forget_what_was_signed()
    (scene.world.state / "checkpoints.json").unlink()
    scene.sign_as(scene.world.state)


def _after_the_checkpoint(scene: Scene) -> None:
    scene.put(11, lines()[10].replace(b"Talk 10.", b"Lies 10."))
    scene.forget_what_was_signed()
    (scene.world.state / "checkpoints.json").unlink()
    scene.sign_as(scene.world.state)


def _lie(scene: Scene) -> None:
    record(scene.world, [lines()[EVENTS].replace(b"Talk 12.", b"A lie. 12")])
    scene.world.sign()


def _forge_note(scene: Scene) -> None:
    published = scene.world.ledger.checkpoint()
    assert published is not None
    note = published.note.replace(b"\n\n", b"\nanother line\n\n", 1)
    tamper(scene.world.url, "UPDATE ledger_checkpoint SET note = :note", note=note)


CASES: dict[str, Callable[[Scene], None]] = {
    "a bit of a stored event is flipped": _flip,
    "the line of an event is emptied": _empty,
    "the line of an event is withheld without a right to it": _withhold,
    "an event is changed, and its leaf in the log's table with it": _flip_with_leaf,
    "an event is deleted": _delete,
    "an event is deleted, and the later ones move up": _delete_and_close,
    "an event is inserted, and the later ones move down": _insert,
    "two events change places": _swap,
    "all events are put in another order": _reverse,
    "an event is back-dated": _back_date,
    "the last events are cut off": _truncate,
    "the text of the stored checkpoint is changed": _forge_note,
    "everything is rewritten and signed with another key": _with_another_key,
    "everything is rewritten and signed with the stolen key": _with_the_key,
    "everything is rewritten and signed with the stolen key, the state directory too": _with_the_key_and_the_state,
    "an older backup is put back": _roll_back,
    "an older backup is put back, of the state directory too": _roll_back_with_the_state,
    "what came after the last checkpoint that anybody kept is rewritten with the stolen key and state directory":
        _after_the_checkpoint,
    "a fact is recorded that is false": _lie,
}  # fmt: skip


@contextmanager
def scene_on(url: str, directory: Path) -> Iterator[Scene]:
    with signed_log(url, directory / "state") as world:
        record(world, lines()[:KEPT])
        world.sign()
        published = world.ledger.checkpoint()
        assert published is not None
        record(world, lines()[KEPT:EVENTS])
        world.sign()
        yield Scene(world, world.vkeys()[0], published.note, directory / "outside")


def record(world: SignedLog, these: Sequence[bytes]) -> None:
    """Append lines to the log as they are."""
    head = world.log.head()
    rows = []
    for number, line in enumerate(these, start=head + 1):
        at = Event.read(line, number).recorded_at
        rows.append(NewLogRow("aid", number, "StatementMade", f"id-{number}", line, at))
    world.log.append(rows, restamp=lambda line, _: line)


# Who finds it


def reader_finds(scene: Scene, older: Checkpoint | None = None) -> bool:
    """Whether `tracker log verify --key` ends with a doubt, with `--checkpoint` if there is an older one."""
    ledger = scene.world.ledger
    published = ledger.checkpoint()
    assert published is not None
    try:
        checkpoint, _ = must_be_signed(published.note, [scene.key])
        for _ in LogVerification(checkpoint, ledger.fetch, older=older).events():
            pass
    except MerkleError:
        return True
    return False


def auditor_finds(scene: Scene) -> bool:
    """Whether one does who kept a checkpoint from before."""
    older, _ = must_be_signed(scene.kept, [scene.key])
    assert older.size == KEPT
    return reader_finds(scene, older)


def service_finds(scene: Scene) -> bool:
    """Whether the service says so when it is started, or at the next event: nothing is signed, it is not ready."""
    with signed_log(scene.url, scene.world.state) as again:
        again.sign()
        return bool(again.fault())


@pytest.mark.parametrize("name", CASES)
def test_who_finds_what_an_administrator_did_is_as_the_docs_say(name: str, database_url: str, tmp_path: Path) -> None:
    with scene_on(database_url, tmp_path) as scene:
        assert (reader_finds(scene), service_finds(scene), auditor_finds(scene)) == (False, False, False)
        scene.outside.mkdir()
        CASES[name](scene)
        assert (reader_finds(scene), service_finds(scene), auditor_finds(scene)) == documented().get(name), name


def documented() -> dict[str, tuple[bool, bool, bool]]:
    """The table of docs/verify.md: what the reader with the key, the service, and the auditor find."""
    text = (ROOT / "docs" / "verify.md").read_text("utf-8")
    return {name: (a == "finds it", b == "finds it", c == "finds it") for name, a, b, c in SHOWN.findall(text)}


def test_the_table_of_the_docs_has_these_cases_and_no_others() -> None:
    assert list(documented()) == list(CASES)


def test_every_sampled_flip_in_the_store_is_found_at_its_position(database_url: str, tmp_path: Path) -> None:
    random = Random(20261126)
    with scene_on(database_url, tmp_path) as scene:
        for _ in range(12):
            position = random.randrange(EVENTS) + 1
            line = lines()[position - 1]
            scene.put(position, flipped(line, random.randrange(8 * len(line))), leaf=False)
            published = scene.world.ledger.checkpoint()
            assert published is not None
            checkpoint, _ = must_be_signed(published.note, [scene.key])
            with pytest.raises(MerkleError, match=f"position {position}: "):
                list(LogVerification(checkpoint, scene.world.ledger.fetch).events())
            scene.put(position, line, leaf=False)
        assert not reader_finds(scene)
