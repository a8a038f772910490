"""A log moves house: exported from one store and imported into another, it is the same log to everybody."""

import json
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from tests.support.api import progress, statement
from tests.support.moving import KEY, lived_in, rows_of, same_files, whole
from tests.support.servers import serving
from tests.support.shell import Shell

pytestmark = pytest.mark.usefixtures("state")


def test_a_log_moves_with_every_id_position_instant_and_byte(houses: tuple[Shell, Shell], tmp_path: Path) -> None:
    old, new = houses
    lived_in(old)
    old.run("log", "export", "first", "--private", "first.private")
    assert (tmp_path / "first.private").stat().st_mode & 0o777 == 0o600
    kept = tmp_path / "kept.checkpoint"
    kept.write_bytes((tmp_path / "first" / "checkpoint").read_bytes())
    assert b"A private matter." not in b"".join(p.read_bytes() for p in (tmp_path / "first").rglob("*") if p.is_file())

    said = new.run("log", "import", "first", "--private", "first.private")
    with old.log() as was, new.log() as log:
        assert rows_of(log) == rows_of(was)
        assert log.identities() == was.identities()
        assert log.withholdings() == was.withholdings()
        assert log.proposal_events(0, 100) == was.proposal_events(0, 100)
        assert log.proposal_head() == 3
        head = log.head()
        assert said.stdout.splitlines()[-1] == was.standing().log
    assert new.run("keys", "list").stdout == old.run("keys", "list").stdout
    assert new.run("webhooks", "list").stdout == old.run("webhooks", "list").stdout

    new.run("log", "export", "second", "--private", "second.private")
    assert same_files(tmp_path / "first", tmp_path / "second")
    assert (tmp_path / "first.private").read_bytes() == (tmp_path / "second.private").read_bytes()
    key = (tmp_path / "first" / "key").read_text().strip()
    assert "unchanged" in new.run("log", "verify", "second", "--key", key, "--checkpoint", kept).stdout
    assert "no difference" in new.run("replay", "--compare").stderr

    with serving(new) as server:
        server.comes(lambda: not server.failing())
        again = server.client.post("/v1/pledges/aid-2024/events", json=progress(), headers=KEY)
        assert (again.status_code, again.json()["replayed"]) == (201, True)
        assert "A private matter." not in server.get("/v1/pledges/aid-2024/events").text
        states = [one["state"] for one in server.client.get("/v1/proposals").json()["items"]]
        assert states == ["open", "accepted"]
        more = server.client.post("/v1/pledges/aid-2024/events", json=statement(summary="After the move."))
        assert (more.status_code, more.json()["position"]) == (201, head + 1)


def test_what_cannot_be_imported_says_so(sqlite_url: str, tmp_path: Path) -> None:
    old, new = Shell(sqlite_url, tmp_path), Shell(f"sqlite:///{tmp_path}/new.db", tmp_path)
    lived_in(old)
    assert "published" in old.run("log", "export", "first", "--private", "first/private", code=2).stderr
    old.run("log", "export", "first", "--private", "first.private")
    tmp_path.joinpath("first/link").symlink_to(tmp_path / "elsewhere")
    assert "published" in old.run("log", "export", "first", "--private", "first/link", code=2).stderr
    assert "withheld from the public" in new.run("log", "import", "first", code=1).stderr
    assert new.head() == 0
    private = (tmp_path / "first.private").read_bytes()
    cut = tmp_path / "cut.private"
    cut.write_bytes(private[:-10])
    other = Shell(f"sqlite:///{tmp_path}/other.db", tmp_path)
    assert "cut off" in other.run("log", "import", "first", "--private", cut, code=1).stderr
    lines = private.splitlines(keepends=True)
    cut.write_bytes(b"".join(lines[:3] + lines[4:]))
    assert "cut off" in other.run("log", "import", "first", "--private", cut, code=1).stderr
    old.run("import", old.write("more.ndjson", json.dumps({"pledge": "aid-2024", "fact": statement()})))
    old.run("log", "export", "first")
    refused = other.run("log", "import", "first", "--private", "first.private", code=1).stderr
    assert "of another export" in refused
    seeded = Shell(f"sqlite:///{tmp_path}/seeded.db", tmp_path)
    seeded.run("seed")
    old.run("log", "export", "first", "--private", "first.private")
    refused = seeded.run("log", "import", "first", "--private", "first.private", code=1).stderr
    assert "into an empty store" in refused
    assert seeded.head() == 68


def test_a_withheld_line_is_held_against_its_leaf(sqlite_url: str, tmp_path: Path) -> None:
    old, new = Shell(sqlite_url, tmp_path), Shell(f"sqlite:///{tmp_path}/new.db", tmp_path)
    lived_in(old)
    old.run("log", "export", "first", "--private", "first.private")
    lines = [json.loads(line) for line in (tmp_path / "first.private").read_text().splitlines()]
    (part,) = (line["event"] for line in lines if "line" in line.get("event", {}))
    part["line"] = b64encode(b64decode(part["line"]).replace(b"private matter", b"public matter!")).decode()
    new.write("forged.private", "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines))
    assert "NOT VERIFIED" in new.run("log", "import", "first", "--private", "forged.private", code=1).stderr


def test_a_public_log_alone_can_be_imported(sqlite_url: str, tmp_path: Path) -> None:
    old, new = Shell(sqlite_url, tmp_path), Shell(f"sqlite:///{tmp_path}/new.db", tmp_path)
    old.run("seed")
    old.run("log", "export", "first")
    log = old.run("log", "fork", "--reason", "only to know the id before").stderr.split()[3]
    assert new.run("log", "import", "first").stdout.splitlines()[-1] == log
    assert [row.state for row in whole(new)] == [row.state for row in whole(old)]


def test_a_private_file_that_is_damaged_says_so(sqlite_url: str, tmp_path: Path) -> None:
    old, new = Shell(sqlite_url, tmp_path), Shell(f"sqlite:///{tmp_path}/new.db", tmp_path)
    lived_in(old)
    old.run("log", "export", "first", "--private", "whole.private")
    lines = (tmp_path / "whole.private").read_text().splitlines(keepends=True)
    new.run("init")
    first = next(at for at, line in enumerate(lines) if line.startswith('{"event"'))
    key = next(at for at, line in enumerate(lines) if line.startswith('{"key"'))
    damaged = {
        "its head": [lines[0][: lines[0].index(',"log"')] + "}\n", *lines[1:]],
        "KeyError('id')": [*lines[:key], '{"key":{"name":"desk"}}\n', *lines[key + 1 :]],
        "its event": [*lines[:first], '{"event":{"position":"x"}}\n', *lines[first + 1 :]],
        "by position": [*lines[:first], lines[first + 1], lines[first], *lines[first + 2 :]],
    }
    for said, written in damaged.items():
        new.write("damaged.private", "".join(written))
        refused = new.run("log", "import", "first", "--private", "damaged.private", code=1).stderr
        assert "is damaged" in refused
        assert said in refused
        assert new.head() == 0
