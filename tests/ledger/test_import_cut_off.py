"""An import leaves nothing of a log that is doubted, goes on where it was cut off, and nothing is written meanwhile."""

import json
import signal
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect

from api.cli import log_import
from projections.tables import open_engine
from tests.log.test_proposals import proposal
from tests.support.api import statement
from tests.support.moving import lived_in, whole
from tests.support.servers import serving
from tests.support.shell import PROGRAM, Shell
from tracker.application import Tracker
from tracker.log.identity import LogIdentity
from tracker.proposals import Proposals, Sent

pytestmark = pytest.mark.usefixtures("state")

IMPORT = ("log", "import", "first", "--private", "first.private")

ENDS_AFTER_50 = f"""
import itertools, os, signal
from api.cli import log_import
of_line, count = log_import._row, itertools.count(1)
def row(*given):
    if next(count) == 50:
        os.kill(os.getpid(), signal.SIGKILL)
    return of_line(*given)
log_import._row, log_import.BATCH_EVENTS = row, 20
{PROGRAM}"""
"""The command, killed while it makes the third batch of 20 events."""


def identities(shell: Shell) -> list[LogIdentity]:
    with shell.log() as log:
        return log.identities()


def exported(shell: Shell) -> Path:
    """The last bundle of the log that was exported to `first`."""
    lived_in(shell)
    shell.run("log", "export", "first", "--private", "first.private")
    return shell.directory / "first/tile/entries/000.p" / str(shell.head())


def test_of_a_log_that_is_doubted_nothing_is_left(houses: tuple[Shell, Shell], monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = houses
    monkeypatch.setattr(log_import, "BATCH_EVENTS", 20)
    bundle = exported(old)
    data = bundle.read_bytes()
    new.run("init")
    before = identities(new)
    bundle.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    assert "NOT VERIFIED" in new.run(*IMPORT, code=1).stderr
    assert new.head() == 0
    assert identities(new) == before
    assert new.run("keys", "list").stdout != old.run("keys", "list").stdout
    bundle.write_bytes(data)
    for _ in range(2):
        new.run(*IMPORT)
        assert whole(new) == whole(old)


def test_an_import_that_was_killed_goes_on_and_nothing_is_written_before_it_has(houses: tuple[Shell, Shell]) -> None:
    old, new = houses
    exported(old)
    killed = new.start(*IMPORT, program=ENDS_AFTER_50)
    assert killed.wait() == -signal.SIGKILL
    killed.communicate()
    assert whole(new) == whole(old)[:40]

    with serving(new) as server:
        server.comes(lambda: "log" in server.failing())
        refused = server.client.post("/v1/pledges/nato-ukraine-2024/events", json=statement())
        assert (refused.status_code, refused.json()["code"]) == (503, "log_went_back")
    assert "log_went_back" not in (said := new.run(*IMPORT).stderr)
    assert "the first 40 events: the import goes on" in said
    assert whole(new) == whole(old)
    with serving(new) as server:
        server.comes(lambda: not server.failing())


def test_an_import_does_not_go_on_behind_other_events(houses: tuple[Shell, Shell]) -> None:
    old, new = houses
    exported(old)
    new.run(*IMPORT)
    new.run("import", more(new, "There."), TRACKER_STATE_DIR="elsewhere")
    refused = new.run(*IMPORT, code=1).stderr
    assert f"the store has {old.head() + 1} events of this log, and the export {old.head()}" in refused
    old.run("import", more(old, "Here."))
    old.run("log", "export", "first", "--private", "first.private")
    assert "another event there than the export" in new.run(*IMPORT, code=1).stderr


def test_a_log_is_not_imported_beside_other_proposals(sqlite_url: str, tmp_path: Path) -> None:
    old, new = Shell(sqlite_url, tmp_path), Shell(f"sqlite:///{tmp_path}/new.db", tmp_path)
    exported(old)
    new.run("init")
    with closing(Tracker(new.url)) as tracker:
        Proposals(tracker).propose(proposal(), Sent())
    assert "other proposals than the export, at their event 1" in new.run(*IMPORT, code=1).stderr
    assert new.head() == 0


def more(shell: Shell, summary: str) -> Path:
    """A file with one fact more."""
    return shell.write("more.ndjson", json.dumps({"pledge": "aid-2024", "fact": statement(summary=summary)}))


def test_an_export_from_before_the_last_events_is_told(houses: tuple[Shell, Shell]) -> None:
    old, new = houses
    exported(old)
    old.run("import", more(old, "Late."))
    said = new.run(*IMPORT).stderr
    assert f"events up to position {old.head()} were recorded, and this copy ends at {old.head() - 1}" in said


def test_a_log_is_imported_from_the_server_that_serves_it(houses: tuple[Shell, Shell]) -> None:
    old, new = houses
    old.run("init")
    old.run("seed")
    with serving(old) as server:
        server.comes(lambda: not server.failing())
        new.run("log", "import", f"{server.address}/ledger")
    assert [row.state for row in whole(new)] == [row.state for row in whole(old)]
    assert "no difference" in new.run("replay", "--compare").stderr


MOVES = {"events", "log", "log_identity", "withheld", "proposals", "access_keys", "webhooks"}
"""Tables that an export and its private file have, as `moved` names them."""

STAYS = {"webhook_deliveries"}
"""Tables of what was done by the old store: its messages are not sent again by the new one."""

IS_MADE_ANEW = {"catalogue", "ledger", "outlines", "parked", "projection", "timeline", "words"}
"""What the names of tables begin with that are made of the log alone."""


def test_every_table_of_a_store_moves_stays_or_is_made_of_the_log(database_url: str, tmp_path: Path) -> None:
    shell = Shell(database_url, tmp_path)
    for command in (("init",), ("seed",), ("status",), ("log", "export", "first")):
        shell.run(*command)
    engine = open_engine(database_url)
    try:
        tables = {moved(name) for name in inspect(engine).get_table_names()}
    finally:
        engine.dispose()
    assert tables >= MOVES | STAYS
    assert {name.partition("_")[0] for name in tables - MOVES - STAYS} == IS_MADE_ANEW


def moved(table: str) -> str:
    """The name of a table without what the store puts before it."""
    for before in ("stored_", "tracker_events_", "tracker_"):
        table = table.removeprefix(before)
    return table
