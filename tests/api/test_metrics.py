"""What Prometheus scrapes: every answer counted once, by route and not by address."""

import re
import time
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.http.access_keys import Role, create_key
from projections.timeline import Timeline
from tests.support.api import MONITOR, Api, made, prepare, problem, progress, running, statement
from tests.support.waiting import HANG_SECONDS
from tracker.errors import Unavailable
from tracker.rules.status_document import RULES_VERSION


def scraped(api: Api) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = api.get("/metrics", headers=MONITOR)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(answer.text)
    samples: Iterator[Any] = (sample for family in families for sample in family.samples)
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def labelled(**labels: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def test_answers_are_counted_by_route_and_status(api: Api) -> None:
    api.open()
    for _ in range(3):
        tag = api.get("/v1/pledges/aid-2024").headers["etag"]
    api.get("/v1/pledges/aid-2024", headers={"If-None-Match": tag})
    api.get("/v1/pledges/nobody")
    api.get("/not/there")
    api.client.request("BREW", "/v1/pledges")
    found = scraped(api)

    def count(route: str, status: int, method: str = "GET") -> float:
        labels = labelled(method=method, route=route, status=str(status))
        return found.get(("tracker_http_requests_total", labels), 0)

    assert count("/v1/pledges/{pledge}", 200) == 3
    assert count("/v1/pledges/{pledge}", 304) == 1
    assert count("/v1/pledges/{pledge}", 404) == 1
    assert count("/v1/pledges", 201, "POST") == 1
    assert count("none", 404) == 1
    assert count("none", 405, "other") == 1
    assert not any("nobody" in str(labels) for _, labels in found)
    times = labelled(method="GET", route="/v1/pledges/{pledge}")
    assert found["tracker_http_request_duration_seconds_count", times] == 5
    assert 0 < found["tracker_http_request_duration_seconds_sum", times] < HANG_SECONDS
    assert found["tracker_http_request_duration_seconds_bucket", (("le", "+Inf"), *times)] == 5


def test_the_log_and_the_projection_are_told(lite: Api) -> None:
    lite.open()
    found = scraped(lite)
    for name, value in {"log_position": 1, "projection_position": 1, "projection_lag_events": 0, "store_up": 1}.items():
        assert found[f"tracker_{name}", ()] == value
    assert time.time() - found["tracker_projection_heartbeat_timestamp_seconds", ()] < HANG_SECONDS
    assert found["tracker_projection_lag_seconds", ()] == 0
    assert found["tracker_log_went_back", ()] == 0
    assert found["tracker_streams", ()] == 0
    assert found["process_resident_memory_bytes", ()] > 1_000_000


def test_what_was_recorded_and_what_was_refused_is_counted(api: Api) -> None:
    api.open()
    api.post("/v1/events", [{"pledge": "aid-2024", "fact": progress()}, {"pledge": "aid-2024", "fact": statement()}])
    again = {"Idempotency-Key": "once"}
    for _ in range(2):
        api.add(statement(summary="Once."), **again)
    problem(api.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()}), 409, "pledge_exists")
    problem(api.post("/v1/pledges/nobody/events", progress()), 404, "pledge_not_found")
    api.get("/not/there")
    found = scraped(api)
    assert found["tracker_events_recorded_total", ()] == 4
    codes = {dict(labels)["code"]: n for (name, labels), n in found.items() if name == "tracker_refusals_total"}
    assert codes == {"pledge_exists": 1, "pledge_not_found": 1, "not_found": 1}


def test_answers_from_memory_are_told_from_others(lite: Api) -> None:
    lite.open()
    for _ in range(3):
        lite.get("/v1/pledges/aid-2024")
    found = scraped(lite)
    assert found["tracker_cache_requests_total", labelled(result="hit")] == 2
    assert found["tracker_cache_answers", ()] == 1
    assert found["tracker_cache_bytes", ()] > 100


def test_what_runs_is_told(lite: Api) -> None:
    (labels,) = (dict(labels) for (name, labels) in scraped(lite) if name == "tracker_build_info")
    assert labels["version"] == version("commitments-tracker")
    assert labels["rules_version"] == RULES_VERSION


def test_events_that_wait_are_told_with_the_age_of_the_oldest(database_url: str) -> None:
    prepare(database_url)
    with running(database_url, projector=False) as api:
        for pledge in ("one", "two"):
            body = {"pledge": pledge, "fact": made()}
            assert api.post("/v1/pledges", body, headers={"Prefer": "respond-async"}).status_code == 201
        found = scraped(api)
        assert found["tracker_projection_lag_events", ()] == 2
        assert 0 < found["tracker_projection_lag_seconds", ()] < HANG_SECONDS


def test_names_and_units_are_those_of_prometheus(lite: Api) -> None:
    for name, _ in scraped(lite):
        assert re.fullmatch(r"(tracker|process|python)_[a-z0-9_]+", name)
    text = lite.get("/metrics", headers=MONITOR).text
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, flags=re.M):
        assert name.endswith("_total") is (kind == "counter"), name
    assert len(re.findall(r"^# TYPE (\S+)", text, flags=re.M)) == len(
        set(re.findall(r"^# TYPE (\S+)", text, flags=re.M))
    )


def test_a_store_that_is_away_is_told_too(lite: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> Any:
        raise Unavailable("away")

    monkeypatch.setattr(Timeline, "progress", away)
    found = scraped(lite)
    assert found["tracker_store_up", ()] == 0
    assert ("tracker_log_position", ()) not in found


@pytest.mark.parametrize("public_read", [True, False])
def test_metrics_are_for_keys_alone_also_where_reads_are_public(sqlite_url: str, public_read: bool) -> None:
    with running(sqlite_url, public_read=public_read) as api:
        problem(api.get("/metrics"), 401, "unauthorized")
        problem(api.get("/metrics?x=1"), 401, "unauthorized")
        problem(api.get("/metrics", headers={"Authorization": "Bearer no"}), 401, "unauthorized")
        keys = [create_key(api.services.engine, f"a-{role}", role) for role in get_args(Role)]
        api.services.keys.refresh()
        for key in keys:
            assert api.get("/metrics", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        documented = api.get("/schema/openapi.json").json()["paths"]["/metrics"]["get"]
        assert documented["security"] == [{"key": ["reader"]}]
        assert {"401", "403"} <= documented["responses"].keys()
