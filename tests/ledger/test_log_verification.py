"""A published log is believed only if every byte of it is what was signed, and what was signed is a log of events."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from pydantic_core import from_json

from tests.support.api import made, progress, statement
from tests.support.paths import ROOT
from tests.support.published_logs import KEY, OTHER_KEY, PublishedLog, entries, entry, event_uuid
from tests.support.trees import flipped
from tracker.checkpoint import Checkpoint, OtherOrigin
from tracker.merkle import leaf_hash
from tracker.signed_note import NoKnownSignature, SigningKey
from tracker.tiles import TileMissing, encode_bundle, encode_tile
from tracker.verification import pledge_versions
from tracker.verification.doubts import LogDoubted
from tracker.verification.log_verification import LogVerification, VerifiedEvent, must_be_signed, read_keys

SIZES = (0, 1, 2, 255, 256, 257, 600)


def walked(log: PublishedLog, older: Checkpoint | None = None) -> list[VerifiedEvent | None]:
    """Every event of the log once it is verified."""
    files = log.files

    def fetch(path: str) -> bytes:
        if path not in files:
            raise TileMissing(path)
        return files[path]

    checkpoint, _ = must_be_signed(files["checkpoint"], [KEY.verifier])
    return list(LogVerification(checkpoint, fetch, older=older).events())


def doubt(log: PublishedLog, older: Checkpoint | None = None) -> LogDoubted:
    """Why the log is not believed."""
    with pytest.raises(LogDoubted) as doubted:
        walked(log, older)
    return doubted.value


def doubt_of(*lines: bytes) -> LogDoubted:
    """Why a log of these entries is not believed, although it is rightly signed."""
    return doubt(PublishedLog(lines))


@pytest.mark.parametrize("size", SIZES)
def test_a_log_of_any_size_is_verified_event_by_event(size: int) -> None:
    lines = entries(size)
    assert tuple(event and event.line for event in walked(PublishedLog(lines))) == lines


@pytest.mark.parametrize(("first", "second"), list(pairwise(SIZES)))
def test_a_log_that_grew_begins_with_what_an_older_checkpoint_signed(first: int, second: int) -> None:
    older = PublishedLog(entries(first)).checkpoint
    assert len(walked(PublishedLog(entries(second)), older)) == second


def test_a_partial_tile_that_is_gone_is_read_from_the_full_one_in_its_place() -> None:
    now, then = PublishedLog(entries(256)), PublishedLog(entries(200))
    files = now.files | {"checkpoint": then.files["checkpoint"]}
    events = LogVerification(then.checkpoint, lambda path: _get(files, path)).events()
    assert len(list(events)) == 200


def _get(files: dict[str, bytes], path: str) -> bytes:
    if path not in files:
        raise TileMissing(path)
    return files[path]


# Files that were tampered with


def test_an_entry_that_was_changed_is_named() -> None:
    log = PublishedLog(entries(600))
    changed = list(log.entries[256:512])
    changed[10] = changed[10].replace(b"alice", b"malic")
    found = doubt(log.with_files(**{"tile/entries/001": encode_bundle(changed)}))
    assert (found.position, found.reason) == (267, "the entry is not the one whose hash is signed")


def test_a_leaf_that_was_changed_with_its_entry_is_named_by_its_tile() -> None:
    log = PublishedLog(entries(600))
    changed = list(log.entries[256:512])
    changed[10] = changed[10].replace(b"alice", b"malic")
    found = doubt(
        log.with_files(
            **{"tile/entries/001": encode_bundle(changed), "tile/0/001": encode_tile(list(map(leaf_hash, changed)))}
        )
    )
    assert (found.position, found.last) == (257, 512)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001"])
def test_a_file_that_is_missing_or_cut_is_doubted(path: str) -> None:
    log = PublishedLog(entries(600))
    files = log.files
    for broken in (files[path][:-1], files[path] + b"\0", b""):
        doubt(log.with_files(**{path: broken}))
    del files[path]
    with pytest.raises(LogDoubted):
        list(LogVerification(log.checkpoint, lambda wanted: _get(files, wanted)).events())


def test_a_tile_that_is_another_one_when_it_is_fetched_again_changes_nothing() -> None:
    """A server may answer the same address otherwise the second time; the edge of the tree is asked for once."""
    log = PublishedLog(entries(300))
    files, asked = log.files, list[str]()

    def fetch(path: str) -> bytes:
        asked.append(path)
        data = _get(files, path)
        return flipped(data, 0) if asked.count(path) > 1 else data

    assert len(list(LogVerification(log.checkpoint, fetch).events())) == 300
    assert asked.count("tile/0/001.p/44") == 1


def test_a_checkpoint_of_another_key_or_root_is_not_believed() -> None:
    log = PublishedLog(entries(5))
    with pytest.raises(NoKnownSignature):
        must_be_signed(replace(log, key=OTHER_KEY).files["checkpoint"], [KEY.verifier])
    other = PublishedLog(entries(5, pledges=2)).checkpoint
    assert "another root" in doubt(log.with_files(checkpoint=other.sign([KEY]))).reason


def test_a_key_of_another_log_signs_no_checkpoint_of_this_one() -> None:
    log = PublishedLog(entries(5), origin="example.org/others")
    with pytest.raises(OtherOrigin, match=r"is of example\.org/others, and signed by a key of example\.org/p"):
        must_be_signed(log.files["checkpoint"], [KEY.verifier])
    own = SigningKey("example.org/others", bytes(32))
    signed = log.checkpoint.sign([KEY, own])
    assert must_be_signed(signed, [KEY.verifier, own.verifier])[0] == log.checkpoint
    with pytest.raises(OtherOrigin):
        must_be_signed(signed, [KEY.verifier])


# Against an older checkpoint


@pytest.mark.parametrize("size", [3, 255, 256, 300, 600])
def test_a_history_that_was_rewritten_and_signed_again_is_found_with_an_older_checkpoint(size: int) -> None:
    older = PublishedLog(entries(size)).checkpoint
    rewritten = list(entries(600))
    rewritten[1] = rewritten[1].replace(b"alice", b"malic")
    found = doubt(PublishedLog(rewritten), older)
    assert (found.position, found.last) == (1, size)
    assert walked(PublishedLog(rewritten))


def test_a_log_that_is_shorter_than_the_older_checkpoint_went_back() -> None:
    older = PublishedLog(entries(9)).checkpoint
    assert "it was cut" in doubt(PublishedLog(entries(8)), older).reason


def test_an_older_checkpoint_of_another_log_is_not_compared() -> None:
    older = replace(PublishedLog(entries(3)).checkpoint, origin="example.org/others")
    assert "another name" in doubt(PublishedLog(entries(8)), older).reason


# Logs that are rightly signed and wrong all the same


def test_versions_of_a_pledge_have_no_gap_and_do_not_stand_twice() -> None:
    first = entry(0, "p", 1, made())
    for version in (1, 3):
        found = doubt_of(first, entry(1, "p", version, progress() if version > 1 else made()))
        assert found.position == 2
        assert f"version {version} of p comes after its version 1" in found.reason
    assert doubt_of(entry(0, "p", 2, progress())).position == 1


def test_an_event_is_not_recorded_before_the_one_before_it() -> None:
    found = doubt_of(entry(5, "p", 1, made()), entry(4, "q", 1, made()))
    assert (found.position, found.reason) == (2, "it is recorded before the event before it")


def test_no_two_events_have_one_id() -> None:
    lines = list(entries(300))
    for again, first in ((299, 3), (270, 269), (260, 0)):
        lines[again] = entry(again, *named(lines[again]), id=event_uuid(first))
    found = doubt_of(*lines)
    assert (found.position, found.reason) == (261, "the event has the id of the one at position 1")
    assert "position 1" in doubt_of(*entries(1), entry(1, "q", 1, made(), id=event_uuid(0))).reason


def named(line: bytes) -> tuple[str, int, dict[str, Any]]:
    """The pledge, the version and the fact of a line."""
    event = from_json(line)
    return event["pledge"], event["version"], event["fact"]


def test_the_first_event_of_a_pledge_is_its_making_and_no_other_is() -> None:
    assert doubt_of(entry(0, "p", 1, statement())).position == 1
    assert doubt_of(entry(0, "p", 1, made()), entry(1, "p", 2, made())).position == 2


LINE = entry(0, "p", 1, made())
ID = b'"%s"' % event_uuid(0).encode()
WRONG_IDS = (
    b'""',
    b"7",
    b'"event-0"',
    ID.upper(),
    ID.replace(b"-7", b"-4"),
    ID.replace(b'"', b'" ', 1),
    ID[:-2] + b'"',
)
DEEP = b'{"id":' + b"[" * 30_000 + b"]" * 30_000 + b"}"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"null", "no JSON object"),
        (b"[1]", "no JSON object"),
        (DEEP, "no JSON"),
        (b'{"id":' + b"9" * 60_000 + b"}", "no JSON"),
        (LINE.replace(b'"version":1', b'"version":NaN'), "NaN is no number"),
        (LINE.replace(b'"version":1', b'"version":1,"version":1'), "stands twice"),
        (LINE.replace(b'"kind":"money"', b'"kind":"money","kind":"goods"'), "stands twice"),
        (LINE.replace(b'"version":1', b'"version":true'), "version"),
        (LINE.replace(b'"version":1', b'"version":1.0'), "version"),
        (LINE.replace(b'"version":1', b'"version":0'), "version"),
        (LINE.replace(b'"version":1', b'"version":99999999999999999999'), "version"),
        (LINE.replace(b'"p"', b'"P"'), "slug"),
        (LINE.replace(b'"p"', b"7"), "slug"),
        (LINE.replace(b'"id":%s,' % ID, b""), "members"),
        *[(LINE.replace(ID, wrong), "its id is no UUID") for wrong in WRONG_IDS],
        (b" " + LINE, "not one line of JSON"),
        (LINE + b"\n", "not one line of JSON"),
        (LINE.replace(b'"fact":', b'"fact":\n'), "not one line of JSON"),
        (LINE.replace(b'"alice"', b'"al\\ud83dice"'), "half of a surrogate pair"),
        (LINE.replace(b'"title":"', b'"title":"\\udc00'), "half of a surrogate pair"),
        (LINE.replace(b'"alice"', b'"' + b"a" * 2_000 + b'"'), "its recorded_by is no text"),
        (LINE.replace(b'"alice"', b'"alice","position":1'), "members"),
        (LINE.replace(b"2026-01-01T", b"2026-13-01T"), "no instant"),
        (LINE.replace(b".000000Z", b"Z"), "no instant"),
        (LINE.replace(b".000000Z", b".000000+01:00"), "no instant"),
        (LINE.replace(b'"PledgeMade"', b'"PledgeUnmade"'), "no fact of type 'PledgeUnmade'"),
        (LINE.replace(b'"title"', b'"titel"'), "cannot read its fact"),
        (LINE.replace(b'"fact":{', b'"fact":[{').replace(b"}}", b"}}]") + b"}", "JSON"),
    ],
)
def test_an_entry_that_the_tracker_would_not_have_written_is_named(line: bytes, why: str) -> None:
    found = doubt(PublishedLog([LINE.replace(b'"p"', b'"q"'), line]))
    assert found.position == 2
    assert why in found.reason
    assert len(str(found)) < 500


def test_a_whole_surrogate_pair_that_is_written_in_escapes_is_a_character() -> None:
    line = LINE.replace(b'"alice"', b'"al\\ud83d\\ude00ice"')
    assert len(walked(PublishedLog([line]))) == 1


def test_an_event_that_was_proposed_first_is_well_formed() -> None:
    assert len(walked(PublishedLog([entry(0, "p", 1, made(), proposal="proposal-1")]))) == 1


# Withheld events


def test_a_withheld_event_is_counted_as_one_that_exists() -> None:
    log = PublishedLog(entries(300), withheld=frozenset({2, 7, 300}))
    found = walked(log)
    assert [at for at, event in enumerate(found, start=1) if event is None] == [2, 7, 300]


def test_what_is_withheld_explains_a_missing_version_only_if_it_can_be_that_event() -> None:
    lines = [
        entry(0, "q", 1, made()),
        entry(1, "p", 1, made()),
        entry(2, "q", 2, statement()),
        entry(3, "p", 3, statement()),
    ]
    assert len(walked(PublishedLog(lines, withheld=frozenset({3})))) == 4
    assert "comes after" in doubt(PublishedLog(lines)).reason
    lines[0] = entry(0, "q", 1, statement())
    found = doubt(PublishedLog(lines, withheld=frozenset({1})))
    assert found.position == 4


def test_one_withheld_event_does_not_explain_two_missing_ones() -> None:
    lines = [
        entry(0, "p", 1, made()),
        entry(1, "q", 1, made()),
        b"hidden",
        entry(3, "p", 3, statement()),
        b"hidden too",
        entry(5, "q", 3, statement()),
    ]
    both = frozenset({3, 5})
    assert len(walked(PublishedLog(lines, withheld=both))) == 6
    swapped = [lines[2], lines[4], lines[0], lines[1], lines[3], lines[5]]
    assert doubt(PublishedLog(swapped, withheld=frozenset({1, 2}))).position in (5, 6)


def test_a_line_that_is_withheld_is_no_excuse_for_another_one() -> None:
    log = PublishedLog(entries(4))
    shown = [*log.entries[:3], b"x"]
    assert doubt(log.with_files(**{"tile/entries/000.p/4": encode_bundle(shown)})).position == 4


# Bounds


def test_a_log_without_an_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = Checkpoint("example.org/pledges", 2**62, bytes(32))
    with pytest.raises(LogDoubted, match="at most 100000000 are read"):
        LogVerification(endless, PublishedLog(()).fetch)
    lines = entries(6)
    monkeypatch.setattr(pledge_versions, "MAX_PLEDGES", 2)
    assert doubt(PublishedLog(lines)).position == 3
    monkeypatch.setattr(pledge_versions, "MAX_WITHHELD", 2)
    assert doubt(PublishedLog(lines, withheld=frozenset({1, 2, 3}))).position == 3


# Keys


def test_a_file_of_keys_has_one_key_a_line() -> None:
    assert read_keys(f"{KEY.verifier}\n{OTHER_KEY.verifier}\n".encode()) == [KEY.verifier, OTHER_KEY.verifier]
    with pytest.raises(LogDoubted):
        read_keys(b"\n")


def test_verifying_imports_no_database_and_no_server() -> None:
    script = "import sys, tracker.verification.replayed_log; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded.isdisjoint({"eventsourcing", "litestar", "sqlalchemy", "psycopg", "projections", "api"})
    assert {"tracker"} <= loaded
