"""IATI: valid by the schema, without a broken rule of the published ruleset, and saying no more than was said."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from tests.support.api import SOURCE, Api, progress, running
from tests.support.iati_rules import IATI, broken, schema
from tests.support.version_two import PLEDGES, YEAR, total

published = pytest.mark.skipif(not IATI.is_dir(), reason=f"IATI's schemas and rules are not at {IATI}")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Pledges of every sort. It changes nothing for all tests of this module."""
    url = f"sqlite:///{tmp_path_factory.mktemp('iati')}/tracker.db"
    with running(url, data_license="CC-BY-4.0 -- or --", origin="tracker.example/log") as api:
        for pledge, (first, *others) in PLEDGES.items():
            api.open(pledge, **first)
            for fact in others:
                api.add(fact, pledge)
        api.open("ukraine", title="Aid <2024> & more", beneficiary={"name": "Ukraine", "code": "UA"}, tags=["aid", "x"])
        api.add(progress("over 50bn EUR", figure={"stage": "disbursed"}), "ukraine")
        api.open("words", kind="qualitative", target=None, window=None)
        api.open("late", window={"end": "2023-06-30"}, beneficiary={"name": "NATO"})
        api.open("share", kind="ratio", target="at least 2 percent:gdp", part_of="late", window=None)
        for pledge, amount in (("at-most", "at most 80m EUR"), ("nearly", "nearly 80m EUR"), ("about", "about 80m EUR"),
                               ("between", "between 60m and 80m EUR")):  # fmt: skip
            api.open(pledge, target="at least 100m EUR")
            api.add(total(amount, figure={"stage": "disbursed"}), pledge)
        api.open("ceiling", target="at most 100m EUR", direction="down")
        api.add(total("up to 90m EUR", figure={"stage": "disbursed"}), "ceiling")
        api.open("shells", kind="count", target="1000000 count:shells")
        api.add(total("over 0.5m count:shells", figure={"stage": "delivered"}), "shells")
        api.open("loose", kind="count", target="at most 60 count:t", direction="down",
                 baseline={"quantity": "100 count:t"})  # fmt: skip
        group = {"rule": "each_member", "members": ["BE", "FR", "NL"], "opted_out": ["NL"]}
        api.open("members", kind="ratio", target="at least 2 percent:gdp", group=group)
        api.add({"type": "MemberReported", "stated_on": "2024-03-01", "member": "BE", "verdict": "met",
                 "source": SOURCE}, "members")  # fmt: skip
        api.open("steps", kind="milestone", target=None)
        for name, due in (("law", "2024-03"), ("office", None)):
            fact = {"type": "MilestoneScheduled", "stated_on": "2024-01-11", "milestone": name, "source": SOURCE}
            api.add(fact | ({} if due is None else {"due": due}), "steps")
        api.add({"type": "MilestoneReached", "stated_on": "2024-02-11", "milestone": "law", "source": SOURCE}, "steps")
        api.open("typo")
        figure = api.add(total("209m EUR", stated_on="2025-01-21"), "typo")["event"]["id"]
        changes = {"figure": {"quantity": {"op": "eq", "value": "20900000", "unit": "EUR"}}, "stated_on": "2025-01-22"}
        api.add({"type": "EventCorrected", "stated_on": "2025-06-01", "event": figure, "changes": changes,
                 "reason": "A typo."}, "typo")  # fmt: skip
        api.open("halves", target="at least 10m USD", window=None, instalments=[
            {"due": "2024-H2", "quantity": "4m USD"}, {"due": "2025-Q1", "quantity": "up to 3m USD"},
            {"due": "2025", "quantity": "about 3m USD"}])  # fmt: skip
        yield api


def activities(api: Api, query: str = "as_of=2025-06-30") -> dict[str, Any]:
    answer = api.get(f"/v1/export?format=iati&{query}")
    assert answer.headers["content-type"].startswith("application/xml")
    root = etree.fromstring(answer.content)
    return {one.findtext("iati-identifier").removeprefix("tracker.example-log-"): one for one in root}


def money(activity: Any) -> list[tuple[str, ...]]:
    """Type, day, value and description of each transaction."""
    return [
        (t.find("transaction-type").get("code"), t.find("transaction-date").get("iso-date"), t.findtext("value"),
         t.findtext("description/narrative"))
        for t in activity.findall("transaction")
    ]  # fmt: skip


def periods(activity: Any) -> list[tuple[Any, ...]]:
    """The days of each period of the result, its target and its actual, each with its comment."""
    found = []
    for one in activity.findall("result/indicator/period"):
        days = [one.find(name).get("iso-date") for name in ("period-start", "period-end")]
        said = [node for node in (one.find("target"), one.find("actual")) if node is not None]
        found.append((*days, *((node.get("value"), node.findtext("comment/narrative")) for node in said)))
    return found


@published
@pytest.mark.parametrize(
    "query", ["", "&as_of=2024-02-01", "&as_of=2025-06-30", "&as_of=2035-01-01", "&at_position=30"]
)
def test_it_is_valid_and_breaks_no_rule_whatever_the_pledge(told: Api, query: str) -> None:
    root = etree.fromstring(told.get(f"/v1/export?format=iati{query}").content)
    schema().assertValid(root)
    assert len(root) >= (12 if query == "&at_position=30" else 25)
    assert broken(root, datetime.now(UTC).date()) == []


@published
def test_the_rules_are_evaluated(told: Api) -> None:
    """The evaluation finds what is wrong with an activity that lacks what ours have, and in IATI's own example."""
    activity = activities(told)["recurring"]
    for element in [*activity.findall("sector"), *activity.findall("recipient-region"), activity.find("activity-date")]:
        activity.remove(element)
    activity.find("budget/period-end").set("iso-date", "2031-01-01")
    activity.find("transaction/transaction-date").set("iso-date", "2999-01-01")
    activity.find("iati-identifier").text = "other/ "
    rules = {(one.severity, one.rule) for one in broken(activity.getroottree(), datetime.now(UTC).date())}
    assert rules >= {
        ("error", "atleast_one"), ("error", "if_then"), ("error", "time_limit"), ("error", "date_order"),
        ("warning", "startswith"), ("warning", "regex_matches"), ("warning", "no_spaces"),
    }  # fmt: skip
    example = etree.parse(IATI / "activity-standard-example-annotated_2.03.xml")
    errors = [one.rule for one in broken(example, datetime.now(UTC).date()) if one.severity == "error"]
    assert errors == ["loop", "loop", "if_then", "if_then", "atleast_one", "no_more_than_one"], "it shows all at once"


def test_every_activity_has_a_start_a_sector_and_a_recipient(told: Api) -> None:
    found = activities(told)
    assert len(found) > 25
    for activity in found.values():
        assert activity.findall("activity-date[@type='1']")
        assert [one.get("code") for one in activity.findall("sector")] == ["99810"]
        assert len(activity.findall("recipient-country") + activity.findall("recipient-region")) == 1
    starts = {name: found[name].find("activity-date[@type='1']").get("iso-date") for name in found}
    assert starts["ukraine"] == "2024-01-01"
    assert starts["words"] == "2024-01-10", "the day on which it was made"
    assert starts["late"] == "2023-06-30", "it was made after its deadline"
    assert starts["recurring"] == "2020-01-01"
    ends = {name: [one.get("iso-date") for one in found[name].findall("activity-date[@type='3']")] for name in found}
    assert (ends["ukraine"], ends["words"], ends["recurring"]) == (["2024-12-31"], [], ["2022-12-31"])
    assert found["ukraine"].find("recipient-country").get("code") == "UA"
    assert found["late"].findtext("recipient-region/narrative") == "NATO"
    assert "names no country" in found["words"].findtext("recipient-region/narrative")


def test_it_says_what_was_promised_and_what_it_came_to(told: Api) -> None:
    found = activities(told)
    ukraine = found["ukraine"]
    assert ukraine.findtext("title/narrative") == "Aid <2024> & more"
    assert ukraine.get("default-currency") == "EUR"
    assert money(ukraine) == [
        ("12", "2024-01-10", "40000000000", "at least 40,000,000,000 EUR (“at least 40bn EUR”)"),
        ("3", "2024-07-10", "50000000000", "over 50,000,000,000 EUR (“over 50bn EUR”)"),
    ]
    assert ukraine.find("result") is None
    assert found["share"].find("related-activity").get("ref") == found["late"].findtext("iati-identifier")
    assert [one.text for one in found["joint"].findall("participating-org/narrative")] == ["Denmark", "Norway"]
    assert {one.get("secondary-reporter") for a in found.values() for one in a.findall("reporting-org")} == {"1"}


def test_a_corrected_figure_has_the_day_on_which_it_was_said(told: Api) -> None:
    for query in ("as_of=2025-02-01", "as_of=2025-06-30"):
        _, (_, on, value, _) = money(activities(told, query)["typo"])
        assert (on, value) == ("2025-01-22", "20900000")


def test_an_upper_bound_is_no_disbursement(told: Api) -> None:
    found = activities(told)
    for name in ("at-most", "nearly"):
        assert [kind for kind, *_ in money(found[name])] == ["12"]
        assert "80" in found[name].findtext("description/narrative")
        assert "upper bound" in found[name].findtext("description/narrative")
    assert money(found["about"])[1][:3] == ("3", "2025-01-20", "80000000")
    assert money(found["about"])[1][3].startswith("about 80,000,000 EUR")
    assert money(found["between"])[1][2] == "60000000"
    assert money(found["between"])[1][3].startswith("between 60,000,000 EUR and 80,000,000 EUR")
    assert money(found["ceiling"]) == [], "a ceiling promises no money"
    assert money(found["envelope"])[0][2:] == ("100000000", "up to 100,000,000 EUR (“at most 100m EUR”)")


def test_instalments_are_budgets_and_planned_disbursements(told: Api) -> None:
    found = activities(told)

    def planned(name: str, element: str) -> list[tuple[str, ...]]:
        return [
            (one.find("period-start").get("iso-date"), one.find("period-end").get("iso-date"), one.findtext("value"))
            for one in found[name].findall(element)
        ]

    assert planned("instalments", "budget") == [("2024-01-01", "2024-12-31", "100000000")]
    assert planned("instalments", "planned-disbursement") == [
        ("2024-03-01", "2024-03-31", "10000000"), ("2024-06-01", "2024-06-30", "20000000"),
        ("2024-12-01", "2024-12-31", "70000000"),
    ]  # fmt: skip
    assert planned("halves", "budget") == [
        ("2024-01-01", "2024-12-31", "4000000"),
        ("2025-01-01", "2025-12-31", "6000000"),
    ]
    assert planned("halves", "planned-disbursement") == [
        ("2024-07-01", "2024-12-31", "4000000"), ("2025-01-01", "2025-12-31", "3000000"),
    ]  # fmt: skip
    assert "up to 3,000,000 USD" in found["halves"].findtext("description[@type='4']/narrative")
    assert [value for _, _, value in planned("recurring", "budget")] == ["100000000000"] * 3
    assert [(kind, on, value) for kind, on, value, _ in money(found["recurring"])] == [
        ("12", "2024-01-10", "100000000000"), ("2", "2020-12-31", "83000000000"),
        ("12", "2024-01-10", "100000000000"), ("2", "2021-12-31", "90000000000"),
        ("12", "2024-01-10", "100000000000"), ("2", "2022-12-31", "116000000000"),
    ]  # fmt: skip
    assert found["conditions"].find("conditions").get("attached") == "1"
    assert "if parliament agrees: open" in found["conditions"].findtext("description[@type='4']/narrative")


def test_what_is_no_money_is_a_result(told: Api) -> None:
    found = activities(told)
    for name in ("shells", "relative", "loose", "members", "steps", "words", "ceiling", "constant-prices", "share"):
        assert found[name].findall("transaction") == []
        assert len(found[name].findall("result")) == 1, name
    year = (YEAR["start"], YEAR["end"])
    assert periods(found["shells"]) == [
        (*year, ("1000000", "1,000,000 shells (“1000000 count:shells”)"),
         ("500000", "over 500,000 shells (“over 0.5m count:shells”); for 2024")),
    ]  # fmt: skip
    baseline = found["relative"].find("result/indicator/baseline")
    assert (baseline.get("year"), baseline.get("iso-date"), baseline.get("value")) == ("1990", None, "100")
    assert found["relative"].find("result/indicator").get("ascending") == "0"
    ((*days, target, actual),) = periods(found["relative"])
    assert (tuple(days), target[0], actual[0]) == (year, "45", "63")
    assert "at least 55" in target[1]
    assert found["loose"].find("result/indicator/baseline") is None
    assert "100 t" in found["loose"].findtext("result/indicator/description/narrative")
    assert [one.get("measure") for one in found["share"].findall("result/indicator")] == ["2"]
    assert [one.findtext("title/narrative") for one in found["members"].findall("result/indicator")] == [
        "% of GDP", "Members that keep it",
    ]  # fmt: skip
    assert periods(found["members"])[1][2:] == (
        ("2", "all who are bound by it"), ("1", "1 not reported, 1 opted out"),
    )  # fmt: skip
    assert periods(found["steps"])[0][2:] == (("2", "law: reached, due Mar 2024; office: scheduled"), ("1", None))
    assert found["words"].find("result/indicator").get("measure") == "5"
    assert periods(found["words"])[0][:3] == ("2024-01-10", "2025-06-30", (None, "Aid of 2024"))
    assert periods(found["ceiling"])[0][3][0] == "90000000"
    assert periods(found["ceiling"])[0][3][1].startswith("up to 90,000,000 EUR")
