"""Files of facts before they meet the record: lines, columns, references, order, and the place of every mistake."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.imports.files import read_lines
from api.imports.items import ImportItem, ImportProblem, UnreadableFile
from api.imports.reference_paths import REFERENCE_PATHS
from api.imports.sheet_layout import SheetLayout
from api.imports.sheets import read_csv
from tests.support.import_files import problems, read_items, whole, written
from tracker.errors import Refusal
from tracker.facts import FACT_TYPES

# --- NDJSON


def test_each_line_of_ndjson_is_judged_on_its_own() -> None:
    good = b'{"pledge": "p", "fact": {"type": "PledgeMade"}}'
    lines = [good, b"", b"{", b"[1]", b'{"pledge": "P", "fact": {}, "x": 1}', b'{"pledge": "p", "pledge": "q"}']
    read = list(read_lines(lines))
    items = [item for item in read if isinstance(item, ImportItem)]
    found = [problem for problem in read if isinstance(problem, ImportProblem)]
    assert [item.place for item in items if item.sound] == ["line 1"]
    assert [f"{p.place} {p.where}" for p in found] == ["line 3 ", "line 4 ", "line 5 /x", "line 5 /pledge", "line 6 "]


# --- CSV under our own names

HEADER = "pledge,type,stated_on,publisher,tier,title,pledgor,kind,target,quantity,basis\r\n"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_a_row_becomes_a_fact(tmp_path: Path, mark: str, bom: str) -> None:
    text = HEADER + "p,PledgeMade,2024-07-10,Gazette,media,Forty,Allies,money,at least 40bn EUR,,\r\n"
    (item,), found = read_items(written(tmp_path / "f.csv", bom + text.replace(",", mark)))
    assert found == []
    assert (item.place, item.pledge) == ("line 2", "p")
    assert item.fact == {
        "type": "PledgeMade", "stated_on": "2024-07-10", "source": {"publisher": "Gazette", "tier": "media"},
        "title": "Forty", "pledgor": {"name": "Allies"}, "kind": "money", "target": "at least 40bn EUR",
    }  # fmt: skip


def test_the_line_of_a_row_is_where_it_begins(tmp_path: Path) -> None:
    text = 'pledge,type,summary\r\np,StatementMade,"two\nlines"\r\nq,StatementMade,x\r\n'
    items, _ = read_items(written(tmp_path / "f.csv", text))
    assert [item.place for item in items] == ["line 2", "line 4"]


def test_a_column_that_is_not_known_is_a_problem_and_a_near_one_is_named(tmp_path: Path) -> None:
    assert problems(written(tmp_path / "f.csv", "pledge,type,statedon\r\np,x,y\r\n")) == [
        "line 1: statedon: there is no such column; is it stated_on?"
    ]
    assert problems(written(tmp_path / "f.csv", "type\r\nx\r\n")) == ["line 1: pledge: this column is needed"]


def test_two_columns_that_say_the_same_are_a_problem(tmp_path: Path) -> None:
    text = "pledge,type,publisher,source.publisher\r\np,StatementMade,A,B\r\n"
    assert problems(written(tmp_path / "f.csv", text)) == ["line 2: source.publisher: publisher says the same already"]


def test_cells_that_cannot_be_read_are_listed_with_row_and_column(tmp_path: Path) -> None:
    text = "pledge,type,final,bytes,changes,expected_version\r\nP p,EventCorrected,maybe,x,{,one\r\n"
    assert [line.split(": ", 2)[:2] for line in problems(written(tmp_path / "f.csv", text))] == [
        ["line 2", column] for column in ("expected_version", "pledge", "final", "bytes", "changes")
    ]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (
            "f.csv",
            b"pledge,type\r\np,\xff\r\n",
            "line 2 is not UTF-8; save the file as CSV UTF-8, or say what it is: --encoding cp1252",
        ),
        ("f.csv", b'pledge,type\r\np,"x\r\n', "line 2 is not CSV: unexpected end of data"),
        ("f.csv", b"", "there is no header: the first row names the columns"),
        ("f.csv", b"type,type\r\n", 'line 1: column "type" is there twice'),
        (
            "f.xlsx",
            b"PK?",
            (
                "this is no XLSX workbook: File is not a zip file; if a spreadsheet can open it, "
                "save the sheet that is meant as CSV UTF-8, in several files if need be"
            ),
        ),
        ("f.txt", b"", "the name of a file to import ends in .ndjson, .csv, .xlsx or .xml"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile) as refused:
        read_items(tmp_path / name)
    assert str(refused.value) == says


def test_a_cell_without_a_column_name_is_a_problem(tmp_path: Path) -> None:
    assert problems(written(tmp_path / "f.csv", "pledge,type\r\np,StatementMade,stray\r\n")) == [
        "line 2: column C: this cell has no column name"
    ]


@pytest.mark.parametrize("title", ["", 'A title, "and, its, commas,\r\nin quotes", here\r\n'])
def test_commas_within_quotes_do_not_separate(tmp_path: Path, title: str) -> None:
    text = title + '"Donor, country, or ""body"",\r\nany";Amount;Date\r\nX;1,5;2024\r\n'
    table = whole(read_csv(written(tmp_path / "f.csv", text), SheetLayout(header=3 if title else 1)))
    assert table.columns == ('Donor, country, or "body",\r\nany', "Amount", "Date")
    assert list(table.rows[0].cells.values()) == ["X", "1,5", "2024"]


def test_reading_csv_tells_where_the_header_is(tmp_path: Path) -> None:
    table = whole(read_csv(written(tmp_path / "f.csv", "A title,,\r\n\r\nx,y,\r\n1,2,\r\n"), SheetLayout(header=2)))
    assert (table.place, table.columns, table.rows[0].place) == ("line 3", ("x", "y"), "line 4")


# --- references and refusals


def test_every_place_that_names_an_event_is_resolved_in_corrections_too() -> None:
    places = {("event",), ("of",), ("recorded_as", "event")}
    assert set(REFERENCE_PATHS) == places | {("changes", *place) for place in places}


def test_what_explains_a_refusal_is_a_type_of_fact() -> None:
    def below(error: type[Refusal]) -> Iterator[type[Refusal]]:
        yield error
        for subclass in error.__subclasses__():
            yield from below(subclass)

    explained = [error for error in below(Refusal) if error.explained_by_missing]
    assert explained
    assert {fact_type for error in explained for fact_type in error.explained_by_missing} <= set(FACT_TYPES)


# --- oldest first


def test_oldest_first_puts_nothing_before_its_pledge_was_made(tmp_path: Path) -> None:
    rows = [
        "p,StatementMade,2024-03-01",
        "q,PledgeMade,2024-02-01",
        "p,StatementMade,2024-01-01",
        "p,PledgeMade,2024-02-01",
    ]
    path = written(tmp_path / "f.csv", "pledge,type,stated_on\r\n" + "\r\n".join(rows))
    items, _ = read_items(path, oldest_first=True)
    assert [item.place for item in items] == ["line 3", "line 5", "line 4", "line 2"]
