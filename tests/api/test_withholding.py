"""A text that is withheld is gone from every answer, page, export, stream and command; the record stays as it was."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pyarrow.parquet as pq
import pytest

from api.formats.table import EXPORT_FORMATS
from tests.support.api import ADMIN, NEEDED_QUERY, SOURCE, made, progress, statement
from tests.support.readable import PAGES, pages_of
from tests.support.shell import Shell, with_tables
from tests.support.waiting import HANG_SECONDS, wait_until
from tracker.event import restamp
from tracker.log.rows import NewLogRow, leaf_hash
from tracker.tlog_proof import TlogProof
from tracker.withholding import withholdable

ENV = {"TRACKER_ADMIN_KEY": ADMIN, "TRACKER_RATE_LIMIT": "0"}
KEY = {"Authorization": f"Bearer {ADMIN}"}
MARK = b"zqxovanski"
"""In every text that is to be gone, and nowhere else; looked for in any case."""

PLEDGE = "aid-2024"
PARTY = {"name": "Zqxovanski Person", "code": "zqxovanski-person"}
CITED = SOURCE | {
    "title": "Zqxovanski says it",
    "url": "https://news.example/zqxovanski-says",
    "archive_url": "https://a.example/zqxovanski",
}
SAID = {"summary": "What Zqxovanski said.", "quote": "I, Zqxovanski, promise.", "speaker": PARTY, "source": CITED}


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    return with_tables(database_url, tmp_path)


def opened(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers=KEY, timeout=HANG_SECONDS, follow_redirects=True)


def facts(first: str, report: str) -> list[dict[str, Any]]:
    """What is said after the pledge and its report, about both of them."""
    corrected = {"quote": "It was Zqxovanski.", "speaker": PARTY, "source": {"title": "Zqxovanski again"}}
    mend = {"stated_on": "2024-09-01", "reason": "Zqxovanski asked for it."}
    return [
        statement(**SAID, trajectory="on_track"),
        {
            "type": "PledgeRevised", "stated_on": "2024-09-02", "title": "Zqxovanski's other aid",
            "reason": "Zqxovanski.", **SAID,
        },
        {"type": "EventCorrected", "event": report, "changes": corrected, **mend},
        {"type": "EventCorrected", "event": first, "changes": {"title": "Zqxovanski's aid, mended"}, **mend},
        {"type": "FigureRanked", "event": report, "rank": "preferred", **mend},
        {
            "type": "AssessmentIssued", "stated_on": "2024-10-01",
            "rating": "good", "rubric": "r", "rubric_version": "1",
            "reasoning": "Zqxovanski seems to mean it.",
        },
    ]  # fmt: skip


def told(client: httpx.Client) -> None:
    """A pledge whose every text has the word, and another one without it."""
    window = {"start": "2024-01-01", "end": "2024-12-31", "text": "while Zqxovanski lives"}
    whole = made(**SAID, title="Zqxovanski's aid", pledgor=PARTY, beneficiary=PARTY, window=window)
    first = sent(client, "/v1/pledges", {"pledge": PLEDGE, "fact": whole})
    report = sent(client, f"/v1/pledges/{PLEDGE}/events", progress(**SAID, reason="Zqxovanski."))
    for fact in facts(first["event"]["id"], report["event"]["id"]):
        sent(client, f"/v1/pledges/{PLEDGE}/events", fact)
    sent(client, "/v1/pledges", {"pledge": "sound", "fact": made(title="Another aid")})


def sent(client: httpx.Client, path: str, body: Any) -> Any:
    answer = client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def unreadable(shell: Shell) -> None:
    """An event that this version does not understand, with the word in it."""
    fact = {"type": "PledgeGilded", "stated_on": "2024-11-01", "quote": "Zqxovanski gilds.", "speaker": PARTY}
    with shell.log() as log:
        version = log.version("sound") + 1
        state = {
            "id": "0193aaaa-0000-7000-8000-00000000000a", "pledge": "sound", "version": version,
            "recorded_at": "2026-01-01T00:00:00.000000Z", "recorded_by": "newer", "fact": fact,
        }  # fmt: skip
        row = NewLogRow("sound", version, "PledgeGilded", state["id"], json.dumps(state).encode(), datetime.now(UTC))
        log.append([row], restamp=restamp)


def withheld(shell: Shell) -> list[str]:
    """Withhold whatever has the word and can be withheld, by the command; what it said."""
    said: list[str] = []
    with shell.log() as log:
        rows = log.read()
    for row in rows:
        fields = [f for f in withholdable(row.state) if MARK in json.dumps(at(row.state, f)).lower().encode()]
        if fields:
            result = shell.run("withhold", row.event_id, "--fields", ",".join(fields), "--reason", "Ruling 7 O 1/26")
            said.append(result.output)
    return said


def at(state: bytes, field: str) -> Any:
    value: Any = json.loads(state)["fact"]
    for name in field.split("/"):
        value = value[name]
    return value


def get_routes(client: httpx.Client) -> Iterator[str]:
    """Every GET of the OpenAPI document about the pledges, in every format and on both axes, and every page."""
    document = client.get("/schema/openapi.json").json()
    for path, methods in document["paths"].items():
        if "get" not in methods or path.endswith("/stream"):
            continue
        query = {p["name"]: p["schema"] for p in methods["get"].get("parameters", ()) if p["in"] == "query"}
        for filled in (
            [path.replace("{pledge}", pledge) for pledge in (PLEDGE, "sound")] if "{pledge}" in path else [path]
        ):
            start = NEEDED_QUERY.get(path, "?")
            if "{" in filled:
                continue
            yield filled + start
            yield from (f"{filled}{start}&format={one}" for one in query.get("format", {}).get("enum", ()))
            yield from (f"{filled}{start}&axis={one}" for one in query.get("axis", {}).get("enum", ()))
            if "as_of" in query and path != "/v1/diff":
                yield f"{filled}{start}&as_of=2024-08-15"
            if "at_position" in query and path != "/v1/diff":
                yield f"{filled}{start}&at_position=3"
            if path == "/v1/summary":
                yield from (f"{path}?by={one}" for one in ("pledgor", "beneficiary", "tag"))
    for pledge in (PLEDGE, "sound"):
        yield from pages_of(pledge)
    yield from PAGES
    for position in range(1, 11):
        yield from (f"/ledger/proof/event?position={position}", f"/ledger/tile/entries/000.p/{position}")
    yield from ("/v1/pledges?q=aid", "/v1/pledges?sort=title", "/v1/replay?compare=true", "/health/ready", "/metrics")


def bytes_of(answer: httpx.Response) -> bytes:
    return readable(answer.content) + repr(answer.headers).lower().encode()


def readable(body: bytes) -> bytes:
    """The bytes with all that is compressed in them, in small letters."""
    if body.startswith(b"PAR1"):
        table = pq.read_table(io.BytesIO(body))
        body += repr(table.to_pydict()).encode() + repr(table.schema.metadata).encode()
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as package:
            body += b"".join(map(package.read, package.namelist()))
    if body.startswith(b"c2sp.org/tlog-proof"):
        body += TlogProof.parse(body).extra or b""
    return body.lower()


def streamed(client: httpx.Client, head: int) -> bytes:
    """What the event stream sends from the beginning to the head."""
    body = b""
    with client.stream("GET", "/v1/events/stream", headers={"Last-Event-ID": "0"}) as answer:
        for chunk in answer.iter_bytes():
            body += chunk
            if b"id: %d\n" % head in body and body.endswith(b"\n\n"):
                break
    return body.lower()


def answers_with_the_word(client: httpx.Client, head: int, asked: int = 100) -> list[str]:
    """The addresses whose answers have it, wherever it stands in them."""
    answers = {path: client.get(path.replace("?&", "?").rstrip("?")) for path in get_routes(client)}
    assert len(answers) >= asked
    assert {path: a.text[:200] for path, a in answers.items() if a.status_code not in (200, 404)} == {}
    found = [path for path, answer in answers.items() if MARK in bytes_of(answer)]
    return found + (["stream"] if MARK in streamed(client, head) else [])


def outputs_with_the_word(shell: Shell) -> list[str]:
    """The commands that say it."""
    commands = [
        ("status",), ("status", PLEDGE), ("status", "sound"), ("status", PLEDGE, "--json"), ("history", PLEDGE),
        ("history", PLEDGE, "--axis", "known"), ("history", "sound"), ("replay",), ("withhold", "--list"),
    ]  # fmt: skip
    found = [" ".join(command) for command in commands if MARK in shell.run(*command).output.lower().encode()]
    found += [name for name, body in exports(shell) if MARK in body]
    parked = [shell.run("parked", code=1), shell.run("parked", "--raw", code=1)]
    return found + [result.output for result in parked if MARK in result.output.lower().encode()]


def exports(shell: Shell) -> Iterator[tuple[str, bytes]]:
    """Statuses and events in every format that `tracker export` has for them."""
    for one in EXPORT_FORMATS:
        for rows, writer in (("statuses", one.statuses), ("events", one.events)):
            if writer is not None:
                file = shell.directory / f"{rows}.{one.name}"
                shell.run("export", *(["--events"] if rows == "events" else []), "--format", one.name, "--output", file)
                yield f"export {rows} {one.name}", readable(file.read_bytes())


def stored_bytes(url: str) -> list[bytes]:
    """The lines as they are in the database."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as conn:
            return [row[0] for row in conn.execute("SELECT state FROM stored_events ORDER BY rowid")]
    with psycopg.connect(url) as conn:
        return [bytes(row[0]) for row in conn.execute("SELECT state FROM tracker_events ORDER BY notification_id")]


@pytest.mark.slow
def test_what_is_withheld_is_in_no_answer_and_no_output_and_the_record_stays_as_it_was(shell: Shell) -> None:
    with shell.serving(**ENV) as (address, process), opened(address) as client:
        told(client)
        unreadable(shell)
        head = shell.head()
        wait_until(lambda: client.get("/health/ready").json()["position"] == head, process)
        before = answers_with_the_word(client, head)
        assert len(before) > 50
        assert "stream" in before
        assert {name for name, body in exports(shell) if MARK in body} == {
            f"export {rows} {one.name}"
            for one in EXPORT_FORMATS
            for rows, writer in (("statuses", one.statuses), ("events", one.events))
            if writer is not None
        }
        tags = {
            path: client.get(path).headers["etag"] for path in (f"/v1/pledges/{PLEDGE}", "/v1/events", "/v1/export")
        }
        status = client.get(f"/v1/pledges/{PLEDGE}").json()
        lines = stored_bytes(shell.url)
        with shell.log() as log:
            leaves = log.leaves(0, 100)

        assert len(withheld(shell)) == head - 1

        wait_until(lambda: MARK not in bytes_of(client.get(f"/v1/pledges/{PLEDGE}")), process)
        assert answers_with_the_word(client, head) == []
        assert outputs_with_the_word(shell) == []
        for path, tag in tags.items():
            assert client.get(path, headers={"If-None-Match": tag}).status_code == 200, path
        assert stored_bytes(shell.url) == lines
        with shell.log() as log:
            assert log.leaves(0, 100) == leaves == [leaf_hash(one) for one in lines]
        after = client.get(f"/v1/pledges/{PLEDGE}").json()
        assert {n: after[n] for n in status if n in UNTOUCHED} == {n: status[n] for n in status if n in UNTOUCHED}
        assert after["title"] == after["pledgor"]["name"] == "[withheld]"
        shell.run("replay", "--compare")
    shell.run("rebuild")
    with shell.serving(**ENV) as (address, _), opened(address) as client:
        assert answers_with_the_word(client, head) == []
        assert outputs_with_the_word(shell) == []
        shell.run("replay", "--compare")


UNTOUCHED = (
    "status", "flags", "target", "actual", "ratio", "progress", "schedule", "stage", "period", "evidence", "lifecycle",
    "because", "version", "position", "last_stated_on",
)  # fmt: skip
