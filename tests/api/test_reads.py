"""Reading over HTTP: both clocks, lists and cursors, strict parameters, formats, HEAD."""

import csv
import io
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from api.resources.list_filters import _checksum
from tests.support.api import SOURCE, Api, made, problem, progress, statement

ONE = "/v1/pledges/aid-2024"
READS = (
    *("/v1/pledges", ONE, f"{ONE}/events", f"{ONE}/history", f"{ONE}/timeline", f"{ONE}/figures", f"{ONE}/members"),
    *("/v1/events", "/v1/summary", "/v1/diff?from=2024-01-01", "/v1/export"),
)


def and_(path: str, more: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{more}"


def test_a_status_is_asked_at_a_point_on_both_clocks(api: Api) -> None:
    api.open()
    wrong = api.add(progress("209bn EUR"))["event"]["id"]
    api.add({"type": "EventCorrected", "stated_on": "2024-09-01", "event": wrong, "reason": "typo",
             "changes": {"figure": {"quantity": "20.9bn EUR"}}})  # fmt: skip

    def actual(query: str) -> Any:
        found = api.get(f"{ONE}?{query}").json()["actual"]
        return None if found is None else found["value"]

    assert actual("as_of=2024-07-09") is None
    assert actual("as_of=2024-07-10") == "20900000000"
    assert actual("as_of=2024-07-10&at_position=2") == "209000000000"
    assert actual("as_of=2024-07-10&at_position=1") is None
    known_at = api.get("/v1/events").json()["items"][1]["recorded_at"]
    for text in (known_at, known_at.replace("Z", "+00:00"), known_at.replace("Z", "%2B00:00")):
        assert actual(f"known_at={text}") == "209000000000"
    problem(api.get(f"{ONE}?as_of=2024-01-09"), 404, "pledge_not_found")
    problem(api.get(f"{ONE}?at_position=0"), 404, "pledge_not_found")


@pytest.mark.parametrize("path", READS)
def test_every_answer_has_the_three_that_make_it_again(lite: Api, path: str) -> None:
    lite.open()
    lite.add(progress())
    first = lite.get(path)
    body = first.json()
    assert body["as_of"] == datetime.now(UTC).date().isoformat()
    assert body["known_at"] is None
    assert body["position"] == 2
    if "diff" in path:
        return
    lite.add(statement())
    again = lite.get(and_(path, f"as_of={body['as_of']}&at_position={body['position']}")).json()
    assert again.pop("known_at") == lite.get("/v1/events").json()["items"][1]["recorded_at"]
    body.pop("known_at")
    for item in (*body.get("items", ()), *again.get("items", ())):
        item.pop("known_at", None)
    if "timeline" in path:
        body, again = [[(i["valid_from"], i["known_from"], i["status"]) for i in b["items"]] for b in (body, again)]
    assert again == body


@pytest.mark.parametrize(
    "clocks",
    [
        *("as_of=yesterday", "as_of=2024-2-1", "as_of=20240201", "as_of=2024-02-30", "as_of=", "as_of=0001-01-01"),
        *("as_of=2024-01-01T00:00:00Z", "as_of=2024-W01-1", "as_of=9999-12-31"),
        *("known_at=2024-01-01", "known_at=2024-01-01T00:00:00", "known_at=now", "known_at=1700000000", "known_at="),
        *("known_at=2999-01-01T00:00:00Z", "known_at=0001-01-01T00:00:00%2B14:00", "known_at=2024-13-01T00:00:00Z"),
        *("at_position=-1", "at_position=x", "at_position=3", "at_position=1.0", f"at_position={10**30}"),
        *("at_position=%D9%A1", "known_at=2024-01-01T00:00:00Z&at_position=1", "as_of=2024-01-01&as_of=2024-01-01"),
        *("as_of=2024-01-01%00", "as_of=%FF", "at_position=2&at_position=2"),
    ],
)
def test_a_clock_that_cannot_be_is_400(kept: Api, clocks: str) -> None:
    for path in ("/v1/pledges", ONE, f"{ONE}/events", "/v1/events"):
        problem(kept.get(f"{path}?{clocks}"), 400, "invalid_parameter")


@pytest.mark.parametrize(
    "path", [*READS, "/health/live", "/health/ready", "/problems", "/schema", "/schema/openapi.json"]
)
def test_an_unknown_parameter_is_never_ignored(kept: Api, path: str) -> None:
    refused = problem(kept.get(and_(path, "asof=2024-01-01")), 400, "unknown_parameter")
    assert refused["errors"][0]["parameter"] == "asof"


@pytest.mark.parametrize(
    "query",
    [
        *("status=done", "status=", "flag=red", "kind=euro", "sort=status", "sort=--due", "limit=0", "limit=501"),
        *("limit=x", "due_before=soon", "tag=No%20Tag", "unit=EURO", "pledgor=", "q=a%0Ab", "cursor=x", "cursor="),
        *("cursor=%21", f"cursor={'A' * 5000}", "limit=10&limit=20", f"q={'x' * 301}", "status=met,,missed"),
    ],
)
def test_a_filter_that_cannot_be_is_400(kept: Api, query: str) -> None:
    problem(kept.get(f"/v1/pledges?{query}"), 400, "invalid_parameter")


def fill(api: Api) -> None:
    items: list[dict[str, Any]] = [
        {"pledge": f"p{n}", "fact": made(title=f"Title {9 - n}", tags=["even" if n % 2 == 0 else "odd"],
                                         pledgor={"name": "Belgium", "code": "BE"} if n < 3 else {"name": "Ünion"},
                                         window={"end": f"2024-0{n + 1}-28"})}
        for n in range(7)
    ]  # fmt: skip
    items.append({"pledge": "p1", "fact": progress("over 50bn EUR", stated_on="2024-02-01")})
    assert api.post("/v1/events", items).status_code == 201


def names(api: Api, query: str) -> list[str]:
    answer = api.get(f"/v1/pledges?{query}")
    assert answer.status_code == 200, answer.text
    return [item["pledge"] for item in answer.json()["items"]]


def test_lists_are_filtered_and_sorted(api: Api) -> None:
    fill(api)
    assert names(api, "status=exceeded") == ["p1"]
    assert names(api, "status=exceeded,met") == ["p1"]
    assert names(api, "flag=single_source") == ["p1"]
    assert names(api, "tag=even") == ["p0", "p2", "p4", "p6"]
    assert names(api, "pledgor=be&sort=-pledge") == ["p2", "p1", "p0"]
    assert names(api, "pledgor=BELGIUM&limit=1") == ["p0"]
    assert names(api, f"pledgor={quote('ÜNION')}") == ["p3", "p4", "p5", "p6"]
    assert names(api, "due_before=2024-02-28") == ["p0"]
    assert names(api, "q=title%207") == ["p2"]
    assert names(api, "unit=EUR&kind=money&tag=odd") == ["p1", "p3", "p5"]
    assert names(api, "sort=title") == [f"p{n}" for n in range(6, -1, -1)]
    assert names(api, "sort=-due")[0] == "p6"
    assert names(api, "sort=-ratio")[0] == "p1"
    assert names(api, "as_of=2024-01-20&status=announced") == [f"p{n}" for n in range(7)]


def test_a_cursor_walks_a_list_that_does_not_move(api: Api) -> None:
    fill(api)
    first = api.get("/v1/pledges?limit=3&sort=title")
    page = first.json()
    assert page["total"] == 7
    assert 'rel="next"' in first.headers["link"]
    seen = [item["pledge"] for item in page["items"]]
    api.open("a-new-one", title="AAA")
    while page["next_cursor"]:
        answer = api.get(f"/v1/pledges?limit=3&sort=title&cursor={page['next_cursor']}")
        page = answer.json()
        assert (page["position"], page["total"]) == (8, 7)
        seen += [item["pledge"] for item in page["items"]]
    assert seen == [f"p{n}" for n in range(6, -1, -1)]
    assert "link" not in answer.headers
    linked = first.headers["link"].partition(">")[0].removeprefix("<")
    assert [item["pledge"] for item in api.get(linked).json()["items"]] == ["p3", "p2", "p1"]


def test_a_cursor_goes_with_its_own_list_only(lite: Api) -> None:
    fill(lite)
    cursor = lite.get("/v1/pledges?limit=2").json()["next_cursor"]
    for query in ("sort=due", "tag=even", "as_of=2024-05-05", "at_position=1"):
        problem(lite.get(f"/v1/pledges?{query}&cursor={cursor}"), 400, "invalid_parameter")
    for at in range(0, len(cursor), 7):
        changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        assert lite.get(f"/v1/pledges?limit=2&cursor={changed}").status_code in (200, 400)
    assert lite.get(f"/v1/pledges?limit=5&cursor={cursor}").status_code == 200


def test_the_log_is_read_a_page_at_a_time(api: Api) -> None:
    fill(api)
    after, seen = 0, list[int]()
    while after < 8:
        page = api.get(f"/v1/events?limit=3&after={after}").json()
        assert page["position"] == 8
        seen += [item["position"] for item in page["items"]]
        after = page["next_after"]
    assert seen == list(range(1, 9))
    assert [e["pledge"] for e in api.get("/v1/events?pledge=p1").json()["items"]] == ["p1", "p1"]
    assert [e["position"] for e in api.get("/v1/events?type=ProgressReported").json()["items"]] == [8]
    assert api.get("/v1/events?at_position=2").json()["position"] == 2
    assert len(api.get("/v1/events?at_position=2").json()["items"]) == 2
    assert api.get("/v1/events?after=8").json()["items"] == []
    problem(api.get("/v1/events?after=9"), 409, "other_log")
    for query in ("after=-1", "after=x", "limit=1001", "type=PledgeUpdated", "pledge=Not%20A%20Slug"):
        problem(api.get(f"/v1/events?{query}"), 400, "invalid_parameter")


def test_history_figures_and_members_say_why(api: Api) -> None:
    group = {"rule": "each_member", "members": ["BE", "FR"]}
    api.open(kind="ratio", target="at least 2 percent:gdp", group=group)
    met = {"type": "MemberReported", "stated_on": "2024-03-01", "member": "BE", "verdict": "met", "source": SOURCE}
    api.add(met)
    history = api.get(f"{ONE}/history").json()["items"]
    assert history[0]["event"]["fact"]["type"] == "PledgeMade"
    assert (history[0]["status_before"], history[0]["status_after"]) == (None, "announced")
    assert [i["event"] for i in history if i["as_of"] == "2025-01-01"] == [None]
    known = api.get(f"{ONE}/history?axis=known").json()["items"]
    assert [item["event"]["position"] for item in known] == [1, 2]
    rows = api.get(f"{ONE}/members").json()["items"]
    assert [(row["member"], row["verdict"]) for row in rows] == [("BE", "met"), ("FR", "not_reported")]
    assert api.get(f"{ONE}/figures").json()["items"] == []
    problem(api.get(f"{ONE}/history?axis=both"), 400, "invalid_parameter")


def test_events_of_a_pledge_are_those_said_and_known_by_then(api: Api) -> None:
    api.open()
    api.add(progress())
    api.add(statement(stated_on="2024-03-01"))

    def versions(query: str) -> list[int]:
        return [event["version"] for event in api.get(f"{ONE}/events?{query}").json()["items"]]

    assert versions("") == [1, 2, 3]
    assert versions("as_of=2024-03-01") == [1, 3]
    assert versions("at_position=2") == [1, 2]
    assert versions("as_of=2024-03-01&at_position=2") == [1]
    problem(api.get(f"{ONE}/events?as_of=2023-01-01"), 404, "pledge_not_found")


def test_a_summary_and_a_difference(api: Api) -> None:
    fill(api)
    summary = api.get("/v1/summary?by=tag").json()
    assert sum(summary["by_status"].values()) == 7
    assert {group["key"] for group in summary["groups"]} == {"even", "odd"}
    assert api.get("/v1/summary?tag=odd").json()["by_status"] != summary["by_status"]
    assert "converted" in api.get("/v1/summary?currency=USD").json()
    diff = api.get("/v1/diff?from=2024-01-31&to=2024-02-01").json()["items"]
    assert [(d["pledge"], d["status_before"], d["status_after"]) for d in diff] == [("p1", "announced", "exceeded")]
    assert [event["position"] for event in diff[0]["events"]] == [8]
    after = api.get("/v1/events?after=6&limit=1").json()["items"][0]["recorded_at"]
    whole = api.get("/v1/diff?from=2023-01-01")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("api.resources.reports.MAX_HELD_DIFF_BYTES", 10)
        streamed = api.get("/v1/diff?from=2023-01-01&to=")
        assert streamed.status_code == 400
        streamed = api.get("/v1/diff?to=2100-01-01&from=2023-01-01")
    assert "content-length" in whole.headers
    assert "content-length" not in streamed.headers
    assert streamed.json()["items"] == whole.json()["items"] != []

    known = api.get(f"/v1/diff?known_from={after}").json()["items"]
    assert isinstance(known, list)
    for query in (
        *("", "?to=2024-01-01", "?from=2024-01-02&to=2024-01-01", "?known_from=2999-01-01T00:00:00Z"),
        *("?from=2024-01-01&known_from=2024-01-01T00:00:00Z", "?known_from=2024-01-01", "?currency=X"),
    ):
        assert api.get(f"/v1/diff{query}").status_code == 400
    problem(api.get("/v1/summary?currency=ZZZ"), 400, "invalid_parameter")


def test_a_difference_names_the_events_by_the_days_as_corrected(api: Api) -> None:
    api.open()
    wrong = api.add(progress("41bn EUR", stated_on="2024-07-10"))["event"]["id"]
    mend = {"type": "EventCorrected", "stated_on": "2026-01-05", "event": wrong, "reason": "the wrong day"}
    api.add({**mend, "changes": {"stated_on": "2024-03-01"}})

    def between(since: str, until: str) -> list[tuple[str, list[int]]]:
        items = api.get(f"/v1/diff?from={since}&to={until}").json()["items"]
        return [(i["status_after"], [event["version"] for event in i["events"]]) for i in items]

    assert between("2024-02-01", "2024-04-01") == [("exceeded", [2, 3])]
    assert between("2024-05-01", "2024-08-01") == []
    listed = api.get(f"{ONE}/events?as_of=2024-04-01").json()["items"]
    because = api.get(f"{ONE}?as_of=2024-04-01").json()["because"]["status"]
    assert {event["id"] for event in listed} == set(because)


@pytest.mark.parametrize(
    "text",
    [
        *(
            b"{}",
            b"[]",
            b"x",
            b"1",
            b'["2024-13-01",true,true,null,1,null,"p"]',
            b'["2024-01-01",true,true,9,1,null,"p"]',
        ),
        *(b'["2024-01-01",true,true,null,%d,null,"p"]' % position for position in (-5, 99_999_999, 10**30)),
        *(b'["2024-01-01",true,true,null,"1",null,"p"]', b'["2024-01-01",true,true,null,1,5,7]'),
    ],
)
def test_a_cursor_that_was_made_up_is_refused(kept: Api, text: bytes) -> None:
    question = {"sort": "pledge"}
    cursor = urlsafe_b64encode(_checksum(text, question) + text).rstrip(b"=").decode()
    problem(kept.get(f"/v1/pledges?cursor={cursor}"), 400, "invalid_parameter")


def test_formats_go_by_parameter_or_accept(lite: Api) -> None:
    fill(lite)
    for path in ("/v1/pledges", "/v1/export", "/v1/events", "/v1/pledges/p1/events"):
        whole = lite.get(path).json()["items"]
        lines = lite.get(and_(path, "format=ndjson"))
        assert lines.headers["content-type"].startswith("application/x-ndjson")
        assert [json.loads(line) for line in lines.text.splitlines()] == whole
        table = lite.get(path, headers={"Accept": "text/csv"})
        assert table.headers["content-type"].startswith("text/csv")
        assert len(list(csv.DictReader(io.StringIO(table.text)))) == len(whole)
        problem(lite.get(and_(path, "format=xml")), 406, "not_acceptable")
        problem(lite.get(path, headers={"Accept": "image/png"}), 406, "not_acceptable")
        assert lite.get(path, headers={"Accept": "text/html, */*;q=0.1"}).json()["items"] == whole
        preferred = lite.get(path, headers={"Accept": "application/json;q=0.1, application/x-ndjson"})
        assert preferred.headers["content-type"].startswith("application/x-ndjson")
    problem(lite.get("/v1/pledges/p1?format=csv"), 406, "not_acceptable")


@pytest.mark.parametrize(
    "path", [*READS, "/health/live", "/health/ready", "/problems", "/problems/malformed", "/schema"]
)
def test_head_is_get_without_the_body(kept: Api, path: str) -> None:
    get, head = kept.get(path), kept.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-type", "cache-control", "content-length"):
        assert head.headers.get(name) == get.headers.get(name)


def test_what_is_not_served_is_a_problem(kept: Api) -> None:
    problem(kept.get("/v2/pledges"), 404, "not_found")
    problem(kept.get("/v1/pledges/aid-2024/nothing"), 404, "not_found")
    for name in ("nobody", "NOBODY", "a%20b", "a%00b", "%F0%9F%8C%B3", "x" * 129):
        problem(kept.get(f"/v1/pledges/{name}"), 404, "pledge_not_found")
    for method in ("PUT", "PATCH", "DELETE"):
        answer = kept.client.request(method, "/v1/pledges")
        problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    answer = kept.client.post("/v1/summary")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_a_voided_pledge_is_gone_now_and_there_before(api: Api) -> None:
    made_id = api.open()["event"]["id"]
    api.add({"type": "EventVoided", "stated_on": "2024-02-01", "event": made_id, "reason": "test"})
    for path in (ONE, f"{ONE}/events", f"{ONE}/history", f"{ONE}/figures", f"{ONE}/members"):
        problem(api.get(path), 404, "pledge_not_found")
        assert api.get(f"{path}?at_position=1").status_code == 200
    assert api.get("/v1/pledges").json()["items"] == []


def test_late_and_early_statements_are_in_force_from_their_own_day(api: Api) -> None:
    api.open()
    tomorrow = (datetime.now(UTC) + timedelta(hours=14)).date()
    api.add(statement(stated_on=tomorrow.isoformat()))
    if tomorrow > datetime.now(UTC).date():
        assert len(api.get(f"{ONE}/events").json()["items"]) == 1
    assert len(api.get(f"{ONE}/events?as_of={tomorrow}").json()["items"]) == 2


def test_the_clocks_of_a_list_are_frozen_in_its_cursor(lite: Api) -> None:
    for n in range(4):
        lite.open(f"p{n}")
    first = lite.get("/v1/pledges?limit=2&as_of=2024-03-01").json()
    cursor = first["next_cursor"]
    alone = lite.get(f"/v1/pledges?limit=2&cursor={cursor}").json()
    again = lite.get(f"/v1/pledges?limit=2&as_of=2024-03-01&cursor={cursor}").json()
    assert alone["as_of"] == again["as_of"] == "2024-03-01"
    assert [item["pledge"] for item in alone["items"]] == [item["pledge"] for item in again["items"]] == ["p2", "p3"]
    for other in ("as_of=2024-03-02", "at_position=1"):
        problem(lite.get(f"/v1/pledges?limit=2&{other}&cursor={cursor}"), 400, "invalid_parameter")
