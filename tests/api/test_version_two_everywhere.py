"""Each thing that version 2 adds, on every surface: facts, statuses, lists, summary, tables, the terminal, the page.

One server has a pledge for each (`tests.support.version_two`); a row of `SEEN` says what each surface shows of it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from api.imports.sheet_map import read_map
from tests.support.api import Api, running
from tests.support.import_files import read_items
from tests.support.pages import BROWSER, text_of
from tests.support.shell import Shell
from tests.support.version_two import PLEDGES
from tracker.event import fact_json
from tracker.fact_reading import read_fact

DAY = "as_of=2025-06-30"


@dataclass(frozen=True)
class Seen:
    """What is seen of one pledge."""

    status: dict[str, Any]
    """Members of its status, or parts of them."""

    filters: str
    """A query of a list that finds it, and not the pledge "part"."""

    cells: dict[str, str]
    """Columns of its row in CSV and Parquet."""

    terminal: str
    """A line of `tracker status`, without the spaces between name and words."""

    page: tuple[str, ...]
    """What its page says."""

    flags: tuple[str, ...] = field(default=())


def tally(kept: int, not_kept: int) -> dict[str, int]:
    closed = kept + not_kept
    return {"total": closed, "closed": closed, "kept": kept, "not_kept": not_kept, "unreported": 0, "undecided": 0}


SEEN = {
    "baseline": Seen(
        {"status": "partly_met", "baseline": {"on": "1990", "text": "as of 1990"}, "progress": {"value": "0.5"}},
        "unit=count:mtco2e",
        {"baseline.quantity": "100 count:mtco2e", "baseline.on": "1990", "progress": "50 %", "progress.value": "0.5"},
        "baseline 100 mtco2e",
        ("Baseline100 mtco2e 1990 “as of 1990”", "Of the way50 %"),
    ),
    "relative": Seen(
        {
            "target": {"op": "le", "value": "45", "unit": "count:mtco2e"},
            "relative_target": {"op": "ge", "value": "55", "unit": "percent:below-baseline"},
            "actual": {"value": "63", "unit": "count:mtco2e"},
        },
        "unit=count:mtco2e",
        {"target": "up to 45 count:mtco2e", "relative_target": "at least 55 percent:below-baseline",
         "relative_target.op": "ge", "relative_target.value": "55", "actual.value": "63"},
        "as it was said at least 55 % below baseline",
        ("Promisedup to 45 mtco2e", "As it was saidat least 55 % below baseline",
         "63 mtco2e, target at most 45 mtco2e"),
        ("provisional",),
    ),
    "recurring": Seen(
        {"status": "partly_met", "periods_tally": tally(1, 2), "actual": {"value": "116000000000"}},
        "flag=broken_period",
        {"recurrence.every": "year", "recurrence.start": "2020-01-01", "recurrence.end": "2022-12-31",
         "periods_tally.total": "3", "periods_tally.closed": "3", "periods_tally.kept": "1",
         "periods_tally.not_kept": "2", "periods_tally.unreported": "0", "periods_tally.undecided": "0"},
        "again each year: 1 of 3 years kept",
        ("1 of 3 years kept", "1 kept, 2 not kept, 0 not reported, 0 undecided; 3 of 3 closed",
         "2020Partly metUS$83bn83 %",
         "each year from 1 Jan 2020 to 31 Dec 2022"),
        ("broken_period",),
    ),
    "instalments": Seen(
        {"status": "overdue"},
        "flag=instalment_overdue",
        {"instalments": "10000000 EUR by 2024-03: paid; 20000000 EUR by 2024-06: overdue;"
                        " 70000000 EUR by 2024-12: overdue"},
        "instalments €10m (10,000,000 EUR) by Mar 2024: paid",
        ("€10m by Mar 2024: paid", "€20m by Jun 2024: overdue"),
        ("instalment_overdue",),
    ),
    "conditions": Seen(
        {"status": "conditional", "schedule": {"current": "no_deadline", "original": "no_deadline"}},
        "status=conditional",
        {"conditions": "law: open; audit: fulfilled", "schedule.current": "no_deadline"},
        "conditions law: open",
        ("if parliament agrees: open", "if the audit is clean: fulfilled", "Condition reported: audit: fulfilled"),
        ("conditional",),
    ),
    "joint": Seen(
        {"pledgor": {"name": "Denmark"}},
        "pledgor=norway",
        {"joint": "Norway (25 %)"},
        "together with Norway (25 %)",
        ("Together withNorway (25 %)",),
    ),
    "party-changes": Seen(
        {"pledgor": {"name": "New Ministry", "code": "new-ministry"}},
        "party=OLD-AGENCY",
        {"pledgor.name": "New Ministry", "pledgor.code": "new-ministry"},
        "by, for New Ministry",
        ("Pledgor from then on: New Ministry",),
    ),
    "equivalent": Seen(
        {"status": "exceeded", "actual": {"value": "8000000000", "unit": "SEK"},
         "conversion": {"from": "SEK", "to": "USD", "provider": "source"}, "ratio": {"value": "1.085714"}},
        "flag=converted",
        {"actual": "8000000000 SEK", "conversion.from": "SEK", "conversion.to": "USD",
         "conversion.provider": "source"},
        "converted SEK to USD, as the source says",
        ("ConvertedSEK to USD as the source says", "The source says that it comes to US$760m."),
        ("converted",),
    ),
    "constant-prices": Seen(
        {"status": "exceeded", "actual": {"value": "60000000", "unit": "USD:constant-2020"}},
        "unit=USD:constant-2020",
        {"target.unit": "USD:constant-2020", "actual.unit": "USD:constant-2020", "actual.value": "60000000"},
        "reported US$60m in 2020 prices (60,000,000 USD in 2020 prices)",
        ("US$60m in 2020 prices of at least US$50m in 2020 prices", "Also reportedUS$70m"),
    ),
    "references": Seen(
        {"actual": {"value": "5000000"}, "evidence": "corroborated"},
        "q=one transaction",
        {"actual.value": "5000000", "evidence": "corroborated"},
        "evidence two origins or more",
        ("reference TX-1", "two origins or more"),
    ),
    "duplicates": Seen(
        {"actual": {"value": "10000000"}},
        "flag=suspected_duplicate",
        {"actual.value": "10000000"},
        "flag: duplicate? Two reports may be of one payment; both count until a reviewer ranks one.",
        ("two reports may be of one payment; both count until a reviewer ranks one",),
        ("suspected_duplicate",),
    ),
    "envelope": Seen(
        {"status": "partly_met", "target": {"op": "le"}},
        "flag=envelope",
        {"target.op": "le", "flags": "envelope; single_source"},
        "flag: envelope “up to” so much was promised: compared as that much.",
        ("“up to” so much was promised: compared as that much",),
        ("envelope",),
    ),
    "on": Seen(
        {"status": "met", "schedule": {"current": "kept_late", "original": "kept_late"}},
        "flag=late",
        {"schedule.current": "kept_late", "members.met": "2"},
        "schedule kept late",
        ("It was soNov 2024", "It was soFeb 2025", "kept late"),
        ("late",),
    ),
    "rated": Seen(
        {"assessment": {"rating": "Compromise", "rubric": "Promise meter", "rubric_version": "3"}},
        "rating=Compromise&rubric=Promise meter",
        {"assessment.rating": "Compromise", "assessment.rubric": "Promise meter", "assessment.rubric_version": "3"},
        "assessed Compromise (Promise meter 3)",
        ("AssessedCompromise Promise meter 3",),
    ),
    "estimates": Seen(
        {"actual": {"value": "15000000"}},
        "flag=estimated",
        {"actual.value": "15000000", "flags": "estimated; single_source"},
        "flag: estimated The figure is an estimate.",
        ("the figure is an estimate",),
        ("estimated",),
    ),
    "promised-only": Seen(
        {"actual": None, "announced_amounts": [{"period": {"start": "2024-01-01", "end": "2024-12-31"}}]},
        "q=only said again",
        {"announced_amounts": "100000000000 EUR"},
        "promised only €100bn (100,000,000,000 EUR)",
        ("Promised only€100bn for 2024",),
    ),
    "reinstated": Seen(
        {"lifecycle": "active"},
        "flag=reinstated",
        {"lifecycle": "active", "flags": "reinstated"},
        "flag: reinstated Withdrawn once, and promised again.",
        ("withdrawn once, and promised again",),
        ("reinstated",),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Server:
    """The API with all the pledges, and the command on the same database."""

    api: Api
    shell: Shell


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("version-two")
    url = f"sqlite:///{folder}/tracker.db"
    with running(url) as api:
        items = [{"pledge": name, "fact": fact} for name, facts in PLEDGES.items() for fact in facts]
        answer = api.post("/v1/events", items)
        assert answer.status_code == 201, answer.text
        yield Server(api, Shell(url, folder))


def parts(wanted: Any, found: Any) -> Any:
    """Of what is found the parts that are wanted."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return {name: parts(value, found.get(name)) for name, value in wanted.items()}
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [parts(one, other) for one, other in zip(wanted, found, strict=True)]
    return found


def test_every_pledge_has_a_row() -> None:
    assert SEEN.keys() == PLEDGES.keys() - {"part"}


@pytest.mark.parametrize("name", SEEN)
def test_a_status_tells_it(server: Server, name: str) -> None:
    document = server.api.get(f"/v1/pledges/{name}?{DAY}").json()
    assert parts(SEEN[name].status, document) == SEEN[name].status
    assert set(SEEN[name].flags) <= set(document["flags"])


@pytest.mark.parametrize("name", SEEN)
def test_a_list_finds_it(server: Server, name: str) -> None:
    items = server.api.get(f"/v1/pledges?{DAY}&{SEEN[name].filters}").json()["items"]
    found = {item["pledge"] for item in items}
    assert name in found
    assert "part" not in found


def test_parts_are_found_by_their_whole(server: Server) -> None:
    items = server.api.get(f"/v1/pledges?{DAY}&part_of=rated").json()["items"]
    assert [item["pledge"] for item in items] == ["part"]


def test_tables_have_its_columns(server: Server) -> None:
    text = server.api.get(f"/v1/export?format=csv&{DAY}").text
    of_csv = {row["pledge"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    raw = server.api.get(f"/v1/export?format=parquet&{DAY}").content
    of_parquet = {row["pledge"]: row for row in pq.read_table(io.BytesIO(raw)).to_pylist()}
    for name, seen in SEEN.items():
        assert parts(seen.cells, of_csv[name]) == seen.cells, name
        found = {column: of_parquet[name][column] for column in seen.cells}
        assert {column: cell for column, cell in found.items() if cell is not None}.keys() == seen.cells.keys(), name
        as_text = {column: cell for column, cell in found.items() if isinstance(cell, str)}
        assert as_text == {column: seen.cells[column] for column in as_text}, name


@pytest.mark.parametrize("name", SEEN)
def test_the_terminal_tells_it(server: Server, name: str) -> None:
    lines = server.shell.run("status", name, "--as-of", "2025-06-30").stdout.splitlines()
    assert SEEN[name].terminal in [" ".join(line.split()) for line in lines]


@pytest.mark.parametrize("name", SEEN)
def test_the_page_tells_it_in_words(server: Server, name: str) -> None:
    text = text_of(server.api.get(f"/pledges/{name}?{DAY}", headers=BROWSER).text)
    for words in SEEN[name].page:
        assert words in text


def targets_of(summary: dict[str, Any]) -> dict[str, str | None]:
    return {total["unit"]: total["target"] and total["target"]["value"] for total in summary["totals"]}


def test_the_summary_counts_each_and_apportions_what_was_promised_together(server: Server) -> None:
    summary = server.api.get(f"/v1/summary?{DAY}&by=pledgor").json()
    for flag in {flag for seen in SEEN.values() for flag in seen.flags}:
        assert summary["flags"][flag] == 1, flag
    assert summary["by_status"]["conditional"] == 1
    targets = targets_of(summary)
    assert targets["USD:constant-2020"] == "50000000"
    assert targets["DKK"] == "100000000"
    groups = {group["key"]: targets_of(group) for group in summary["groups"]}
    assert groups["DK"] == {"DKK": "75000000"}
    assert groups["NO"] == {"DKK": "25000000"}
    assert "new-ministry" in groups
    ratings = server.api.get(f"/v1/summary?{DAY}&by=rating").json()["groups"]
    assert [group["key"] for group in ratings] == ["Compromise"]


@pytest.mark.parametrize("name", PLEDGES)
def test_its_facts_come_back_from_the_columns_of_an_import_and_of_a_map(
    server: Server, name: str, tmp_path: Path
) -> None:
    text = server.api.get(f"/v1/pledges/{name}/events?format=csv").text
    (tmp_path / "events.csv").write_text(text, encoding="utf-8", newline="")
    items, problems = read_items(tmp_path / "events.csv")
    assert problems == []
    wanted = [fact_json(read_fact(fact)) for fact in PLEDGES[name]]
    assert [fact_json(read_fact(item.fact)) for item in items] == wanted

    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    used = [c for c in rows[0] if any(row[c] for row in rows) and c not in ENVELOPE]
    own = {column: f"Own {number}" for number, column in enumerate(used)}
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(own.values())
    writer.writerows([row[column] for column in own] for row in rows)
    (tmp_path / "own.csv").write_text(out.getvalue(), encoding="utf-8", newline="")
    (tmp_path / "map.toml").write_text(a_map(name, [row["type"] for row in rows], own), encoding="utf-8")
    items, problems = read_items(tmp_path / "own.csv", mapping=read_map(tmp_path / "map.toml"))
    assert problems == []
    assert [fact_json(read_fact(item.fact)) for item in items] == wanted


ENVELOPE = ("id", "pledge", "version", "position", "recorded_at", "recorded_by")


def a_map(name: str, types: list[str], own: dict[str, str]) -> str:
    """A map that reads the columns of somebody's own names, one rule for each type of fact."""
    lines = []
    for type_ in dict.fromkeys(types):
        fields = ", ".join(f"{json.dumps(c)} = {json.dumps('{' + o + '}')}" for c, o in own.items() if c != "type")
        when = f"{{ {json.dumps(own['type'])} = {json.dumps(type_)} }}"
        lines.append(f'[[fact]]\nwhen = {when}\ntype = "{type_}"\npledge = "{name}"\nfields = {{ {fields} }}\n')
    return "\n".join(lines)
