"""Writing over HTTP: what is recorded, what is refused, in which order, and that a refusal leaves nothing behind."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.api import EVENTS, MONITOR, SOURCE, Api, made, problem, progress, statement

VOID = {
    "type": "EventVoided",
    "stated_on": "2024-08-01",
    "event": "01890000-0000-7000-8000-000000000000",
    "reason": "x",
}
BACKWARDS = {"start": "2024-07-01", "end": "2024-06-30"}


def test_a_pledge_is_opened_and_its_receipt_is_whole(api: Api) -> None:
    answer = api.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()})
    assert answer.status_code == 201
    assert answer.headers["location"] == "/v1/pledges/aid-2024"
    assert answer.headers["etag"] == '"1"'
    receipt = answer.json()
    assert (receipt["position"], receipt["version"], receipt["replayed"]) == (1, 1, False)
    event = receipt["event"]
    assert (event["pledge"], event["version"], event["position"]) == ("aid-2024", 1, 1)
    assert event["recorded_by"] == "admin"
    assert event["recorded_at"].endswith("Z")
    assert event["fact"]["target"] == {
        "op": "ge", "value": "40000000000", "unit": "EUR", "text": "at least 40bn EUR",
    }  # fmt: skip
    assert api.get("/v1/pledges/aid-2024/events").json()["items"] == [event]


def test_the_writers_next_read_shows_the_write(api: Api) -> None:
    api.open()
    for month in range(2, 8):
        api.add(progress(f"{month}bn EUR", stated_on=f"2024-{month:02}-01"))
        assert api.get("/v1/pledges/aid-2024").json()["version"] == month
        assert api.get("/v1/pledges").json()["items"][0]["actual"]["value"] == f"{month}000000000"
        assert api.get("/v1/pledges").json()["position"] == month


def test_a_slug_left_out_is_made_from_the_title(lite: Api) -> None:
    first = lite.post("/v1/pledges", {"fact": made(title="Größe: 2 Mio. Bäume für São Paulo!")})
    assert first.json()["event"]["pledge"] == "groe-2-mio-baume-fur-sao-paulo"
    problem(lite.post("/v1/pledges", {"fact": made(title="Größe: 2 Mio. Bäume für São Paulo!")}), 409, "pledge_exists")
    long = lite.post("/v1/pledges", {"fact": made(title="word " * 59)}).json()["event"]["pledge"]
    assert len(long) <= 128
    assert lite.post("/v1/pledges", {"fact": made(title="Допомога")}).json()["event"]["pledge"].startswith("pledge-")


@pytest.mark.parametrize(
    ("fact", "status", "code", "pointer"),
    [
        ({}, 422, "invalid_fact", "/type"),
        ({"type": "PledgeUpdated"}, 422, "invalid_fact", "/type"),
        (progress(surprise=1), 422, "invalid_fact", "/surprise"),
        (progress("20 quatloos"), 422, "invalid_fact", "/figure/quantity"),
        (progress("$1,5"), 422, "invalid_fact", "/figure/quantity"),
        (progress("20.9bn"), 422, "invalid_fact", "/figure/quantity"),
        (progress({"op": "eq", "value": 20.9, "unit": "EUR"}), 422, "invalid_fact", "/figure/quantity/value"),
        (progress({"op": "eq", "value": "1e9", "unit": "EUR"}), 422, "invalid_fact", "/figure/quantity/value"),
        (progress({"op": "eq", "value": "1", "unit": "EURO"}), 422, "invalid_fact", "/figure/quantity/unit"),
        (progress(stated_on="2024-02-30"), 422, "invalid_fact", "/stated_on"),
        (progress(stated_on=20240710), 422, "invalid_fact", "/stated_on"),
        (progress(quote="x" * 301), 422, "invalid_fact", "/quote"),
        (progress(speaker={"name": "X", "code": "XX"}), 422, "invalid_fact", "/speaker/code"),
        (progress(figure={"period": BACKWARDS}), 422, "invalid_fact", "/figure/period"),
        (progress("-1bn EUR", figure={"basis": "increment"}), 422, "invalid_fact", None),
        ({**progress(), "source": None}, 422, "invalid_fact", "/source"),
        (progress(stated_on="2199-01-01"), 422, "future_statement", "/stated_on"),
        (progress("5m count:trees"), 422, "unit_mismatch", "/figure/quantity/unit"),
        (progress(figure={"basis": "increment"}), 409, "mixed_basis", "/figure/basis"),
        (progress("21bn EUR"), 409, "duplicate_fact", ""),
        (made(), 409, "pledge_exists", ""),
        (VOID, 422, "unknown_event", "/event"),
        (VOID | {"event": "no-such-event"}, 422, "unknown_event", "/event"),
        (VOID | {"event": ""}, 422, "invalid_fact", "/event"),
        (
            {"type": "MemberReported", "stated_on": "2024-08-01", "member": "BE", "verdict": "met", "source": SOURCE},
            422, "invalid_fact", "/member",
        ),
        (statement(members_met=["x" * 100] * 600), 413, "too_large", None),
    ],
)  # fmt: skip
def test_a_refused_fact_leaves_nothing_behind(
    kept: Api, fact: dict[str, Any], status: int, code: str, pointer: str | None
) -> None:
    before = kept.head()
    refused = problem(kept.post(EVENTS, fact), status, code, pointer)
    if code == "duplicate_fact":
        assert refused["event"] == kept.get("/v1/pledges/aid-2024/events").json()["items"][1]["id"]
    assert kept.head() == before


def test_what_acts_on_what_is_checked(api: Api) -> None:
    first = api.open()["event"]["id"]
    talk = api.add(statement())["event"]["id"]
    restated = {"type": "FigureRestated", "stated_on": "2024-09-01", "event": talk, "reason": "x", "source": SOURCE}
    restated["figure"] = progress()["figure"]
    problem(api.post(EVENTS, restated), 422, "wrong_event_type", "/event")
    void = {"type": "EventVoided", "stated_on": "2024-09-01", "event": talk, "reason": "twice"}
    api.add(void)
    problem(api.post(EVENTS, void), 409, "already_voided", "/event")
    retracted = {"type": "StatementRetracted", "stated_on": "2024-09-01", "event": first, "reason": "x"}
    problem(api.post(EVENTS, retracted | {"source": SOURCE}), 422, "wrong_event_type", "/event")
    assert api.head() == 3


def test_a_single_fact_for_an_unknown_pledge_is_404(api: Api) -> None:
    for fact in (progress(), made()):
        problem(api.post("/v1/pledges/nobody/events", fact), 404, "pledge_not_found")
    problem(api.post("/v1/pledges/NO%00BODY/events", progress()), 404, "pledge_not_found")
    problem(api.post("/v1/pledges/nobody/events", {"type": "?"}), 422, "invalid_fact", "/type")
    assert api.head() == 0


@pytest.mark.parametrize(
    ("body", "code", "status", "pointer"),
    [
        ({"pledge": "Not A Slug", "fact": made()}, "invalid_fact", 422, "/pledge"),
        ({"pledge": None, "fact": made()}, "invalid_fact", 422, "/pledge"),
        ({"pledge": "x"}, "invalid_fact", 422, "/fact"),
        ({"pledge": "x", "fact": made(), "status": "met"}, "invalid_fact", 422, "/status"),
        ({"pledge": "x", "fact": made(title="")}, "invalid_fact", 422, "/fact/title"),
        ({"pledge": "x", "fact": {"title": "no type"}}, "invalid_fact", 422, "/fact/type"),
        ({"pledge": "x", "fact": progress()}, "not_opened", 422, "/fact/type"),
        ([], "invalid_fact", 422, ""),
        ({"pledge": "x", "fact": made(kind="count")}, "unit_mismatch", 422, "/fact/target"),
        ({"pledge": "x", "fact": made(stated_on="2199-01-01")}, "future_statement", 422, "/fact/stated_on"),
    ],
)
def test_opening_a_pledge_is_checked(kept: Api, body: Any, code: str, status: int, pointer: str) -> None:
    problem(kept.post("/v1/pledges", body), status, code, pointer)
    assert kept.head() == 2


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"", None),
        (b"{", 1),
        (b'{"type": "StatementMade",\n}', 2),
        (b'\xef\xbb\xbf{"type": "x"}', 1),
        (b'{"type": "\xff"}', 1),
        (b'{"type": NaN}', 1),
        (b'{"type": Infinity}', 1),
        (b'{"n": 1e999}', None),
        (b'{"n": ' + b"9" * 5000 + b"}", 1),
        (b"[" * 5000, 1),
        (b'{"type": "x",\n "type": "y"}', 2),
        (b'{"a": {"b": 1, "\\u0062": 2}}', 1),
        (b'"\\ud800"', 1),
        (b"{} {}", 1),
        (b"\x00", 1),
    ],
)
def test_what_is_not_json_is_malformed_and_says_where(kept: Api, body: bytes, line: int | None) -> None:
    refused = problem(kept.post(EVENTS, body), 400, "malformed")
    assert refused.get("line") == line or line is None
    assert kept.head() == 2


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/json; charset=latin-1", ""])
def test_another_content_type_is_415(kept: Api, content_type: str) -> None:
    answer = kept.post(EVENTS, json.dumps(statement()).encode(), headers={"Content-Type": content_type})
    problem(answer, 415, "unsupported_media_type")
    packed = kept.post(EVENTS, b"x", headers={"Content-Encoding": "gzip"})
    problem(packed, 415, "unsupported_media_type")


def test_a_body_that_is_too_large_is_refused_while_it_is_read(kept: Api) -> None:
    problem(kept.post(EVENTS, b" " * 70_000), 413, "too_large")

    def endless() -> Any:
        for _ in range(1000):
            yield b" " * 1000

    answer = kept.client.post(EVENTS, content=endless(), headers=MONITOR | {"Content-Type": "application/json"})
    problem(answer, 413, "too_large")
    assert kept.head() == 2


def test_refusals_come_in_one_order(lite: Api) -> None:
    lite.open()
    key = {"Idempotency-Key": "k"}
    lite.add(statement(), **key)
    everything_wrong = {"If-Match": '"9"', "Content-Type": "text/plain", **key}
    answer = lite.client.post(f"{EVENTS}?dry=1", content=b"{", headers=everything_wrong)
    problem(answer, 401, "unauthorized")
    problem(lite.post(EVENTS, b"{", headers=everything_wrong), 415, "unsupported_media_type")
    problem(lite.post(EVENTS, b"{", headers={"If-Match": '"9"', **key}), 400, "malformed")
    problem(lite.post(EVENTS, {"type": "?"}, headers={"If-Match": '"9"', **key}), 422, "idempotency_mismatch")
    problem(lite.post(EVENTS, {"type": "?"}, headers={"If-Match": '"9"'}), 412, "version_conflict")
    problem(lite.post(EVENTS, {"type": "?"}), 422, "invalid_fact")
    problem(lite.post("/v1/pledges/nobody/events", statement()), 404, "pledge_not_found")
    assert lite.head() == 2


# --- If-Match


def test_if_match_takes_a_version_or_the_tag_of_a_get(api: Api) -> None:
    api.open()
    tag = api.get("/v1/pledges/aid-2024").headers["etag"]
    api.add(statement(), **{"If-Match": tag})
    stale = api.post(EVENTS, statement(), headers={"If-Match": tag})
    assert problem(stale, 412, "version_conflict")["version"] == 2
    api.add(statement(), **{"If-Match": '"2"'})
    api.add(statement(), **{"If-Match": '"7", "3"'})
    api.add(statement(), **{"If-Match": "*"})
    problem(api.post(EVENTS, statement(), headers={"If-Match": '"x"'}), 412, "version_conflict")
    problem(api.post("/v1/pledges/nobody/events", statement(), headers={"If-Match": "*"}), 412, "version_conflict")
    assert api.head() == 5


def test_one_of_many_writers_with_one_version_wins(api: Api) -> None:
    api.open()
    with ThreadPoolExecutor(8) as pool:
        done = list(
            pool.map(lambda _: api.post(EVENTS, statement(), headers={"If-Match": '"1"'}).status_code, range(8))
        )
    assert sorted(done) == [201] + [412] * 7
    assert api.head() == 2


# --- dry runs and other parameters


def test_a_dry_run_says_what_would_be_and_records_nothing(api: Api) -> None:
    api.open()
    answer = api.post(f"{EVENTS}?dry_run=true", progress("over 50bn EUR"), headers={"Idempotency-Key": "dry"})
    assert answer.status_code == 200
    body = answer.json()
    assert [event["version"] for event in body["events"]] == [2]
    assert body["statuses"][0]["status"] == "exceeded"
    assert api.head() == 1
    opened = api.post("/v1/pledges?dry_run=true", {"pledge": "new", "fact": made()}).json()
    assert opened["statuses"][0]["pledge"] == "new"
    batch = api.post("/v1/events?dry_run=true", [{"pledge": "aid-2024", "fact": progress()}]).json()
    assert batch["statuses"][0]["actual"]["value"] == "20900000000"
    problem(api.post(f"{EVENTS}?dry_run=true", progress("1 count:x")), 422, "unit_mismatch")
    problem(api.post(f"{EVENTS}?dry_run=maybe", progress()), 400, "invalid_parameter")
    assert api.head() == 1
    assert api.post(EVENTS, progress(), headers={"Idempotency-Key": "dry"}).status_code == 201


def test_respond_async_does_not_wait(lite: Api) -> None:
    lite.open()
    answer = lite.post(EVENTS, progress(), headers={"Prefer": "respond-async, wait=1"})
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "respond-async"


def test_an_unknown_parameter_on_a_write_is_refused(kept: Api) -> None:
    problem(kept.post("/v1/pledges?dryrun=true", {"pledge": "x", "fact": made()}), 400, "unknown_parameter")
    assert kept.head() == 2
