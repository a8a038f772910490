"""Parties, parts, and statuses over time: counted by what is in force at the clocks."""

from typing import Any

import pytest

from tests.support.api import SOURCE, Api, made, problem, progress


@pytest.fixture(scope="module")
def told(module_api: Api) -> Api:
    """One API of each kind for all tests of this module, which change nothing."""
    fill(module_api)
    return module_api


def fill(api: Api) -> None:
    ukraine, belgium = {"name": "Ukraine", "code": "UA"}, {"name": "Belgium", "code": "BE"}
    items: list[dict[str, Any]] = [
        {"pledge": "aid", "fact": made(pledgor={"name": "Alliance of States"}, beneficiary=ukraine,
                                       joint=[{"party": belgium}])},
        {"pledge": "aid-be", "fact": made(pledgor=belgium, beneficiary=ukraine, part_of="aid", title="Its share")},
        {"pledge": "old", "fact": made(pledgor={"name": "Old Bank", "code": "OBK"}, target="100 USD")},
        {"pledge": "aid", "fact": progress("over 50bn EUR", stated_on="2024-07-01")},
        {"pledge": "old", "fact": {"type": "PledgeRevised", "stated_on": "2024-06-01", "source": SOURCE,
                                   "pledgor": {"name": "New Bank", "code": "NBK"}, "reason": "merged"}},
    ]  # fmt: skip
    answer = api.post("/v1/events", items)
    assert answer.status_code == 201, answer.text


DAY = "as_of=2024-08-01"


def test_parties_are_counted_by_who_is_in_force_joint_ones_too(told: Api) -> None:
    body = told.get(f"/v1/parties?{DAY}").json()
    assert body["items"] == [
        {"key": "alliance-of-states", "name": "Alliance of States",
         "as_pledgor": {"total": 1, "by_status": {"exceeded": 1}}, "as_beneficiary": {"total": 0, "by_status": {}}},
        {"key": "BE", "name": "Belgium", "as_pledgor": {"total": 2, "by_status": {"announced": 1, "exceeded": 1}},
         "as_beneficiary": {"total": 0, "by_status": {}}},
        {"key": "NBK", "name": "New Bank", "as_pledgor": {"total": 1, "by_status": {"announced": 1}},
         "as_beneficiary": {"total": 0, "by_status": {}}},
        {"key": "UA", "name": "Ukraine", "as_pledgor": {"total": 0, "by_status": {}},
         "as_beneficiary": {"total": 2, "by_status": {"announced": 1, "exceeded": 1}}},
    ]  # fmt: skip
    assert (body["total"], body["next_cursor"], body["position"]) == (4, None, 5)
    before = told.get("/v1/parties?as_of=2024-02-01").json()["items"]
    assert [party["key"] for party in before] == ["alliance-of-states", "BE", "OBK", "UA"]
    assert told.get("/v1/parties?at_position=0").json()["items"] == []


def test_parties_are_paged_as_lists_are(told: Api) -> None:
    answer = told.get(f"/v1/parties?{DAY}&limit=3")
    page, seen = answer.json(), answer.json()["items"]
    assert 'rel="next"' in answer.headers["link"]
    assert page["total"] == 4
    rest = told.get(f"/v1/parties?limit=3&cursor={page['next_cursor']}").json()
    assert [party["key"] for party in seen + rest["items"]] == ["alliance-of-states", "BE", "NBK", "UA"]
    assert rest["as_of"] == "2024-08-01"
    problem(told.get(f"/v1/pledges?cursor={page['next_cursor']}"), 400, "invalid_parameter")


def test_one_party_has_sums_and_the_changes_of_its_pledges(told: Api) -> None:
    party = told.get(f"/v1/parties/ua?{DAY}").json()
    assert (party["key"], party["name"]) == ("UA", "Ukraine")
    assert party["as_pledgor"] == {"total": 0, "by_status": {}, "totals": []}
    (total,) = party["as_beneficiary"]["totals"]
    assert (total["unit"], total["pledges"], total["target"]["value"]) == ("EUR", 1, "40000000000")
    assert [(c["pledge"], c["as_of"], c["status_before"], c["status_after"]) for c in party["changes"]] == [
        ("aid", "2024-07-01", "announced", "exceeded"),
        ("aid-be", "2024-01-10", None, "announced"),
        ("aid", "2024-01-10", None, "announced"),
    ]
    assert party["changes"][1]["title"] == "Its share"
    assert told.get(f"/v1/parties/Alliance-of-States?{DAY}").json()["name"] == "Alliance of States"
    gone = told.get(f"/v1/parties/obk?{DAY}").json()
    assert (gone["name"], gone["as_pledgor"]["total"]) == ("Old Bank", 0)
    assert [change["as_of"] for change in gone["changes"]] == ["2024-01-10"]
    for key in ("nobody", "NBK?as_of=2024-02-01", "a%09b", "%00", "p"):
        problem(told.get(f"/v1/parties/{key}"), 404, "party_not_found")


def test_parts_are_shown_with_their_statuses(told: Api) -> None:
    body = told.get(f"/v1/pledges/aid/parts?{DAY}").json()
    assert (body["by_status"], [item["pledge"] for item in body["items"]]) == ({"announced": 1}, ["aid-be"])
    assert (body["total"], body["position"]) == (1, 5)
    assert told.get(f"/v1/pledges/old/parts?{DAY}").json()["items"] == []
    problem(told.get("/v1/pledges/nothing/parts"), 404, "pledge_not_found")
    problem(told.get("/v1/pledges/aid/parts?as_of=2024-01-09"), 404, "pledge_not_found")


def test_statuses_are_counted_at_the_ends_of_months_and_on_the_last_day(told: Api) -> None:
    body = told.get("/v1/statuses?to=2024-07-15").json()
    assert [item["as_of"] for item in body["items"]] == [
        *("2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31", "2024-06-30", "2024-07-15"),
    ]
    assert body["items"][0]["by_status"] == {"announced": 3}
    assert body["items"][-1]["by_status"] == {"announced": 2, "exceeded": 1}

    def days(query: str) -> list[str]:
        answer = told.get(f"/v1/statuses?{query}")
        assert answer.status_code == 200, answer.text
        return [item["as_of"] for item in answer.json()["items"]]

    assert days("every=quarter&from=2024-02-01&to=2024-09-30") == ["2024-03-31", "2024-06-30", "2024-09-30"]
    assert days("every=year&as_of=2026-02-01") == ["2024-12-31", "2025-12-31", "2026-02-01"]
    assert days("from=2024-05-31&to=2024-05-31") == ["2024-05-31"]
    assert told.get("/v1/statuses?from=2023-12-01&to=2023-12-31").json()["items"] == [
        {"as_of": "2023-12-31", "by_status": {}}
    ]
    assert told.get("/v1/statuses?at_position=0").json()["items"] == []
    filtered = told.get("/v1/statuses?to=2024-07-15&from=2024-06-30&pledgor=NBK&status=announced").json()["items"]
    assert [item["by_status"] for item in filtered] == [{"announced": 1}, {"announced": 1}]
    for query in ("from=2024-02-01&to=2024-01-01", "every=week", "from=1900-01-01&to=2024-01-01"):
        problem(told.get(f"/v1/statuses?{query}"), 400, "invalid_parameter")


def test_tables_of_them_are_csv(told: Api) -> None:
    parties = told.get(f"/v1/parties?{DAY}&format=csv").text.splitlines()
    assert parties[0].startswith("key,name,as_pledgor.total,as_pledgor.by_status.")
    assert parties[2].startswith("BE,Belgium,2,")
    statuses = told.get("/v1/statuses?to=2024-01-31", headers={"Accept": "text/csv"}).text.splitlines()
    columns = dict(zip(statuses[0].split(","), statuses[1].split(","), strict=True))
    assert (columns["as_of"], columns["by_status.announced"], columns["by_status.met"]) == ("2024-01-31", "3", "")
    parts = told.get(f"/v1/pledges/aid/parts?{DAY}&format=csv").text.splitlines()
    assert parts[1].startswith("aid-be,Its share,")
