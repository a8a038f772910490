"""Which log this is: every answer says it, every request may, and what is of another log is refused."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.http.contract import Contract
from api.http.system_clock import since_boot
from api.resources import writes
from tests.support.api import ADMIN, MONITOR, Api, made, prepare, problem, progress, running, statement
from tests.support.live import serving
from tests.support.waiting import wait_until
from tracker.log.open import open_recorder

ONE = "/v1/pledges/aid-2024"


def log_of(api: Api) -> str:
    found: str = api.get("/v1/log").json()["log"]
    return found


def read_paths(api: Api) -> list[str]:
    """The addresses of every read under /v1, as the routes have them, of what is there."""
    headers = MONITOR | {"Content-Type": "application/pdf"}
    there = {
        "{pledge:str}": "aid-2024",
        "{key:str}": "alliance",
        "{sha256:str}": api.client.put("/v1/captures", content=b"%PDF-", headers=headers).json()["sha256"],
        "{proposal:str}": api.post("/v1/proposals", {"pledge": "aid-2024", "fact": statement()}).json()["proposal"],
    }

    def filled(path: str) -> str:
        for name, value in there.items():
            path = path.replace(name, value)
        return path

    return sorted(
        filled(route.path)
        for route in api.client.app.routes
        for handler in getattr(route, "route_handlers", ())
        if isinstance(contract := handler.opt.get("contract"), Contract)
        and route.path.startswith("/v1")
        and not contract.writes
    )


def test_every_answer_says_which_log_it_is_of(api: Api) -> None:
    api.open()
    log = log_of(api)
    tag = api.get(ONE).headers["etag"]
    answers = {
        200: api.get(ONE),
        304: api.get(ONE, headers={"If-None-Match": tag}),
        404: api.get("/v1/pledges/none"),
        400: api.get("/v1/pledges?limit=0"),
        401: api.get(ONE, headers={"Authorization": "Bearer nobody"}),
        201: api.post(f"{ONE}/events", statement()),
        422: api.post(f"{ONE}/events", {"type": "StatementMade"}),
        405: api.client.delete(ONE),
    }
    for status, answer in answers.items():
        assert answer.status_code == status, answer.text
        assert answer.headers["tracker-log"] == log, status
    assert api.client.head(ONE).headers["tracker-log"] == log
    assert "tracker-log" not in api.get("/health/live").headers


def test_every_read_takes_the_id_and_refuses_another(kept: Api) -> None:
    log = log_of(kept)
    paths = read_paths(kept)
    assert len(paths) > 15
    for path in paths:
        if path == "/v1/events/stream":
            continue
        query = "from=2024-01-01&" if path == "/v1/diff" else ""
        assert kept.get(f"{path}?{query}log={log}", headers=MONITOR).status_code == 200, path
        problem(kept.get(f"{path}?{query}log=another", headers=MONITOR), 409, "other_log")
    problem(kept.get("/v1/events/stream?log=another"), 409, "other_log")
    problem(kept.get(f"{ONE}?log="), 409, "other_log")


def test_a_write_may_name_its_log(api: Api) -> None:
    log = log_of(api)
    api.open()
    assert api.post(f"{ONE}/events", statement(), headers={"Tracker-Log": log}).status_code == 201
    for path, body in ((f"{ONE}/events", statement(summary="More.")), ("/v1/pledges", {"fact": made(title="New")})):
        assert problem(api.post(path, body, headers={"Tracker-Log": "another"}), 409, "other_log")["log"] == log
        problem(api.post(f"{path}?dry_run=true", body, headers={"Tracker-Log": "another"}), 409, "other_log")
    problem(api.post(f"{ONE}/events", statement(), headers={"Tracker-Log": ""}), 400, "invalid_parameter")
    assert api.head() == 2


def test_the_log_tells_its_id_and_its_forks(api: Api) -> None:
    empty = api.get("/v1/log").json()
    assert (empty["head"], empty["first_recorded_at"], empty["last_recorded_at"]) == (0, None, None)
    api.open()
    api.add(progress())
    events = api.get("/v1/events").json()["items"]
    which = api.get("/v1/log").json()
    assert which["head"] == 2
    assert which["first_recorded_at"] == events[0]["recorded_at"]
    assert which["last_recorded_at"] == events[1]["recorded_at"]
    assert (which["log"], which["forks"]) == (empty["log"], [])
    problem(api.get("/v1/log?as_of=2024-01-01"), 400, "unknown_parameter")
    with closing(open_recorder(api.services.settings.database_url)) as beside:
        beside.fork("a reason")
    wait_until(lambda: log_of(api) != which["log"])
    (fork,) = api.get("/v1/log").json()["forks"]
    assert (fork["from"], fork["position"], fork["reason"]) == (which["log"], 2, "a reason")


def test_equal_bytes_of_two_logs_have_two_tags(tmp_path: Path) -> None:
    tags = []
    for name in ("one", "two"):
        with running(f"sqlite:///{tmp_path}/{name}.db") as api:
            answer = api.get("/v1/pledges?as_of=2024-01-01")
            tags.append(answer.headers["etag"])
            tags.append(api.get("/v1/export?as_of=2024-01-01").headers["etag"])
    assert len(set(tags)) == 4


def test_what_is_cached_of_a_log_is_gone_with_its_id(api: Api) -> None:
    api.open()
    before = api.get(ONE)
    assert api.get(ONE, headers={"If-None-Match": before.headers["etag"]}).status_code == 304
    assert api.post(f"{ONE}/events?dry_run=true", statement(), headers={"If-Match": before.headers["etag"]}).is_success
    with closing(open_recorder(api.services.settings.database_url)) as beside:
        forked = beside.fork("a reason").log
    wait_until(lambda: api.get(ONE).headers["tracker-log"] == forked)
    after = api.get(ONE, headers={"If-None-Match": before.headers["etag"]})
    assert (after.status_code, after.content) == (200, before.content)
    assert after.headers["etag"] != before.headers["etag"]


def test_a_cursor_belongs_to_its_log(api: Api) -> None:
    api.open()
    api.open("another")
    cursor = api.get("/v1/pledges?limit=1").json()["next_cursor"]
    assert api.get(f"/v1/pledges?limit=1&cursor={cursor}").status_code == 200
    with closing(open_recorder(api.services.settings.database_url)) as beside:
        forked = beside.fork("a reason").log
    wait_until(lambda: log_of(api) == forked)
    problem(api.get(f"/v1/pledges?limit=1&cursor={cursor}"), 409, "other_log")
    problem(api.get("/v1/pledges?limit=1&cursor=bWFkZSB1cA"), 400, "invalid_parameter")


def test_a_stream_of_a_forked_log_ends_with_a_word(database_url: str) -> None:
    prepare(database_url)
    with serving(database_url) as live:
        live.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()})
        with live.client.stream("GET", "/v1/events/stream?after=1") as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith(": after")
            with closing(open_recorder(database_url)) as beside:
                forked = beside.fork("a reason").log
            assert [line for line in lines if line.startswith(("event", "data"))] == [
                "event: log_changed",
                f'data: {{"log":"{forked}"}}',
            ]


# The clock


def test_a_stamp_far_from_the_databases_clock_is_refused(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(postgres_url)
    monkeypatch.setattr(writes, "now", lambda: datetime.now(UTC) + timedelta(minutes=2))
    opening = {"pledge": "aid-2024", "fact": made()}
    with running(postgres_url) as api:
        refused = problem(api.post("/v1/pledges", opening), 503, "clock_implausible")
        assert "TRACKER_TRUST_CLOCK=true" in refused["detail"]
        assert api.head() == 0
    with running(postgres_url, trust_clock=True) as api:
        assert api.post("/v1/pledges", opening).status_code == 201


@pytest.mark.parametrize("moved", [timedelta(hours=2), timedelta(days=-30)])
def test_a_clock_that_moved_since_the_start_is_refused(
    database_url: str, monkeypatch: pytest.MonkeyPatch, moved: timedelta
) -> None:
    prepare(database_url)
    shift = timedelta()
    monkeypatch.setattr("api.app.now", lambda: datetime.now(UTC) + shift)
    with running(database_url) as api:
        api.open()
        shift = moved
        problem(api.post(f"{ONE}/events", statement()), 503, "clock_implausible")
        assert api.get(ONE).status_code == 200
        shift = timedelta()
        api.add(statement())
    with running(database_url, trust_clock=True) as api:
        shift = moved
        api.add(statement(summary="More."))


def test_a_log_that_rested_for_a_month_is_written_to(lite: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    lite.open()
    month = timedelta(days=31)
    monkeypatch.setattr(writes, "now", lambda: datetime.now(UTC) + month)
    monkeypatch.setattr("api.app.now", lambda: datetime.now(UTC) + month)
    monkeypatch.setattr("api.app.since_boot", lambda: since_boot() + month.total_seconds())
    with running(lite.services.settings.database_url) as later:
        assert later.post(f"{ONE}/events", statement()).status_code == 201


def test_no_key_is_in_what_is_remembered(database_url: str, tmp_path: Path) -> None:
    prepare(database_url)
    with running(database_url, state_dir=tmp_path / "kept") as api:
        api.open()
    remembered = (tmp_path / "kept" / "logs.json").read_text()
    assert '"position": 1' in remembered
    assert ADMIN not in remembered
