"""The public log as files: whole, added to, resumed, and without the lines that are withheld."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.ledger.export import NotExported, export_log
from projections.ledger.reader import Ledger
from tests.support.api import made, statement
from tests.support.ledgers import SignedLog
from tests.support.log_lines import NOON
from tests.support.published_logs import entry
from tests.support.trees import flipped
from tracker.log.rows import NewLogRow
from tracker.tiles import TILE_WIDTH, decode_bundle, encode_bundle
from tracker.verification.log_verification import LogVerification, must_be_signed, read_keys


@pytest.fixture
def signed(database_url: str, tmp_path: Path) -> Iterator[SignedLog]:
    log = SignedLog(database_url, tmp_path / "keys")
    yield log
    log.close()


def record(signed: SignedLog, count: int) -> None:
    """Append so many well-formed events of one pledge, and sign them."""
    head = signed.log.head()
    rows = []
    for number in range(head, head + count):
        fact = made() if number == 0 else statement(summary=f"Talk {number}.")
        line = entry(number, "aid", number + 1, fact)
        rows.append(NewLogRow("aid", number + 1, fact["type"], f"event-{number}", line, NOON))
    signed.log.append(rows, restamp=lambda line, _: line)
    signed.sign()


def files(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def verified(directory: Path) -> list[bytes | None]:
    """The lines of a directory that is believed; None for those that are withheld."""
    checkpoint, _ = must_be_signed((directory / "checkpoint").read_bytes(), read_keys((directory / "key").read_bytes()))
    walk = LogVerification(checkpoint, lambda path: (directory / path).read_bytes())
    return [event and event.line for event in walk.events()]


def test_an_export_is_the_whole_log_and_is_verified(signed: SignedLog, tmp_path: Path) -> None:
    record(signed, 300)
    made_ = export_log(signed.ledger, tmp_path / "out")
    assert made_.checkpoint.size == 300
    assert verified(tmp_path / "out") == [row.state for row in signed.log.read()]
    assert sorted(files(tmp_path / "out")) == [
        "README.txt", "checkpoint", "key", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000",
        "tile/entries/001.p/44",
    ]  # fmt: skip
    assert str(signed.vkeys()[0]) in (tmp_path / "out" / "README.txt").read_text()


def test_run_again_it_adds_what_is_new_and_writes_no_full_file_twice(signed: SignedLog, tmp_path: Path) -> None:
    record(signed, 300)
    export_log(signed.ledger, tmp_path / "out")
    before = {p: p.stat().st_ino for p in (tmp_path / "out" / "tile").rglob("000")}
    assert export_log(signed.ledger, tmp_path / "out").written == 0
    record(signed, 300)
    assert export_log(signed.ledger, tmp_path / "out").written == 5
    assert len(verified(tmp_path / "out")) == 600
    assert before == {p: p.stat().st_ino for p in before}
    export_log(signed.ledger, tmp_path / "anew")
    once, twice = files(tmp_path / "anew"), files(tmp_path / "out")
    assert {path: twice[path] for path in once} == once


def test_cut_off_it_leaves_no_checkpoint_and_goes_on_where_it_was(
    signed: SignedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(signed, 600)
    read, bundles = Ledger.entries, []

    def entries(ledger: Ledger, index: int, width: int = TILE_WIDTH) -> bytes:
        bundles.append(index)
        if len(bundles) == 2:
            raise KeyboardInterrupt
        return read(ledger, index, width)

    monkeypatch.setattr(Ledger, "entries", entries)
    with pytest.raises(KeyboardInterrupt):
        export_log(signed.ledger, tmp_path / "out")
    assert sorted(files(tmp_path / "out")) == ["tile/entries/000"]
    export_log(signed.ledger, tmp_path / "out")
    assert bundles == [0, 1, 1, 2]
    assert len(verified(tmp_path / "out")) == 600


def test_a_file_that_was_left_broken_is_written_again(signed: SignedLog, tmp_path: Path) -> None:
    record(signed, 300)
    bundle = tmp_path / "out" / "tile" / "entries" / "000"
    bundle.parent.mkdir(parents=True)
    for broken in (b"", b"\0\1x" * TILE_WIDTH):
        bundle.write_bytes(broken)
        (tmp_path / "out" / "checkpoint").unlink(missing_ok=True)
        export_log(signed.ledger, tmp_path / "out")
        assert len(verified(tmp_path / "out")) == 300


def test_damaged_files_of_an_export_that_was_whole_are_written_again(signed: SignedLog, tmp_path: Path) -> None:
    record(signed, 300)
    export_log(signed.ledger, tmp_path / "out")
    record(signed, 300)
    export_log(signed.ledger, tmp_path / "out")
    whole = files(tmp_path / "out")
    tiles = [path for path in whole if path.startswith("tile/")]
    assert {"tile/entries/000", "tile/entries/001.p/44", "tile/0/001.p/44", "tile/1/000.p/2"} <= set(tiles)
    for damage in (lambda data: flipped(data, 8 * 20), lambda data: data[:-1], lambda data: b""):
        for path in tiles:
            (tmp_path / "out" / path).write_bytes(damage(whole[path]))
        assert export_log(signed.ledger, tmp_path / "out").written == len(tiles)
        assert files(tmp_path / "out") == whole
    (tmp_path / "out/tile/entries/000").unlink()
    (tmp_path / "out/tile/0/000").write_bytes(b"")
    assert export_log(signed.ledger, tmp_path / "out", quick=True).written == 1
    assert export_log(signed.ledger, tmp_path / "out").written == 1
    assert files(tmp_path / "out") == whole


def test_an_entry_that_was_emptied_in_a_file_and_is_not_withheld_is_written_again(
    signed: SignedLog, tmp_path: Path
) -> None:
    record(signed, 5)
    signed.log.withhold("event-1", ["summary"], reason="Ruling.", at=NOON, by="alice")
    export_log(signed.ledger, tmp_path / "out")
    bundle = tmp_path / "out/tile/entries/000.p/5"
    whole = bundle.read_bytes()
    shown = decode_bundle(whole, 5)
    bundle.write_bytes(encode_bundle([*shown[:3], b"", shown[4]]))
    assert export_log(signed.ledger, tmp_path / "out").written == 1
    assert bundle.read_bytes() == whole
    assert export_log(signed.ledger, tmp_path / "out").written == 0


def test_a_line_that_is_withheld_later_is_taken_out_of_every_file(signed: SignedLog, tmp_path: Path) -> None:
    record(signed, 100)
    export_log(signed.ledger, tmp_path / "out")
    record(signed, 200)
    export_log(signed.ledger, tmp_path / "out")
    for number in (1, 299):
        signed.log.withhold(f"event-{number}", ["summary"], reason="Ruling.", at=NOON, by="alice")
    assert export_log(signed.ledger, tmp_path / "out").taken_out == 3
    found = verified(tmp_path / "out")
    assert [position for position, line in enumerate(found, start=1) if line is None] == [2, 300]
    partial = (tmp_path / "out" / "tile/entries/000.p/100").read_bytes()
    assert decode_bundle(partial, 100)[1] == b""
    assert not any(b'Talk 1."' in data or b'Talk 299."' in data for data in files(tmp_path / "out").values())
    assert export_log(signed.ledger, tmp_path / "out").taken_out == 0


def test_a_directory_with_another_history_or_log_is_left_alone(
    signed: SignedLog, tmp_path: Path, sqlite_url: str
) -> None:
    record(signed, 5)
    export_log(signed.ledger, tmp_path / "out")
    before = files(tmp_path / "out")
    other = SignedLog(f"{sqlite_url}.other", tmp_path / "other-keys")
    with pytest.raises(NotExported, match="nothing was signed yet"):
        export_log(other.ledger, tmp_path / "out")
    record(other, 9)
    with pytest.raises(NotExported, match="has the log"):
        export_log(other.ledger, tmp_path / "out")
    assert files(tmp_path / "out") == before
    other.close()
    (tmp_path / "out" / "checkpoint").write_bytes(b"what")
    with pytest.raises(NotExported, match="is none"):
        export_log(signed.ledger, tmp_path / "out")
    (tmp_path / "out" / "checkpoint").write_bytes(before["checkpoint"])
    assert files(tmp_path / "out") == before


def test_an_event_that_is_not_the_one_that_was_signed_is_not_exported(
    signed: SignedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(signed, 5)
    read = Ledger.entries
    monkeypatch.setattr(Ledger, "entries", lambda *given: read(*given).replace(b"Talk 3", b"Talk 4"))
    with pytest.raises(NotExported, match="position 4 is not the one that was signed"):
        export_log(signed.ledger, tmp_path / "out")
    assert "checkpoint" not in files(tmp_path / "out")


def test_two_exports_do_not_write_to_one_directory_at_once(signed: SignedLog, tmp_path: Path) -> None:
    record(signed, 5)

    def another(_: int) -> None:
        with pytest.raises(NotExported, match="another process"):
            export_log(signed.ledger, tmp_path / "out")

    export_log(signed.ledger, tmp_path / "out", another)
    assert len(verified(tmp_path / "out")) == 5
