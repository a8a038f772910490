"""The withholdings of a log: only ever added to; what is read has the word in place, what is stored does not."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.api import made, progress
from tests.support.log_lines import NOON
from tests.support.shell import Shell
from tests.support.stores import drop_postgres_database, postgres_database
from tracker.errors import Unavailable
from tracker.event import restamp
from tracker.log.open import open_recorder
from tracker.log.postgres import PostgresLog
from tracker.log.recorder import LogRecorder
from tracker.log.rows import NewLogRow, leaf_hash
from tracker.withholding import (
    NotWithholdable,
    must_be_withholdable,
    places_of,
    texts_of,
    withheld_line,
    withholdable,
)

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def log(database_url: str) -> Iterator[LogRecorder]:
    log = open_recorder(database_url)
    yield log
    log.close()


def stored(fact: dict[str, Any], pledge: str = "p", version: int = 1, id_: str = "e1") -> bytes:
    envelope = {"id": id_, "pledge": pledge, "version": version, "recorded_at": "2026-11-26T00:00:00.000000Z"}
    return json.dumps({**envelope, "recorded_by": "alice", "fact": fact}, separators=(",", ":")).encode()


def recorded(log: LogRecorder, fact: dict[str, Any]) -> bytes:
    line = stored(fact)
    log.append([NewLogRow("p", 1, fact["type"], "e1", line, NOON)], restamp=restamp)
    return line


def fact_of(line: bytes) -> Any:
    return json.loads(line)["fact"]


def test_every_read_of_a_row_has_the_word_in_place_and_the_leaf_is_that_of_the_stored_line(log: LogRecorder) -> None:
    line = recorded(log, made(quote="Said."))
    log.withhold("e1", ["quote", "title"], reason="Ruling.", at=AT, by="alice")
    for rows in (log.read(), log.pledge_rows("p"), log.by_event_ids(["e1"]), log.rows_of(["p"])["p"]):
        (row,) = rows
        assert fact_of(row.state) == fact_of(line) | {"quote": "[withheld]", "title": "[withheld]"}
        assert row.withheld == ("quote", "title")
        assert row.leaf == leaf_hash(line)
    assert log.leaves(0, 1) == [leaf_hash(line)]


def test_withholding_twice_changes_nothing_and_the_first_reason_stays(log: LogRecorder) -> None:
    recorded(log, made(quote="Said."))
    log.withhold("e1", ["quote"], reason="First.", at=AT, by="alice")
    log.withhold("e1", ["quote", "title"], reason="Second.", at=AT, by="bob")
    found = [(one.number, one.field, one.reason, one.recorded_at, one.recorded_by) for one in log.withholdings()]
    assert found == [(1, "quote", "First.", AT, "alice"), (2, "title", "Second.", AT, "bob")]
    assert log.withheld_since(0) == [(1, "p"), (2, "p")]
    assert log.withheld_since(2) == []


def test_sqlite_refuses_to_change_or_delete_a_withholding(sqlite_url: str) -> None:
    log = open_recorder(sqlite_url)
    recorded(log, made())
    log.withhold("e1", ["title"], reason="Ruling.", at=AT, by="alice")
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as conn:
        for statement in (
            "UPDATE withheld SET field = 'quote'",
            "DELETE FROM withheld",
            "INSERT OR REPLACE INTO withheld SELECT event_id, field, number, 'x', recorded_at, 'y' FROM withheld",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                conn.execute(statement)
    log.close()


def test_postgresql_refuses_to_change_or_delete_a_withholding_and_the_role_may_only_add(postgres_url: str) -> None:
    log = open_recorder(postgres_url)
    assert isinstance(log, PostgresLog)
    recorded(log, made())
    log.withhold("e1", ["title"], reason="Ruling.", at=AT, by="alice")
    statements = ("UPDATE tracker_events_withheld SET field = 'quote'", "DELETE FROM tracker_events_withheld",
                  "TRUNCATE tracker_events_withheld")  # fmt: skip
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        for statement in statements:
            with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
                conn.execute(statement)
    granted = " ".join(statement.as_string() for statement in log.grant_statements("app"))
    assert '"tracker_events_withheld"' in granted
    log.close()


def test_a_log_of_an_older_version_gets_the_table_by_init(postgres_url: str) -> None:
    open_recorder(postgres_url).close()
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute("DROP TABLE tracker_events_withheld")
    log = open_recorder(postgres_url)
    assert log.withholdings() == []
    log.close()


@pytest.mark.parametrize("field", ["figure", "stated_on", "source/publisher", "type", "figure/quantity", "source"])
def test_a_field_by_which_the_rules_decide_is_refused_with_what_can_be_withheld(field: str) -> None:
    line = stored(progress(summary="Talk."))
    with pytest.raises(NotWithholdable, match=r"the rules decide by it.*can be withheld: summary"):
        must_be_withholdable(line, ["summary", field])


def test_a_field_that_the_event_does_not_have_is_refused() -> None:
    with pytest.raises(NotWithholdable, match="the event has no 'quote'"):
        must_be_withholdable(stored(progress(summary="Talk.")), ["quote"])
    with pytest.raises(NotWithholdable, match="nothing of this event can be withheld"):
        must_be_withholdable(b"not\njson", ["quote"])


def test_of_a_party_nothing_is_left_and_of_an_address_one_that_leads_nowhere() -> None:
    party = {"name": "N", "code": "n"}
    source = {"publisher": "P", "tier": "media", "url": "https://a.example/n"}
    line = withheld_line(stored(made(speaker=party, source=source)), ["speaker", "source/url"])
    fact = fact_of(line)
    assert fact["speaker"] == {"name": "[withheld]"}
    assert fact["source"] == source | {"url": "https://withheld.invalid/"}


def test_a_correction_does_not_bring_back_the_code_that_it_corrected() -> None:
    changes = {"speaker": {"name": "N", "code": "n"}, "quote": "Q"}
    correction = {"type": "EventCorrected", "stated_on": "2024-01-01", "event": "e", "changes": changes, "reason": "R"}
    assert withholdable(stored(correction)) == ["reason", "changes/quote", "changes/speaker"]
    fact = fact_of(withheld_line(stored(correction), ["changes/speaker"]))
    assert fact["changes"] == {"speaker": {"name": "[withheld]", "code": None}, "quote": "Q"}


def test_the_places_are_told_in_which_the_same_words_stand_still() -> None:
    line = stored(made(summary="As Nadia said.", tags=["nadia"], speaker={"name": "Nadia"}))
    assert texts_of(line, ["speaker"]) == ["Nadia"]
    assert places_of(withheld_line(line, ["speaker"]), ["Nadia"]) == ["summary", "tags/0"]


# The command


def test_the_command_says_what_it_needs_and_what_it_refuses(sqlite_url: str, tmp_path: Path) -> None:
    shell = Shell(sqlite_url, tmp_path)
    shell.run("seed")
    with shell.log() as log:
        row = log.read()[0]
    assert "Nothing is withheld" in shell.run("withhold", "--list").output
    assert "--fields and --reason" in shell.run("withhold", row.event_id, "--fields", "title", code=2).output
    asked = ("--fields", "kind", "--reason", "Ruling.")
    assert "the rules decide by it" in shell.run("withhold", row.event_id, *asked, code=2).output.replace("\n", " ")
    assert "no event" in shell.run("withhold", "e1", *asked, code=2).output
    with shell.log() as log:
        assert log.withholdings() == []
    shell.run("withhold", row.event_id, "--fields", "title", "--reason", "Ruling.", "--by", "alice")
    assert "Ruling." in shell.run("withhold", "--list").output
    assert "[withheld]" in shell.run("status", row.pledge).output


def test_a_store_that_is_away_is_told(postgres_server_url: str) -> None:
    with postgres_database(postgres_server_url) as url:
        log = open_recorder(url, read_seconds=1)
        drop_postgres_database(url)
        with pytest.raises(Unavailable):
            log.withhold("e1", ["title"], reason="Ruling.", at=AT, by="alice")
        log.close()
