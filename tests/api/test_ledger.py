"""The ledger over HTTP: what a client of C2SP's tlog-tiles reads, and proofs in JSON."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.support.api import MONITOR, Api, made, problem, running, statement
from tests.support.ledgers import walk
from tests.support.waiting import wait_until
from tracker.merkle import EMPTY_ROOT, leaf_hash, verify_consistency, verify_inclusion
from tracker.signed_note import VerifierKey
from tracker.tlog_proof import TlogProof

EVENTS = 300


def signed(api: Api) -> None:
    """Wait until the whole log is signed."""
    wait_until(lambda: (api.get("/v1/log").json().get("checkpoint") or {"size": -1})["size"] == api.head())


def keys(api: Api) -> list[VerifierKey]:
    return [VerifierKey.parse(line) for line in api.get("/ledger/key").text.splitlines()]


def fetch(api: Api, path: str) -> bytes:
    answer = api.get(f"/ledger/{path}")
    assert answer.status_code == 200, answer.text
    return answer.content


def hashes(values: list[str]) -> list[bytes]:
    return [b64decode(value) for value in values]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API whose log has `EVENTS` events, all of them signed."""
    with running(f"sqlite:///{tmp_path_factory.mktemp('ledger')}/tracker.db") as api:
        api.open()
        facts = [{"pledge": "aid-2024", "fact": statement(summary=f"Talk {n}.")} for n in range(EVENTS - 1)]
        assert api.post("/v1/events", facts).status_code == 201
        signed(api)
        yield api


def test_before_the_first_event_there_is_a_checkpoint_of_size_0(lite: Api) -> None:
    wait_until(lambda: lite.get("/ledger/checkpoint").status_code == 200)
    checkpoint, entries = walk(lite.get("/ledger/checkpoint").content, lambda path: fetch(lite, path), keys(lite))
    assert (checkpoint.size, checkpoint.root, entries) == (0, EMPTY_ROOT, [])
    problem(lite.get("/ledger/tile/0/000"), 404, "tile_missing")
    problem(lite.get("/ledger/proof/inclusion?position=1"), 404, "out_of_tree")
    assert lite.get("/ledger/proof/consistency?from=0").json()["proof"] == []


def test_nothing_is_signed_where_no_process_projects(sqlite_url: str) -> None:
    with running(sqlite_url, projector=False) as api:
        for path in ("checkpoint", "key", "proof/inclusion?position=1", "proof/consistency?from=0"):
            problem(api.get(f"/ledger/{path}"), 404, "no_checkpoint")
        assert "checkpoint" not in api.get("/v1/log").json()


def test_a_client_reads_and_verifies_the_whole_log(ledger: Api) -> None:
    note = ledger.get("/ledger/checkpoint").content
    checkpoint, entries = walk(note, lambda path: fetch(ledger, path), keys(ledger))
    assert checkpoint.size == len(entries) == EVENTS
    log = ledger.get("/v1/log").json()
    assert checkpoint.origin.endswith(log["log"])
    assert b64decode(log["checkpoint"]["root"]) == checkpoint.root
    served = ledger.get("/v1/events?limit=1000").json()["items"]
    assert [json.loads(entry) | {"position": n} for n, entry in enumerate(entries, start=1)] == served


def test_tiles_and_bundles_have_the_headers_of_the_specification(ledger: Api) -> None:
    cached = {
        "tile/0/000": "public, max-age=86400, immutable",
        "tile/0/001.p/44": "public, max-age=60",
        "tile/1/000.p/1": "public, max-age=60",
        "tile/entries/000": "public, max-age=86400",
        "tile/entries/001.p/44": "public, max-age=60",
    }
    for path, cache_control in cached.items():
        answer = ledger.get(f"/ledger/{path}")
        assert answer.headers["content-type"] == "application/octet-stream", path
        assert answer.headers["cache-control"] == cache_control, path
    checkpoint = ledger.get("/ledger/checkpoint")
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
    assert checkpoint.headers["cache-control"] == "no-cache"
    assert len(fetch(ledger, "tile/0/000")) == 8192


@pytest.mark.parametrize(
    "path",
    ["checkpoint", "key", "tile/0/000", "tile/entries/000", "proof/inclusion?position=7", "proof/event?position=7"],
)
def test_everything_has_a_tag_and_a_head(ledger: Api, path: str) -> None:
    answer = ledger.get(f"/ledger/{path}")
    tag = answer.headers["etag"]
    assert ledger.get(f"/ledger/{path}", headers={"If-None-Match": tag}).status_code == 304
    head = ledger.client.head(f"/ledger/{path}")
    assert (head.status_code, head.headers["etag"], head.content) == (200, tag, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]


@pytest.mark.parametrize("path", ["0/002", "0/001", "0/001.p/45", "1/000", "1/000.p/2", "2/000.p/1", "0/x999/x999/999"])
def test_a_tile_that_the_tree_does_not_have_is_missing(ledger: Api, path: str) -> None:
    problem(ledger.get(f"/ledger/tile/{path}"), 404, "tile_missing")
    bundle = f"entries/{path.partition('/')[2]}"
    if path.startswith("0/"):
        problem(ledger.get(f"/ledger/tile/{bundle}"), 404, "tile_missing")


@pytest.mark.parametrize(
    "path",
    [
        "0/0",
        "0/00",
        "00/000",
        "64/000",
        "0/x000/001",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "a/000",
    ],
)
def test_a_path_that_names_no_tile_is_refused(ledger: Api, path: str) -> None:
    problem(ledger.get(f"/ledger/tile/{path}"), 400, "invalid_tile")


def test_an_encoded_slash_and_a_parameter_are_refused(ledger: Api) -> None:
    problem(ledger.get("/ledger/tile/0%2F000"), 404, "not_found")
    problem(ledger.get("/ledger/checkpoint?size=3"), 400, "unknown_parameter")
    problem(ledger.client.post("/ledger/checkpoint"), 405, "method_not_allowed")


def inclusion(api: Api, query: str) -> Any:
    answer = api.get(f"/ledger/proof/inclusion?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("query", ["position=1", "position=256&size=256", "position=300", "position=3&size=7"])
def test_an_inclusion_proof_leads_to_the_root(ledger: Api, query: str) -> None:
    proof = inclusion(ledger, query)
    row = ledger.services.tracker.log.read(proof["position"] - 1, 1)[0]
    assert b64decode(proof["leaf"]) == leaf_hash(row.state)
    verify_inclusion(
        index=proof["index"],
        size=proof["size"],
        leaf=leaf_hash(row.state),
        proof=hashes(proof["proof"]),
        root=b64decode(proof["root"]),
    )
    if "size" not in query:
        assert proof["root"] == ledger.get("/v1/log").json()["checkpoint"]["root"]


@pytest.mark.parametrize(("first", "second"), [(1, 2), (3, 7), (256, 257), (255, 300), (300, 300)])
def test_a_consistency_proof_leads_from_one_root_to_the_other(ledger: Api, first: int, second: int) -> None:
    proof = ledger.get(f"/ledger/proof/consistency?from={first}&to={second}").json()
    assert (proof["from"], proof["to"]) == (first, second)
    verify_consistency(
        first=first,
        second=second,
        first_root=b64decode(proof["from_root"]),
        second_root=b64decode(proof["to_root"]),
        proof=hashes(proof["proof"]),
    )


def test_from_the_empty_log_there_is_nothing_to_prove(ledger: Api) -> None:
    proof = ledger.get("/ledger/proof/consistency?from=0").json()
    assert (proof["to"], proof["proof"], b64decode(proof["from_root"])) == (EVENTS, [], EMPTY_ROOT)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("inclusion", 400, "invalid_parameter"),
        ("inclusion?position=0", 400, "invalid_parameter"),
        ("inclusion?position=x", 400, "invalid_parameter"),
        ("inclusion?position=301", 404, "out_of_tree"),
        ("inclusion?position=5&size=4", 404, "out_of_tree"),
        ("inclusion?position=5&size=301", 404, "out_of_tree"),
        ("consistency", 400, "invalid_parameter"),
        ("consistency?from=-1", 400, "invalid_parameter"),
        ("consistency?from=301", 404, "out_of_tree"),
        ("consistency?from=5&to=4", 404, "out_of_tree"),
        ("consistency?from=5&to=301", 404, "out_of_tree"),
        ("event?position=301", 404, "out_of_tree"),
        ("event", 400, "invalid_parameter"),
        ("event?position=1&to=2", 400, "unknown_parameter"),
    ],
)
def test_a_proof_that_there_is_not_is_refused(ledger: Api, path: str, status: int, code: str) -> None:
    problem(ledger.get(f"/ledger/proof/{path}"), status, code)


def test_one_event_is_a_file_that_needs_nothing_but_the_key(ledger: Api) -> None:
    answer = ledger.get("/ledger/proof/event?position=257")
    assert answer.headers["content-disposition"] == 'attachment; filename="event-257.tlog-proof"'
    proof = TlogProof.parse(answer.content)
    assert proof.extra is not None
    assert json.loads(proof.extra)["fact"]["summary"] == "Talk 255."
    assert proof.verify(leaf_hash(proof.extra), keys(ledger)).size == EVENTS


def test_it_is_open_to_all_where_reads_need_a_key(sqlite_url: str) -> None:
    with running(sqlite_url, public_read=False) as api:
        assert api.get("/v1/log").status_code == 401
        wait_until(lambda: api.get("/ledger/checkpoint").status_code == 200)
        assert api.get("/ledger/key").status_code == 200


def test_a_withheld_text_is_in_no_bundle_and_in_no_proof_and_the_leaf_stays(lite: Api) -> None:
    lite.open()
    event = lite.add(statement(summary="The secret word."))["event"]["id"]
    signed(lite)
    leaf = inclusion(lite, "position=2")["leaf"]
    log = lite.services.tracker.log
    log.withhold(event, ["summary"], reason="Ruling.", at=log.read()[0].recorded_at, by="alice")
    _, entries = walk(lite.get("/ledger/checkpoint").content, lambda path: fetch(lite, path), keys(lite))
    assert entries[1] == b""
    assert b"secret" not in fetch(lite, "tile/entries/000.p/2")
    proof = TlogProof.parse(lite.get("/ledger/proof/event?position=2").content)
    assert proof.extra is None
    assert inclusion(lite, "position=2")["leaf"] == leaf
    assert proof.verify(b64decode(leaf), keys(lite)).size == 2


def test_which_log_is_answered_anew_once_it_is_signed(lite: Api) -> None:
    lite.open()
    signed(lite)
    tag = lite.get("/v1/log").headers["etag"]
    assert lite.get("/v1/log", headers={"If-None-Match": tag}).status_code == 304
    lite.post("/v1/pledges", {"pledge": "b", "fact": made()})
    signed(lite)
    answer = lite.get("/v1/log", headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.json()["checkpoint"]["size"] == answer.json()["head"] == 2


def test_metrics_tell_the_size_and_age_of_the_checkpoint(ledger: Api) -> None:
    lines = ledger.get("/metrics", headers=MONITOR).text.splitlines()
    told = {line.split()[0]: float(line.split()[1]) for line in lines if line.startswith("tracker_checkpoint")}
    signed_at = datetime.fromisoformat(ledger.get("/v1/log").json()["checkpoint"]["signed_at"])
    assert told == {
        "tracker_checkpoint_size": EVENTS,
        "tracker_checkpoint_fault": 0,
        "tracker_checkpoint_timestamp_seconds": pytest.approx(signed_at.timestamp()),
    }


def test_readiness_tells_why_nothing_is_signed(lite: Api) -> None:
    lite.open()
    signed(lite)
    assert lite.get("/health/ready").json()["checks"]["ledger"] == {"ok": True, "why": ""}
    file = lite.services.settings.state_directory / "signing-keys"
    file.chmod(0o644)
    wait_until(lambda: lite.get("/health/ready").status_code == 503)
    assert "has the mode 644" in lite.get("/health/ready").json()["checks"]["ledger"]["why"]
    assert lite.get("/ledger/checkpoint").status_code == 200
    file.chmod(0o600)
    wait_until(lambda: lite.get("/health/ready").status_code == 200)
