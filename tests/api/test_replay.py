"""Replay: folded from the log at the clocks, compared with the projection, for auditors only, in a stream."""

from typing import Any

import pytest
from sqlalchemy import text

from api.http import access_keys
from projections.tables import writing
from tests.support.api import ADMIN, MONITOR, Api, made, problem, progress, running, statement

REPLAY = "/v1/replay"


def replayed(api: Api, query: str = "") -> Any:
    answer = api.get(f"{REPLAY}{query}", headers=MONITOR)
    assert answer.status_code == 200, answer.text
    return answer.json()


def fill(api: Api) -> None:
    items = [{"pledge": f"p{n}", "fact": made(title=f"T{n}")} for n in range(5)]
    items += [{"pledge": f"p{n}", "fact": progress("over 50bn EUR")} for n in range(0, 5, 2)]
    assert api.post("/v1/events", items).status_code == 201


def test_the_log_says_what_the_projection_says_at_every_point(api: Api) -> None:
    fill(api)
    assert replayed(api)["position"] == 8
    for clocks in ("", "as_of=2024-02-01", "as_of=2030-01-01", "at_position=6", "as_of=2023-01-01", "at_position=0"):
        query = f"?{clocks}" if clocks else ""
        answer = replayed(api, query)
        listed = api.get(f"/v1/export{query}").json()
        assert answer == listed, query
        assert replayed(api, f"?compare=true&{clocks}".removesuffix("&")) == {**listed, "differences": []}
    assert "differences" not in replayed(api, "?compare=false")


def test_a_projection_that_was_changed_is_found_out(api: Api) -> None:
    fill(api)
    number = api.services.timeline.progress().set
    table, outlines = f"timeline_{number}", f"outlines_{number}"
    with writing(api.services.engine).begin() as conn:
        row = conn.execute(text(f"SELECT outline, body FROM {table} WHERE pledge = 'p1' LIMIT 1")).one()
        conn.execute(text(f"UPDATE {table} SET outline = :outline, body = :body WHERE pledge = 'p2'"), row._mapping)
        conn.execute(text(f"INSERT INTO {outlines} SELECT 'p2', outline, body FROM {outlines} WHERE pledge = 'p1'"))
        conn.execute(text(f"DELETE FROM {table} WHERE pledge = 'p4'"))
    found = {d["pledge"]: d for d in replayed(api, "?compare=true&as_of=2024-12-01")["differences"]}
    assert set(found) == {"p2", "p4"}
    assert "title" in found["p2"]["members"]
    assert (found["p2"]["replayed"]["title"], found["p2"]["projected"]["title"]) == ("T2", "T1")
    assert found["p4"]["projected"] is None
    assert found["p4"]["replayed"] == {"status": "exceeded"}
    assert len(replayed(api, "?compare=true")["items"]) == 5


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        ("UPDATE {sheets} SET status = 'met' WHERE pledge = 'p2'", "p2: timeline.status"),
        ("UPDATE {sheets} SET flags = ',late,' WHERE pledge = 'p2'", "p2: timeline.flags"),
        ("UPDATE {sheets} SET amounts = last.amounts FROM {last} WHERE {sheets}.pledge = 'p2'", "p2: timeline.amounts"),
        ("UPDATE {sheets} SET changed = '2024-01-09' WHERE pledge = 'p2'", "p2: timeline.changed"),
        ("UPDATE {cards} SET unit = 'USD', parties = '' WHERE pledge = 'p1'", "p1: catalogue.parties, catalogue.unit"),
        ("UPDATE {words} SET text = '' WHERE pledge = 'p1'", "p1: words"),
        ("DELETE FROM {words} WHERE pledge = 'p1'", "p1: words"),
        ("DELETE FROM {outlines} WHERE pledge = 'p1'", "p1: what the projection has cannot be read"),
        ("UPDATE {outlines} SET pledge = 'p9' WHERE pledge = 'p1'", "p1: what the projection has cannot be read"),
        (
            "UPDATE {outlines} SET body = other.body FROM {other} WHERE {outlines}.pledge = 'p1'",
            "p1: what the projection has cannot be read",
        ),
        ("DELETE FROM {cards} WHERE pledge = 'p1'", "p1: catalogue has 0 rows of it"),
        ("UPDATE {cards} SET pledge = 'p9' WHERE pledge = 'p1'", "p9: the projection has it, the log does not"),
    ],
)
def test_every_column_that_was_changed_is_found_out(api: Api, tampering: str, told: str) -> None:
    fill(api)
    assert replayed(api, "?compare=true&as_of=2024-12-01")["differences"] == []
    number = api.services.timeline.head().set
    other = f"(SELECT body FROM outlines_{number} WHERE pledge = 'p2' LIMIT 1) AS other"
    last = f"(SELECT amounts FROM timeline_{number} WHERE pledge = 'p1' LIMIT 1) AS last"
    with writing(api.services.engine).begin() as conn:
        names = {
            "sheets": f"timeline_{number}",
            "cards": f"catalogue_{number}",
            "words": f"words_{number}",
            "outlines": f"outlines_{number}",
            "other": other,
            "last": last,
        }
        conn.execute(text(tampering.format(**names)))
    assert told in [d["about"] for d in replayed(api, "?compare=true&as_of=2024-12-01")["differences"]]


def test_rows_that_are_there_twice_are_found_out(lite: Api) -> None:
    """PostgreSQL refuses them itself."""
    fill(lite)
    with writing(lite.services.engine).begin() as conn:
        for table in ("timeline_1", "catalogue_1"):
            conn.execute(text(f"INSERT INTO {table} SELECT * FROM {table} WHERE pledge = 'p3'"))
    told = [d["about"] for d in replayed(lite, "?compare=true&as_of=2024-12-01")["differences"]]
    assert told == ["p3: timeline has 2 rows of it, catalogue has 2 rows of it"]


def test_only_auditors_replay(sqlite_url: str) -> None:
    with running(sqlite_url) as api:
        fill(api)
        problem(api.get(REPLAY), 401, "unauthorized")
        for role, status in (("reader", 403), ("monitor", 403), ("auditor", 200), ("admin", 200)):
            key = access_keys.create_key(api.services.engine, f"{role} key", role)
            api.services.keys.refresh()
            answer = api.get(REPLAY, headers={"Authorization": f"Bearer {key}"})
            assert answer.status_code == status, role


def test_a_comparison_is_made_anew_each_time_and_a_replay_need_not_be(lite: Api) -> None:
    fill(lite)
    first = lite.get(REPLAY, headers=MONITOR)
    assert first.headers["cache-control"] == "no-cache"
    again = MONITOR | {"If-None-Match": first.headers["etag"]}
    assert lite.get(REPLAY, headers=again).status_code == 304
    problem(lite.get(REPLAY, headers={"If-None-Match": first.headers["etag"]}), 401, "unauthorized")
    lite.add(statement(), "p0")
    assert lite.get(REPLAY, headers=again).status_code == 200
    log = lite.get("/v1/log").json()["log"]
    fixed = lite.get(f"{REPLAY}?as_of=2024-12-01&at_position=3&log={log}", headers=MONITOR)
    assert fixed.headers["cache-control"].startswith("private")
    assert "immutable" in fixed.headers["cache-control"]
    compared = lite.get(f"{REPLAY}?compare=true", headers=MONITOR)
    assert compared.headers["cache-control"] == "no-store"
    again = MONITOR | {"If-None-Match": compared.headers["etag"]}
    assert lite.get(f"{REPLAY}?compare=true", headers=again).status_code == 200
    assert lite.client.head(REPLAY, headers=MONITOR).status_code == 200


def test_what_cannot_be_is_refused(lite: Api) -> None:
    for query in ("compare=yes", "compare=", "as_of=x", "at_position=9", "known_at=2024-01-01"):
        problem(lite.get(f"{REPLAY}?{query}", headers=MONITOR), 400, "invalid_parameter")
    for query in ("asof=2024-01-01", "pledge=x"):
        problem(lite.get(f"{REPLAY}?{query}", headers=MONITOR), 400, "unknown_parameter")
    problem(lite.get(f"{REPLAY}?format=csv", headers=MONITOR), 406, "not_acceptable")
    assert replayed(lite) == {**lite.get("/v1/export").json()}
    assert ADMIN not in lite.get(REPLAY, headers=MONITOR).text
