"""XLSX and Parquet: numbers are numbers, days are days, and what a double would lose stands beside it in full."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import openpyxl
import pandas
import pyarrow.parquet
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from api.formats import workbook
from api.formats.cell_kinds import value_of
from api.formats.workbook import Sheet, write_workbook
from tests.support.api import SOURCE, Api, progress, running, statement

CLOCKS = "as_of=2024-12-31&at_position=7"
LONG = "12345678901234567.89"
"""More digits than a double has."""

FORMULA = '=HYPERLINK("http://x","a")'


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API for all tests of this module: it changes nothing."""
    with running(f"sqlite:///{tmp_path_factory.mktemp('typed')}/tracker.db", data_license="CC-BY-4.0") as api:
        api.open(tags=["a", "b"], title=FORMULA, window={"start": "1890-01-01", "end": "2024-12-31"})
        api.add(progress("over 50bn EUR"))
        api.add(progress({"op": "eq", "value": LONG, "unit": "EUR"}, stated_on="2024-08-10"))
        api.add(statement(speaker={"name": "-1+1"}))
        group = {"rule": "count_at_least", "count": 2, "members": ["BE", "FR", "NL"]}
        api.open("group", kind="ratio", target="at least 2 percent:gdp", group=group)
        api.add({"type": "TallyReported", "stated_on": "2024-03-01", "met": "at least 1 count:members",
                 "not_met": 1, "source": SOURCE}, "group")  # fmt: skip
        api.open("other", kind="qualitative", target=None, window=None)
        yield api


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


def rows(sheet: Worksheet) -> list[dict[str, Any]]:
    header, *found = [[cell.value for cell in row] for row in sheet.iter_rows()]
    return [dict(zip(map(str, header), row, strict=True)) for row in found]


def test_a_workbook_has_a_sheet_each_for_statuses_figures_and_events(told: Api) -> None:
    answer = told.get(f"/v1/export?format=xlsx&{CLOCKS}")
    assert answer.headers["content-type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert answer.headers["content-disposition"] == 'attachment; filename="export-2024-12-31-at-7.xlsx"'
    book = opened(answer.content)
    assert book.sheetnames == ["statuses", "figures", "events"]
    assert {sheet.freeze_panes for sheet in book} == {"A2"}
    assert all(cell.font.b for sheet in book for cell in sheet[1])
    aid, group, other = rows(book["statuses"])
    assert (aid["actual.value"], aid["actual.value.exact"], aid["actual"]) == (float(LONG), LONG, f"{LONG} EUR")
    assert (aid["target.value"], aid["target.value.exact"]) == (40_000_000_000, None)
    assert aid["last_stated_on"] == aid["as_of"].replace(month=8, day=10)
    assert aid["as_of"].date() == date(2024, 12, 31)
    assert aid["window.start"] == "1890-01-01", "spreadsheets have no such day"
    assert (aid["version"], aid["position"]) == (4, 4)
    assert (aid["tags"], aid["title"]) == ("a; b", FORMULA)
    assert (group["members.met"], group["members.not_met"]) == ("at least 1 count:members", 1)
    assert (other["target.value"], other["license"]) == (None, "CC-BY-4.0")
    properties = {one.name: one.value for one in book.custom_doc_props.props}
    assert properties["as_of"] == "2024-12-31"
    assert properties["position"] == "7"
    assert properties["license"] == "CC-BY-4.0"
    assert properties["origin"].startswith("commitments-tracker-")


def test_the_sheets_say_what_the_api_answers_one_by_one(told: Api) -> None:
    book = opened(told.get(f"/v1/export?format=xlsx&{CLOCKS}").content)
    figures = told.get(f"/v1/pledges/aid-2024/figures?{CLOCKS}").json()["items"]
    assert [(row["pledge"], row["event"], row["chosen"], row["why"]) for row in rows(book["figures"])] == [
        ("aid-2024", figure["event"], figure["chosen"], figure["why"]) for figure in figures
    ]
    assert rows(book["figures"])[0]["period.end"].date() == date(2024, 6, 30)
    events = [
        event
        for pledge in ("aid-2024", "group", "other")
        for event in told.get(f"/v1/pledges/{pledge}/events?{CLOCKS}").json()["items"]
    ]
    found = rows(book["events"])
    assert [(row["id"], row["position"], row["recorded_at.exact"]) for row in found] == [
        (event["id"], event["position"], event["recorded_at"]) for event in events
    ]
    instant = datetime.fromisoformat(events[0]["recorded_at"])
    assert abs(found[0]["recorded_at"].replace(tzinfo=UTC) - instant).total_seconds() < 0.001
    assert found[2]["figure.quantity.value.exact"] == LONG


def test_the_page_and_the_log_are_workbooks_too(told: Api) -> None:
    page = opened(told.get(f"/v1/pledges?format=xlsx&pledge=group&fields=pledge,members&{CLOCKS}").content)
    assert [cell.value for cell in page["statuses"][1]][:2] == ["pledge", "members.eligible"]
    assert [row["pledge"] for row in rows(page["statuses"])] == ["group"]
    assert {row["pledge"] for row in rows(page["events"])} == {"group"}
    assert list(rows(page["figures"])) == []
    for path in ("/v1/events", "/v1/pledges/aid-2024/events"):
        book = opened(told.get(f"{path}?format=xlsx").content)
        assert book.sheetnames == ["events"]
        assert [row["id"] for row in rows(book["events"])] == [e["id"] for e in told.get(path).json()["items"]]


def test_no_cell_of_a_workbook_is_a_formula(told: Api) -> None:
    content = told.get(f"/v1/export?format=xlsx&{CLOCKS}").content
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        sheets = [package.read(name).decode() for name in package.namelist() if "/sheet" in name]
    assert not any(re.search("<f[ >]", sheet) for sheet in sheets)
    assert {cell.data_type for sheet in opened(content) for row in sheet for cell in row} <= set("snbd")
    title = opened(content)["statuses"]["B2"]
    assert (title.value, title.quotePrefix) == (FORMULA, True)
    speakers = [row["speaker.name"] for row in rows(opened(content)["events"])]
    assert "-1+1" in speakers


def test_a_cell_holds_what_it_can_and_says_so() -> None:
    def shown(text: str) -> Any:
        return opened(b"".join(write_workbook([Sheet("a", {"n": "text"}, [{"n": text}])], {})))["a"]["A2"].value

    assert shown("_x0041_ _y\r\n<&>\x00") == "_x005F_x0041_ _y_x000D_\n<&>\ufffd"
    most = "€𝄞" * 10_922 + "x"
    assert shown(most) == most
    cut = shown(most + "x")
    assert cut.startswith("€𝄞€𝄞")
    assert cut.endswith("[cut: a cell holds no more]")
    assert 32_760 < len(cut.encode("utf-16-le")) // 2 <= 32_767


def test_a_sheet_that_is_full_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_SHEET_ROWS", 4)
    for count, sizes in ((0, [0]), (3, [3]), (4, [3, 1]), (8, [3, 3, 2])):
        cells = ({"n": str(number)} for number in range(count))
        book = opened(b"".join(write_workbook([Sheet("events", {"n": "whole"}, cells)], {})))
        assert [len(rows(sheet)) for sheet in book] == sizes
        assert book.sheetnames == ["events", "events 2", "events 3"][: len(sizes)]
        assert [row["n"] for sheet in book for row in rows(sheet)] == list(range(count))


def test_a_workbook_is_the_same_bytes_again_and_has_no_row_beyond_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    def made() -> bytes:
        return b"".join(
            write_workbook([Sheet("a", {"n": "text"}, ({"n": "x" * 50_000} for _ in range(6)))], {"k": "v"})
        )

    assert made() == made()
    monkeypatch.setattr(workbook, "MAX_SHEET_BYTES", 90_000)
    assert len(opened(made()).sheetnames) > 1


@pytest.mark.parametrize(
    ("cell", "kind", "value"),
    [
        ("-1.25", "number", Decimal("-1.25")), ("1e5", "number", "1e5"), ("nan", "number", "nan"), ("12", "whole", 12),
        ("1_2", "whole", "1_2"), ("at least 4", "tally", "at least 4"), ("2024-02-30", "day", "2024-02-30"),
        ("2024-02", "partial", "2024-02"), ("2024-02-01", "partial", date(2024, 2, 1)), ("true", "flag", True),
        ("yes", "flag", "yes"), ("12", "text", "12"), ("2024-02-01T25:00:00Z", "instant", "2024-02-01T25:00:00Z"),
    ],
)  # fmt: skip
def test_a_cell_that_does_not_read_stays_text(cell: str, kind: Any, value: Any) -> None:
    assert value_of(cell, kind) == value


# --- Parquet


@pytest.fixture(scope="module")
def parquet(told: Api, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("parquet") / "statuses.parquet"
    path.write_bytes(told.get(f"/v1/export?format=parquet&{CLOCKS}").content)
    return str(path)


def test_parquet_has_every_status_typed_and_exact(told: Api, parquet: str) -> None:
    table = pyarrow.parquet.read_table(parquet)
    found = table.to_pylist()
    items = told.get(f"/v1/export?{CLOCKS}").json()["items"]
    assert [json.loads(row["document"]) for row in found] == items
    kinds = {field.name: str(field.type) for field in table.schema}
    amounts = [name for name in kinds if name.endswith((".value", ".upper", ".rate"))]
    assert len(amounts) > 10
    for name in amounts:
        assert (kinds[name], kinds[f"{name}.exact"]) == ("double", "string")
    assert (kinds["version"], kinds["members.eligible"], kinds["deadline"]) == ("int64", "int64", "date32[day]")
    assert kinds["tags"] == kinds["instalments"] == "list<element: string>"
    aid, group, other = found
    assert (aid["actual.value"], aid["actual.value.exact"]) == (float(LONG), LONG)
    assert (aid["tags"], aid["window.start"], aid["last_stated_on"]) == (
        ["a", "b"], date(1890, 1, 1), date(2024, 8, 10),
    )  # fmt: skip
    assert (group["members.met"], group["members.met.exact"]) == (None, "at least 1 count:members")
    assert (group["members.not_met"], group["members.not_met.exact"]) == (1, "1")
    assert (other["target"], other["target.value"], other["conditions"]) == (None, None, None)
    metadata = table.schema.metadata
    assert (metadata[b"as_of"], metadata[b"position"]) == (b"2024-12-31", b"7")
    empty = pyarrow.parquet.read_table(io.BytesIO(told.get("/v1/export?format=parquet&as_of=1801-01-01").content))
    assert empty.num_rows == 0
    assert empty.schema.names == table.schema.names


def test_duckdb_reads_the_parquet_as_what_it_is(parquet: str) -> None:
    asked = duckdb.sql(
        f"""SELECT pledge, "actual.value", "actual.value.exact"::DECIMAL(38, 2), deadline - "window.end", tags[1],
        version FROM '{parquet}' WHERE "target.value" > 1e9 ORDER BY pledge"""
    )
    assert asked.fetchall() == [("aid-2024", float(LONG), Decimal(LONG), 0, "a", 4)]
    assert duckdb.sql(f"""SELECT sum("members.eligible") FROM '{parquet}'""").fetchall() == [(3,)]


def test_pandas_reads_the_parquet_as_what_it_is(parquet: str) -> None:
    frame = pandas.read_parquet(parquet).set_index("pledge")
    assert frame["actual.value"].dtype == "float64"
    assert frame["version"].dtype == "int64"
    assert frame.loc["aid-2024", "actual.value"] == float(LONG)
    assert Decimal(str(frame.loc["aid-2024", "actual.value.exact"])) == Decimal(LONG)
    assert frame.loc["aid-2024", "deadline"] == date(2024, 12, 31)
    assert list(frame.loc["aid-2024", "tags"]) == ["a", "b"]  # type: ignore[arg-type]
    assert frame["target.value"].sum() == 40_000_000_002
