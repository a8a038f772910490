"""What other origins may read, and what the headers of every answer say."""

import pytest

from tests.support.api import ADMIN, Api, made, problem, running, statement

ORIGIN = {"Origin": "https://elsewhere.example"}
EXPOSED = {"etag", "link", "location", "memento-datetime", "retry-after", "ratelimit"}
READS = ("/v1/pledges", "/v1/pledges/aid-2024", "/v1/events", "/v1/summary", "/v1/export", "/v1/feed.atom")


@pytest.mark.parametrize("path", READS)
def test_reads_are_open_to_other_origins(kept: Api, path: str) -> None:
    for answer in (kept.get(path, headers=ORIGIN), kept.client.head(path, headers=ORIGIN)):
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
        assert exposed >= EXPOSED
        assert "access-control-allow-credentials" not in answer.headers
    given = {**ORIGIN, "If-None-Match": kept.get(path).headers["etag"]}
    unchanged = kept.get(path, headers=given)
    assert (unchanged.status_code, unchanged.headers["access-control-allow-origin"]) == (304, "*")


def test_problems_of_reads_can_be_read_too(kept: Api) -> None:
    for path in ("/v1/pledges/nobody", "/v1/pledges?x=1", "/v1/pledges?format=xml", "/nothing"):
        answer = kept.get(path, headers=ORIGIN)
        assert answer.status_code >= 400
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", [*READS, "/v1/events/stream"])
def test_a_browser_may_ask_first(kept: Api, path: str) -> None:
    asked = {
        **ORIGIN,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match,authorization,accept-datetime,last-event-id",
    }
    answer = kept.client.options(path, headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    methods = {method.strip() for method in answer.headers["access-control-allow-methods"].split(",")}
    assert methods == {"GET", "HEAD"}
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert allowed >= set(asked["Access-Control-Request-Headers"].split(","))
    assert int(answer.headers["access-control-max-age"]) > 0


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/pledges", "GET, HEAD, OPTIONS, POST"),
        ("/v1/pledges/aid-2024/events", "GET, HEAD, OPTIONS, POST"),
        ("/v1/events", "GET, HEAD, OPTIONS, POST"),
        ("/v1/pledges/aid-2024", "GET, HEAD, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
        ("/assets/app.js", "GET, HEAD, OPTIONS"),
    ],
)
def test_an_address_says_what_it_takes(kept: Api, path: str, methods: str) -> None:
    asked = kept.client.options(path)
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, methods, b"")
    refused = kept.client.delete(path, headers=ORIGIN)
    problem(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == methods


def test_writes_are_not_open_to_other_origins(lite: Api) -> None:
    answer = lite.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()}, headers=ORIGIN)
    assert answer.status_code == 201
    assert "access-control-allow-origin" not in answer.headers


def test_a_private_service_is_open_to_nobody(sqlite_url: str) -> None:
    with running(sqlite_url, public_read=False) as api:
        for headers in (ORIGIN, {**ORIGIN, "Authorization": f"Bearer {ADMIN}"}):
            answer = api.get("/v1/pledges", headers=headers)
            assert "access-control-allow-origin" not in answer.headers
        asked = {**ORIGIN, "Access-Control-Request-Method": "GET"}
        assert "access-control-allow-origin" not in api.client.options("/v1/pledges", headers=asked).headers


def test_what_is_left_of_the_minute_is_said_also_when_nothing_is(sqlite_url: str) -> None:
    with running(sqlite_url, rate_limit=3) as api:
        api.open()
        answer = api.post("/v1/pledges/aid-2024/events", statement())
        assert answer.headers["ratelimit-policy"] == '"writes";q=3;w=60'
        assert answer.headers["ratelimit"].startswith('"writes";r=1;t=')
        problem(api.post("/v1/pledges/aid-2024/events", {}), 422, "invalid_fact")
        refused = api.post("/v1/pledges/aid-2024/events", statement(summary="More."))
        problem(refused, 429, "rate_limited")
        wait = int(refused.headers["retry-after"])
        assert 1 <= wait <= 60
        assert refused.headers["ratelimit"] == f'"writes";r=0;t={wait}'
        assert refused.headers["ratelimit-policy"] == '"writes";q=3;w=60'


@pytest.mark.parametrize(
    "path", [*READS, "/", "/schema", "/health/live", "/nothing", "/v1/pledges?x=1", "/embed/aid-2024"]
)
def test_every_answer_is_what_it_says_it_is(kept: Api, path: str) -> None:
    for accept in ("application/json", "text/html", "*/*"):
        answer = kept.get(path, headers={"Accept": accept})
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"]
        if answer.headers["content-type"].startswith("text/html"):
            assert "default-src" in answer.headers["content-security-policy"]
