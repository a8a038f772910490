"""The page of imports: what a check answers, and that its batches are recorded as a batch of anybody is."""

import json
from typing import Any

import pytest

from api.http.access_keys import create_key
from tests.support.api import Api
from tests.support.pages import BROWSER

MAP = """
[follow]
name = "sheet"
[fields]
publisher = "Institute"
tier = "other"
stated_on = "2024-02-01"
[[fact]]
type = "PledgeMade"
once = true
pledge = "{Donor|slug}"
ref = "{Donor}"
fields = { title = "{Donor}", pledgor = "{Donor}", kind = "money", target = "10 EUR" }
[[fact]]
type = "ProgressReported"
pledge = "{Donor|slug}"
ref = "{Donor} paid"
fields = { quantity = "{Paid} EUR", basis = "cumulative" }
"""
SHEET = "Donor,Paid\r\nFenwick,5\r\n"
SHARES = """{"pledge":"p","fact":{"type":"PledgeMade","stated_on":"2024-01-01","title":"P","pledgor":{"name":"P"},\
"kind":"money","source":{"publisher":"P","tier":"media"}}}
{"pledge":"p","ref":"half","fact":{"type":"ProgressReported","stated_on":"2024-02-01","source":{"publisher":"P",\
"tier":"media"},"figure":{"quantity":"5 EUR","basis":"cumulative"}}}
{"pledge":"p","fact":{"type":"StatementRetracted","stated_on":"2024-03-01","event":{"ref":"half"},"reason":"r",\
"source":{"publisher":"P","tier":"media"}}}
"""


def check(api: Api, content: str, name: str = "f.csv", own_map: str = "", code: int = 200, **query: str) -> Any:
    body = (own_map + content).encode()
    asked = {"name": name, **({"map_bytes": str(len(own_map.encode()))} if own_map else {}), **query}
    answer = api.post("/import", body, params=asked, headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == code, answer.text
    if code != 200:
        return answer.json()
    found, *batches = map(json.loads, answer.text.splitlines())
    return {**found, "batches": batches}


def recorded(api: Api, found: Any) -> int:
    """The number of facts that are recorded of a checked file."""
    count = 0
    for batch in found["batches"]:
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": batch["key"]}
        answer = api.post("/v1/events", batch["lines"].encode(), headers=headers)
        assert answer.status_code == 201, answer.text
        count += int(answer.json()["recorded"])
    return count


def test_the_page_is_there_for_every_reader(api: Api) -> None:
    page = api.get("/import", headers=BROWSER)
    assert page.status_code == 200
    assert "nato-two-percent" in page.text


def test_a_file_is_checked_by_its_map_then_recorded_then_nothing_is_left(api: Api) -> None:
    found = check(api, SHEET, own_map=MAP)
    assert (found["facts"], found["problems"], found["difference"]["new"]) == (2, [], 2)
    assert api.services.tracker.log.head() == 0
    assert recorded(api, found) == 2
    assert recorded(api, found) == 2  # the same keys again
    assert api.services.tracker.log.head() == 2
    again = check(api, SHEET, own_map=MAP)
    assert (again["facts"], again["difference"]["unchanged"]) == (0, 2)


def test_a_changed_cell_is_shown_and_restated_only_if_it_is_asked_for(api: Api) -> None:
    recorded(api, check(api, SHEET, own_map=MAP))
    later = SHEET.replace(",5", ",7")
    shown = check(api, later, own_map=MAP, released_on="2024-03-01")
    assert (shown["facts"], shown["difference"]["changed"]) == (0, 1)
    assert shown["difference"]["rows"][0]["what"] == "figure.quantity: 5 EUR → 7 EUR"
    assert recorded(api, check(api, later, own_map=MAP, released_on="2024-03-01", restate="true")) == 1
    status = api.get("/v1/pledges/fenwick?as_of=2024-03-01").json()
    assert status["actual"]["value"] == "7"
    assert api.get("/v1/pledges/fenwick?as_of=2024-02-28").json()["actual"]["value"] == "5"


def test_a_key_that_a_later_release_has_twice_is_answered_as_a_problem(api: Api) -> None:
    recorded(api, check(api, SHEET, own_map=MAP))
    twice = check(api, f"{SHEET}Fenwick,7\r\n", own_map=MAP, released_on="2024-03-01", restate="true")
    assert (twice["facts"], twice["batches"], twice["problems_total"]) == (0, [], 1)
    assert twice["problems"][0]["message"] == '"Fenwick paid" is given already, at line 2'


def test_a_release_without_rows_is_answered_as_vanished(api: Api) -> None:
    recorded(api, check(api, SHEET, own_map=MAP))
    assert check(api, "Donor,Paid\r\n", own_map=MAP, released_on="2024-03-01")["difference"]["vanished"] == 2


def test_all_problems_are_answered_and_there_is_nothing_to_record(api: Api) -> None:
    found = check(api, "pledge,type,colour,final\r\nP p,PledgeMade,red,maybe\r\n")
    assert (found["facts"], found["batches"]) == (0, [])
    assert [problem["where"] for problem in found["problems"]][:3] == ["colour", "pledge", "final"]
    assert found["problems_total"] >= 3
    assert check(api, "x", own_map="nonsense")["problems"][0]["place"] == "the map"
    assert check(api, "", name="f.xlsx")["problems"][0]["message"].startswith("this is no XLSX workbook")


def test_facts_that_name_each_other_are_recorded_together(api: Api) -> None:
    found = check(api, SHARES, name="f.ndjson")
    assert (len(found["batches"]), recorded(api, found)) == (1, 3)
    events = api.get("/v1/pledges/p/events").json()["items"]
    assert events[2]["fact"]["event"] == events[1]["id"]


def test_a_large_file_comes_in_batches(api: Api) -> None:
    rows = "".join(f"Donor {number},5\r\n" for number in range(300))
    found = check(api, f"Donor,Paid\r\n{rows}", own_map=MAP)
    assert [len(batch["rows"]) for batch in found["batches"]] == [500, 100]
    assert recorded(api, found) == 600


def test_a_file_of_too_many_rows_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.pages.importing.MAX_PAGE_ROWS", 3)
    row, activity = "Fenwick,5\r\n", "<iati-activity/>"
    many = {"f.csv": f"Donor,Paid\r\n{row * 9}", "f.ndjson": "{}\n" * 9}
    many["f.xml"] = f"<iati-activities>{activity * 9}</iati-activities>"
    for name, content in many.items():
        (problem,) = check(api, content, name, own_map=MAP if name == "f.csv" else "")["problems"]
        assert "at most 3" in problem["message"]


def test_a_map_that_makes_too_many_facts_of_a_row_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.pages.importing.MAX_PAGE_ROWS", 4)
    rule = '[[fact]]\ntype = "StatementMade"\npledge = "p"\n'
    found = check(api, "Donor,Paid\r\na,1\r\nb,2\r\n", own_map=rule * 30)
    assert "become 30 facts; split the file" in found["problems"][0]["message"]


def test_a_first_map_is_made_for_the_file(api: Api) -> None:
    assert '[fact.fields]\ntitle = "{Donor}"' in check(api, SHEET, first_map="true")["map"]


def test_a_ready_map_is_named(api: Api) -> None:
    found = check(api, "Country,2023\r\nBelgium,1.2\r\n", map="nato-two-percent")
    assert (found["facts"], found["problems"]) == (2, [])


@pytest.mark.parametrize(
    "query",
    [{"name": "f.exe"}, {"name": "../f.csv"}, {"map": "nope"}, {"map_bytes": "-1"}, {"released_on": "soon"},
     {"restate": "maybe"}, {"nope": "1"}],
)  # fmt: skip
def test_what_is_asked_wrongly_is_refused(api: Api, query: dict[str, str]) -> None:
    assert check(api, SHEET, code=400, **{"name": "f.csv", **query})["errors"]


def test_a_sheet_is_read_as_it_is_asked_for(api: Api) -> None:
    """Encoding and columns that are not to be read, as the command has them."""
    header = "pledge,type,stated_on,publisher,tier,title,pledgor,kind,colour"
    sheet = f"{header}\r\np,PledgeMade,2024-01-01,É,media,T,P,money,red\r\n"
    answer = api.post(
        "/import", sheet.encode("cp1252"), params={"name": "f.csv", "encoding": "cp1252", "ignore": "colour"},
        headers={"Content-Type": "application/octet-stream"},
    )  # fmt: skip
    found, batch = map(json.loads, answer.text.splitlines())
    assert found["problems"] == []
    assert json.loads(batch["lines"])["fact"]["source"]["publisher"] == "É"


def test_a_contributor_checks_and_proposes_what_a_file_says(api: Api) -> None:
    key = create_key(api.services.engine, "carla", "contributor")
    api.services.keys.refresh()
    mine = {"Authorization": f"Bearer {key}"}
    answer = api.client.post(
        "/import", content=(MAP + SHEET).encode(), params={"name": "f.csv", "map_bytes": str(len(MAP.encode()))},
        headers={"Content-Type": "application/octet-stream", **mine},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    _, batch = map(json.loads, answer.text.splitlines())
    made, paid = (json.loads(line) for line in batch["lines"].split("\n"))
    (place, hash_), _ = batch["rows"]
    assert place == "line 2"
    sent = [
        api.client.post("/v1/proposals", json=fact, headers={"Idempotency-Key": f"import-{hash_}", **mine})
        for fact in (made, made)
    ]
    assert [answer.status_code for answer in sent] == [201, 201]
    assert sent[0].json()["proposal"] == sent[1].json()["proposal"]
    behind = api.client.post("/v1/proposals", json=paid, headers=mine)
    assert behind.status_code == 404  # its pledge waits itself
    assert api.client.post("/v1/events", content=batch["lines"], headers=mine).status_code == 403


def test_only_who_may_propose_checks_files(api: Api) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    assert api.client.post("/import?name=f.csv", content=b"a", headers=headers).status_code == 401
    assert api.post("/import?name=f.csv", b"a", headers={"Content-Type": "text/csv"}).status_code == 415
