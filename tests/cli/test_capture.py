"""`tracker capture`: a copy of a source, kept by hash, and the fact that it is kept."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.support.api import made
from tests.support.file_servers import serving_files
from tests.support.shell import Shell

PDF = b"%PDF-1.7 a report"
SHA256 = hashlib.sha256(PDF).hexdigest()


def opened(shell: Shell) -> str:
    """The id of the event that opens a pledge."""
    line = json.dumps({"pledge": "aid-2024", "fact": made()})
    shell.write("facts.ndjson", line)
    shell.run("import", "facts.ndjson")
    return str(events(shell)[0]["id"])


def events(shell: Shell) -> list[dict[str, dict[str, str]]]:
    return list(json.loads(shell.run("export", "--events").stdout)["items"])


@pytest.fixture
def shell(empty: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("TRACKER_ARCHIVE_DIR", str(tmp_path / "kept"))
    return empty


def test_a_file_is_kept_and_recorded_once(shell: Shell) -> None:
    event = opened(shell)
    (shell.directory / "report.pdf").write_bytes(PDF)
    assert shell.run("capture", event, "--file", "report.pdf").stdout == f"{SHA256}\n"
    fact = events(shell)[-1]["fact"]
    assert (fact["type"], fact["event"], fact["sha256"], fact["media_type"], fact["bytes"]) == (
        "SourceCaptured", event, SHA256, "application/pdf", len(PDF)
    )  # fmt: skip
    again = shell.run("capture", event, "--file", "report.pdf")
    assert again.stdout == f"{SHA256}\n"
    assert "recorded before" in again.stderr
    assert len(events(shell)) == 2
    assert shell.run("capture", "check").stdout == "1 copies are what their names say\n"


def test_an_address_is_fetched(shell: Shell) -> None:
    event = opened(shell)
    folder = shell.directory / "web"
    folder.mkdir()
    (folder / "report.pdf").write_bytes(PDF)
    with serving_files(folder) as address:
        assert shell.run("capture", event, "--url", f"{address}/report.pdf").stdout == f"{SHA256}\n"
        said = shell.run("capture", event, "--url", f"{address}/none.pdf", code=1)
    assert "cannot be fetched" in said.stderr
    assert shell.run("capture", event, "--url", "file:///etc/passwd", code=2)


def test_a_copy_that_is_not_what_its_name_says_is_found(shell: Shell, tmp_path: Path) -> None:
    event = opened(shell)
    (shell.directory / "report.txt").write_bytes(b"as it was")
    shell.run("capture", event, "--file", "report.txt")
    (kept,) = (tmp_path / "kept").glob("*/*")
    kept.write_bytes(b"as it is")
    said = shell.run("capture", "check", code=1)
    assert f"{kept} is not what its name says" in said.stderr.replace("\n", "")
    assert "1 of 1 copies" in said.stderr


def test_what_cannot_be_kept_is_said(shell: Shell) -> None:
    event = opened(shell)
    (shell.directory / "report").write_bytes(b"anything")
    assert "--media-type" in shell.run("capture", event, "--file", "report", code=2).stderr
    assert "has no event" in shell.run("capture", "none", "--file", "report", code=2).stderr
    assert "one of --file and --url" in shell.run("capture", event, code=2).stderr
    assert len(events(shell)) == 1


def test_a_copy_that_was_left_behind_is_listed(shell: Shell, tmp_path: Path) -> None:
    event = opened(shell)
    (shell.directory / "report.pdf").write_bytes(PDF)
    shell.run("capture", event, "--file", "report.pdf")
    assert "not kept here" not in shell.run("capture", "check").stderr
    (tmp_path / "kept").rename(tmp_path / "left behind")
    said = shell.run("capture", "check")
    assert f"{SHA256} is recorded and not kept here" in said.stderr.replace("\n", "")
    assert said.stdout.startswith("0 copies")
