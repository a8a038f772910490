"""Proposals: who contributes proposes, who monitors decides, and what is accepted is one event of the log."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx import Response

from api.http.access_keys import create_key, rotate_key
from api.http.system_clock import now
from tests.support.api import EVENTS, Api, made, prepare, problem, progress, running, statement

URL = "/v1/proposals"


class Desk:
    """The API with a key of each role, and one pledge that is open."""

    def __init__(self, api: Api) -> None:
        self.api, self._keys = api, {}
        for name, role in (("carla", "contributor"), ("carl", "contributor"), ("mona", "monitor"), ("milo", "monitor"),
                           ("rita", "reader"), ("otto", "auditor")):  # fmt: skip
            self._keys[name] = create_key(api.services.engine, name, role)
        api.services.keys.refresh()
        api.open()

    def rotate(self, name: str) -> None:
        self._keys[name] = rotate_key(self.api.services.engine, name)
        self.api.services.keys.refresh()

    def post(self, name: str, path: str, body: Any = None, **headers: str) -> Response:
        return self.api.post(f"{URL}{path}", body, headers={"Authorization": f"Bearer {self._keys[name]}", **headers})

    def get(self, name: str, path: str = "", **headers: str) -> Response:
        return self.api.get(f"{URL}{path}", headers={"Authorization": f"Bearer {self._keys[name]}", **headers})

    def proposed(self, name: str = "carla", fact: Any = None, **more: Any) -> str:
        body = {"pledge": "aid-2024", "fact": fact or progress(), **more}
        answer = self.post(name, "", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["proposal"])

    def is_now(self, proposal: str, **members: Any) -> dict[str, Any]:
        """What the proposal is, which must have these members."""
        found: dict[str, Any] = self.get("mona", f"/{proposal}").json()
        assert found == found | members
        return found


@pytest.fixture
def desk(api: Api) -> Desk:
    return Desk(api)


@pytest.fixture
def lite_desk(lite: Api) -> Desk:
    return Desk(lite)


def test_a_fact_is_proposed_and_accepted(desk: Desk) -> None:
    answer = desk.post("carla", "", {"pledge": "aid-2024", "fact": progress("41bn EUR"), "note": "From the report."})
    assert answer.status_code == 201
    said = answer.json()
    assert said == {
        "proposal": said["proposal"],
        "revision": 1,
        "state": "open",
        "would": {"status_before": "overdue", "status_after": "exceeded", "warnings": []},
    }
    assert answer.headers["location"] == f"{URL}/{said['proposal']}"
    assert desk.api.head() == 1

    shown = desk.get("carla", f"/{said['proposal']}").json()
    assert shown == {
        "proposal": said["proposal"],
        "revision": 1,
        "pledge": "aid-2024",
        "fact": progress("41bn EUR"),
        "note": "From the report.",
        "state": "open",
        "proposed_by": "carla",
        "proposed_at": shown["proposed_at"],
    }
    accepted = desk.post("mona", f"/{said['proposal']}/accept", {"revision": 1})
    assert accepted.status_code == 201
    body = accepted.json()
    event = body["event"]
    assert (body["replayed"], body["position"], body["version"]) == (False, 2, 2)
    assert (event["recorded_by"], event["proposal"]) == ("mona", said["proposal"])
    assert accepted.headers["location"] == "/v1/pledges/aid-2024"
    assert desk.api.get("/v1/events").json()["items"][1] == event
    assert desk.api.get("/v1/pledges/aid-2024").json()["status"] == "exceeded"
    desk.is_now(said["proposal"], state="accepted", decided_by="mona", event=event["id"], revision=1)
    problem(desk.post("mona", f"/{said['proposal']}/accept", {}), 409, "proposal_closed")
    assert desk.api.head() == 2


def test_what_is_odd_is_told_to_who_proposes_and_to_who_accepts(desk: Desk) -> None:
    known = desk.api.add(progress())["event"]["id"]
    fact = progress(
        "300bn EUR", stated_on="2024-09-01", figure={"period": {"start": "2024-01-01", "end": "2024-08-31"}}
    )
    said = desk.post("carla", "", {"pledge": "aid-2024", "fact": fact}).json()
    (warning,) = said["would"]["warnings"]
    assert (warning["code"], warning["event"]) == ("tenfold", known)
    assert warning["pointer"].startswith("/fact/figure")
    accepted = desk.post("mona", f"/{said['proposal']}/accept", {}).json()
    assert accepted["warnings"] == [warning]


def test_a_pledge_is_proposed(desk: Desk) -> None:
    fact = made(title="Aid of 2025")
    said = desk.post("carla", "", {"pledge": "aid-2025", "fact": fact}).json()
    assert said["would"]["status_before"] is None
    assert said["would"]["status_after"] is not None
    accepted = desk.post("mona", f"/{said['proposal']}/accept")
    assert accepted.json()["event"]["pledge"] == "aid-2025"
    problem(desk.post("carla", "", {"pledge": "aid-2025", "fact": fact}), 409, "pledge_exists")


def test_who_may_do_what(desk: Desk) -> None:
    proposal = desk.proposed()
    for name in ("rita", "otto"):
        problem(desk.post(name, "", {"pledge": "aid-2024", "fact": progress()}), 403, "forbidden")
        problem(desk.get(name), 403, "forbidden")
        problem(desk.get(name, f"/{proposal}"), 403, "forbidden")
    problem(desk.api.get(URL), 401, "unauthorized")
    for act in ("accept", "decline", "return"):
        problem(desk.post("carla", f"/{proposal}/{act}", {}), 403, "forbidden")
    problem(
        desk.api.post(EVENTS, progress(), headers={"Authorization": f"Bearer {desk._keys['carla']}"}), 403, "forbidden"
    )
    # Another contributor does not know that there is one; a monitor does, and leaves it to who proposed it.
    problem(desk.get("carl", f"/{proposal}"), 404, "proposal_not_found")
    problem(desk.post("carl", f"/{proposal}/withdraw", {}), 404, "proposal_not_found")
    problem(desk.post("mona", f"/{proposal}/withdraw", {}), 403, "forbidden")
    problem(desk.post("mona", f"/{proposal}/revise", {"fact": statement()}), 403, "forbidden")
    problem(desk.get("mona", "/none"), 404, "proposal_not_found")
    problem(desk.post("mona", "/01a217ba-1200-7101-8101-010101010101/accept", {}), 404, "proposal_not_found")
    assert [desk.get(name).json()["items"] != [] for name in ("carla", "carl", "mona")] == [True, False, True]
    assert desk.api.get(URL, headers={"Authorization": "Bearer an-admin-key-of-more-than-32-characters"}).json()[
        "items"
    ]


def test_nobody_accepts_their_own(desk: Desk) -> None:
    proposal = desk.proposed("mona")
    problem(desk.post("mona", f"/{proposal}/accept", {}), 403, "own_proposal")
    desk.rotate("mona")  # another secret, and the same key
    problem(desk.post("mona", f"/{proposal}/accept", {}), 403, "own_proposal")
    assert desk.api.head() == 1
    assert desk.post("milo", f"/{proposal}/accept", {}).status_code == 201


def test_one_is_returned_and_revised_and_the_older_revision_is_not_accepted(desk: Desk) -> None:
    proposal = desk.proposed(note="First.")
    problem(desk.post("mona", f"/{proposal}/return", {}), 422, "invalid_fact", "/reason")
    returned = desk.post("mona", f"/{proposal}/return", {"reason": "Which page?"})
    assert returned.status_code == 200
    assert returned.json() == desk.is_now(proposal, state="returned", decided_by="mona", reason="Which page?")
    problem(desk.post("mona", f"/{proposal}/accept", {}), 409, "proposal_closed")
    problem(desk.post("mona", f"/{proposal}/return", {"reason": "Again."}), 409, "proposal_closed")

    revised = desk.post("carla", f"/{proposal}/revise", {"fact": progress("22bn EUR"), "note": "Page 3."})
    assert revised.status_code == 200
    found = desk.is_now(proposal, state="open", revision=2, note="Page 3.", fact=progress("22bn EUR"))
    assert revised.json() == found
    assert not {"decided_by", "reason", "event"} & found.keys()
    gone = problem(desk.post("mona", f"/{proposal}/accept", {"revision": 1}), 409, "revised")
    assert gone["revision"] == 2
    assert desk.api.head() == 1
    accepted = desk.post("mona", f"/{proposal}/accept", {"revision": 2}).json()
    assert accepted["event"]["fact"]["figure"]["quantity"]["value"] == "22000000000"


def test_what_is_closed_stays_closed(desk: Desk) -> None:
    declined, withdrawn, accepted = desk.proposed(fact=statement()), desk.proposed(), desk.proposed()
    answer = desk.post("mona", f"/{declined}/decline", {"reason": "No source."})
    assert answer.status_code == 200
    assert answer.json() == desk.is_now(declined, state="declined", decided_by="mona", reason="No source.")
    answer = desk.post("carla", f"/{withdrawn}/withdraw", {"reason": "A slip."})
    assert answer.status_code == 200
    assert answer.json() == desk.is_now(withdrawn, state="withdrawn", reason="A slip.")
    assert desk.post("mona", f"/{accepted}/accept", {}).status_code == 201
    for proposal in (declined, withdrawn, accepted):
        for name, act, body in (
            ("mona", "accept", {}), ("mona", "decline", {"reason": "No."}), ("mona", "return", {"reason": "No."}),
            ("carla", "withdraw", {}), ("carla", "revise", {"fact": progress()}),
        ):  # fmt: skip
            problem(desk.post(name, f"/{proposal}/{act}", body), 409, "proposal_closed")
    assert desk.api.head() == 2
    states = {
        state: len(desk.get("mona", f"?state={state}").json()["items"])
        for state in ("open", "accepted", "declined", "withdrawn", "returned")
    }
    assert states == {"open": 0, "accepted": 1, "declined": 1, "withdrawn": 1, "returned": 0}


def test_a_fact_that_is_refused_by_now_is_told_why_and_stays_open(desk: Desk) -> None:
    proposal = desk.proposed(fact=progress())
    known = desk.api.add(progress())["event"]["id"]
    told = problem(desk.post("mona", f"/{proposal}/accept", {}), 409, "refused_now")
    assert (told["reason"], told["event"]) == ("duplicate_fact", known)
    assert told["errors"][0]["code"] == "duplicate_fact"
    desk.is_now(proposal, state="open")
    assert desk.post("mona", f"/{proposal}/return", {"reason": "It is there already."}).status_code == 200


def test_a_proposal_is_checked_as_if_it_were_recorded(desk: Desk) -> None:
    def proposed(fact: Any, pledge: str = "aid-2024", **more: Any) -> Response:
        return desk.post("carla", "", {"pledge": pledge, "fact": fact, **more})

    problem(proposed({"type": "Nothing"}), 422, "invalid_fact", "/fact/type")
    problem(proposed(progress(), "none"), 404, "pledge_not_found")
    problem(proposed(progress(), "NO SLUG"), 422, "invalid_fact", "/pledge")
    problem(proposed(progress("5 EUR", figure={"basis": "incremental"}), note=""), 422, "invalid_fact", "/note")
    problem(proposed(progress(), other=1), 422, "invalid_fact", "/other")
    problem(proposed(progress("5 count:trees")), 422, "unit_mismatch", "/fact/figure/quantity/unit")
    problem(proposed(statement(stated_on="2999-01-01")), 422, "future_statement", "/fact/stated_on")
    problem(proposed(made()), 409, "pledge_exists")
    problem(desk.api.post(URL, b"{", headers={"Authorization": f"Bearer {desk._keys['carla']}"}), 400, "malformed")
    problem(desk.api.post(f"{URL}?dry_run=true", {}), 400, "unknown_parameter")
    proposal = desk.proposed()
    problem(desk.post("carla", f"/{proposal}/revise", {"fact": {"type": "Nothing"}}), 422, "invalid_fact", "/fact/type")
    for revision in (0, "1", True, 1.5, None, 10**9):
        problem(desk.post("mona", f"/{proposal}/accept", {"revision": revision}), 422, "invalid_fact", "/revision")
    desk.is_now(proposal, state="open", revision=1)
    assert desk.api.head() == 1


def test_an_act_with_an_idempotency_key_is_answered_again(desk: Desk) -> None:
    body = {"pledge": "aid-2024", "fact": progress()}
    first = desk.post("carla", "", body, **{"Idempotency-Key": "one"})
    again = desk.post("carla", "", body, **{"Idempotency-Key": "one"})
    assert again.status_code == 201
    assert again.json() == first.json() | {"replayed": True}
    assert again.headers["idempotency-replayed"] == "true"
    problem(desk.post("carla", "", body | {"note": "x"}, **{"Idempotency-Key": "one"}), 422, "idempotency_mismatch")
    proposal = first.json()["proposal"]
    returned = desk.post("mona", f"/{proposal}/return", {"reason": "Why?"}, **{"Idempotency-Key": "one"})
    desk.post("carla", f"/{proposal}/revise", {"fact": progress("22bn EUR")})
    again = desk.post("mona", f"/{proposal}/return", {"reason": "Why?"}, **{"Idempotency-Key": "one"})
    assert again.json() == returned.json() | {"replayed": True}
    desk.is_now(proposal, state="open", revision=2)
    accepted = desk.post("mona", f"/{proposal}/accept", {}, **{"Idempotency-Key": "one"})
    again = desk.post("mona", f"/{proposal}/accept", {}, **{"Idempotency-Key": "one"})
    assert again.status_code == 201
    assert again.json() == accepted.json() | {"replayed": True}
    assert desk.api.head() == 2


def test_the_list_is_paged_oldest_first(desk: Desk) -> None:
    made_ = [desk.proposed(name, statement(summary=f"Word {i}.")) for i, name in enumerate(["carla", "carl"] * 3)]
    found, path = [], "?limit=4"
    answer = desk.get("mona", path)
    assert answer.headers["link"].endswith('rel="next"')
    while True:
        page = desk.get("mona", path).json()
        found += [item["proposal"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        path = f"?limit=4&cursor={page['next_cursor']}"
    assert found == made_
    assert [item["proposal"] for item in desk.get("carla").json()["items"]] == made_[::2]
    problem(desk.get("mona", "?cursor=abc"), 400, "invalid_parameter")
    problem(
        desk.get("mona", f"?state=open&cursor={desk.get('mona', '?limit=4').json()['next_cursor']}"),
        400,
        "invalid_parameter",
    )
    problem(desk.get("mona", "?state=shut"), 400, "invalid_parameter")
    problem(desk.get("mona", "?limit=101"), 400, "invalid_parameter")
    problem(desk.get("mona", "?as_of=2024-01-01"), 400, "unknown_parameter")
    problem(desk.get("mona", "?log=other"), 409, "other_log")
    problem(desk.get("mona", Accept="text/csv"), 406, "not_acceptable")


def test_two_monitors_at_once_record_once(desk: Desk) -> None:
    for number in range(5):
        proposal = desk.proposed(fact=statement(summary=f"Word {number}."))
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(desk.post, ["mona", "milo"] * 2, [f"/{proposal}/accept"] * 4, [{}] * 4))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"proposal_closed"}
        assert desk.api.head() == 2 + number


def test_accepting_and_declining_at_once_ends_in_one_of_them(desk: Desk) -> None:
    head = desk.api.head()
    for number in range(5):
        proposal = desk.proposed(fact=statement(summary=f"Word {number}."))
        with ThreadPoolExecutor(2) as pool:
            accepted = pool.submit(desk.post, "mona", f"/{proposal}/accept", {})
            declined = pool.submit(desk.post, "milo", f"/{proposal}/decline", {"reason": "No."})
        codes = (accepted.result().status_code, declined.result().status_code)
        assert codes in ((201, 409), (409, 200))
        head += codes[0] == 201
        assert desk.api.head() == head
        desk.is_now(proposal, state="accepted" if codes[0] == 201 else "declined")


def test_of_another_log_nothing_is_proposed_or_accepted(desk: Desk) -> None:
    proposal = desk.proposed()
    other = {"Tracker-Log": "another"}
    problem(desk.post("carla", "", {"pledge": "aid-2024", "fact": statement()}, **other), 409, "other_log")
    for act in ("accept", "decline"):
        problem(
            desk.post("mona", f"/{proposal}/{act}", {"reason": "No."} if act == "decline" else {}, **other),
            409,
            "other_log",
        )
    desk.is_now(proposal, state="open")


def test_what_is_answered_is_kept_by_no_cache_and_tagged(lite_desk: Desk) -> None:
    proposal = lite_desk.proposed()
    answer = lite_desk.get("carla", f"/{proposal}")
    assert answer.headers["cache-control"] == "no-store"
    assert "authorization" in answer.headers["vary"].lower()
    again = lite_desk.get("carla", f"/{proposal}", **{"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert answer.headers["tracker-log"]
    problem(lite_desk.get("carl", f"/{proposal}"), 404, "proposal_not_found")  # though the same was just answered


def test_what_is_withheld_of_the_event_is_withheld_of_the_proposal(desk: Desk) -> None:
    proposal = desk.proposed(fact=statement(summary="A private matter."))
    event = desk.post("mona", f"/{proposal}/accept", {}).json()["event"]["id"]
    desk.is_now(proposal, fact=statement(summary="A private matter."))
    desk.api.services.tracker.log.withhold(event, ["summary"], reason="Ruling", at=now(), by="cli")
    assert desk.is_now(proposal)["fact"]["summary"] == "[withheld]"
    assert "private matter" not in desk.get("carla").text


def test_proposals_count_as_writes_and_are_limited(sqlite_url: str) -> None:
    prepare(sqlite_url)
    with running(sqlite_url, rate_limit=2) as api:
        desk = Desk(api)
        codes = [desk.post("carla", "", {"pledge": "aid-2024", "fact": statement()}).status_code for _ in range(3)]
    assert codes == [201, 201, 429]


def test_a_proposal_is_revised_so_often_and_not_more(lite_desk: Desk) -> None:
    proposal = lite_desk.proposed()
    for number in range(2, 51):
        revised = lite_desk.post("carla", f"/{proposal}/revise", {"fact": statement(summary=f"Word {number}.")})
        assert revised.json()["revision"] == number
    problem(lite_desk.post("carla", f"/{proposal}/revise", {"fact": statement()}), 409, "proposal_closed")
