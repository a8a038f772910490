"""What changed and why, and the log by who recorded it and when."""

from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest

from tests.support.api import SOURCE, Api, problem, progress, statement


def items_of(api: Api, query: str) -> dict[str, Any]:
    answer = api.get(f"/v1/diff?{query}")
    assert answer.status_code == 200, answer.text
    return {item["pledge"]: item for item in answer.json()["items"]}


def causes(api: Api, query: str) -> dict[str, str]:
    return {name: item["cause"] for name, item in items_of(api, query).items()}


def fill(api: Api) -> None:
    for name in ("late", "told", "mended", "quiet", "moved"):
        api.open(name, tags=["asked"] if name in ("late", "told") else [])
    api.add(progress("over 50bn EUR", stated_on="2024-12-01"), "told")
    wrong = api.add(progress("509bn EUR", stated_on="2024-12-02"), "mended")["event"]["id"]
    api.add({"type": "EventCorrected", "stated_on": "2024-12-05", "event": wrong, "reason": "typo",
             "changes": {"figure": {"quantity": "30bn EUR"}}}, "mended")  # fmt: skip
    api.add(statement(stated_on="2024-12-03"), "quiet")
    api.add({"type": "PledgeWithdrawn", "stated_on": "2024-12-20", "source": SOURCE, "reason": "no money"}, "moved")


def test_each_difference_has_its_cause(api: Api) -> None:
    fill(api)
    assert causes(api, "from=2024-11-30&to=2024-12-31") == {
        "late": "time", "told": "said", "mended": "repaired", "quiet": "said", "moved": "said",
    }  # fmt: skip
    # The deadline passes for all; what is said of a quiet one changes neither headline nor actual.
    over = items_of(api, "from=2024-12-01&to=2025-01-01")
    assert (over["quiet"]["status_after"], over["quiet"]["cause"]) == ("overdue", "time")
    assert (over["moved"]["status_after"], over["moved"]["cause"]) == ("withdrawn", "said")
    assert (over["late"]["cause"], over["late"]["events"]) == ("time", [])
    assert causes(api, "from=2023-12-31&to=2024-01-10") == dict.fromkeys(
        ("late", "told", "mended", "quiet", "moved"), "said"
    )


def test_along_what_was_recorded_a_correction_is_a_repair(api: Api) -> None:
    fill(api)
    recorded = {event["position"]: event["recorded_at"] for event in api.get("/v1/events").json()["items"]}

    def known(after: int) -> dict[str, str]:
        return causes(api, f"known_from={quote(recorded[after])}&as_of=2025-02-01")

    assert known(7) == {"mended": "repaired", "quiet": "said", "moved": "said"}
    assert known(6) == {"mended": "repaired", "quiet": "said", "moved": "said"}
    assert known(5) == {"told": "said", "mended": "repaired", "quiet": "said", "moved": "said"}
    opened = api.get("/v1/pledges/late/events").json()["items"][0]["id"]
    api.add({"type": "EventVoided", "stated_on": "2024-02-01", "event": opened, "reason": "a test"}, "late")
    voided = items_of(api, f"known_from={quote(recorded[10])}&as_of=2025-02-01&pledge=late,told")
    assert [(i["pledge"], i["status_after"], i["cause"]) for i in voided.values()] == [("late", None, "repaired")]


def test_a_difference_takes_filters_and_counts_by_cause(api: Api) -> None:
    fill(api)
    assert set(causes(api, "from=2024-11-30&to=2024-12-31&pledge=late,told")) == {"late", "told"}
    assert set(causes(api, "from=2024-11-30&to=2024-12-31&tag=asked&status=exceeded")) == {"told"}
    body = api.get("/v1/diff?from=2024-12-06&to=2025-01-01&by=cause").json()
    assert body["counts"] == [
        {"status_before": "announced", "status_after": "overdue", "cause": "time", "pledges": 2},
        {"status_before": "announced", "status_after": "withdrawn", "cause": "said", "pledges": 1},
        {"status_before": "in_progress", "status_after": "overdue", "cause": "time", "pledges": 1},
    ]
    whole = api.get("/v1/diff?from=2024-12-06&to=2025-01-01")
    assert "counts" not in whole.json()
    with pytest.MonkeyPatch.context() as one_piece:
        one_piece.setattr("api.resources.reports.MAX_HELD_DIFF_BYTES", 10)
        streamed = api.get("/v1/diff?to=2025-01-01&from=2024-12-06&by=cause").json()
    assert (streamed["items"], streamed["counts"]) == (whole.json()["items"], body["counts"])
    table = api.get("/v1/diff?from=2024-12-06&to=2025-01-01&format=csv").text.splitlines()
    assert table[0].startswith("pledge,status_before,status_after,actual_before,actual_before.op,")
    assert len(table) == 1 + len(body["items"])
    problem(api.get("/v1/diff?from=2024-12-06&by=status"), 400, "invalid_parameter")
    for name, given in (("known_from", ""), ("known_to", "&known_from=2024-01-01T00:00:00Z")):
        refused = problem(api.get(f"/v1/diff?{name}=2999-01-01T00:00:00Z{given}"), 400, "invalid_parameter")
        assert refused["parameter"] == name


def test_the_log_is_read_by_who_recorded_and_when(api: Api) -> None:
    api.open()
    for day in ("2024-02-01", "2024-03-01", "2024-03-31"):
        api.add(statement(stated_on=day, summary=day))
    events = api.get("/v1/events").json()["items"]
    who = events[0]["recorded_by"]

    def positions(query: str) -> list[int]:
        body = api.get(f"/v1/events?{query}").json()
        assert body["next_after"] == body["position"] == 4
        return [event["position"] for event in body["items"]]

    assert positions(f"recorded_by={quote(who)}") == [1, 2, 3, 4]
    assert positions("recorded_by=nobody") == []
    assert positions("stated_from=2024-03-01&stated_to=2024-03-31") == [3, 4]
    assert positions("stated_to=2024-02-01") == [1, 2]
    assert positions("stated_from=2024-02-02&type=StatementMade&pledge=aid-2024") == [3, 4]
    second, third = quote(events[1]["recorded_at"]), quote(events[2]["recorded_at"])
    assert positions(f"recorded_from={second}&recorded_to={third}") == [2, 3]
    assert positions("recorded_to=2001-01-01T00:00:00Z") == []
    assert positions("recorded_from=2999-01-01T00:00:00Z") == []
    for query in ("recorded_from=2024-01-01", "stated_from=soon", "recorded_by=a&recorded_by=b", "recorded_to="):
        problem(api.get(f"/v1/events?{query}"), 400, "invalid_parameter")


def test_the_log_takes_several_pledges_and_types(api: Api) -> None:
    for name in ("one", "two", "three"):
        api.open(name)
    for name in ("one", "two", "three"):
        api.add(progress(), name)
        api.add(statement(), name)
    for query, found in (
        ("pledge=one,three", [1, 3, 4, 5, 8, 9]),
        ("pledge=one&pledge=three", [1, 3, 4, 5, 8, 9]),
        ("type=PledgeMade,StatementMade", [1, 2, 3, 5, 7, 9]),
        ("type=ProgressReported&type=StatementMade&pledge=two", [6, 7]),
        ("pledge=none,two&type=StatementMade&limit=1", [7]),
    ):
        body = api.get(f"/v1/events?{query}").json()
        assert [event["position"] for event in body["items"]] == found, query
        assert body["next_after"] == (7 if "limit" in query else 9)
    for query in ("pledge=one,Two", "type=PledgeMade,Nothing", "pledge=one,"):
        problem(api.get(f"/v1/events?{query}"), 400, "invalid_parameter")


def test_next_after_is_how_far_was_read(api: Api) -> None:
    api.open()
    for day in range(1, 9):
        api.add(statement(stated_on=f"2024-02-0{day}", summary=str(day)))
    page = api.get("/v1/events?stated_from=2024-02-02&limit=2")
    assert ([event["position"] for event in page.json()["items"]], page.json()["next_after"]) == ([3, 4], 4)
    assert 'rel="next"' in page.headers["link"]
    rest = api.get(page.headers["link"].partition(">")[0].removeprefix("<"))
    assert [event["position"] for event in rest.json()["items"]] == [5, 6]
    last = api.get("/v1/events?after=7&limit=2")
    assert (last.json()["next_after"], "link" in last.headers) == (9, False)
    assert api.get("/v1/events?after=9").json()["next_after"] == 9
    with patch("api.resources.events.READ_ROWS", 2), patch("api.resources.events.MAX_LOOKED_AT", 4):
        found = api.get("/v1/events?stated_from=2024-02-08").json()
    assert (found["items"], found["next_after"], found["position"]) == ([], 4, 9)
