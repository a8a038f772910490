"""Maps: what a sheet under other names becomes, which rows are left out, and why a map cannot be used."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from api.imports.sheet_map import BadMap, FactRule, SheetMap, read_map
from tests.support.import_files import read_items, workbook, written
from tests.support.paths import ROOT
from tracker import quantity_words
from tracker.fact_reading import read_fact

DOCS = ROOT / "docs"

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
    assert item.fact["figure"]["quantity"] == "1.2340 EUR"
    assert quantity_words.read("1.2340 EUR").value == Decimal("1.234")


def test_a_number_that_a_map_reads_is_never_taken_for_thousands(tmp_path: Path) -> None:
    (fact,), _ = mapped(tmp_path, 'Donor,Date,Amount,Currency\r\nX,2024,"250,125",EUR\r\n', f'decimal = ","\n{MAP}')
    assert fact["figure"]["quantity"] == "250.1250 EUR"


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


# --- rows that become no fact

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


# --- percentages, and maps that cannot be used


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


def test_a_year_begins_a_recurrence_on_its_first_day_and_ends_it_on_its_last(tmp_path: Path) -> None:
    rule = """
        dates = ["%Y"]
        [[fact]]
        when = "From"
        type = "PledgeMade"
        pledge = "aid"
        fields = { "recurrence.start" = "{From}", "recurrence.end" = "{To}", "recurrence.every" = "year" }
    """
    (fact,), found = mapped(tmp_path, "From,To\r\n2020,2022\r\n", rule)
    assert found == []
    assert fact["recurrence"] == {"start": "2020-01-01", "end": "2022-12-31", "every": "year"}
