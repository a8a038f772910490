"""Lists over HTTP: several values of a filter, words in facts, counts beside them, and members to keep."""

import csv
import io
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.api import SOURCE, Api, made, problem, progress, statement


@pytest.fixture(scope="module")
def listed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests.support.api import running

    with running(f"sqlite:///{tmp_path_factory.mktemp('lists')}/tracker.db") as api:
        fill(api)
        yield api


def fill(api: Api) -> None:
    rutte = {"name": "Mark Rutte", "code": "mark-rutte"}
    items: list[dict[str, Any]] = [
        {"pledge": "aid", "fact": made(title="Military aid", tags=["nato", "ukraine"], speaker=rutte,
            pledgor={"name": "NATO Allies", "code": "NATO"}, beneficiary={"name": "Ukraine", "code": "UA"})},
        {"pledge": "aid-be", "fact": made(title="Belgium's share", tags=["nato"], part_of="aid", window=None,
            pledgor={"name": "Belgium", "code": "BE"}, beneficiary={"name": "Ukraine", "code": "UA"},
            joint=[{"party": {"name": "Bank, of Things"}}], target="at least 1.5bn EUR")},
        {"pledge": "spending", "fact": made(title="Defence spending", kind="ratio", target="at least 2 percent:gdp",
            pledgor={"name": "NATO Allies", "code": "NATO"}, tags=["spending"])},
        {"pledge": "aid", "fact": progress("over 50bn EUR", stated_on="2024-11-01", summary="Announced in Kyiv.")},
        {"pledge": "aid-be", "fact": {"type": "AssessmentIssued", "stated_on": "2024-09-01", "rating": "B, so far",
            "rubric": "R", "rubric_version": "1", "reasoning": "x"}},
        {"pledge": "spending", "fact": {"type": "PledgeRevised", "stated_on": "2024-06-01", "source": SOURCE,
            "title": "Defence outlay", "pledgor": {"name": "Alliance of States"}, "reason": "renamed"}},
    ]  # fmt: skip
    answer = api.post("/v1/events", items)
    assert answer.status_code == 201, answer.text


def names(api: Api, query: str) -> list[str]:
    answer = api.get(f"/v1/pledges?as_of=2024-12-01&{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == len(answer.json()["items"])
    return [item["pledge"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=exceeded&status=announced", ["aid", "aid-be", "spending"]),
        ("status=exceeded,announced&kind=ratio", ["spending"]),
        ("tag=spending,ukraine", ["aid", "spending"]),
        ("tag=spending&tag=ukraine", ["aid", "spending"]),
        ("unit=EUR&unit=percent:gdp", ["aid", "aid-be", "spending"]),
        ("unit=USD,percent:gdp", ["spending"]),
        ("pledge=aid,spending", ["aid", "spending"]),
        ("pledge=aid&pledge=none", ["aid"]),
        ("part_of=aid,aid-be", ["aid-be"]),
        ("pledgor=be&pledgor=nato", ["aid", "aid-be", "spending"]),
        (f"pledgor={quote('Bank, of Things')}", ["aid-be"]),
        ("party=bank-of-things&party=UA", ["aid", "aid-be"]),
        (f"rating={quote('B, so far')}&rating=C", ["aid-be"]),
        ("rubric=R&rubric=S", ["aid-be"]),
        ("flag=single_source,late&flag=disputed", ["aid"]),
    ],
)
def test_several_values_of_a_filter_are_or_and_different_filters_and(listed: Api, query: str, found: list[str]) -> None:
    assert names(listed, query) == found


@pytest.mark.parametrize(
    "query",
    [
        *("due_before=2025-01-01&due_before=2025-01-02", "q=a&q=b", "sort=due&sort=due", "limit=1&limit=2", "status="),
        *("status=met&status=", "tag=Nato", "tag=nato,", "unit=EUR&unit=euro", "pledge=a,,b", "pledgor=BE&pledgor="),
        *("part_of=a&part_of=B", "fields=", "fields=pledge,name", "fields=pledge&fields=title", "facets=yes"),
        *("kind=money,euro", "flag=late,red"),
    ],
)
def test_what_may_stand_once_or_is_no_value_is_400(listed: Api, query: str) -> None:
    problem(listed.get(f"/v1/pledges?{query}"), 400, "invalid_parameter")


@pytest.mark.parametrize(
    ("q", "found"),
    [
        *(("40bn", ["aid"]), ("€40bn", ["aid"]), ("40 billion", ["aid"]), ("40,000,000,000", ["aid"])),
        *(("€50BN", ["aid"]), ("1.5bn", ["aid-be"]), ("2 %", ["spending"]), ("2%", ["spending"]), ("3 %", [])),
        *(("rutte", ["aid"]), ("mark-rutte aid", ["aid"]), ("kyiv", ["aid"]), ("AID-BE", ["aid-be"])),
        *(("belgium ukraine", ["aid-be"]), ("defence", ["spending"]), ("outlay", ["spending"]), ("nato", None)),
        *(("alliance states", ["spending"]), ("bank things", ["aid-be"]), ("kyiv spending", [])),
    ],
)
def test_words_occur_in_facts_in_force(listed: Api, q: str, found: list[str] | None) -> None:
    assert names(listed, f"q={quote(q)}") == (["aid", "aid-be", "spending"] if found is None else found)


def test_words_are_searched_at_the_clocks(api: Api) -> None:
    api.open()
    said = api.add(statement(summary="Under revue.", stated_on="2024-08-01"))["event"]["id"]
    correction = {"summary": "Under review."}
    api.add({"type": "EventCorrected", "stated_on": "2024-09-01", "event": said, "reason": "typo",
             "changes": correction})  # fmt: skip
    api.add({"type": "StatementRetracted", "stated_on": "2024-10-01", "event": said, "reason": "no", "source": SOURCE})

    def found(q: str, clocks: str) -> bool:
        return bool(api.get(f"/v1/pledges?q={q}&{clocks}").json()["items"])

    assert found("review", "as_of=2024-08-01")
    assert not found("review", "as_of=2024-07-31")
    assert not found("revue", "as_of=2024-08-01")
    assert found("revue", "as_of=2024-08-01&at_position=2")
    assert not found("review", "as_of=2024-08-01&at_position=2")
    assert not found("review", "as_of=2024-10-01")
    assert found("review", "as_of=2024-10-01&at_position=3")


def test_a_cursor_and_a_link_keep_every_value(listed: Api) -> None:
    first = listed.get("/v1/pledges?as_of=2024-12-01&limit=1&pledgor=NATO&pledgor=Bank,%20of%20Things&status=exceeded"
                       "&status=announced&fields=pledge")  # fmt: skip
    seen, link = first.json()["items"], first.headers.get("link")
    while link:
        following = listed.get(link.partition(">")[0].removeprefix("<"))
        assert following.status_code == 200, following.text
        seen, link = seen + following.json()["items"], following.headers.get("link")
    assert seen == [{"pledge": "aid"}, {"pledge": "aid-be"}, {"pledge": "spending"}]


def test_the_day_of_the_last_change_sorts(listed: Api) -> None:
    for sort, found in (("changed", ["aid-be", "spending", "aid"]), ("-changed", ["aid", "aid-be", "spending"])):
        page = listed.get(f"/v1/pledges?as_of=2024-12-01&sort={sort}&limit=2").json()
        rest = listed.get(f"/v1/pledges?as_of=2024-12-01&sort={sort}&limit=2&cursor={page['next_cursor']}").json()
        assert [item["pledge"] for item in page["items"] + rest["items"]] == found


def test_facets_count_with_all_filters_but_their_own(listed: Api) -> None:
    body = listed.get("/v1/pledges?as_of=2024-12-01&facets=true&status=exceeded&limit=1").json()
    facets = body["facets"]
    assert facets["status"] == [{"key": "announced", "count": 2}, {"key": "exceeded", "count": 1}]
    assert facets["kind"] == [{"key": "money", "count": 1}]
    assert facets["tag"] == [{"key": "nato", "count": 1}, {"key": "ukraine", "count": 1}]
    assert facets["pledgor"] == [{"key": "NATO", "name": "NATO Allies", "count": 1}]
    assert facets["beneficiary"] == [{"key": "UA", "name": "Ukraine", "count": 1}]
    whole = listed.get("/v1/pledges?as_of=2024-12-01&facets=true").json()["facets"]
    for facet, entries in whole.items():
        for entry in entries:
            query = f"{facet}={quote(entry['key'])}"
            assert len(names(listed, query)) == entry["count"], query
    assert {entry["key"] for entry in whole["pledgor"]} == {"NATO", "BE", "bank-of-things", "alliance-of-states"}
    assert "facets" not in listed.get("/v1/pledges?facets=false").json()


def test_fields_keep_members_in_every_format(listed: Api) -> None:
    query = "as_of=2024-12-01&fields=status,pledge,actual&pledge=aid"
    item = listed.get(f"/v1/pledges?{query}").json()["items"][0]
    assert item == {"pledge": "aid", "status": "exceeded", "actual": item["actual"]}
    assert item["actual"]["value"] == "50000000000"
    rows = list(csv.reader(io.StringIO(listed.get(f"/v1/pledges?{query}&format=csv").text)))
    assert rows[0] == ["pledge", "status", "actual", "actual.op", "actual.value", "actual.upper", "actual.unit"]
    assert rows[1][:4] == ["aid", "exceeded", "over 50000000000 EUR", "gt"]
    assert listed.get(f"/v1/pledges?{query}&format=ndjson").json() == item
