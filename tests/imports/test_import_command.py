"""`tracker import`: all or nothing, once however often, and on from where it was interrupted."""

import csv
import json
import signal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from api.imports.importer import ImportChunk, Importer
from api.imports.spool import ItemSpool
from tests.support.paths import ROOT
from tests.support.shell import Shell, gone, with_tables
from tests.support.waiting import HANG_SECONDS, wait_until
from tracker.application import Tracker
from tracker.event import Event, fact_json

EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    """A database with its tables."""
    return with_tables(database_url, tmp_path)


def made(pledge: str, **fields: Any) -> dict[str, Any]:
    fact = {"type": "PledgeMade", "stated_on": "2024-01-01", "title": pledge, "pledgor": {"name": "P"}, "kind": "money"}
    return {"pledge": pledge, "fact": {**fact, "source": {"publisher": "P", "tier": "media"}, **fields}}


def said(pledge: str, day: int = 2, **fields: Any) -> dict[str, Any]:
    fact = {"type": "StatementMade", "stated_on": f"2024-01-{day:02d}", "source": {"publisher": "P", "tier": "media"}}
    return {"pledge": pledge, "fact": {**fact, **fields}}


def reported(pledge: str, quantity: str, **fields: Any) -> dict[str, Any]:
    figure = {"quantity": quantity, "basis": "cumulative"}
    return said(pledge, type="ProgressReported", figure=figure, **fields)


def ndjson(*items: dict[str, Any]) -> str:
    return "".join(json.dumps(item) + "\n" for item in items)


def events(shell: Shell) -> list[Event]:
    with shell.log() as log:
        return [Event.read(row.state, row.position) for row in log.read(limit=100_000)]


def without_ids(recorded: list[Event]) -> list[tuple[str, Any]]:
    """The facts, event ids written as places in the log."""
    places = {event.id: event.position for event in recorded}

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(part) for name, part in value.items()}
        return places.get(value, value) if isinstance(value, str) else value

    return [(event.pledge, plain(fact_json(event.fact))) for event in recorded]


# --- all or nothing


def test_all_problems_are_listed_and_nothing_is_recorded(shell: Shell) -> None:
    shell.run("import", shell.write("there.ndjson", ndjson(made("there"))))
    bad = ndjson(
        made("a", kind="nonsense"),
        said("a"),
        made("b"),
        reported("b", "50bn"),
        made("there"),
        made("c", target="40 EUR"),
        reported("c", "2m count:trees"),
        {"pledge": "c", "fact": said("c")["fact"], "expected_version": 7},
        said("nowhere"),
        said("b", event={"ref": "later"}, type="StatementRetracted", reason="r"),
    )
    result = shell.run("import", shell.write("bad.ndjson", bad + "{\n"), code=1)
    assert [line.split(": ")[:2] for line in result.stderr.splitlines()] == [
        ["Rows of this file are recorded already. If it has grown, --skip-recorded leaves those out."],
        ["line 1", "/fact/kind"],
        ["line 4", "/fact/figure/quantity"],
        ["line 5", "/fact"],
        ["line 7", "/fact/figure/quantity/unit"],
        ["line 8", "/fact"],
        ["line 10", "/fact/event"],
        ["line 11", result.stderr.splitlines()[7].split(": ")[1]],
        ["Error", str(shell.directory / "bad.ndjson")],
    ]
    assert result.stderr.splitlines()[-1].endswith(": 7 problems; nothing was recorded.")
    assert shell.head() == 1


def test_a_bad_spreadsheet_lists_sheet_row_and_column(shell: Shell) -> None:
    rows = list(csv.reader(StringIO((EXAMPLES / "aid.csv").read_text(encoding="utf-8"), newline="")))
    rows[2][6], rows[4][2], rows[5][1], rows[6][7] = "sixty", "soon", "Atlantis", ""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "Aid"
    for row in rows:
        page.append(row)
    book.save(shell.directory / "aid.xlsx")
    result = shell.run("import", "aid.xlsx", "--map", EXAMPLES / "aid.toml", code=1)
    assert [line.split(": ")[:2] for line in result.stderr.splitlines()[:-1]] == [
        ['sheet "Aid" row 3', "figure.quantity (Amount (m), Currency)"],
        ['sheet "Aid" row 5', "stated_on (Announced)"],
        ['sheet "Aid" row 6', "speaker.code (Donor)"],
        ['sheet "Aid" row 6', "pledgor.code (Donor)"],
        ['sheet "Aid" row 7', "figure.quantity (Amount (m), Currency)"],
    ]
    assert shell.head() == 0


def test_every_problem_of_a_pledge_is_listed_not_only_the_first(shell: Shell) -> None:
    bad = ndjson(
        made("a"),
        reported("a", "5 EUR", stated_on="soon"),
        said("a", stated_on="2999-01-01"),
        reported("a", "6 EUR"),
        reported("a", "6 EUR"),
    )
    result = shell.run("import", shell.write("bad.ndjson", bad), code=1)
    assert [line.split(": ")[:2] for line in result.stderr.splitlines()[:-1]] == [
        ["line 2", "/fact/stated_on"],
        ["line 3", "/fact/stated_on"],
        ["line 5", "/fact"],
    ]
    assert "the same report is recorded already as line 4;" in result.stderr


@pytest.mark.parametrize("opening", [[made("a", kind="?")], [], [made("a", target="5 count:trees")]])
def test_problems_behind_a_pledge_that_was_not_opened_are_listed_too(shell: Shell, opening: list[Any]) -> None:
    rest = [
        said("a", stated_on="2999-01-01"),
        {**reported("a", "6 EUR"), "ref": "r"},
        reported("a", "6 EUR"),
        said("a", type="FigureRanked", event={"ref": "r"}, rank="normal", reason="r"),
    ]
    bad = ndjson(*(opening or [said("a")]), *rest)
    result = shell.run("import", shell.write("bad.ndjson", bad), code=1)
    assert [line.split(": ")[0] for line in result.stderr.splitlines()[:-1]] == ["line 1", "line 2", "line 4"]


def test_what_may_only_follow_from_a_bad_row_is_not_listed(shell: Shell) -> None:
    bad = ndjson(
        made("a"),
        {**reported("a", "5 EUR"), "ref": "r"},
        said("a", type="EventVoided", event={"ref": "r"}, reason=""),
        reported("a", "5 EUR"),
        {**reported("a", "many EUR"), "ref": "s"},
        said("a", type="FigureRanked", event={"ref": "s"}, rank="normal", reason="r"),
        {**said("a"), "expected_version": 6},
        made("b", kind="?"),
        said("b"),
        {**said("b", stated_on="?"), "x": 1},
    )
    result = shell.run("import", shell.write("bad.ndjson", bad), code=1)
    assert [line.split(": ")[:2] for line in result.stderr.splitlines()[:-1]] == [
        ["line 3", "/fact/reason"],
        ["line 5", "/fact/figure/quantity"],
        ["line 8", "/fact/kind"],
        ["line 10", "/x"],
        ["line 10", "/fact/stated_on"],
    ]


def test_a_dry_run_checks_and_records_nothing(shell: Shell) -> None:
    path = shell.write("f.ndjson", ndjson(made("a"), said("a")))
    assert "2 facts can be recorded. Nothing was, this was a dry run." in shell.run("import", path, "--dry-run").stderr
    assert shell.head() == 0
    assert "2 facts recorded." in shell.run("import", path).stderr


def test_an_empty_file_is_told(shell: Shell) -> None:
    assert "has no facts" in shell.run("import", shell.write("f.ndjson", "\n")).stderr


def test_a_map_is_not_for_facts_that_are_facts_already(shell: Shell) -> None:
    path = shell.write("f.ndjson", ndjson(made("a")))
    assert "a map is for CSV and XLSX files" in shell.run("import", path, "--map", EXAMPLES / "aid.toml", code=2).stderr
    assert "no such key" in shell.run("import", EXAMPLES / "aid.csv", "--map", shell.write("m", "x=1"), code=1).stderr


def test_rows_that_a_map_leaves_out_are_told(shell: Shell) -> None:
    toml = (EXAMPLES / "aid.toml").read_text(encoding="utf-8")
    aid = (EXAMPLES / "aid.csv").read_text(encoding="utf-8")
    path = shell.write("aid.csv", aid + "\n".join(f"Note {n},,,,,,,," for n in range(30)))
    result = shell.run("import", path, "--map", shell.write("m.toml", toml), code=1)
    assert "line 9: this row becomes no fact" in result.stderr
    assert "30 problems; nothing was recorded." in result.stderr
    meant = shell.write("n.toml", f'{toml}\n[[leave_out]]\nwhen = {{ "Measure" = "" }}\n')
    told = shell.run("import", path, "--map", meant).stderr.splitlines()
    assert told[0].startswith("30 rows became no fact, as the map has it: lines 9, 10, 11, ")
    assert told[0].endswith(", 28 and 10 more.")
    assert told[1] == "6 facts recorded."
    one = shell.write("one.csv", aid + "Note,,,,,,,,")
    assert "One row became no fact, as the map has it: line 9." in shell.run(
        "import", one, "--map", meant, "--skip-recorded"
    ).stderr  # fmt: skip


# --- once, and on from where it was


def test_a_file_imported_twice_is_recorded_once(shell: Shell) -> None:
    path = shell.write("f.ndjson", ndjson(made("a"), *(said("a", day) for day in range(2, 9))))
    assert shell.run("import", path, "--by", "desk").stderr == "8 facts recorded.\n"
    assert shell.run("import", path).stderr == "8 facts were recorded already. Nothing was changed.\n"
    assert {event.recorded_by for event in events(shell)} == {"desk"}
    assert shell.head() == 8


def test_references_lead_to_earlier_chunks_also_after_an_interruption(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {**reported("a", "3 EUR"), "ref": "first"}
    retracted = said("a", 5, type="StatementRetracted", event={"ref": "first"}, reason="r")
    path = shell.write("f.ndjson", ndjson(made("a"), first, said("a", 3), said("a", 4), retracted))

    record, calls = Importer._record, 0

    def interrupted(self: Importer, *given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return record(self, *given)

    monkeypatch.setattr(Importer, "_record", interrupted)
    shell.run("import", path, "--chunk", "2", code=1)
    assert shell.head() == 2
    assert shell.run("import", path, "--chunk", "2").stderr == "2 facts were recorded already. 3 facts recorded.\n"
    recorded = events(shell)
    assert recorded[-1].fact.model_dump()["event"] == recorded[1].id
    assert len(recorded) == 5


def test_an_import_that_was_killed_goes_on_where_it_stopped(shell: Shell) -> None:
    items = [made("a"), *(said("a", summary=str(number)) for number in range(1_999))]
    path = shell.write("f.ndjson", ndjson(*items))
    process = shell.start("import", path, "--chunk", "5")
    try:
        wait_until(lambda: shell.head() > 20, process)
        process.send_signal(signal.SIGKILL)
    finally:
        gone(process)
    there = shell.head()
    assert 20 < there < 2_000
    assert there % 5 == 0
    assert f"{there} facts were recorded already. {2_000 - there} facts recorded." in shell.run(
        "import", path, "--chunk", "5"
    ).stderr  # fmt: skip
    assert [fact for _, fact in without_ids(events(shell))] == [item["fact"] for item in items]


def test_a_file_that_has_grown_adds_what_is_new(shell: Shell) -> None:
    items = [made("a"), {**reported("a", "3 EUR"), "ref": "r"}, said("a", 3), said("a", 3)]
    shell.run("import", shell.write("f.ndjson", ndjson(*items)))
    ranked = {
        "type": "FigureRanked",
        "stated_on": "2024-02-01",
        "event": {"ref": "r"},
        "rank": "preferred",
        "reason": "r",
    }
    grown = shell.write("g.ndjson", ndjson(*items, said("a", 3), {"pledge": "a", "fact": ranked}))
    assert "--skip-recorded" in shell.run("import", "--help").stdout
    shell.run("import", grown, code=1)
    assert shell.run("import", grown, "--skip-recorded").stderr == "4 facts were recorded already. 2 facts recorded.\n"
    assert events(shell)[-1].fact.model_dump()["event"] == events(shell)[1].id
    assert (
        shell.run("import", grown, "--skip-recorded").stderr == "6 facts were recorded already. Nothing was changed.\n"
    )


def test_two_imports_of_one_file_at_once_record_it_once(shell: Shell) -> None:
    first = {**reported("a", "3 EUR"), "ref": "first"}
    rest = [said("a", 5, type="FigureRanked", event={"ref": "first"}, rank="normal", reason=str(n)) for n in range(300)]
    path = shell.write("f.ndjson", ndjson(made("a"), first, *rest))
    both = [shell.start("import", path, "--chunk", "10") for _ in range(2)]
    for process in both:
        _, told = process.communicate(timeout=HANG_SECONDS)
        assert process.returncode == 0, told
    assert shell.head() == 302


def test_a_chunk_that_was_recorded_while_the_file_is_read_keeps_its_number(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other import is one chunk further when the second is looked for than when the first was."""
    path = shell.write("f.ndjson", ndjson(made("a"), made("b"), made("c")))
    shell.run("import", path, "--chunk", "1")
    replay = Tracker.replay
    missed: list[str] = []

    def late(self: Tracker, key: str, payload_hash: bytes | None) -> Any:
        if key.endswith(":1") and not missed:
            missed.append(key)
            return None
        return replay(self, key, payload_hash)

    monkeypatch.setattr(Tracker, "replay", late)
    shell.run("import", path, "--chunk", "1")
    assert missed
    assert shell.head() == 3


def test_a_chunk_that_another_writer_made_wrong_is_told_with_what_stays(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shell.write("f.ndjson", ndjson(made("a"), made("b"), said("b")))
    record = Importer._record

    def late(self: Importer, chunk: ImportChunk, spool: ItemSpool) -> Any:
        if chunk.facts[0].pledge == "b" and self.tracker.version("b") == 0:
            other = Tracker(shell.url, create_table=False)
            record(
                Importer(other, "other", "other", self.clock), ImportChunk("other", chunk.facts[:1], b"other"), spool
            )
            other.close()
        return record(self, chunk, spool)

    monkeypatch.setattr(Importer, "_record", late)
    result = shell.run("import", path, "--chunk", "1", code=1)
    assert result.stderr.splitlines()[0].startswith('line 2: /fact: "b" has its PledgeMade already')
    assert result.stderr.splitlines()[1].endswith("one problem; the 1 facts before stay recorded.")


# --- round trips


def test_an_exported_log_is_imported_with_its_references(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    shell.run("seed")
    correction = {"type": "EventCorrected", "stated_on": "2025-07-01", "reason": "=typo"}
    with shell.log() as log:
        target = next(row for row in log.read() if row.type == "ProgressReported")
    items = [
        {"pledge": target.pledge, "fact": {**correction, "event": target.event_id, "changes": {"summary": "+1"}}},
        {"pledge": target.pledge, "fact": {"type": "EventVoided", "stated_on": "2025-07-01", "event": target.event_id,
         "reason": "r", "recorded_as": {"pledge": "x", "event": target.event_id}}},
    ]  # fmt: skip
    shell.run("import", shell.write("more.ndjson", ndjson(*items)))
    for form in ("ndjson", "csv"):
        name = f"events.{form}"
        shell.run("export", "--events", "--format", form, "--output", name)
        other = Shell(f"sqlite:///{tmp_path}/{form}.db", tmp_path)
        assert other.run("import", name).stderr == "70 facts recorded.\n"
        assert without_ids(events(other)) == without_ids(events(shell))
        assert {e.id for e in events(other)}.isdisjoint(e.id for e in events(shell))


def test_a_file_in_our_columns_says_what_the_facts_say(shell: Shell) -> None:
    header = (
        "pledge,type,ref,event,stated_on,publisher,tier,title,pledgor,kind,target,quantity,basis,rank,reason,summary"
    )
    rows = [
        "p,PledgeMade,,,2024-01-01,P,media,T,A,money,at least €40bn,,,,,'=1+1",
        "p,ProgressReported,r,,2024-02-01,P,media,,,,,20.9bn EUR,cumulative,,,",
        "p,FigureRanked,,r,2024-03-01,,,,,,,,,preferred,checked,",
    ]
    shell.run("import", shell.write("f.csv", "\r\n".join([header, *rows])))
    recorded = events(shell)
    assert recorded[0].fact.summary == "=1+1"
    assert recorded[2].fact.model_dump()["event"] == recorded[1].id


# --- the worked example


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_worked_example_gives_what_the_docs_say(shell: Shell, ending: str) -> None:
    path = EXAMPLES / "aid.csv"
    if ending == "xlsx":
        book = Workbook()
        page = book.active
        assert page is not None
        for line in csv.reader(StringIO(path.read_text(encoding="utf-8"), newline="")):
            page.append(line)
        path = shell.directory / "aid.xlsx"
        book.save(path)
    shell.run("import", path, "--map", EXAMPLES / "aid.toml")
    statuses = json.loads(shell.run("status", "--json", "--as-of", "2026-01-01").stdout)["items"]
    documented = (EXAMPLES.parent / "import.md").read_text(encoding="utf-8")
    for status in statuses:
        row = next(line for line in documented.splitlines() if line.startswith(f"| `{status['pledge']}` |"))
        assert f"`{status['status']}`" in row
    days = [event.fact.stated_on for event in events(shell)]
    assert days == sorted(days)
