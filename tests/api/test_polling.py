"""Conditional reads: a tag is for bytes, an unchanged answer asks no database, and midnight changes it."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from freezegun import freeze_time
from sqlalchemy.exc import OperationalError

from api.http.cache import ResponseCache
from api.http.headers import entity_tag, entity_tags
from api.http.known_heads import KnownHeads, Validity
from api.http.responses import BytesResponse
from projections import folded_pledge
from projections.table_reader import ProjectionHead
from projections.timeline import Timeline
from tests.support.api import ADMIN, Api, prepare, problem, progress, running, statement
from tests.support.waiting import HANG_SECONDS, wait_until
from tracker.errors import Unavailable
from tracker.log.recorder import LogRecorder

ONE = "/v1/pledges/aid-2024"
OWN = (ONE, f"{ONE}/events", f"{ONE}/history", f"{ONE}/timeline", f"{ONE}/figures", f"{ONE}/members")
LISTS = ("/v1/pledges", "/v1/pledges?status=announced&limit=5", "/v1/events", "/v1/summary", "/v1/export")


def tag_of(api: Api, path: str) -> str:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return str(answer.headers["etag"])


def again(api: Api, path: str, given: str, **headers: str) -> int:
    return api.get(path, headers={"If-None-Match": given, **headers}).status_code


@contextmanager
def store_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No database answers."""

    def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(LogRecorder, "_ask", away)
        patch.setattr(Timeline, "_answered", away)
        patch.setattr("sqlalchemy.Engine.connect", away)
        yield


@pytest.mark.parametrize("path", [*OWN, *LISTS, "/v1/diff?from=2024-01-01", "/schema", "/schema/openapi.json"])
def test_an_unchanged_answer_is_304_with_the_store_away(kept: Api, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = kept.get(path)
    given = first.headers["etag"]
    with store_away(monkeypatch):
        answer = kept.get(path, headers={"If-None-Match": given})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == given
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert again(kept, path, f'"x", W/{given}') == 304
        assert again(kept, path, "*") == 304
        assert kept.client.head(path, headers={"If-None-Match": given}).status_code == 304
        if "export" not in path:
            assert kept.get(path, headers={"If-None-Match": '"other"'}).content == first.content


def test_the_store_away_is_503_and_says_when_to_come_back(lite: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    lite.open()
    with store_away(monkeypatch):
        for path in (*OWN, *LISTS):
            answer = lite.get(path)
            problem(answer, 503, "unavailable")
            assert answer.headers["retry-after"] == "1"
        for path in ("/health/reads", "/health/ready"):
            answer = lite.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.json()["checks"]["store"] == {"ok": False, "why": "the store does not answer"}
        assert lite.get("/health/live").status_code == 200
        answer = lite.post(f"{ONE}/events", statement(), headers={"Prefer": "respond-async"})
        assert answer.status_code in (201, 503)
    assert lite.get(ONE).status_code == 200


def test_a_write_elsewhere_leaves_a_pledges_own_tags(api: Api) -> None:
    api.open()
    tags_before = {path: tag_of(api, path) for path in (*OWN, *LISTS)}
    api.open("another")
    assert {path: again(api, path, tags_before[path]) for path in OWN} == dict.fromkeys(OWN, 304)
    assert {path: again(api, path, tags_before[path]) for path in LISTS} == dict.fromkeys(LISTS, 200)
    tags_before = {path: tag_of(api, path) for path in (*OWN, *LISTS)}
    api.add(progress())
    changed = {path: tag_of(api, path) != tags_before[path] for path in (*OWN, *LISTS)}
    assert all(changed.values()), changed


def test_the_tag_of_a_pledge_begins_with_its_version(api: Api) -> None:
    api.open()
    api.add(statement())
    assert tag_of(api, ONE).startswith('"2.')


def test_a_tag_is_the_same_from_another_process(sqlite_url: str) -> None:
    with running(sqlite_url) as api:
        api.open()
        before = {path: tag_of(api, path) for path in (*OWN, *LISTS)}
    with running(sqlite_url) as api:
        assert {path: again(api, path, before[path]) for path in before} == dict.fromkeys(before, 304)


def test_an_event_of_another_process_is_noticed(database_url: str) -> None:
    prepare(database_url)
    with running(database_url) as api, running(database_url, projector=False) as other:
        api.open()
        assert other.get(ONE).json()["version"] == 1
        given = tag_of(other, ONE)
        assert again(other, ONE, given) == 304
        api.add(statement())
        wait_until(lambda: again(other, ONE, given) == 200)
        assert other.get(ONE).json()["version"] == 2
        assert other.get("/v1/pledges").json()["items"][0]["version"] == 2


def test_a_deadline_passes_at_midnight_with_no_event(sqlite_url: str) -> None:
    with freeze_time("2025-07-10 23:59:58", real_asyncio=True) as clock, running(sqlite_url) as api:
        api.open(window={"start": "2024-07-10", "end": "2025-07-10"})
        before = api.get(ONE)
        assert before.json()["status"] == "announced"
        listed = api.get("/v1/pledges?status=overdue").headers["etag"]
        dated = tag_of(api, f"{ONE}?as_of=2025-07-10")
        assert again(api, ONE, before.headers["etag"]) == 304
        clock.move_to("2025-07-11 00:00:00")
        after = api.get(ONE, headers={"If-None-Match": before.headers["etag"]})
        assert after.status_code == 200
        assert (after.json()["status"], after.json()["as_of"]) == ("overdue", "2025-07-11")
        assert after.json()["version"] == 1
        assert again(api, "/v1/pledges?status=overdue", listed) == 200
        assert again(api, f"{ONE}?as_of=2025-07-10", dated) == 304
        assert api.head() == 1


def test_only_what_cannot_change_is_immutable(api: Api) -> None:
    api.open()
    api.add(progress())
    log = api.get("/v1/log").json()["log"]
    for path in (ONE, f"{ONE}/history", "/v1/pledges", "/v1/events"):
        assert api.get(path).headers["cache-control"] == "no-cache"
        assert api.get(f"{path}?as_of=2024-12-31").headers["cache-control"] == "no-cache"
        assert api.get(f"{path}?at_position=1").headers["cache-control"] == "no-cache"
        assert api.get(f"{path}?as_of=2024-12-31&at_position=2").headers["cache-control"] == "no-cache"
        fixed = api.get(f"{path}?as_of=2024-12-31&at_position=2&log={log}").headers["cache-control"]
        assert "immutable" in fixed
        assert fixed.startswith("public")


def test_what_is_fixed_stays_304_whatever_is_written(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.open()
    paths = [f"{path}?as_of=2024-12-31&at_position=1" for path in (*OWN, "/v1/pledges", "/v1/events")]
    given = {path: tag_of(api, path) for path in paths}
    api.add(progress())
    assert {path: tag_of(api, path) for path in paths} == given
    with store_away(monkeypatch):
        assert {path: again(api, path, given[path]) for path in paths} == dict.fromkeys(paths, 304)


def test_formats_have_tags_of_their_own(lite: Api) -> None:
    lite.open()
    for path in ("/v1/pledges", "/v1/events", "/v1/export"):
        found = {lite.get(path, headers={"Accept": a}).headers["etag"] for a in ("application/json", "text/csv")}
        assert len(found) == 2


def test_a_private_service_keeps_its_answers_from_strangers(sqlite_url: str) -> None:
    key = {"Authorization": f"Bearer {ADMIN}"}
    with running(sqlite_url, public_read=False) as api:
        api.open()
        fixed = f"as_of=2024-12-31&at_position=1&log={api.services.heads.log_id}"
        answer = api.get(f"{ONE}?{fixed}", headers=key)
        assert answer.headers["cache-control"].startswith("private")
        assert "access-control-allow-origin" not in answer.headers
        problem(api.get(ONE, headers={"If-None-Match": "*"}), 401, "unauthorized")


def test_what_is_said_while_an_event_is_parked_is_not_for_ever(lite: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    fold = folded_pledge.fold

    def poisoned(now: Any, record: Any, event: Any) -> Any:
        if event.position == 2:
            raise RuntimeError("poison")
        return fold(now, record, event)

    point = f"as_of=2025-06-01&at_position=2&log={lite.services.heads.log_id}"
    paths = [f"{path}?{point}" for path in (ONE, "/v1/pledges", "/v1/summary", "/v1/export", f"{ONE}/timeline")]
    with monkeypatch.context() as patch:
        patch.setattr(folded_pledge, "fold", poisoned)
        lite.open()
        lite.add(progress("41bn EUR"))
        before = {path: lite.get(path) for path in paths}
        assert lite.get("/health/ready").json()["parked_events"] == [{"position": 2, "pledge": "aid-2024"}]
    lite.add(statement())
    wait_until(lambda: lite.get("/health/ready").json()["parked"] == 0)
    wait_until(lambda: lite.services.heads.is_settled)
    for path, old in before.items():
        assert old.headers["cache-control"] == "no-cache", path
        new = lite.get(path, headers={"If-None-Match": old.headers["etag"]})
        assert new.status_code == 200, path
        assert ("stale_projection" in old.text, "stale_projection" in new.text) == (True, False), path
        assert "immutable" in lite.get(path).headers["cache-control"]


# --- the parts


def test_an_answer_that_many_ask_for_at_once_is_made_once() -> None:
    answers = ResponseCache(KnownHeads())
    scope: Any = {"path": "/v1/summary", "query_string": b"", "headers": []}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def ask() -> None:
        with answers.making(scope, send) as sending:
            others = [asyncio.create_task(answers.made_by_another(scope)) for _ in range(5)]
            await asyncio.sleep(0)
            assert not any(other.done() for other in others)
            answer = BytesResponse(b"made", validity=Validity())
            answers.keep(answer, scope)
            await sending({"type": "http.response.start", "status": 200, "headers": []})
            assert await asyncio.gather(*others) == [answer] * 5
        assert await answers.made_by_another(scope) is None

    async def give_up() -> None:
        answers.heads.note_standing(ProjectionHead(set=2))
        with answers.making(scope, send):
            elsewhere: Any = {**scope, "query_string": b"by=tag"}
            assert await answers.made_by_another(elsewhere) is None
            waiting = asyncio.create_task(answers.made_by_another(scope))
            await asyncio.sleep(0)
        assert await waiting is None

    asyncio.run(ask())
    assert len(sent) == 1
    asyncio.run(give_up())


def test_a_cold_answer_is_made_once_for_all_who_wait(lite: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    many = 8
    lite.open()
    made, summary, all_asked = [], Timeline.summary, threading.Event()

    def slow(*args: Any, **kwargs: Any) -> Any:
        made.append(1)
        assert all_asked.wait(HANG_SECONDS)
        return summary(*args, **kwargs)

    monkeypatch.setattr(Timeline, "summary", slow)
    answers: ResponseCache = lite.client.app.state.response_cache
    with ThreadPoolExecutor(many) as pool:
        asked = [pool.submit(lite.get, "/v1/summary?as_of=2024-12-30") for _ in range(many)]
        wait_until(lambda: sum(len(event._waiters) for event in answers._in_making.values()) == many - 1)
        all_asked.set()
        assert {answer.result().status_code for answer in asked} == {200}
    assert len(made) == 1


def test_kept_answers_are_bounded_in_number_and_bytes() -> None:
    heads = KnownHeads()
    answers = ResponseCache(heads, max_responses=10, max_bytes=50_000)

    def scope(path: str) -> Any:
        return {"path": path, "query_string": b"", "headers": []}

    for n in range(100):
        answers.keep(BytesResponse(b"x" * 1000, validity=Validity()), scope(f"/{n}"))
    assert answers.find(scope("/0")) is None
    assert answers.find(scope("/99")) is not None
    assert len(answers._responses) == 10
    for n in range(100):
        answers.keep(BytesResponse(b"x" * 20_000, validity=Validity()), scope(f"/{n}"))
    assert answers._bytes <= 50_000
    heads.note_standing(ProjectionHead(set=2))
    assert answers.find(scope("/99")) is None
    assert answers._bytes == 0


def test_heads_do_not_believe_what_was_read_before_the_log_went_on() -> None:
    heads = KnownHeads()
    heads.advance([(1, "a", 1)])
    heads.note("b", 1, read_at=0)
    assert heads.version("b") is None
    heads.note("b", 1, read_at=1)
    assert heads.version("b") == 1
    heads.note("b", 0, read_at=1)
    assert heads.version("b") == 1
    heads.recorded([("b", 5)])
    assert (heads.version("b"), heads.log) == (5, 1)


def test_a_list_holds_only_while_the_projection_is_up_with_the_log() -> None:
    heads = KnownHeads()
    heads.log = heads.projection = 3
    assert Validity(projection=3).is_met(heads)
    heads.log = 4
    assert not Validity(projection=3).is_met(heads)
    heads.projection = 4
    assert not Validity(projection=3).is_met(heads)


def test_tags_are_read_as_rfc_9110_has_them() -> None:
    assert entity_tags(b'"a", W/"b" ,"c,d"') == ["a", "b", "c,d"]
    assert entity_tags(b" * ") == ["*"]
    assert entity_tags(b"bare") == []
    assert entity_tag(b"x") == entity_tag(b"x") != entity_tag(b"y")


def test_a_store_error_of_the_read_model_is_503(lite: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("server closed the connection"))

    lite.open()
    monkeypatch.setattr(Timeline, "summary", lost)
    answer = lite.get("/v1/summary")
    problem(answer, 503, "unavailable")
    assert "closed" not in answer.text
