"""`tracker log export` and `prove` on a store, and who reads what they wrote: every command of docs/verify.md too."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pymerkle
import pytest

from benchmarks.generate import log_lines
from projections.tables import open_engine
from projections.timeline import Timeline
from tests.support.api import ADMIN
from tests.support.file_servers import serving_files
from tests.support.paths import ROOT
from tests.support.published_logs import KEY, PublishedLog, entries
from tests.support.shell import Shell, ask
from tests.support.waiting import HANG_SECONDS, wait_until
from tracker.checkpoint import Checkpoint
from tracker.event import restamp
from tracker.signed_note import SignedNote
from tracker.tiles import encode_bundle
from tracker.tlog_proof import TlogProof

BY_HAND = ROOT / "docs" / "examples" / "ledger" / "verify_log.py"
GUIDE = (ROOT / "docs" / "verify.md").read_text("utf-8")
BLOCKS = re.findall(r"<!-- test: (reader|operator) -->\n```sh\n(.*?)```", GUIDE, re.S)


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    """A database with the seed."""
    shell = Shell(database_url, tmp_path)
    shell.run("init")
    shell.run("seed")
    return shell


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Shell:
    """A SQLite file with the seed, for what does not depend on the store."""
    shell = Shell(sqlite_url, tmp_path)
    shell.run("seed")
    return shell


def test_what_is_exported_is_verified_and_folded_as_the_log_itself_is(shell: Shell) -> None:
    said = shell.run("log", "export", "out")
    assert re.search(r"68 events, root \S+; 2 files written", said.stdout)
    key = (shell.directory / "out" / "key").read_text().strip()
    assert "verified:" in shell.run("log", "verify", "out", "--key", key).stdout
    for clocks in (("--as-of", "2024-12-31"), ("--as-of", "2026-11-01", "--at-position", "20")):
        folded = shell.run("log", "verify", "out", "--key", key, *clocks).stdout_bytes
        assert folded == shell.run("replay", *clocks).stdout_bytes
        assert len(folded.splitlines()) >= 3


def test_an_export_follows_the_log(shell: Shell) -> None:
    shell.run("log", "export", "out")
    older = shell.directory / "kept"
    older.write_bytes((shell.directory / "out" / "checkpoint").read_bytes())
    fact = {"type": "StatementMade", "stated_on": "2025-01-01", "source": {"publisher": "P", "tier": "media"}}
    shell.write("more.ndjson", json.dumps({"pledge": "nato-ukraine-2024", "fact": fact | {"summary": "More."}}))
    shell.run("import", "more.ndjson")
    assert "69 events" in shell.run("log", "export", "out").stdout
    said = shell.run("log", "verify", "out", "--checkpoint", older)
    assert "it begins with the 68 events of the older checkpoint, unchanged" in said.stdout


def test_an_event_is_proved_from_the_store_or_from_a_published_log(shell: Shell) -> None:
    assert shell.run("log", "prove", "2").stdout == "event-2.tlog-proof\n"
    key = shell.run("log", "export", "out") and (shell.directory / "out" / "key").read_text().strip()
    checked = shell.run("log", "check", "event-2.tlog-proof", "--key", key).stdout
    assert "proven: this is the event at position 2" in checked
    with serving_files(shell.directory / "out") as address:
        for where in ("out", address):
            written = shell.run("log", "prove", "2", "--from", where, "--key", key, "--output", "-").stdout_bytes
            assert written == (shell.directory / "event-2.tlog-proof").read_bytes()
    shell.run("log", "prove", "69", code=2)
    shell.run("log", "prove", "0", code=2)
    shell.run("log", "prove", "2", "--key", key, code=2)
    shell.run("log", "prove", "2", "--from", "out", "--key", str(KEY.verifier), code=1)


def test_of_a_withheld_event_the_proof_is_written_without_its_line(shell: Shell) -> None:
    with shell.log() as log:
        row = log.read(1, 1)[0]
    shell.run("withhold", row.event_id, "--fields", "summary", "--reason", "Ruling.")
    assert "without its line" in shell.run("log", "prove", "2").stderr
    proof = TlogProof.parse((shell.directory / "event-2.tlog-proof").read_bytes())
    assert proof.extra is None
    shell.run("log", "check", "event-2.tlog-proof", code=2)
    (shell.directory / "line.json").write_bytes(row.state)
    checked = shell.run("log", "check", "event-2.tlog-proof", "--event", "line.json")
    assert "this is the event at position 2" in checked.stdout


def test_without_a_log_or_a_place_to_write_to_it_is_said(tmp_path: Path, shell: Shell) -> None:
    nowhere = Shell(f"sqlite:///{tmp_path}/nowhere.db", tmp_path)
    for command in (("export", "out"), ("prove", "1")):
        assert "there is no log" in nowhere.run("log", *command, code=1).stderr
    shell.write("file", "")
    shell.run("log", "export", "file/out", code=1)


def test_what_was_never_projected_is_signed_and_exported_without_it(database_url: str, tmp_path: Path) -> None:
    shell = Shell(database_url, tmp_path)
    shell.run("init")
    with shell.log() as log:
        log.append(list(log_lines(3)), restamp=restamp)
        recorded = log.head()
    assert f"{recorded} events" in shell.run("log", "export", "out").stdout
    engine = open_engine(database_url)
    try:
        with shell.log() as log:
            assert Timeline(engine, log).position() == 0
    finally:
        engine.dispose()


def test_a_log_that_went_back_is_neither_exported_nor_proved_before_it_is_decided(tmp_path: Path, lite: Shell) -> None:
    copy = tmp_path / "early.db"
    lite.run("backup", copy)
    fact = {"type": "StatementMade", "stated_on": "2025-01-01", "source": {"publisher": "P", "tier": "media"}}
    lite.run("import", lite.write("more.ndjson", json.dumps({"pledge": "nato-ukraine-2024", "fact": fact})))
    store = Path(lite.url.removeprefix("sqlite:///"))
    for path in store.parent.glob(f"{store.name}*"):
        if path.is_file():
            path.unlink()
    lite.run("restore", copy)
    for command in (("export", "out"), ("prove", "2")):
        assert "tracker log fork" in lite.run("log", *command, code=1).stderr
    lite.run("log", "fork", "--reason", "a drill")
    assert "68 events" in lite.run("log", "export", "out").stdout


def test_a_proof_that_cannot_be_written_is_told(shell: Shell) -> None:
    shell.run("seed")
    assert "cannot be written" in shell.run("log", "prove", "2", "--output", "nowhere/proof", code=1).stderr


# What others read it with


def by_hand(prefix: str, key: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, BY_HAND, prefix, key], capture_output=True, text=True, timeout=HANG_SECONDS, check=False
    )


def test_forty_lines_without_our_code_verify_the_same_files_and_find_what_is_wrong(tmp_path: Path) -> None:
    log = PublishedLog(entries(600), withheld=frozenset({7}))
    directory = log.write(tmp_path / "log")
    vkey = str(KEY.verifier)
    assert "import tracker" not in BY_HAND.read_text("utf-8")
    assert "from tracker" not in BY_HAND.read_text("utf-8")
    with serving_files(directory) as address:
        done = by_hand(address, vkey)
        assert done.stdout == "example.org/pledges: 600 events, as signed by example.org/pledges\n", done.stderr
        shown = list(log.entries[256:512])
        shown[3] = shown[3].replace(b"alice", b"malic")
        (directory / "tile/entries/001").write_bytes(encode_bundle(shown))
        done = by_hand(address, vkey)
        assert (done.returncode, done.stderr) == (1, "position 260 is not the event that was signed\n")
        (directory / "checkpoint").write_bytes(PublishedLog(entries(600)).with_files().files["checkpoint"][:-9])
        assert by_hand(address, vkey).returncode == 1


def test_pymerkle_finds_the_same_root_over_the_exported_entries(shell: Shell) -> None:
    shell.run("log", "export", "out")
    checkpoint = Checkpoint.parse(SignedNote.parse((shell.directory / "out" / "checkpoint").read_bytes()).text)
    theirs: Any = pymerkle.InmemoryTree(algorithm="sha256")
    data = (shell.directory / "out" / "tile/entries/000.p/68").read_bytes()
    while data:
        length = int.from_bytes(data[:2], "big")
        theirs.append_entry(data[2 : 2 + length])
        data = data[2 + length :]
    assert theirs.get_root(checkpoint.size) == checkpoint.root


# The guide


def run(script: str, directory: Path, **env: str) -> str:
    """The output of a shell script that must succeed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-euc", script], env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)} | env, cwd=directory,
        capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (script, done.stdout, done.stderr)
    return done.stdout


def test_a_stranger_follows_the_guide_from_an_address_and_a_key(lite: Shell, tmp_path: Path) -> None:
    own = tmp_path / "stranger"
    own.mkdir()
    (own / "verify_log.py").write_bytes(BY_HAND.read_bytes())
    blocks = [block for who, block in BLOCKS if who == "reader"]
    assert len(blocks) >= 5
    with lite.serving(TRACKER_ADMIN_KEY=ADMIN) as (address, process):
        wait_until(lambda: ask(f"{address}/ledger/key").status_code == 200, process)
        key = ask(f"{address}/ledger/key").text.strip()
        env = {"TRACKER_URL": address, "LOG_URL": f"{address}/ledger", "LOG_KEY": key, "TRACKER_DATABASE_URL": "none"}
        said = [run(block, own, **env) for block in blocks]
    assert "verified: " in said[0]
    assert "unchanged" in "".join(said)
    assert "proven: this is the event at position 2" in "".join(said)
    assert "68 events, as signed by" in "".join(said)


def test_an_operator_follows_the_guide(lite: Shell) -> None:
    said = "".join(
        run(block, lite.directory, TRACKER_DATABASE_URL=lite.url) for who, block in BLOCKS if who == "operator"
    )
    assert "68 events" in said
    assert "verified: " in said
