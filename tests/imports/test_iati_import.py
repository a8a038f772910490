"""IATI activities as facts: transactions, budgets, planned disbursements and results; hostile files are refused."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from api.imports.iati_xml import activities_of
from api.imports.items import UnreadableFile
from tests.support.import_files import read_items, written
from tests.support.paths import SHARED
from tests.support.shell import Shell, with_tables
from tracker.fact_reading import read_fact

ACTIVITY = """
<iati-activity default-currency="EUR" last-updated-datetime="2024-07-01T10:00:00Z" xml:lang="en">
 <iati-identifier>XM-EX-1/water</iati-identifier>
 <reporting-org ref="XM-EX-1" type="10"><narrative>Ministry of Example</narrative></reporting-org>
 <title><narrative xml:lang="fr">Eau</narrative><narrative>Water for all</narrative></title>
 <participating-org role="1" ref="XM-EX-2"><narrative>Fund of Example</narrative></participating-org>
 <activity-date type="1" iso-date="2024-01-01"/><activity-date type="3" iso-date="2024-12-31"/>
 <recipient-country code="KE"/>
 <transaction ref="T-1"><transaction-type code="2"/><transaction-date iso-date="2024-02-01"/><value>100</value></transaction>
 <transaction ref="T-2"><transaction-type code="3"/><transaction-date iso-date="2024-03-01"/><value>30.5</value>
  <description><narrative>First payment</narrative></description></transaction>
 <transaction ref="T-3"><transaction-type code="4"/><transaction-date iso-date="2024-03-01"/><value>9.5</value></transaction>
 <transaction ref="T-4"><transaction-type code="3"/><transaction-date iso-date="2024-04-01"/><value>-5</value></transaction>
 <transaction><transaction-type code="1"/><transaction-date iso-date="2024-02-01"/><value>100</value></transaction>
 <budget type="1"><period-start iso-date="2024-01-01"/><period-end iso-date="2024-06-30"/><value>40</value></budget>
 <budget type="2"><period-start iso-date="2024-01-01"/><period-end iso-date="2024-06-30"/><value>60</value></budget>
 <budget type="1"><period-start iso-date="2024-07-01"/><period-end iso-date="2024-12-31"/><value>60</value></budget>
 <planned-disbursement><period-start iso-date="2024-03-01"/><period-end iso-date="2024-03-31"/><value>120</value></planned-disbursement>
 <result type="1"><title><narrative>Output</narrative></title><indicator measure="1"><title><narrative>Wells dug</narrative></title>
  <period><period-start iso-date="2024-01-01"/><period-end iso-date="2024-06-30"/><target value="10"/><actual value="11"/></period>
 </indicator></result>
</iati-activity>
"""  # noqa: E501


def activities(*activity: str) -> str:
    return f'<?xml version="1.0"?>\n<iati-activities version="2.03">{"".join(activity)}</iati-activities>'


def read(path: Path) -> tuple[list[Any], list[str], list[str]]:
    remarks: list[str] = []
    items, problems = read_items(path, note_remark=remarks.append)
    return items, [str(problem) for problem in problems], remarks


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    """A database with its tables."""
    return with_tables(database_url, tmp_path)


def statuses(shell: Shell, as_of: str = "2024-12-01") -> dict[str, dict[str, Any]]:
    lines = shell.run("replay", "--as-of", as_of).stdout.splitlines()
    return {status["pledge"]: status for status in map(json.loads, lines)}


def test_an_activity_is_a_pledge_with_what_became_of_it(tmp_path: Path) -> None:
    items, problems, remarks = read(written(tmp_path / "a.xml", activities(ACTIVITY)))
    assert problems == []
    assert remarks == ["activity 1: transactions that do not go out are left out: 1 of type 1"]
    made, committed, paid, returned, result, actual = (item.fact for item in items)
    for item in items:
        read_fact(item.fact)
    assert (made["title"], made["pledgor"]) == ("Water for all", {"name": "Fund of Example", "code": "XM-EX-2"})
    assert made["beneficiary"] == {"name": "Kenya", "code": "KE"}
    assert made["target"] == {"op": "eq", "value": "120", "unit": "EUR"}
    assert made["instalments"] == [{"due": "2024-03-31", "quantity": made["target"]}]
    assert made["window"] == {"start": "2024-01-01", "end": "2024-12-31"}
    assert made["source"] == {
        "publisher": "Ministry of Example", "tier": "official", "locator": "iati XM-EX-1/water activity",
    }  # fmt: skip
    assert (committed["figure"]["stage"], committed["source"]["reference"]) == ("committed", "T-1")
    assert (paid["figure"]["quantity"]["value"], "reference" in paid["source"]) == ("40", False)
    assert paid["summary"] == "2 transactions of one day: T-2, T-3. First payment"
    assert (returned["figure"]["quantity"]["value"], bool(returned["reason"])) == ("-5", True)
    assert (result["target"], result["part_of"]) == (
        {"op": "ge", "value": "10", "unit": "count:wells-dug"}, "iati-xm-ex-1-water",
    )  # fmt: skip
    assert actual["figure"]["quantity"]["value"] == "11"


def test_activities_are_recorded_and_followed_from_file_to_file(shell: Shell) -> None:
    path = shell.write("a.xml", activities(ACTIVITY))
    shell.run("import", path)
    found = statuses(shell)
    assert (found["iati-xm-ex-1-water"]["actual"]["value"], found["iati-xm-ex-1-water"]["status"]) == (
        "35",
        "in_progress",
    )
    assert found["iati-xm-ex-1-water-result-1-1"]["status"] == "exceeded"
    head = shell.head()
    shell.write("a.xml", activities(ACTIVITY.replace(">30.5<", ">50.5<")))
    shell.run("import", path, "--released-on", "2024-10-01")
    assert shell.head() == head
    shell.run("import", path, "--released-on", "2024-10-01", "--restate")
    moved = [statuses(shell, as_of)["iati-xm-ex-1-water"]["actual"]["value"] for as_of in ("2024-09-30", "2024-10-01")]
    assert (moved, shell.head()) == (["35", "55"], head + 1)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("XM-EX-1/water</iati", "</iati", "activity 1: /iati-identifier: an activity needs its identifier"),
        (">100<", ">1,00<", 'activity 1: /transaction/1/value: "1,00" is no decimal number'),
        (' default-currency="EUR"', "", "activity 1: /transaction/1/value: neither the value nor the activity"),
        ('2024-02-01"/><value>100', 'soon"/><value>100', "activity 1: /transaction/1/transaction-date: a transaction"),
        ('target value="10"', 'target value="ten"', 'activity 1: /result/indicator/1/period/1: "ten" is no decimal'),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    _, problems, _ = read(written(tmp_path / "a.xml", activities(ACTIVITY.replace(old, new))))
    assert any(problem.startswith(says) for problem in problems), problems


BOMB = """<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><iati-activities>&b;</iati-activities>"""


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (BOMB, "the file declares a DOCTYPE"),
        ("<html/>", "this is XML of <html>; an IATI file has <iati-activities>"),
        ("<iati-activities>", "this is not XML: no element found"),
        ("", "this is not XML"),
        (f"<iati-activities>{'<a>' * 60}{'</a>' * 60}</iati-activities>", "elements lie deeper than 50"),
    ],
)
def test_a_hostile_file_is_refused(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(UnreadableFile, match=says):
        read(written(tmp_path / "a.xml", content))


def test_an_activity_of_too_many_elements_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.imports.iati_xml.MAX_PART_ELEMENTS", 10)
    with pytest.raises(UnreadableFile, match="an activity has more than 10 elements"):
        read(written(tmp_path / "a.xml", activities(ACTIVITY)))


def test_a_large_file_is_read_an_activity_at_a_time(tmp_path: Path) -> None:
    padding = "<description><narrative>x</narrative></description>" * 200
    path = written(tmp_path / "a.xml", activities(*[f"<iati-activity>{padding}</iati-activity>"] * 500))
    tracemalloc.start()
    try:
        assert sum(1 for _ in activities_of(path)) == 500
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 2
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not (SHARED / "data/iati").is_dir(), reason="the published examples are not here")
def test_the_published_example_of_the_standard_is_read() -> None:
    items, problems, remarks = read(SHARED / "data/iati/activity-standard-example-annotated_2.03.xml")
    assert problems == []
    assert [item.fact["type"] for item in items] == ["PledgeMade", "PledgeMade", "ProgressReported"]
    assert items[0].fact["target"] == {"op": "eq", "value": "3000", "unit": "EUR"}
    assert any("transactions that do not go out are left out: 1 of type 1" in remark for remark in remarks)
    for item in items:
        read_fact(item.fact)
