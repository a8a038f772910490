"""`tracker log verify` and `tracker log check`: a stranger's files in, a verdict out, exit code 1 on any doubt."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.api import made
from tests.support.file_servers import serving_files
from tests.support.published_logs import KEY, ORIGIN, OTHER_KEY, PublishedLog, entries, entry
from tests.support.shell import Shell
from tracker.signed_note import SigningKey
from tracker.tile_tree import TileReader
from tracker.tiles import encode_bundle
from tracker.tlog_proof import TlogProof

VKEY = str(KEY.verifier)
LOG = PublishedLog(entries(300))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell without a store: its database does not exist, and must not be missed."""
    return Shell("postgresql://nobody@127.0.0.1:1/nowhere", tmp_path)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """The files of a log."""
    return LOG.write(tmp_path / "published")


def test_a_log_is_verified_from_a_directory_and_from_a_web_server(shell: Shell, published: Path) -> None:
    with serving_files(published) as address:
        for where in (published, address, f"{address}/"):
            said = shell.run("log", "verify", where, "--key", VKEY)
            assert "verified: example.org/pledges, 300 events, root " in said.stdout
            assert "300 events of 3 pledges, the last recorded at 2026-01-01T00:04:59.000000Z" in said.stdout
            assert said.stderr == ""


def test_without_a_key_it_is_said_what_is_not_shown(shell: Shell, published: Path) -> None:
    said = shell.run("log", "verify", published)
    assert "verified:" in said.stdout
    assert "not whose it is" in said.stderr.replace("\n", " ")
    assert VKEY in said.stderr


def test_an_event_of_the_future_is_told(shell: Shell) -> None:
    log = PublishedLog([entry(1, "aid-0", 1, made(), recorded_at="2999-01-01T00:00:00.000000Z")])
    said = shell.run("log", "verify", log.write(shell.directory / "ahead"), "--key", VKEY)
    assert "the last recorded at 2999-01-01" in said.stdout
    assert "later than it is now by the clock of this machine" in said.stderr.replace("\n", " ")


def test_the_first_position_that_is_wrong_is_named(shell: Shell, published: Path) -> None:
    shown = [*LOG.entries[:256]]
    shown[16] = shown[16].replace(b"alice", b"malic")
    (published / "tile/entries/000").write_bytes(encode_bundle(shown))
    said = shell.run("log", "verify", published, code=1)
    assert "NOT VERIFIED: position 17: the entry is not the one whose hash is signed" in said.stderr
    assert "verified" not in said.stdout


def test_another_key_or_a_checkpoint_that_is_none_is_not_believed(shell: Shell, published: Path) -> None:
    said = shell.run("log", "verify", published, "--key", str(OTHER_KEY.verifier), code=1)
    assert "None of the known keys has signed" in said.stderr
    (published / "checkpoint").write_bytes(b"<html>")
    shell.run("log", "verify", published, code=1)
    (published / "checkpoint").unlink()
    assert "ends in /ledger" in shell.run("log", "verify", published, code=1).stderr


def test_keys_are_two_while_they_are_changed(shell: Shell, published: Path) -> None:
    newer = SigningKey(ORIGIN, b"n" * 32)
    (published / "checkpoint").write_bytes(LOG.checkpoint.sign([newer, KEY]))
    for given in ([KEY], [newer], [KEY, newer]):
        options = [part for key in given for part in ("--key", str(key.verifier))]
        said = shell.run("log", "verify", published, *options)
        assert said.stdout.count(f"{ORIGIN}+") == len(given)


def test_an_older_checkpoint_is_held_against_the_log(shell: Shell, published: Path) -> None:
    older = PublishedLog(LOG.entries[:200])
    kept = shell.directory / "kept"
    kept.write_bytes(older.files["checkpoint"])
    said = shell.run("log", "verify", published, "--key", VKEY, "--checkpoint", kept)
    assert "it begins with the 200 events of the older checkpoint, unchanged" in said.stdout
    kept.write_bytes(PublishedLog(entries(301)).files["checkpoint"])
    assert "it was cut" in shell.run("log", "verify", published, "--checkpoint", kept, code=1).stderr
    kept.write_bytes(replace(older, key=OTHER_KEY).files["checkpoint"])
    assert "not of this log" in shell.run("log", "verify", published, "--checkpoint", kept, code=1).stderr
    kept.write_bytes(b"what")
    shell.run("log", "verify", published, "--checkpoint", kept, code=1)
    shell.run("log", "verify", published, "--checkpoint", shell.directory / "gone", code=2)


def test_a_checkpoint_from_before_the_key_was_changed_needs_no_trust_in_the_old_key(
    shell: Shell, published: Path
) -> None:
    kept = shell.directory / "kept"
    kept.write_bytes(replace(PublishedLog(LOG.entries[:200]), key=OTHER_KEY).files["checkpoint"])
    command = ("log", "verify", published, "--key", VKEY, "--checkpoint", kept)
    assert "by --checkpoint-key" in shell.run(*command, code=1).stderr.replace("\n", " ")
    old = ("--checkpoint-key", str(OTHER_KEY.verifier))
    assert "older checkpoint, unchanged" in shell.run(*command, *old).stdout
    (published / "checkpoint").write_bytes(replace(LOG, key=OTHER_KEY).files["checkpoint"])
    assert "None of the known keys" in shell.run(*command, *old, code=1).stderr
    assert "--checkpoint names" in shell.run("log", "verify", published, *old, code=2).stderr
    assert "--checkpoint-key:" in shell.run(*command, "--checkpoint-key", "what", code=2).stderr


def test_wrong_usage_is_told(shell: Shell, published: Path) -> None:
    for wrong in (
        ("--key", "no key"),
        ("--as-of", "yesterday"),
        ("--known-at", "2026-01-01T00:00:00"),
        ("--known-at", "2026-01-01T00:00:00Z", "--at-position", "3"),
        ("--at-position", "301"),
        ("--max-withheld", "-1"),
    ):
        shell.run("log", "verify", published, *wrong, code=2)
    for command in (("verify",), ("import",), ("prove", "1", "--from")):
        said = shell.run("log", *command, shell.directory / "nowhere", code=2)
        assert "is no directory" in said.stderr


def test_what_a_stranger_wrote_is_shown_escaped_and_cut(shell: Shell) -> None:
    origin = "evil\u202e\u009b" + "x" * 5_000
    log = replace(LOG, origin=origin, key=SigningKey(origin, bytes(32)))
    said = shell.run("log", "verify", log.write(shell.directory / "evil"))
    assert "\\u202e\\u009b" in said.stdout
    assert not re.search(r"[\u202e\u009b]", said.output)
    assert max(map(len, said.output.splitlines())) < 1_000
    line = entry(0, "p", 1, made(title="Title"), recorded_by="x").replace(b'"p"', '"\u202e"'.encode())
    said = shell.run("log", "verify", PublishedLog([line]).write(shell.directory / "other"), code=1)
    assert "\u202e" not in said.output


# Statuses


def test_the_statuses_are_folded_from_the_verified_bytes_at_both_clocks(shell: Shell, published: Path) -> None:
    said = shell.run("log", "verify", published, "--key", VKEY, "--as-of", "2024-07-31")
    documents = [json.loads(line) for line in said.stdout.splitlines()]
    assert [d["pledge"] for d in documents] == ["aid-0", "aid-1", "aid-2"]
    assert [d["status"] for d in documents] == ["in_progress"] * 3
    assert documents[0]["actual"]["value"] == "20900000000"
    assert (documents[0]["known_at"], documents[0]["position"], documents[0]["version"]) == (None, 298, 100)
    assert "verified:" in said.stderr
    for clock in (("--known-at", "2026-01-01T00:00:03Z"), ("--at-position", "4")):
        said = shell.run("log", "verify", published, "--as-of", "2024-07-31", *clock)
        documents = [json.loads(line) for line in said.stdout.splitlines()]
        assert [d["status"] for d in documents] == ["in_progress", "announced", "announced"]
        assert {d["known_at"] for d in documents} == {"2026-01-01T00:00:03.000000Z"}
    said = shell.run("log", "verify", published, "--as-of", "2023-01-01")
    assert said.stdout == ""


def test_a_pledge_with_a_withheld_event_is_left_out_and_said(shell: Shell) -> None:
    log = PublishedLog(LOG.entries[:10], withheld=frozenset({5, 10}))
    said = shell.run("log", "verify", log.write(shell.directory / "withheld"), "--as-of", "2024-12-31")
    assert [json.loads(line)["pledge"] for line in said.stdout.splitlines()] == ["aid-0", "aid-2"]
    assert "8 events of 3 pledges" in said.stderr
    assert "2 more events exist" in said.stderr
    assert "cannot be folded here: 1" in said.stderr
    assert "whose status would then be another: 1" in said.stderr


def test_more_withheld_lines_than_are_expected_are_a_doubt(shell: Shell) -> None:
    directory = PublishedLog(LOG.entries[:10], withheld=frozenset({5, 10})).write(shell.directory / "withheld")
    shell.run("log", "verify", directory, "--max-withheld", "2")
    said = shell.run("log", "verify", directory, "--max-withheld", "1", code=1)
    assert "NOT VERIFIED: position 10: its line is withheld, and more than 1 are" in said.stderr
    assert "position 5: " in shell.run("log", "verify", directory, "--max-withheld", "0", code=1).stderr


def test_the_instant_of_a_withheld_event_is_said_to_be_unknown_or_is_given(shell: Shell) -> None:
    directory = PublishedLog(LOG.entries[:10], withheld=frozenset({5})).write(shell.directory / "withheld")
    command = ("log", "verify", directory, "--as-of", "2024-12-31", "--at-position", "5")

    def known_ats(*options: str) -> set[str | None]:
        return {json.loads(line)["known_at"] for line in shell.run(*command, *options).stdout.splitlines()}

    assert known_ats() == {None}
    assert "position 5 is withheld, so its instant is not known here" in shell.run(*command).stderr.replace("\n", " ")
    assert known_ats("--known-at", "2026-01-01T00:00:04.5Z") == {"2026-01-01T00:00:04.500000Z"}
    for beyond in ("2026-01-01T00:00:02.9Z", "2026-01-01T00:00:05.1Z"):
        said = shell.run(*command, "--known-at", beyond, code=2).stderr
        assert "2026-01-01T00:00:03.000000Z at the earliest" in said.replace("\n", " ")
    shown = ("log", "verify", directory, "--as-of", "2024-12-31", "--at-position", "4")
    assert "is withheld, so" not in shell.run(*shown, "--known-at", "2026-01-01T00:00:03Z").stderr
    shell.run(*shown, "--known-at", "2026-01-01T00:00:04Z", code=2)


# One event


def proof_of(position: int, *, extra: bytes | None = None, log: PublishedLog = LOG) -> bytes:
    reader = TileReader(log.checkpoint.size, log.fetch)
    return bytes(TlogProof.make(position - 1, log.files["checkpoint"], reader.subtree, extra=extra))


def test_a_proof_with_its_event_is_checked_with_a_key_alone(shell: Shell) -> None:
    file = shell.directory / "event.tlog-proof"
    file.write_bytes(proof_of(17, extra=LOG.entries[16]))
    said = shell.run("log", "check", file, "--key", VKEY)
    assert "proven: this is the event at position 17 of the log" in said.stdout
    assert said.stdout.splitlines()[-1].encode() == LOG.entries[16]
    assert "Not proven by it" in said.stderr
    assert "NOBODY'S" not in said.stderr


def test_a_proof_without_a_key_says_loudly_that_nobody_has_signed_it(shell: Shell) -> None:
    file = shell.directory / "event.tlog-proof"
    file.write_bytes(proof_of(17, extra=LOG.entries[16]))
    said = shell.run("log", "check", file)
    assert "consistent: this is the event at position 17" in said.stdout
    assert "proven" not in said.stdout
    assert "NOBODY'S SIGNATURE WAS CHECKED" in said.stderr


def test_an_event_that_was_changed_or_moved_is_not_proven(shell: Shell) -> None:
    file = shell.directory / "event.tlog-proof"
    changed = LOG.entries[16].replace(b"alice", b"malic")
    for forged in (
        proof_of(17, extra=changed),
        proof_of(17, extra=LOG.entries[17]),
        proof_of(17, extra=LOG.entries[16]).replace(b"index 16\n", b"index 17\n"),
        proof_of(17, extra=LOG.entries[16], log=replace(LOG, key=OTHER_KEY)),
        b"c2sp.org/tlog-proof@v1\n",
        b"",
    ):
        file.write_bytes(forged)
        assert "NOT VERIFIED" in shell.run("log", "check", file, "--key", VKEY, code=1).stderr
    shell.run("log", "check", shell.directory / "gone", code=2)
    shell.run("log", "check", file, "--key", "what", code=2)


@pytest.mark.parametrize("form", ["stored", "with a line end", "served"])
def test_an_event_that_is_not_in_the_file_is_given_beside_it(shell: Shell, form: str) -> None:
    file, beside = shell.directory / "event.tlog-proof", shell.directory / "event.json"
    file.write_bytes(proof_of(17))
    assert "--event" in shell.run("log", "check", file, "--key", VKEY, code=2).stderr
    line = LOG.entries[16]
    beside.write_bytes(
        {"stored": line, "with a line end": line + b"\n", "served": line[:-1] + b',"position":17}\n'}[form]
    )
    said = shell.run("log", "check", file, "--key", VKEY, "--event", beside)
    assert said.stdout.splitlines()[-1].encode() == line
    beside.write_bytes(line.replace(b"alice", b"malic"))
    shell.run("log", "check", file, "--key", VKEY, "--event", beside, code=1)


def test_an_event_that_this_version_cannot_read_is_proven_all_the_same(shell: Shell) -> None:
    log = PublishedLog([entry(0, "p", 1, made()), b"\x1b[31mwhat"])
    file = shell.directory / "event.tlog-proof"
    file.write_bytes(proof_of(2, extra=log.entries[1], log=log))
    said = shell.run("log", "check", file, "--key", VKEY)
    assert "proven" in said.stdout
    assert "\\u001b[31mwhat" in said.stdout
    assert "cannot read the event" in said.stderr
