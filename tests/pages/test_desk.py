"""What stands around the form: the pledge by its title, passages that are read, one's own facts, copies of sources."""

import hashlib
from typing import Any

import pytest

from api.http.access_keys import create_key
from tests.support.api import MONITOR, SOURCE, Api, problem, progress, statement
from tests.support.pages import BROWSER, text_of

PDF = b"%PDF-1.7 a page"
SHA256 = hashlib.sha256(PDF).hexdigest()
OTHER = "ab" * 32


def bearer(api: Api, name: str, role: Any) -> dict[str, str]:
    key = create_key(api.services.engine, name, role)
    api.services.keys.refresh()
    return {"Authorization": f"Bearer {key}"}


# --- finding the pledge


def test_a_pledge_is_found_by_words_of_its_title(lite: Api) -> None:
    lite.open("aid-2024", title="Security assistance")
    lite.open("trees-2024", title="Plant trees in the city")
    lite.open("trees-2025", title="Plant trees on the coast")
    found = lite.get("/record?find=trees&type=StatementMade", headers=BROWSER)
    assert "Plant trees in the city" in found.text
    assert 'href="/record?type=StatementMade&amp;pledge=trees-2025"' in found.text
    one = lite.get("/record?find=security&type=StatementMade", headers=BROWSER, follow_redirects=False)
    assert (one.status_code, one.headers["location"]) == (302, "/record?type=StatementMade&pledge=aid-2024")
    slug = lite.get("/record?find=trees-2024", headers=BROWSER, follow_redirects=False)
    assert slug.headers["location"] == "/record?pledge=trees-2024"
    nothing = lite.get("/record?find=nowhere", headers=BROWSER)
    assert (nothing.status_code, "No pledge has these words." in nothing.text) == (200, True)


def test_another_pledge_is_found_from_the_form_of_one(lite: Api) -> None:
    lite.open("aid-2024", title="Security assistance")
    lite.open("trees-2024", title="Plant trees")
    event = lite.add(statement())["event"]["id"]
    asked = f"/record?pledge=aid-2024&type=EventVoided&event={event}&find=trees"
    assert lite.get(asked, headers=BROWSER, follow_redirects=False).headers["location"] == (
        "/record?pledge=trees-2024&type=EventVoided"
    )


# --- events as choices


def test_events_read_by_number_day_amount_and_publisher(lite: Api) -> None:
    lite.open(kind="count", target="at least 1m count:trees")
    lite.add(progress("65,000 trees", stated_on="2024-10-10"))
    page = lite.get("/record?pledge=aid-2024&type=EventCorrected", headers=BROWSER).text
    assert "2 · 10\xa0Oct\xa02024 · 65,000\xa0trees · Example Gazette" in page
    assert "Choose the event: its own form opens here, filled in." in page


# --- passages

PASSAGE = """On 10 October 2024 Example Gazette wrote: "more than half of the 65,000 trees that Belgium promised stand",
the mayor, Ada Green, said. It cost €1.2bn, up from between 10 and 12 million euros by March 2023, or 3/4/2022."""


def test_a_passage_offers_amounts_days_and_who_is_known(lite: Api) -> None:
    lite.open(pledgor={"name": "City of Example"}, group={"rule": "each_member", "members": ["BE", "FR"]})
    lite.add(statement(speaker={"name": "Ada Green", "code": "ada-green"}))
    said = lite.post("/record/reading", {"pledge": "aid-2024", "passage": PASSAGE})
    assert (said.status_code, said.headers["cache-control"]) == (200, "no-store")
    found = said.json()
    texts = [one["words"] for one in found["amounts"]]
    assert "€1.2bn" in texts
    assert "between 10 and 12 million euros" in texts
    assert {"text": "10 October 2024", "date": "2024-10-10"} in found["dates"]
    assert {"text": "March 2023", "date": "2023-03"} in found["dates"]
    assert not any("2022" in one["date"] for one in found["dates"])  # 3 April or 4 March: nothing is guessed
    assert {"name": "Ada Green", "code": "ada-green"} in found["parties"]
    assert {"name": "Belgium", "code": "BE"} in found["parties"]
    assert found["members"] == [{"name": "Belgium", "code": "BE"}]
    assert found["publishers"] == ["Example Gazette"]
    assert lite.head() == 2


def test_words_are_read_as_the_form_shows_them(lite: Api) -> None:
    said = lite.post("/record/reading", {"words": ["6,500 count:trees", "some"]}).json()["words"]
    assert said[0] == {"exact": "6,500\xa0trees"}
    assert "problem" in said[1]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"passage": "a" * 8_001}, "/passage"),
        ({"passage": 1}, "/passage"),
        ({"words": ["a"] * 21}, "/words"),
        ({"words": "a"}, "/words"),
        ({"pledge": "No Slug"}, "/pledge"),
        ({"other": 1}, ""),
        ([], ""),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_place(lite: Api, body: Any, pointer: str) -> None:
    problem(lite.post("/record/reading", body), 422, "invalid_fact", pointer)


def test_contributors_read_passages_and_readers_do_not(lite: Api) -> None:
    body = {"passage": "€1.2bn"}
    assert lite.client.post("/record/reading", json=body, headers=bearer(lite, "carla", "contributor")).is_success
    problem(lite.client.post("/record/reading", json=body, headers=bearer(lite, "rita", "reader")), 403, "forbidden")
    problem(lite.client.post("/record/reading", json=body), 401, "unauthorized")


# --- one's own last facts


def test_own_facts_are_listed_the_latest_first_and_only_ones_own(api: Api) -> None:
    mona, milo = bearer(api, "mona", "monitor"), bearer(api, "milo", "monitor")
    api.open()
    for number in range(22):
        body = statement(summary=f"Word {number}.")
        who = milo if number == 20 else mona
        assert api.client.post("/v1/pledges/aid-2024/events", json=body, headers=who).is_success
    items = api.get("/record/mine", headers=mona).json()["items"]
    assert len(items) == 20
    assert items[0]["words"].endswith("Word 21. · Example Gazette")
    assert not any("Word 20." in item["words"] for item in items)
    assert all(item["can_undo"] and not item["is_void"] for item in items)
    assert [item["pledge"] for item in api.get("/record/mine", headers=milo).json()["items"]] == ["aid-2024"]
    problem(api.get("/record/mine", headers=bearer(api, "carla", "contributor")), 403, "forbidden")
    problem(api.get("/record/mine"), 401, "unauthorized")


def test_what_was_undone_is_void_and_a_void_is_not_undone(lite: Api) -> None:
    lite.open()
    event = lite.add(statement())["event"]["id"]
    lite.add({"type": "EventVoided", "stated_on": "2024-08-02", "event": event, "reason": "a test"})
    void, undone, _ = lite.get("/record/mine", headers=MONITOR).json()["items"]
    assert (void["type"], void["can_undo"], void["is_void"]) == ("EventVoided", False, False)
    assert (undone["event"], undone["can_undo"], undone["is_void"]) == (event, False, True)


# --- copies of sources


def record_of(api: Api) -> str:
    return text_of(api.get("/pledges/aid-2024/record", headers=BROWSER).text)


def test_the_record_says_of_an_event_whether_a_copy_is_kept_and_matches(lite: Api) -> None:
    lite.open()
    lite.add(progress(source={**SOURCE, "sha256": SHA256}))
    assert f"No copy is kept here. SHA-256 {SHA256}" in record_of(lite)
    put = lite.client.put("/v1/captures", content=PDF, headers=MONITOR | {"Content-Type": "application/pdf"})
    assert put.status_code == 201
    assert f"A copy is kept here, and it matches. SHA-256 {SHA256}" in record_of(lite)  # with no event in between
    archive = lite.services.settings.archive_directory
    assert archive is not None
    (kept,) = archive.glob("*/*")
    kept.write_bytes(b"%PDF-1.7 changed")
    assert f"A copy is kept here, and its bytes no longer match. SHA-256 {SHA256}" in record_of(lite)


def test_a_copy_that_was_captured_later_stands_with_its_event(lite: Api) -> None:
    lite.open()
    named = lite.add(progress(source={**SOURCE, "sha256": OTHER}))["event"]["id"]
    bare = lite.add(statement())["event"]["id"]
    lite.client.put("/v1/captures", content=PDF, headers=MONITOR | {"Content-Type": "application/pdf"})
    for event in (named, bare):
        lite.add({"type": "SourceCaptured", "stated_on": "2024-09-01", "event": event, "sha256": SHA256})
    told = record_of(lite)
    assert f"No copy is kept here. SHA-256 {OTHER}" in told
    assert f"A copy is kept here, and it matches. The fact names another one. SHA-256 {SHA256}" in told
    assert f"A copy is kept here, and it matches. SHA-256 {SHA256}" in told


def test_the_record_offers_to_act_on_events_as_the_api_lets_it(lite: Api) -> None:
    lite.open()
    event = lite.add(progress())["event"]["id"]
    page = lite.get("/pledges/aid-2024/record", headers=BROWSER).text
    for fact_type in ("EventCorrected", "FigureRestated", "FigureRanked", "StatementRetracted", "EventVoided"):
        assert f"type={fact_type}&amp;event={event}" in page
    opened = lite.get("/v1/pledges/aid-2024/events").json()["items"][0]["id"]
    assert f"type=FigureRanked&amp;event={opened}" not in page
