"""A time before the first record is an answer, not a dead end."""

from typing import Any

from tests.support.api import Api, problem, progress

BEFORE = "known_at=2001-01-01T00:00:00Z"


def test_lists_before_the_first_event_are_empty_at_position_0(api: Api) -> None:
    for clocks in (BEFORE, "at_position=0"):  # on an empty log too
        assert api.get(f"/v1/pledges?{clocks}").json()["position"] == 0
    api.open()
    for clocks in (BEFORE, "at_position=0"):
        for path in ("pledges", "events", "export", "summary"):
            body: Any = api.get(f"/v1/{path}?{clocks}").json()
            assert body["position"] == 0
            assert body.get("items", []) == []
        assert api.get(f"/v1/pledges?{clocks}&facets=true&limit=1").json()["total"] == 0
        for path in ("parties", "statuses", "diff?from=2024-01-01"):
            body = api.get(f"/v1/{path}{'&' if '?' in path else '?'}{clocks}").json()
            assert (body["items"], body["position"]) == ([], 0)
        assert "<entry>" not in api.get(f"/v1/feed.atom?{clocks}").text
        problem(api.get(f"/v1/parties/alliance?{clocks}"), 404, "party_not_found")


def test_a_pledge_that_was_recorded_later_says_when_and_where(api: Api) -> None:
    api.open("first")
    first = api.open()
    api.add(progress())
    recorded_at = first["event"]["recorded_at"]
    for path in ("", "/events", "/history?axis=known", "/timeline", "/figures", "/members", "/timemap", "/parts",
                 "/badge.svg"):  # fmt: skip
        address = f"/v1/pledges/aid-2024{path}"
        for clocks in (BEFORE, "at_position=1"):
            refused = problem(api.get(f"{address}{'&' if '?' in path else '?'}{clocks}&as_of=2024-12-01"), 404,
                              "pledge_not_found")  # fmt: skip
            assert refused["first_recorded_at"] == recorded_at
            assert refused["as_known_now"] == f"{address}{'&' if '?' in path else '?'}as_of=2024-12-01"
            assert api.get(refused["as_known_now"]).status_code == 200
    assert problem(api.get(f"/v1/pledges/aid-2024?{BEFORE}"), 404, "pledge_not_found")["as_known_now"] == (
        "/v1/pledges/aid-2024"
    )


def test_a_pledge_that_is_not_there_now_either_has_no_other_address(lite: Api) -> None:
    lite.open("first")
    opened = lite.open()
    for query in ("as_of=2020-01-01&at_position=1", "as_of=2020-01-01"):
        refused = problem(lite.get(f"/v1/pledges/aid-2024?{query}"), 404, "pledge_not_found")
        assert "as_known_now" not in refused
        assert refused["detail"] == "there is no pledge 'aid-2024' as of 2020-01-01"
    assert "as_known_now" not in problem(lite.get(f"/v1/pledges/nothing?{BEFORE}"), 404, "pledge_not_found")
    lite.add({"type": "EventVoided", "stated_on": "2024-02-01", "event": opened["event"]["id"], "reason": "a test"})
    assert "as_known_now" not in problem(lite.get("/v1/pledges/aid-2024?at_position=1"), 404, "pledge_not_found")
