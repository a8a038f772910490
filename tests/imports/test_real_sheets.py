"""Real layouts: headers of several rows, merged cells, other encodings, wide sheets, verdicts and ratings."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from api.imports.items import ImportItem, UnreadableFile
from api.imports.sheet_layout import SheetLayout
from api.imports.sheet_map import BadMap, parse_map, read_map
from api.imports.sheets import read_csv
from tests.support.import_files import read_items, read_xlsx, whole, workbook, written
from tests.support.paths import SHARED
from tracker.errors import InvalidFact
from tracker.fact_reading import read_fact

SHEETS = SHARED / "cases" / "sheets"

MADE = """
[[fact]]
type = "PledgeMade"
pledge = "{Donor|slug}"
fields = { title = "{Donor}", target = "{Amount|number} EUR" }
"""


def mapped(path: Path, toml: str) -> tuple[list[ImportItem], list[str], list[str], list[str]]:
    """The items, the problems, the places of what is left out, and the remarks."""
    left_out: list[str] = []
    remarks: list[str] = []
    items, found = read_items(path, mapping=parse_map(toml), note_left_out=left_out.append, note_remark=remarks.append)
    return items, [str(problem) for problem in found], left_out, remarks


def cells_merged(path: Path, rows: list[list[Any]], *merged: str) -> Path:
    book = Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(row)
    for reference in merged:
        page.merge_cells(reference)
    book.save(path)
    return path


# --- headers and merged cells


def test_two_header_rows_name_a_column_together(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Donor", "2024", None, "2025", None],
        [None, "Pledged", "Paid", "Pledged", "Paid"],
        ["X", 1, 2, 3, 4],
    ]
    path = cells_merged(tmp_path / "f.xlsx", rows, "A1:A2", "B1:C1", "D1:E1")
    table = read_xlsx(path)
    assert table.columns == ("Donor", "2024 Pledged", "2024 Paid", "2025 Pledged", "2025 Paid")
    assert [row.place for row in table.rows] == ['sheet "Sheet" row 3']


def test_two_header_rows_of_a_csv_file_reach_to_the_right(tmp_path: Path) -> None:
    toml = """
    header = 2
    header_rows = 2
    [[fact]]
    type = "StatementMade"
    pledge = "{Donor|slug}"
    fields.summary = "{2024 Paid}"
    """
    path = written(tmp_path / "f.csv", "A title\r\nDonor,2024,,2025\r\n,Pledged,Paid,Paid\r\nX,1,2,3\r\n")
    (item,), found, _, _ = mapped(path, toml)
    assert (item.place, item.fact["summary"], found) == ("line 4", "2", [])


def test_merged_text_is_filled_down_and_a_merged_number_is_not_counted_twice(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Donor", "Project", "Amount"], ["X", "A", 10], [None, "B", None], ["Y", "C", 5]]
    path = cells_merged(tmp_path / "f.xlsx", rows, "A2:A3", "C2:C3")
    items, found, _, _ = mapped(path, MADE.replace("{Donor|slug}", "{Donor|slug}-{Project|slug}"))
    assert [item.pledge for item in items if item.sound] == ["x-a", "y-c"]
    (told,) = found
    assert told.startswith('sheet "Sheet" row 3: target (Amount): C2:C3 is one cell with the number "10", which is ')
    assert told.endswith("if each row means it, name the column in fill_down")
    items, found, _, _ = mapped(path, 'fill_down = ["Amount"]\n' + MADE.replace("{Donor|slug}", "{Project|slug}"))
    assert [item.fact["target"] for item in items] == ["10 EUR", "10 EUR", "5 EUR"]


def test_empty_cells_mean_what_stands_above_where_the_map_says_so(tmp_path: Path) -> None:
    path = written(tmp_path / "f.csv", "Donor,Amount\r\nX,1\r\n,2\r\nY,3\r\n")
    items, _, _, _ = mapped(path, 'fill_down = ["Donor"]\n' + MADE)
    assert [item.pledge for item in items] == ["x", "x", "y"]
    with pytest.raises(UnreadableFile, match='line 1: there is no column "Nope" to fill down'):
        mapped(path, 'fill_down = ["Nope"]\n' + MADE)


def test_the_first_sheet_with_cells_is_read(tmp_path: Path) -> None:
    book = Workbook()
    book.create_sheet("Data").append(["a"])
    book.save(tmp_path / "f.xlsx")
    assert read_xlsx(tmp_path / "f.xlsx").place == 'sheet "Data" row 1'
    Workbook().save(tmp_path / "empty.xlsx")
    with pytest.raises(UnreadableFile, match="no sheet has cells; there are: Sheet"):
        read_xlsx(tmp_path / "empty.xlsx")


# --- encodings and separators


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("mark", [";", "|", "\t", ","])
def test_a_first_line_may_say_what_separates(tmp_path: Path, mark: str, quote: str) -> None:
    text = f"{quote}sep={mark}{quote}\r\na{mark}b\r\n1{mark}2\r\n"
    table = whole(read_csv(written(tmp_path / "f.csv", text)))
    assert (table.place, table.columns) == ("line 2", ("a", "b"))
    assert [(row.place, dict(row.cells)) for row in table.rows] == [("line 3", {"a": "1", "b": "2"})]


@pytest.mark.parametrize(("encoding", "codec"), [
    ("utf-16", "utf-16"), ("utf-16", "utf-16-le"), ("utf-16", "utf-16-be"), ("cp1252", "cp1252"),
    ("utf-8", "utf-8-sig"),
])  # fmt: skip
def test_a_file_is_read_in_the_encoding_of_its_map(tmp_path: Path, encoding: str, codec: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes("Donor;Amount\r\nÅland;1\r\n".encode(codec))
    (item,), _, _, _ = mapped(path, f'encoding = "{encoding}"\n{MADE}')
    assert item.fact["title"] == "Åland"


@pytest.mark.parametrize(("codec", "hint"), [
    ("utf-16", "utf-16"), ("utf-16-le", "utf-16"), ("utf-16-be", "utf-16"), ("cp1252", "cp1252"),
])  # fmt: skip
def test_a_file_in_another_encoding_names_the_option(tmp_path: Path, codec: str, hint: str) -> None:
    (tmp_path / "f.csv").write_bytes("Donor;Amount\r\nÅland;1\r\n".encode(codec))
    with pytest.raises(UnreadableFile, match=f"--encoding {hint}$"):
        read_csv(tmp_path / "f.csv")


def test_a_file_that_begins_with_the_mark_of_utf_8_is_never_read_as_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes("Donor;Amount\r\nÅland;1\r\n".encode("utf-8-sig"))
    with pytest.raises(UnreadableFile, match="not cp1252: it begins with the mark of UTF-8"):
        read_csv(tmp_path / "f.csv", SheetLayout(encoding="cp1252"))


# --- rows and numbers


@pytest.mark.parametrize("amount", ["{Amount}", "{Amount|number}"])
def test_numbers_of_a_csv_file_are_rounded_with_and_without_a_filter(tmp_path: Path, amount: str) -> None:
    path = written(tmp_path / "f.csv", "Donor,Amount\r\nX,2.665\r\n")
    (item,), _, _, _ = mapped(path, "decimals = 2\n" + MADE.replace("{Amount|number}", amount))
    assert item.fact["target"] == "2.66 EUR"


def test_a_row_that_is_left_out_becomes_no_fact_even_if_a_rule_fits_it(tmp_path: Path) -> None:
    path = written(tmp_path / "f.csv", "Donor,Amount\r\nX,1\r\nSub-total,1\r\nTotal,2\r\n")
    toml = MADE + '[[leave_out]]\nwhen = { Donor = { like = "*total*" } }\n'
    items, found, left_out, _ = mapped(path, toml)
    assert ([item.pledge for item in items], found, left_out) == (["x"], [], ["line 3", "line 4"])


def test_a_raised_digit_is_a_footnote_and_is_told(tmp_path: Path) -> None:
    book = Workbook(write_only=False)
    page = book.active
    assert page is not None
    page.append(["Donor", "Amount"])
    page.append(["X", CellRichText("12.5", TextBlock(InlineFont(vertAlign="superscript"), "1"))])
    page.append(["Y", "7.5²"])
    page.append(["Z", CellRichText("2", TextBlock(InlineFont(b=True), "3"))])
    book.save(tmp_path / "f.xlsx")
    items, found, _, remarks = mapped(tmp_path / "f.xlsx", MADE)
    assert found == []
    assert [item.fact["target"] for item in items] == ["12.5 EUR", "7.5 EUR", "23 EUR"]
    assert remarks == [
        'sheet "Sheet" row 2: Amount: "12.5¹" is read as "12.5", its footnote mark ¹ left out',
        'sheet "Sheet" row 3: Amount: "7.5²" is read as "7.5", its footnote mark ² left out',
    ]


def test_a_lowered_digit_is_no_digit_of_a_number(tmp_path: Path) -> None:
    lowered = CellRichText("12.5", TextBlock(InlineFont(vertAlign="subscript"), "1"))
    (item,), _, _, _ = mapped(workbook(tmp_path / "f.xlsx", [["Donor", "Amount"], ["X", lowered]]), MADE)
    assert item.fact["target"] == "12.5₁ EUR"
    with pytest.raises(InvalidFact) as refused:
        read_fact(item.fact)
    assert any("₁ EUR" in message for _, message in refused.value.problems)


def test_a_raised_mark_behind_a_name_is_no_part_of_its_slug(tmp_path: Path) -> None:
    items, _, _, _ = mapped(written(tmp_path / "f.csv", "Donor,Amount\r\nGermany¹,1\r\n5 km²,2\r\n"), MADE)
    assert [item.pledge for item in items] == ["germany", "5-km2"]


def test_numbers_of_a_workbook_are_rounded_where_the_map_says_so(tmp_path: Path) -> None:
    path = workbook(tmp_path / "f.xlsx", [["Donor", "Amount"], ["X", 11.2987], ["Y", 1.375]])
    items, _, _, _ = mapped(path, f"decimals = 2\n{MADE}")
    assert [item.fact["target"] for item in items] == ["11.3 EUR", "1.38 EUR"]


def test_a_period_is_read_from_one_cell(tmp_path: Path) -> None:
    toml = """
    fiscal_year_start = 4
    [[fact]]
    type = "ProgressReported"
    pledge = "p"
    fields = { stated_on = "{Year}", period_start = "{Year}", period_end = "{Year}", published_on = "{Year}" }
    """
    items, found, _, _ = mapped(written(tmp_path / "f.csv", "Year\r\n2024/25\r\nQ3 2024\r\n2024-02\r\n"), toml)
    assert found == []
    shown = {
        item.place: (item.fact["stated_on"], item.fact["precision"], item.fact["source"]["published_on"],
                     *sorted(item.fact["figure"]["period"].values()))
        for item in items
    }  # fmt: skip
    assert shown == {
        "line 2": ("2025-03-31", "month", "2025-03", "2024-04-01", "2025-03-31"),
        "line 3": ("2024-09-30", "quarter", "2024-Q3", "2024-07-01", "2024-09-30"),
        "line 4": ("2024-02-29", "month", "2024-02", "2024-02-01", "2024-02-29"),
    }
    _, found, _, _ = mapped(tmp_path / "f.csv", toml.replace("fiscal_year_start = 4", ""))
    assert [line.partition(" is ")[0] for line in found] == [
        f'line 2: {path} (Year): "2024/25"'
        for path in ("stated_on", "figure.period.start", "figure.period.end", "source.published_on")
    ]


# --- wide sheets


WIDE = """
dates = ["%b %Y"]
[unpivot]
columns = ["??? 20??", "20??-*"]
name = "Month"
value = "Amount"
[[fact]]
when = "Amount"
type = "ProgressReported"
pledge = "{Donor|slug}"
fields = { period_start = "{Month|month}", period_end = "{Month|month}", quantity = "{Amount|number} EUR" }
"""


def test_a_column_a_month_becomes_a_row_a_month(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Donor", date(2024, 1, 1), "Feb 2024", "Note"],
        ["X", 1, 2, "n"],
        ["Y", None, "3 or 4", ""],
    ]
    items, found, _, _ = mapped(workbook(tmp_path / "f.xlsx", rows), WIDE)
    (told,) = found
    assert told.startswith('sheet "Facts" row 3: figure.quantity (Feb 2024): "3 or 4" has no number, or more than one')
    figures = [
        (item.pledge, *sorted(item.fact["figure"]["period"].values()), item.fact["figure"]["quantity"])
        for item in items
    ]
    assert figures[:2] == [("x", "2024-01-01", "2024-01-31", "1 EUR"), ("x", "2024-02-01", "2024-02-29", "2 EUR")]


@pytest.mark.parametrize("mark", ["¹", "*", " [a]", "²⁾"])
def test_a_wide_column_with_a_footnote_mark_is_not_lost(tmp_path: Path, mark: str) -> None:
    items, found, _, _ = mapped(written(tmp_path / "f.csv", f"Donor,Jan 2024{mark},Feb 2024\r\nX,1,2\r\n"), WIDE)
    periods = [item.fact["figure"]["period"]["end"] for item in items]
    assert (periods, found) == (["2024-01-31", "2024-02-29"], [])


def test_two_wide_columns_that_differ_in_a_footnote_mark_alone_are_a_problem(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match='column "Jan 2024" is there twice'):
        mapped(written(tmp_path / "f.csv", "Donor,Jan 2024,Jan 2024*\r\nX,1,2\r\n"), WIDE)


def test_a_wide_row_without_any_cell_is_not_lost_without_a_word(tmp_path: Path) -> None:
    _, found, _, _ = mapped(written(tmp_path / "f.csv", "Donor,Jan 2024\r\nX,1\r\nY,\r\n"), WIDE)
    assert [line.partition(";")[0] for line in found] == ["line 3: this row becomes no fact"]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("Donor,January", "line 1: no column is named like "),
        ("Donor,Amount,Jan 2024", 'there is a column "Amount" already'),
    ],
)
def test_a_sheet_that_cannot_be_unpivoted_says_why(tmp_path: Path, header: str, says: str) -> None:
    with pytest.raises(UnreadableFile, match=says):
        mapped(written(tmp_path / "f.csv", f"{header}\r\n"), WIDE)


# --- members and ratings


MEMBERS = """
[fields]
publisher = "Alliance"
tier = "official"
stated_on = "2024-06-17"
[[fact]]
when = "Share"
type = "MemberReported"
pledge = "two-percent"
fields = { member = "{Code}", quantity = "{Share|number} percent:gdp", basis = "level" }
verdict_against = "at least 2 percent:gdp"
[[fact]]
when = { Share = "" }
type = "MemberReported"
pledge = "two-percent"
fields = { member = "{Code}", verdict = "not_reported" }
"""


def test_a_members_verdict_follows_from_its_figure_and_the_target(tmp_path: Path) -> None:
    path = written(tmp_path / "f.csv", "Code,Share\r\nPL,4.1\r\nDE,2.0\r\nBE,1.3\r\nIS,\r\nXX,about 2\r\n")
    items, found, _, _ = mapped(path, MEMBERS.replace("{Share|number}", "{Share}"))
    assert [item.fact["verdict"] for item in items[:4]] == ["met", "met", "not_met", "not_reported"]
    assert [line.partition(" is open")[0] for line in found] == [
        'line 6: member (Code): "XX" is no ISO 3166 alpha-2 code; a party that is no state has a slug of its own',
        'line 6: verdict (of the map): "about 2 percent:gdp" against "at least 2 percent:gdp"',
    ][::-1]  # fmt: skip
    for item in items[:4]:
        read_fact(item.fact)


def test_a_ceiling_is_kept_by_less(tmp_path: Path) -> None:
    toml = MEMBERS.replace("at least 2 percent:gdp", "at most 3 percent:gdp") + ""
    toml = toml.replace("verdict_against", 'direction = "down"\nverdict_against')
    items, _, _, _ = mapped(written(tmp_path / "f.csv", "Code,Share\r\nPL,4.1\r\nDE,2.0\r\n"), toml)
    assert [item.fact["verdict"] for item in items] == ["not_met", "met"]


def test_a_verdict_is_derived_of_members_alone(tmp_path: Path) -> None:
    with pytest.raises(BadMap, match="verdict_against is for a MemberReported, not for a StatementMade"):
        parse_map('[[fact]]\ntype="StatementMade"\npledge="p"\nverdict_against="2 percent:gdp"')


def test_a_column_of_ratings_becomes_assessments(tmp_path: Path) -> None:
    toml = """
    [fields]
    stated_on = "2024-06-17"
    [[fact]]
    when = "Rating"
    type = "AssessmentIssued"
    pledge = "{Pledge}"
    [fact.fields]
    rating = "{Rating|lookup:ratings}"
    rubric = "Example scale"
    rubric_version = "2024"
    reasoning = "{Why}"
    [[leave_out]]
    when = { Rating = "" }
    [lookup.ratings]
    A = "kept"
    """
    items, found, _, _ = mapped(written(tmp_path / "f.csv", "Pledge,Rating,Why\r\np,A,paid\r\nq,,\r\n"), toml)
    assert found == []
    assert [read_fact(item.fact).type for item in items] == ["AssessmentIssued"]
    assert items[0].fact["rating"] == "kept"


# --- the sheets that people send


@pytest.mark.skipif(not SHEETS.is_dir(), reason="the collected sheets are not here")
@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("empty-first.xlsx", {"fenwick-x": "1 million USD"}),
        ("merged-data.xlsx", {"fenwick-a": "1 million USD", "fenwick-b": "2 million USD"}),
        ("noise.csv", {"noise-x": "11.299999999999999 million USD", "noise2-x": "0.30000000000000004 million USD",
                       "sci-x": "1200 million USD", "sci2-x": "0.000015 million USD"}),
    ],
)  # fmt: skip
def test_a_collected_sheet_is_read(name: str, targets: dict[str, str]) -> None:
    items, found = read_items(SHEETS / name, mapping=read_map(SHEETS / f"{name}.toml"))
    assert found == []
    assert {item.pledge: item.fact["target"] for item in items} == targets


@pytest.mark.skipif(not SHEETS.is_dir(), reason="the collected sheets are not here")
def test_the_collected_header_of_two_rows_names_its_columns_by_both() -> None:
    toml = (SHEETS / "merged-header.xlsx.toml").read_text(encoding="utf-8")
    path = SHEETS / "merged-header.xlsx"
    with pytest.raises(
        BadMap, match='no column "2024"; there are: Donor, 2024 Pledged, 2024 Paid, 2025 Pledged, 2025 Pa'
    ):
        mapped(path, toml)
    (item,), found, _, _ = mapped(path, toml.replace("{2024|", "{2024 Pledged|"))
    assert (item.fact["target"], found) == ("10 million USD", [])


@pytest.mark.skipif(not SHEETS.is_dir(), reason="the collected sheets are not here")
def test_collected_noise_is_rounded_where_the_map_says_so() -> None:
    toml = "decimals = 2\n" + (SHEETS / "noise.csv.toml").read_text(encoding="utf-8")
    items, found, _, _ = mapped(SHEETS / "noise.csv", toml)
    assert ([item.fact["target"].split()[0] for item in items], found) == (["11.3", "0.3", "1200", "0"], [])
