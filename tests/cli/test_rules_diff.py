"""`tracker rules-diff`: the pledges that another version of the rules answers otherwise, on both stores."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from projections.tables import open_engine, writing
from tests.support.first_version import postgres_of_the_first_version, sqlite_of_the_first_version
from tests.support.shell import Shell

NONE_KEPT = "There are no read models of an older version"
COLUMNS = "pledge,status_before,status_after,actual_before,actual_after,ratio_before,ratio_after"


@contextmanager
def tables_of(shell: Shell) -> Iterator[Connection]:
    engine = open_engine(shell.url)
    try:
        with writing(engine).begin() as conn:
            yield conn
    finally:
        engine.dispose()


def changed(shell: Shell, *statements: str) -> None:
    with tables_of(shell) as conn:
        for statement in statements:
            conn.execute(text(statement))


def kept(shell: Shell) -> list[tuple[int, bool]]:
    """The table sets there are, and whether each answers."""
    with tables_of(shell) as conn:
        rows = conn.execute(text('SELECT "set", active FROM projection_state ORDER BY "set"'))
        return [(number, bool(active)) for number, active in rows]


def made_by_an_older_version(shell: Shell, *statements: str) -> Shell:
    """The read models as an older version left them, with what it answered otherwise."""
    shell.run("status")
    changed(shell, "UPDATE projection_state SET version = 'older'", *statements)
    return shell


ANNOUNCED = "UPDATE timeline_1 SET status = 'announced', ratio = NULL WHERE pledge = 'nato-ukraine-2024'"


def moved(shell: Shell, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(shell.run("rules-diff", "--format", "json", *options, code=1).stdout)[
        "items"
    ]
    return found


def test_headline_actual_and_ratio_before_and_after_are_told_in_each_format(shell: Shell) -> None:
    made_by_an_older_version(shell, ANNOUNCED)
    said = json.loads(shell.run("rules-diff", "--as-of", "2025-12-31", "--format", "json", code=1).stdout)
    (item,) = said["items"]
    assert item == {
        "pledge": "nato-ukraine-2024",
        "before": {"status": "announced", "actual": "over 50000000000 EUR", "ratio": None},
        "after": {"status": "exceeded", "actual": "over 50000000000 EUR", "ratio": "1.25"},
    }
    assert (said["pledges"], said["as_of"], said["position"]) == (12, "2025-12-31", shell.head())
    assert said["rules_version"]["before"] == "older" != said["rules_version"]["after"]

    table = shell.run("rules-diff", "--as-of", "2025-12-31", code=1)
    assert "nato-ukraine-2024" in table.stdout
    assert "announced" in table.stdout
    assert "1 of 12 pledges are answered otherwise" in table.stderr

    written = shell.run("rules-diff", "--as-of", "2025-12-31", "--format", "csv", code=1).stdout
    assert written.splitlines()[0] == COLUMNS
    (row,) = csv.DictReader(StringIO(written, newline=""))
    assert (row["status_before"], row["status_after"], row["ratio_before"], row["ratio_after"]) == (
        "announced", "exceeded", "", "1.25",
    )  # fmt: skip


def test_the_clocks_are_those_that_are_asked(shell: Shell) -> None:
    made_by_an_older_version(shell, ANNOUNCED)
    assert "no difference" in shell.run("rules-diff", "--as-of", "2024-07-01").stderr
    assert [item["pledge"] for item in moved(shell, "--as-of", "2024-10-16")] == ["nato-ukraine-2024"]


def test_what_was_recorded_since_is_left_aside(shell: Shell) -> None:
    made_by_an_older_version(shell, ANNOUNCED)
    moved(shell)
    head = shell.head()
    fact = {"type": "PledgeWithdrawn", "stated_on": "2025-01-05", "reason": "A change of mind.",
            "source": {"publisher": "A ministry", "tier": "official"}}  # fmt: skip
    shell.write("fact.ndjson", json.dumps({"pledge": "jatec-poland", "fact": fact}) + "\n")
    shell.run("import", "fact.ndjson")
    assert shell.head() == head + 1
    assert [item["pledge"] for item in moved(shell)] == ["nato-ukraine-2024"]


def test_a_negative_amount_is_no_formula_in_csv(shell: Shell) -> None:
    amounts = json.dumps([None, ["eq", "-5", None, "EUR"], ["eq", "-5", None, "EUR"], "2024-12-31"]).encode().hex()
    blob = f"X'{amounts}'" if shell.url.startswith("sqlite") else f"'\\x{amounts}'"
    made_by_an_older_version(shell, f"UPDATE timeline_1 SET amounts = {blob} WHERE pledge = 'nato-ukraine-2024'")
    written = shell.run("rules-diff", "--format", "csv", code=1).stdout
    (row,) = csv.DictReader(StringIO(written, newline=""))
    assert row["actual_before"] == "'-5 EUR"


def test_nothing_is_compared_before_an_upgrade_or_after_the_next_rebuild(shell: Shell) -> None:
    assert NONE_KEPT in shell.run("rules-diff").stderr
    made_by_an_older_version(shell, ANNOUNCED)
    moved(shell)
    assert kept(shell) == [(1, False), (2, True)]
    shell.run("rebuild")
    assert kept(shell) == [(3, True)]
    assert NONE_KEPT in shell.run("rules-diff").stderr


def test_a_rebuild_keeps_no_older_set_of_another_log(shell: Shell) -> None:
    made_by_an_older_version(shell, ANNOUNCED, "UPDATE projection_log SET log = 'another'")
    shell.run("rebuild")
    assert kept(shell) == [(2, True)]
    assert NONE_KEPT in shell.run("rules-diff").stderr


def test_words_that_are_withheld_later_are_gone_from_the_older_set_too(shell: Shell) -> None:
    made_by_an_older_version(shell, ANNOUNCED)
    moved(shell)
    with shell.log() as log:
        event = next(row.event_id for row in log.read() if row.pledge == "nato-ukraine-2024")
    shell.run("withhold", event, "--fields", "title", "--reason", "Ruling 7 O 1/26")
    with tables_of(shell) as conn:
        for table in ("timeline_1", "catalogue_1"):
            left = conn.execute(text(f"SELECT count(*) FROM {table} WHERE pledge = 'nato-ukraine-2024'")).scalar()
            assert left == 0, table
        assert conn.execute(text("SELECT count(*) FROM timeline_1")).scalar()
    said = shell.run("rules-diff")
    assert "Not compared, because something of them was withheld since: nato-ukraine-2024." in said.stderr
    assert "11 pledges compared, no difference" in said.stderr


@pytest.fixture(params=["sqlite", "postgres"])
def first_version(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    """The record of 0.1 with its read models, in a store of each kind."""
    if request.param == "sqlite":
        return Shell(sqlite_of_the_first_version(tmp_path), tmp_path)
    shell = Shell(postgres_of_the_first_version(request.getfixturevalue("postgres_url"), tmp_path), tmp_path)
    shell.run("init")
    return shell


def test_the_upgrade_from_the_first_version_tells_what_it_moves(first_version: Shell) -> None:
    assert moved(first_version, "--as-of", "2025-06-30", "--at-position", "74") == [
        {
            "pledge": "every-fact",
            "before": {"status": "overdue", "actual": "50000000 EUR", "ratio": "0.416667"},
            "after": {"status": "overdue", "actual": "nearly 60000000 USD", "ratio": "0.467071"},
        }
    ]
    assert "19 pledges compared, no difference" in first_version.run("rules-diff", "--as-of", "2025-06-30").stderr
