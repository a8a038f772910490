"""The maps that come with the program, each on a small file in the public shape of its publisher; numbers invented."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from api.imports.sheet_map import parse_map, ready_map, ready_map_names
from tests.support.import_files import workbook
from tests.support.paths import ROOT
from tests.support.shell import Shell, with_tables

FTS_COLUMNS = (
    "date,budgetYear,description,amountUSD,srcOrganization,srcOrganizationTypes,srcLocations,srcUsageYearStart,"
    "srcUsageYearEnd,destPlan,destPlanCode,destPlanId,destOrganization,destOrganizationTypes,destGlobalClusters,"
    "destLocations,destProject,destProjectCode,destEmergency,destUsageYearStart,destUsageYearEnd,contributionType,"
    "flowType,method,boundary,onBoundary,status,firstReportedDate,decisionDate,keywords,originalAmount,originalCurrency,"
    "exchangeRate,id,refCode,createdAt,updatedAt"
).split(",")
"""The columns of the files of flows on the Humanitarian Data Exchange, in their order."""

FTS_TAGS = {
    "date": "#date", "budgetYear": "#date+year", "description": "#description+notes",
    "amountUSD": "#value+funding+total+usd", "srcOrganization": "#org+name+funder",
    "destPlanCode": "#activity+appeal+id+external", "destOrganization": "#org+name+impl", "status": "#status+text",
    "originalAmount": "#value+funding+total", "originalCurrency": "#value+funding+total+currency",
    "id": "#activity+id+fts_internal", "refCode": "#activity+code",
}  # fmt: skip


def flow(id_: str, status: str, **cells: str) -> dict[str, str]:
    about = {"date": "2024-03-05", "description": "Food", "amountUSD": "1000000", "destPlanCode": "HUKR24"}
    parties = {"srcOrganization": "Fenwick, Government of", "destOrganization": "World Food Programme"}
    return {**about, **parties, "status": status, "id": id_, **cells}


def csv_of(columns: list[str], *rows: dict[str, str]) -> str:
    quoted = (",".join(f'"{row.get(column, "")}"' for column in columns) for row in rows)
    return "\r\n".join([",".join(columns), *quoted]) + "\r\n"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """An SQLite database with its tables."""
    return with_tables(f"sqlite:///{tmp_path}/tracker.db", tmp_path)


def statuses(shell: Shell, **clocks: str) -> dict[str, dict[str, Any]]:
    options = [part for name, value in clocks.items() for part in (f"--{name.replace('_', '-')}", value)]
    lines = shell.run("replay", *options).stdout.splitlines()
    return {status["pledge"]: status for status in map(json.loads, lines)}


def imported(shell: Shell, path: Path, name: str, day: str = "2024-07-01", *options: str) -> None:
    shell.run("import", path, "--map", name, "--released-on", day, "--restate", *options)


def test_every_ready_map_is_a_map_and_stands_in_the_docs() -> None:
    page = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
    for name in ready_map_names():
        assert parse_map(ready_map(name)).follow is not None
        assert f"`{name}`" in page


def test_months_of_the_kiel_tracker_are_increments_of_a_donors_aid(shell: Shell) -> None:
    rows: list[list[Any]] = [
        ["Country", "Jan 2024", "Feb 2024", "March 2024"],
        ["Fenwick", 0.5, None, 1.25], ["Ruritania", 0, 0.1, "n/a"], ["Total", 0.5, 0.1, 1.25],
        ["Source: invented", None, None, None],
    ]  # fmt: skip
    imported(shell, workbook(shell.directory / "kiel.xlsx", rows), "kiel-months")
    found = statuses(shell, as_of="2024-07-01")
    assert {pledge: status["actual"]["value"] for pledge, status in found.items()} == {
        "kiel-fenwick-aid-to-ukraine": "1750000000", "kiel-ruritania-aid-to-ukraine": "100000000",
    }  # fmt: skip
    assert statuses(shell, as_of="2024-06-30") == {}
    rows[1][1] = 0.75
    imported(shell, workbook(shell.directory / "kiel.xlsx", rows), "kiel-months", "2024-08-01")
    moved = [
        statuses(shell, as_of=day)["kiel-fenwick-aid-to-ukraine"]["actual"] for day in ("2024-07-31", "2024-08-01")
    ]
    assert [amount["value"] for amount in moved] == ["1750000000", "2000000000"]


def test_the_kiel_releases_sheet_of_months_is_increments_of_each_type_of_aid(shell: Shell) -> None:
    book = Workbook()
    summary = book.active
    assert summary is not None
    summary.title = "Country Summary (€)"
    summary.append(["Country", "Total bilateral allocations"])
    page = book.create_sheet("Allocations by type and month")
    rows: list[list[Any]] = [
        [None, "Allocations by type of assistance and month"], [None, "billions of euros"], [],
        [None, "Month", *(f"{kind} allocations" for kind in ("Financial", "Humanitarian", "Military", "Total"))],
        [None, datetime(2024, 1, 1), 1.5, 0.25, 2, 3.75], [None, datetime(2024, 2, 1), 0, 0.5, 1.125, 1.625],
        [None, "Total", 1.5, 0.75, 3.125, 5.375],
    ]  # fmt: skip
    for row in rows:
        page.append(row)
    book.save(shell.directory / "kiel.xlsx")
    imported(shell, shell.directory / "kiel.xlsx", "kiel-types")
    found = statuses(shell, as_of="2024-07-01")
    assert {pledge: status["actual"]["value"] for pledge, status in found.items()} == {
        "kiel-financial-allocations-to-ukraine": "1500000000",
        "kiel-humanitarian-allocations-to-ukraine": "750000000",
        "kiel-military-allocations-to-ukraine": "3125000000",
    }


def test_a_flow_of_fts_is_a_promise_whose_stage_moves(shell: Shell) -> None:
    euros = {"originalAmount": "900000", "originalCurrency": "EUR"}
    path = shell.write("fts.csv", csv_of(FTS_COLUMNS, FTS_TAGS, flow("1", "pledge"), flow("2", "paid", **euros)))
    imported(shell, path, "fts-flows")
    found = statuses(shell, as_of="2024-07-01")
    assert {pledge: status["status"] for pledge, status in found.items()} == {"fts-1": "announced", "fts-2": "met"}
    with shell.log() as log:
        facts = [json.loads(row.state)["fact"] for row in log.read()]
    (paid,) = (fact for fact in facts if fact.get("figure", {}).get("stage") == "disbursed")
    assert (paid["source"]["reference"], paid["figure"]["quantity"]["unit"]) == ("2", "EUR")
    assert paid["figure"]["equivalent"]["value"] == "1000000"
    shell.write("fts.csv", csv_of(FTS_COLUMNS, FTS_TAGS, flow("1", "paid"), flow("2", "paid", **euros)))
    imported(shell, path, "fts-flows", "2024-09-01")
    assert [statuses(shell, as_of=day)["fts-1"]["status"] for day in ("2024-08-31", "2024-09-01")] == [
        "announced",
        "met",
    ]


def test_natos_table_is_a_result_of_each_member_in_each_year(shell: Shell) -> None:
    rows = [
        "Country,2023,2024e", "Belgium*,1.21,1.30", "Poland,3.26,4.12", "Türkiye,1.56,2.09", "Slovak Republic,1.9,..",
        "United States,3.24,3.38", "NATO Total,2.6,2.7",
    ]  # fmt: skip
    path = shell.write("nato.csv", "\r\n".join(rows) + "\r\n")
    imported(shell, path, "nato-two-percent")
    members = statuses(shell, as_of="2024-12-31")["nato-two-percent"]["members"]
    assert (members["eligible"], members["met"], members["not_met"]) == (31, 3, 2)
    path = shell.write("nato.csv", path.read_text(encoding="utf-8").replace("1.30", "2.0"))
    imported(shell, path, "nato-two-percent", "2025-07-01")
    assert statuses(shell, as_of="2025-07-01")["nato-two-percent"]["members"]["met"] == 4


def test_natos_workbook_is_read_with_its_titles_and_the_block_below(shell: Shell) -> None:
    years: list[Any] = [None, "2023", "2024", "2025e", "2026e"]
    rows: list[list[Any]] = [
        ["Table 3: Core defence expenditure as a share of GDP and annual real change"],
        ["(based on 2021 prices)"], [], ["Share of real GDP (%)"], years,
        ["Belgium*", 1.21, 1.3, 2.0, 2.02], ["Türkiye", 1.56, 2.09, "..", 2.33], ["NATO Total", 2.5, 2.6, 2.7, 2.8],
        [], ["Annual real change (%)"], years, ["Belgium", 5.0, 6.0, 7.0, 8.0],
    ]  # fmt: skip
    imported(shell, workbook(shell.directory / "nato.xlsx", rows, "TABLE3"), "nato-two-percent", "2026-07-09")
    with shell.log() as log:
        facts = [json.loads(row.state)["fact"] for row in log.read()]
    shares = [(f["member"], f["on"], f["verdict"], f["figure"].get("nature")) for f in facts if "member" in f]
    assert sorted(shares)[:4] == [
        ("BE", "2023", "not_met", None), ("BE", "2024", "not_met", None), ("BE", "2025", "met", "estimate"),
        ("BE", "2026", "met", "estimate"),
    ]  # fmt: skip
    assert len(shares) == 7


def test_a_name_that_is_neither_a_file_nor_a_ready_map_is_wrong_usage(shell: Shell) -> None:
    path = shell.write("f.csv", "a\r\n")
    assert "there are: fts-flows, kiel-months, kiel-types, nato-two-percent" in shell.run(
        "import", path, "--map", "nope", code=2
    ).stderr.replace("\n", " ")
