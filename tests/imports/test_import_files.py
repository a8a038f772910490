"""Files of facts before they meet the record: columns, sheets, maps, and the place of every mistake."""

import re
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference

from api.formats.csv_table import guarded, unguarded, write_table
from api.formats.fact_columns import CELL_SHAPES, KNOWN_COLUMNS, SHORT_NAMES, flatten, path_of, unflatten
from api.imports.files import read_items, read_lines
from api.imports.items import UnreadableFile
from api.imports.mapping import BadMap, FactRule, SheetMap, read_map
from api.imports.references import REFERENCE_PATHS
from api.imports.sheets import read_csv, read_xlsx, text_of
from tests.support.paths import ROOT
from tracker import quantity_words
from tracker.errors import Refusal
from tracker.event import fact_json
from tracker.fact_reading import read_fact
from tracker.facts import FACT_TYPES

DOCS = ROOT / "docs"
MADE = {
    "type": "PledgeMade",
    "stated_on": "2024-07-10",
    "source": {"publisher": "Gazette", "tier": "media"},
    "title": "Forty billion",
    "pledgor": {"name": "Allies"},
    "kind": "money",
}


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def workbook(path: Path, rows: list[list[Any]], sheet: str = "Facts", *, second: str | None = None) -> Path:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(row)
    if second is not None:
        book.create_sheet(second).append(["nothing"])
    book.save(path)
    return path


def problems(path: Path, **options: Any) -> list[str]:
    return [str(problem) for problem in read_items(path, **options)[1]]


# --- columns


def test_every_place_in_every_fact_has_a_column() -> None:
    def places(schema: dict[str, Any], definitions: dict[str, Any], prefix: str = "") -> set[str]:
        found = set()
        for name, part in schema["properties"].items():
            arms = [part, *part.get("anyOf", ())]
            below = [definitions[arm["$ref"].rpartition("/")[2]] for arm in arms if "$ref" in arm]
            below = [b for b in below if "properties" in b and "op" not in b["properties"]]
            found |= places(below[0], definitions, f"{prefix}{name}.") if below else {f"{prefix}{name}"}
        return found

    for fact in FACT_TYPES.values():
        schema = fact.model_json_schema()
        assert places(schema, schema.get("$defs", {})) <= set(CELL_SHAPES), fact


def test_short_names_stand_for_places_that_exist() -> None:
    assert set(SHORT_NAMES.values()) <= set(CELL_SHAPES)
    assert path_of("nature", "ProgressReported") == "figure.nature"
    assert path_of("nature", "TallyReported") == "nature"
    assert path_of("figure.nature", "TallyReported") == "figure.nature"


FACTS: list[dict[str, Any]] = [
    MADE | {"target": "at least €40bn", "tags": ["nato", "aid"], "window": {"end": "2024-12-31"}, "measurable": True},
    MADE | {"tags": [], "group": {"rule": "count_at_least", "count": 2, "members": ["BE", "IS"],
            "not_applicable": [{"member": "IS", "reason": "no; army"}], "opted_out": []}},
    MADE | {"type": "TallyReported", "met": 22, "not_met": "about two-thirds of members", "members_not_met": []},
    MADE | {"type": "ProgressReported", "figure": {"quantity": {"op": "between", "value": "1.5", "upper": "2",
            "unit": "USD"}, "basis": "cumulative", "final": False, "period": {"end": "2024-06-30"}}},
    MADE | {"type": "EventCorrected", "event": "01930000-0000-7000-8000-000000000001", "reason": "typo",
            "changes": {"figure": {"quantity": {"value": "20.9"}}, "summary": None}},
    MADE | {"type": "MilestoneReached", "milestone": "=HYPERLINK(1)", "due": "2025-Q1", "partly": True},
    MADE | {"type": "SourceCaptured", "event": "01930000-0000-7000-8000-000000000001", "sha256": "0" * 64, "bytes": 7},
]  # fmt: skip


@pytest.mark.parametrize("raw", FACTS, ids=lambda raw: raw["type"])
def test_a_fact_becomes_a_row_and_the_row_the_same_fact(raw: dict[str, Any]) -> None:
    own = FACT_TYPES[raw["type"]].model_fields
    fact = fact_json(read_fact({name: value for name, value in raw.items() if name in own}))
    assert unflatten(flatten(fact)) == (fact, [])


def test_words_beside_parts_must_say_the_same() -> None:
    parts = {"figure.quantity.op": "gt", "figure.quantity.value": "50", "figure.quantity.unit": "EUR"}
    assert unflatten({"figure.quantity": "over 50 EUR", **parts})[1] == []
    assert unflatten({"figure.quantity": "over 60 EUR", **parts})[1] == [
        ("figure.quantity", 'the words say "over 60 EUR", the parts beside them "over 50 EUR"; empty one of the two')
    ]


@given(st.text())
def test_a_guarded_cell_is_no_formula_and_comes_back_as_it_was(cell: str) -> None:
    bare = guarded(cell).lstrip(" \u00a0\ufeff\u200b\n")
    assert not bare.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert unguarded(guarded(cell)) == cell


CELLS = st.text(st.sampled_from("'=+-@＝＋－＠ \ufeff\u200b\t\r\n,\"a1é"), max_size=8)


@given(st.lists(CELLS.filter(str.strip), min_size=1, max_size=5))
def test_an_exported_table_is_read_as_it_was(cells: list[str]) -> None:
    columns = [f"c{number}" for number in range(len(cells))]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "f.csv"
        path.write_bytes(b"".join(write_table(columns, [dict(zip(columns, cells, strict=True))])))
        (row,) = read_csv(path).rows
    assert [unguarded(row.cells[column]) for column in columns] == cells


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        " =1",
        "\ufeff=1",
        "＝1",
        "＋1",
        "－1",
        " ＠x",
        "\u200b=1",
        "'=1",
        "\n =1",
    ],
)
def test_a_cell_that_would_be_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


def test_exported_csv_is_rfc_4180() -> None:
    lines = list(write_table(["a", "b"], [{"a": 'say "x", y\nz', "b": "=1"}]))
    assert lines == [b"a,b\r\n", b'"say ""x"", y\nz",\'=1\r\n']


# --- NDJSON


def test_each_line_of_ndjson_is_judged_on_its_own() -> None:
    good = b'{"pledge": "p", "fact": {"type": "PledgeMade"}}'
    lines = [good, b"", b"{", b"[1]", b'{"pledge": "P", "fact": {}, "x": 1}', b'{"pledge": "p", "pledge": "q"}']
    items, found = read_lines(lines)
    assert [item.place for item in items if item.sound] == ["line 1"]
    assert [f"{p.place} {p.where}" for p in found] == ["line 3 ", "line 4 ", "line 5 /x", "line 5 /pledge", "line 6 "]


# --- CSV and XLSX under our own names

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
        ("f.csv", b"pledge,type\r\np,\xff\r\n", "line 2 is not UTF-8; save the file as CSV UTF-8"),
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
        ("f.txt", b"", "the name of a file to import ends in .ndjson, .csv or .xlsx"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile) as refused:
        read_items(tmp_path / name)
    assert str(refused.value) == says


def test_a_workbook_reads_as_its_csv_would(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["pledge", "type", "stated_on", "partly", "bytes"],
        ["p", "X", datetime(2024, 7, 10), True, 7.0],
    ]
    table = read_xlsx(workbook(tmp_path / "f.xlsx", rows, second="Other"))
    assert table.rows[0].place == 'sheet "Facts" row 2'
    assert table.rows[0].cells == {
        "pledge": "p",
        "type": "X",
        "stated_on": "2024-07-10",
        "partly": "true",
        "bytes": "7",
    }
    with pytest.raises(UnreadableFile, match='there is no sheet "Third"; there are: Facts, Other'):
        read_xlsx(tmp_path / "f.xlsx", "Third")


def test_a_formula_without_a_saved_value_is_a_problem_not_an_empty_cell(tmp_path: Path) -> None:
    path = workbook(tmp_path / "f.xlsx", [["pledge", "type", "summary"], ["p", "StatementMade", "=1+1"]])
    (problem,) = problems(path)
    assert problem.startswith('sheet "Facts" row 2: summary: the value of this formula was not saved;')


def test_a_cell_without_a_column_name_is_a_problem(tmp_path: Path) -> None:
    assert problems(written(tmp_path / "f.csv", "pledge,type\r\np,StatementMade,stray\r\n")) == [
        "line 2: column C: this cell has no column name"
    ]


def rewritten(path: Path, inside: str, change: Any) -> Path:
    """The workbook with one of its parts changed."""
    with ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    parts[inside] = change(parts[inside])
    with ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return path


@pytest.mark.parametrize("noted", [b"A1", b"A1:B2", b"A1:XFD1048576"])
def test_the_size_that_a_sheet_notes_does_not_cut_it_off(tmp_path: Path, noted: bytes) -> None:
    path = workbook(tmp_path / "f.xlsx", [["pledge", "type", "summary"], *(["p", "X", str(n)] for n in range(3))])
    dimension = b'<dimension ref="' + noted + b'"'
    rewritten(path, "xl/worksheets/sheet1.xml", lambda xml: re.sub(rb'<dimension ref="[^"]*"', dimension, xml))
    table = read_xlsx(path)
    assert table.columns == ("pledge", "type", "summary")
    assert [row.cells["summary"] for row in table.rows] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("value", "shown_as", "text"),
    [
        (0.02, "0%", "2%"),
        (1, "0%", "100%"),
        (0.0215, "0%", "2.15%"),
        (1.1, "0.0 %", "110%"),
        (-0.07, "0%;[Red]-0%", "-7%"),
        (2, '0"%"', "2%"),
        (2, "0\\%", "2%"),
        (2, "0.0_%", "2"),
        (2, "0.00", "2"),
    ],
)
def test_a_percentage_is_read_as_it_is_shown(tmp_path: Path, value: float, shown_as: str, text: str) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["share"])
    page.append([value])
    page["A2"].number_format = shown_as
    book.save(tmp_path / "f.xlsx")
    assert read_xlsx(tmp_path / "f.xlsx").rows[0].cells == {"share": text}


def test_a_chart_sheet_is_not_the_sheet_that_is_read(tmp_path: Path) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "Data"
    page.append(["x"])
    page.append([1])
    chart = BarChart()
    chart.add_data(Reference(page, min_col=1, min_row=1, max_row=2))
    book.create_chartsheet("Chart", 0).add_chart(chart)
    book.save(tmp_path / "f.xlsx")
    assert read_xlsx(tmp_path / "f.xlsx").rows[0].place == 'sheet "Data" row 2'
    with pytest.raises(UnreadableFile, match='there is no sheet "Chart"; there are: Data'):
        read_xlsx(tmp_path / "f.xlsx", "Chart")


def test_a_chart_sheet_without_a_chart_is_told(tmp_path: Path) -> None:
    book = Workbook()
    book.create_chartsheet("Chart", 0)
    book.save(tmp_path / "f.xlsx")
    with pytest.raises(UnreadableFile, match=r"this is no XLSX workbook: .*save the sheet that is meant as CSV UTF-8"):
        read_xlsx(tmp_path / "f.xlsx")


def test_a_damaged_workbook_is_told(tmp_path: Path) -> None:
    path = workbook(tmp_path / "f.xlsx", [["pledge", "type"], ["p", "X"]])
    rewritten(path, "xl/worksheets/sheet1.xml", lambda xml: xml[: xml.rindex(b"<row")])
    with pytest.raises(UnreadableFile, match='sheet "Facts" behind row 1: this workbook is damaged: no element found'):
        read_xlsx(path)


@pytest.mark.parametrize("title", ["", 'A title, "and, its, commas,\r\nin quotes", here\r\n'])
def test_commas_within_quotes_do_not_separate(tmp_path: Path, title: str) -> None:
    text = title + '"Donor, country, or ""body"",\r\nany";Amount;Date\r\nX;1,5;2024\r\n'
    table = read_csv(written(tmp_path / "f.csv", text), header=3 if title else 1)
    assert table.columns == ('Donor, country, or "body",\r\nany', "Amount", "Date")
    assert list(table.rows[0].cells.values()) == ["X", "1,5", "2024"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(20.9, "20.9"), (0.1 + 0.2, "0.3"), (5e10, "50000000000"), (3, "3"), (date(2024, 1, 2), "2024-01-02"), (None, "")],
)
def test_numbers_are_read_to_the_digits_a_spreadsheet_keeps(value: object, text: str) -> None:
    assert text_of(value) == text


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


# --- maps

MAP = """
dates = ["%d/%m/%Y", "%b %Y", "%Y"]
[fields]
publisher = "Institute"
tier = "other"
[[fact]]
when = "Amount"
type = "ProgressReported"
pledge = "{Donor|slug}-aid"
fields = { stated_on = "{Date}", quantity = "{Amount|number} {Currency}", basis = "increment" }
[[leave_out]]
when = { Amount = "" }
"""


def mapped(tmp_path: Path, csv: str, toml: str = MAP) -> tuple[list[Any], list[str]]:
    mapping = read_map(written(tmp_path / "m.toml", toml))
    items, found = read_items(written(tmp_path / "f.csv", csv), mapping=mapping)
    return [item.fact for item in items], [str(problem) for problem in found]


def test_a_map_joins_columns_and_leaves_out_what_it_is_not_for(tmp_path: Path) -> None:
    csv = 'Donor,Date,Amount,Currency\r\nÅland,03/02/2024,"1,250.50",EUR\r\nÅland,04/02/2024,,EUR\r\n'
    (fact,), found = mapped(tmp_path, csv)
    assert found == []
    assert fact["stated_on"] == "2024-02-03"
    assert fact["figure"] == {"quantity": "1250.5 EUR", "basis": "increment"}
    assert fact["source"] == {"publisher": "Institute", "tier": "other"}


@pytest.mark.parametrize(
    ("said", "stated_on", "precision"),
    [("Feb 2024", "2024-02-29", "month"), ("2024", "2024-12-31", "year"), ("3/2/2024", "2024-02-03", None)],
)
def test_a_date_without_a_day_is_in_force_from_its_last(
    tmp_path: Path, said: str, stated_on: str, precision: str | None
) -> None:
    (fact,), _ = mapped(tmp_path, f"Donor,Date,Amount,Currency\r\nX,{said},1,EUR\r\n")
    assert (fact["stated_on"], fact.get("precision")) == (stated_on, precision)


@pytest.mark.parametrize(
    ("decimal", "said", "number"),
    [
        (".", "1,250.5", "1250.5"), (",", "1.250,5", "1250.5"), (",", "1 250,5", "1250.5"), (",", "20,9", "20.9"),
        (".", "at least 900", "at least 900"), (".", "20,9", None), (",", "1.25", None), (".", "1 or 2", None),
        (".", "12 5", None), (".", "none", None),
    ],
)  # fmt: skip
def test_numbers_are_read_by_the_maps_decimal_mark_or_not_at_all(
    tmp_path: Path, decimal: str, said: str, number: str | None
) -> None:
    csv = f'Donor,Date,Amount,Currency\r\nX,2024,"{said}",EUR\r\n'
    facts, found = mapped(tmp_path, csv, f'decimal = "{decimal}"\n{MAP}')
    if number is None:
        assert [line.split(": ", 2)[1] for line in found] == ["figure.quantity (Amount, Currency)"]
    else:
        assert facts[0]["figure"]["quantity"] == f"{number} EUR"


def test_a_number_cell_of_a_workbook_is_never_read_by_a_decimal_mark(tmp_path: Path) -> None:
    mapping = read_map(written(tmp_path / "m.toml", f'decimal = ","\n{MAP}'))
    path = workbook(
        tmp_path / "f.xlsx", [["Donor", "Date", "Amount", "Currency"], ["X", date(2024, 1, 2), 1.234, "EUR"]]
    )
    (item,), _ = read_items(path, mapping=mapping)
    assert item.fact["figure"]["quantity"] == "1.234 EUR"


def test_one_row_can_open_its_pledge_once_and_say_more(tmp_path: Path) -> None:
    toml = """
    oldest_first = false
    [[fact]]
    once = true
    type = "PledgeMade"
    pledge = "{D|slug}"
    ref = "{D|slug}"
    [[fact]]
    when = { K = ["a", "b"] }
    type = "StatementMade"
    pledge = "{D|slug}"
    fields = { summary = "{{{K}}}", speaker_code = "{D|country}" }
    [[leave_out]]
    when = { K = "c" }
    """
    facts, found = mapped(tmp_path, "D,K\r\nBelgium,A\r\nBelgium,c\r\nNowhere,b\r\n", toml)
    assert [fact["type"] for fact in facts] == ["PledgeMade", "StatementMade", "PledgeMade", "StatementMade"]
    assert facts[1] == {"type": "StatementMade", "summary": "{A}", "speaker": {"code": "BE"}}
    assert found == ['line 4: speaker.code (D): "Nowhere" is no country that ISO 3166 names; use a lookup table']


def test_a_row_that_is_longer_than_the_header_is_a_problem_under_a_map_too(tmp_path: Path) -> None:
    assert mapped(tmp_path, "Donor,Date,Currency,Amount\r\nX,2024,EUR,1,250\r\n")[1] == [
        "line 2: column E: this cell has no column name"
    ]


KINDS = """
[fields]
publisher = "P"
tier = "other"
stated_on = "2024-01-01"
[[fact]]
when = { Kind = "made", Amount = "*" }
type = "PledgeMade"
pledge = "{ID|slug}"
fields.target = "{Amount} EUR"
[[fact]]
when = { Kind = "made", Amount = "" }
type = "PledgeMade"
pledge = "{ID|slug}"
fields.measurable = "false"
[[fact]]
when = { Kind = "reported" }
type = "ProgressReported"
pledge = "{ID|slug}"
fields.quantity = "{Amount} EUR"
"""


def of_kinds(
    tmp_path: Path, *rows: list[Any], leave_out: str = ""
) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """The sound facts of a sheet by ``KINDS``, by place and type, its problems, and the places of what is left out."""
    mapping = read_map(written(tmp_path / "m.toml", KINDS + leave_out))
    left_out: list[str] = []
    path = workbook(tmp_path / "f.xlsx", [["ID", "Kind", "Amount"], *rows])
    items, found = read_items(path, mapping=mapping, note_left_out=left_out.append)
    return [(item.place, item.fact["type"]) for item in items if item.sound], [str(p) for p in found], left_out


@pytest.mark.parametrize(("cell", "says"), [("#REF!", "this formula ends in #REF!"), ("=60*2", "the value of this ")])
def test_a_broken_cell_is_not_taken_for_an_empty_one_by_a_condition(tmp_path: Path, cell: str, says: str) -> None:
    facts, found, _ = of_kinds(tmp_path, ["a", "made", cell], ["b", cell, 5])
    assert facts == []
    assert [line[: len(says) + 30].partition(f": {says}")[0] for line in found] == [
        'sheet "Facts" row 2: Amount', 'sheet "Facts" row 3: Kind',
    ]  # fmt: skip


def test_a_broken_cell_leaves_nothing_open_where_another_condition_does_not_hold(tmp_path: Path) -> None:
    assert of_kinds(tmp_path, ["a", "reported", "#N/A"])[1] == [
        'sheet "Facts" row 2: figure.quantity (Amount): this formula ends in #N/A'
    ]


def test_a_row_that_becomes_no_fact_is_a_problem(tmp_path: Path) -> None:
    facts, found, _ = of_kinds(tmp_path, ["a", "made", 5], ["a", "repotred", 5], ["Total", None, 5])
    assert facts == [('sheet "Facts" row 2', "PledgeMade")]
    assert [line.partition(";")[0] for line in found] == [
        'sheet "Facts" row 3: this row becomes no fact', 'sheet "Facts" row 4: this row becomes no fact',
    ]  # fmt: skip


def test_a_map_names_the_rows_that_are_meant_to_be_left_out(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["a", "made", 5], ["a", "repotred", 5], ["Total", None, 5], ["Total", "#REF!", 5]]
    leave_out = '[[leave_out]]\nwhen = { ID = "total", Kind = "" }\n'
    facts, found, left_out = of_kinds(tmp_path, *rows, leave_out=leave_out)
    assert facts == [('sheet "Facts" row 2', "PledgeMade")]
    assert [line.partition(";")[0] for line in found] == [
        'sheet "Facts" row 3: this row becomes no fact', 'sheet "Facts" row 5: Kind: this formula ends in #REF!',
    ]  # fmt: skip
    assert left_out == ['sheet "Facts" row 4']
    assert of_kinds(tmp_path, *rows[:3], leave_out="[[leave_out]]\n")[1:] == (
        [], ['sheet "Facts" row 3', 'sheet "Facts" row 4'],
    )  # fmt: skip


def test_a_row_after_the_once_of_its_pledge_is_not_lost_without_a_word(tmp_path: Path) -> None:
    toml = "[[fact]]\nonce = true\ntype = 'PledgeMade'\npledge = '{D|slug}'\n"
    _, found = mapped(tmp_path, "D,K\r\na,x\r\na,y\r\n,z\r\n,z\r\n", toml)
    assert [line.partition(";")[0] for line in found] == [
        "line 3: this row becomes no fact",
        "line 4: pledge (D): the pledge is needed",
        "line 5: pledge (D): the pledge is needed",
    ]


@pytest.mark.parametrize("template", ["{Share} of GDP", "{Share|number} percent:gdp", "{Share|number}% of GDP"])
@pytest.mark.parametrize("cell", ["2%", "2 %"])
def test_a_percentage_means_the_same_however_the_map_names_it(tmp_path: Path, template: str, cell: str) -> None:
    toml = f"[[fact]]\ntype = 'ProgressReported'\npledge = 'p'\nfields.quantity = '{template}'\n"
    (fact,), _ = mapped(tmp_path, f"Share\r\n{cell}\r\n", toml)
    assert quantity_words.read(fact["figure"]["quantity"]) == quantity_words.read("2 percent:gdp")


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("x", "this is not TOML"),
        ("", "fact: this key is needed"),
        ("colour = 1\n[[fact]]\ntype='StatementMade'\npledge='p'", "colour: a map has no such key"),
        ("[[fact]]\ntype='Nope'\npledge='p'", "no fact is of type 'Nope'"),
        ("[[fact]]\ntype='StatementMade'\npledge='p'\nfields={nope='x'}", 'no fact has a field "nope"'),
        ("[[fact]]\ntype='StatementMade'\npledge='{a|shout}'", "'{a|shout}': there is no 'shout'; there are "),
        ("[[fact]]\ntype='StatementMade'\npledge='{a|lookup:x}'", "'{a|lookup:x}': lookup names one of the tables"),
        ("[[fact]]\ntype='StatementMade'\npledge='{a'", "a brace in '{a' is not closed, or not doubled"),
    ],
)
def test_a_map_that_cannot_be_used_says_why(tmp_path: Path, toml: str, says: str) -> None:
    with pytest.raises(BadMap) as refused:
        read_map(written(tmp_path / "m.toml", toml))
    assert any(problem.startswith(says) for problem in refused.value.problems), refused.value.problems


def test_a_map_names_the_columns_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(BadMap, match='line 1: there is no column "Currency"; there are: Donor, Date, Amount'):
        mapped(tmp_path, "Donor,Date,Amount\r\n")


# --- docs


def test_the_documented_example_is_what_its_map_makes_of_it() -> None:
    mapping = read_map(DOCS / "examples/aid.toml")
    items, found = read_items(DOCS / "examples/aid.csv", mapping=mapping)
    assert found == []
    assert [(item.pledge, item.fact["type"]) for item in items] == [
        ("rur-1-aid", "PledgeMade"), ("fen-1-aid", "PledgeMade"), ("fen-2-aid", "PledgeMade"),
        ("rur-1-aid", "ProgressReported"), ("fen-1-aid", "ProgressReported"), ("rur-1-aid", "ProgressReported"),
    ]  # fmt: skip
    for item in items:
        read_fact(item.fact)


def test_every_key_of_a_map_is_in_the_docs() -> None:
    page = (DOCS / "import.md").read_text(encoding="utf-8")
    keys = {*SheetMap.model_fields} - {"fields", "lookup", "fact", "leave_out"} | {
        f"fact.{k}" for k in FactRule.model_fields
    }
    tables = {"[fields]", "[lookup.NAME]", "[[fact]]", "[[leave_out]]"}
    assert {key for key in keys | tables if f"`{key}`" not in page} == set()


def test_every_column_is_in_the_docs() -> None:
    page = (DOCS / "import.md").read_text(encoding="utf-8")
    assert [
        name for name in sorted(KNOWN_COLUMNS) if f"`{name}`" not in page and name.rpartition(".")[0] not in CELL_SHAPES
    ] == []


def test_reading_csv_tells_where_the_header_is(tmp_path: Path) -> None:
    table = read_csv(written(tmp_path / "f.csv", "A title,,\r\n\r\nx,y,\r\n1,2,\r\n"), header=2)
    assert (table.place, table.columns, table.rows[0].place) == ("line 3", ("x", "y"), "line 4")
