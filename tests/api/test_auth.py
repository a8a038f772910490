"""Keys, roles, limits, and what must never be seen outside."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from litestar import Litestar, get
from litestar.exceptions import ImproperlyConfiguredException

from api.http import auth
from api.http.access_keys import (
    KEYS,
    KeyRefused,
    create_key,
    list_keys,
    revoke_key,
)
from api.http.contract import Contract
from api.http.json_logging import JsonLines
from api.http.limits import WriteLimit
from api.http.middleware import must_be_guarded
from api.http.problems import RateLimited, log
from api.settings import Settings
from projections.tables import open_engine
from projections.timeline import Timeline
from tests.support.api import ADMIN, Api, catch_up, made, prepare, problem, progress, running, statement
from tests.support.waiting import wait_until

ROLES = ("reader", "contributor", "monitor", "auditor", "admin")

NO_PROPOSAL = "01a217ba-1200-7101-8101-010101010101"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def routes(app: Litestar) -> list[tuple[str, str, Contract]]:
    """Every method and address with its contract; addresses are filled in with something."""
    found = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            contract = handler.opt.get("contract")
            path = route.path.replace("{pledge:str}", "aid-2024").replace("{code:str}", "malformed")
            path = path.replace("{name:str}", "schema.js").replace("{proposal:str}", NO_PROPOSAL)
            found += [(method, path, contract) for method in handler.http_methods - {"OPTIONS"}]
    return found


@pytest.mark.parametrize("public", [True, False])
def test_every_route_for_every_role(sqlite_url: str, public: bool) -> None:
    with running(sqlite_url, public_read=public, failed_key_limit=0) as api:
        api.open()
        engine = api.services.engine
        keys = {role: create_key(engine, f"{role} key", role) for role in ROLES}
        api.services.keys.refresh()
        table = routes(api.client.app)
        assert len(table) > 25
        for method, path, contract in table:
            allowed = {
                "open": {*ROLES, None},
                "reader": {*ROLES, None} if public and not contract.keyed else set(ROLES),
                "contributor": {"contributor", "monitor", "admin"},
                "monitor": {"monitor", "admin"},
                "auditor": {"auditor", "admin"},
                "auditor or monitor": {"auditor", "monitor", "admin"},
            }[contract.needs]
            for role in (*ROLES, None):
                if path.endswith("/stream") and role in allowed:
                    continue  # an answer that never ends
                headers = {} if role is None else bearer(keys[role])
                status = api.client.request(method, path, headers=headers).status_code
                refused = 401 if role is None else 403
                expected = status not in (401, 403) if role in allowed else status == refused
                assert expected, (method, path, role, status)
            stranger = api.client.request(method, path, headers=bearer("0123456789ab.nonsense")).status_code
            assert (stranger == 401) == (contract.needs != "open"), (method, path, stranger)


def test_a_route_that_does_not_say_whom_it_is_for_keeps_the_app_from_starting() -> None:
    @get("/forgotten", sync_to_thread=False)
    def forgotten() -> str:
        return ""

    with pytest.raises(ImproperlyConfiguredException, match="/forgotten"):
        must_be_guarded(Litestar([forgotten], openapi_config=None))


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YWxhZGRpbjpvcGVu", "bearer x", "Bearer a.b", "Bearer " + "x" * 5000, "Bearer é"],
)
def test_a_bad_key_is_401_even_where_none_is_needed(kept: Api, header: str) -> None:
    for path in ("/v1/pledges", "/v1/pledges/aid-2024"):
        answer = kept.client.get(path, headers={"Authorization": header.encode()})  # type: ignore[dict-item]
        problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert kept.client.get("/health/live", headers={"Authorization": header.encode()}).status_code == 200  # type: ignore[dict-item]


def test_what_is_recorded_bears_the_name_of_the_key(api: Api) -> None:
    key = create_key(api.services.engine, "alice", "monitor")
    api.services.keys.refresh()
    answer = api.post("/v1/pledges", {"pledge": "x", "fact": made()}, headers=bearer(key))
    assert answer.json()["event"]["recorded_by"] == "alice"


def is_known(key: str, api: Api) -> bool:
    """Whether a process accepts a key."""
    return api.client.post("/v1/events", json=[], headers=bearer(key)).status_code != 401


def test_a_revoked_key_is_refused_within_a_second_in_every_process(database_url: str) -> None:
    prepare(database_url)
    with running(database_url) as api, running(database_url, projector=False) as other:
        api.open()
        key = create_key(api.services.engine, "alice", "monitor")
        wait_until(lambda: is_known(key, other))
        assert other.post("/v1/pledges/aid-2024/events", statement(), headers=bearer(key)).status_code == 201
        revoke_key(api.services.engine, "alice")
        assert auth.MAX_KEY_AGE_SECONDS < 1
        wait_until(lambda: not is_known(key, api) and not is_known(key, other))
        for process in (api, other):
            answer = process.post("/v1/pledges/aid-2024/events", statement(), headers=bearer(key))
            problem(answer, 401, "unauthorized")


def test_keys_that_cannot_be_read_again_are_not_trusted(lite: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key = create_key(lite.services.engine, "alice", "reader")
    lite.services.keys.refresh()
    lite.services.follower.stop()
    assert lite.get("/v1/pledges", headers=bearer(key)).status_code == 200

    def away(*_: Any) -> Any:
        raise OSError

    monkeypatch.setattr("api.http.auth.MAX_KEY_AGE_SECONDS", -1)
    monkeypatch.setattr(lite.services.keys, "refresh", away)
    assert lite.get("/v1/pledges", headers=bearer(key)).status_code == 500
    assert lite.get("/v1/pledges", headers=bearer(ADMIN)).status_code == 200


def test_keys_are_made_listed_and_revoked(database_url: str) -> None:
    prepare(database_url)
    engine = open_engine(database_url)
    key = create_key(engine, "desk", "monitor")
    assert len(key) >= 43
    with pytest.raises(KeyRefused, match="desk"):
        create_key(engine, "desk", "reader")
    for name, role in (("", "reader"), ("a\nb", "reader"), (" a", "reader"), ("x" * 65, "reader"), ("ok", "root")):
        with pytest.raises(KeyRefused):
            create_key(engine, name, role)
    revoke_key(engine, "desk")
    with pytest.raises(KeyRefused):
        revoke_key(engine, "desk")
    assert create_key(engine, "desk", "reader") != key
    listed = list_keys(engine)
    assert [(k.name, k.role, k.revoked_at is None) for k in listed] == [
        ("desk", "monitor", False),
        ("desk", "reader", True),
    ]
    with engine.connect() as conn:
        stored = repr(conn.execute(KEYS.select()).all())
    assert key.split("_")[2] not in stored
    engine.dispose()


def test_the_admin_key_is_long_and_never_shown() -> None:
    with pytest.raises(ValueError, match="32 characters") as refused:
        Settings(_env_file=None, admin_key="too-short-secret")  # type: ignore[arg-type]
    assert "too-short-secret" not in str(refused.value)
    settings = Settings(_env_file=None, admin_key=ADMIN, database_url="postgresql://u:hunter2@h/db")  # type: ignore[arg-type]
    assert ADMIN not in repr(settings)
    assert "hunter2" not in repr(settings)


# --- limits


def test_writes_are_limited_by_key_and_minute(sqlite_url: str) -> None:
    with running(sqlite_url, rate_limit=3) as api:
        key = bearer(create_key(api.services.engine, "alice", "monitor"))
        api.services.keys.refresh()
        first = api.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()}, headers=key)
        assert first.headers["ratelimit"] == '"writes";r=2;t=60'
        assert (
            api.post("/v1/events", [{"pledge": "aid-2024", "fact": statement()}] * 50, headers=key).status_code == 201
        )
        assert api.post("/v1/events", b"{", headers=key).status_code == 400
        limited = api.post("/v1/pledges/aid-2024/events", statement(), headers=key)
        problem(limited, 429, "rate_limited")
        assert 1 <= int(limited.headers["retry-after"]) <= 60
        assert api.get("/v1/pledges/aid-2024", headers=key).status_code == 200
        assert api.post("/v1/pledges/aid-2024/events", statement()).status_code == 201
        assert api.head() == 52


def test_the_minute_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("api.http.windows.time.monotonic", lambda: clock[0])
    limit = WriteLimit(1)
    limit.count("alice", [])
    limit.count("bob", [])
    clock[0] = 130.5
    with pytest.raises(RateLimited) as refused:
        limit.count("alice", [])
    assert refused.value.members["retry_after"] == 30
    clock[0] = 160.0
    limit.count("alice", [])
    headers: list[tuple[bytes, bytes]] = []
    WriteLimit(0).count("alice", headers)
    assert headers == []


# --- what is seen outside


def test_every_answer_has_the_security_headers(lite: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    lite.open()

    def broken(*_: Any) -> Any:
        raise RuntimeError("secret reason")

    monkeypatch.setattr(Timeline, "summary", broken)
    found = [
        lite.get("/v1/pledges"), lite.get("/nowhere"), lite.get("/v1/summary"), lite.get("/schema"),
        lite.client.delete("/v1/pledges"), lite.client.options("/v1/pledges"), lite.client.post("/v1/events"),
        lite.get("/v1/pledges", headers={"If-None-Match": "*"}),
    ]  # fmt: skip
    assert {answer.status_code for answer in found} >= {200, 204, 304, 401, 404, 405, 500}
    for answer in found:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
    policy = lite.get("/schema").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_what_breaks_is_logged_and_not_told(lite: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("the reason")

    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonLines().format(record))

    handler = Keep()
    log.addHandler(handler)
    try:
        monkeypatch.setattr(Timeline, "summary", broken)
        answer = lite.get("/v1/summary?q=private", headers=bearer(ADMIN))
    finally:
        log.removeHandler(handler)
    body = problem(answer, 500, "internal_error")
    assert "the reason" not in answer.text
    (line,) = lines
    assert body["request_id"] in line
    assert "the reason" in line
    assert ADMIN not in line
    assert "private" not in line


def test_no_secret_is_ever_logged(
    lite: Api, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    key = create_key(lite.services.engine, "alice", "monitor")
    lite.services.keys.refresh()
    lite.open()
    lite.post("/v1/pledges/aid-2024/events", progress("nonsense"), headers=bearer(key))
    lite.get("/v1/pledges?key=1", headers=bearer(key + "x"))
    lite.get("/v1/pledges?key=1", headers=bearer(key))
    said = caplog.text + "".join(capfd.readouterr())
    for secret in (key, key.split("_")[2], ADMIN):
        assert secret not in said


def test_reads_are_open_to_other_origins_and_writes_are_not(kept: Api) -> None:
    answer = kept.get("/v1/pledges", headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    for name in ("ETag", "Link", "Location", "Memento-Datetime", "Retry-After", "RateLimit"):
        assert name in answer.headers["access-control-expose-headers"]
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    preflight = kept.client.options("/v1/pledges", headers=asked)
    assert preflight.headers["access-control-allow-methods"] == "GET, HEAD"
    assert "If-None-Match" in preflight.headers["access-control-allow-headers"]
    written = kept.post("/v1/events", [], headers={"Origin": "https://elsewhere.example"})
    assert "access-control-allow-origin" not in written.headers


def test_many_readers_and_writers_at_once(api: Api) -> None:
    api.open()

    def work(n: int) -> int:
        if n % 3:
            return api.get("/v1/pledges").status_code
        return api.post("/v1/pledges/aid-2024/events", statement(summary=f"Talk {n}")).status_code

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(work, range(60))) == {200, 201}
    assert api.get("/v1/pledges/aid-2024").json()["version"] == 21


def test_health_says_how_far_the_projection_is(sqlite_url: str) -> None:
    with running(sqlite_url, projector=False, max_lag=1) as api:
        catch_up(api)
        answer = api.get("/health/ready")
        assert (answer.status_code, answer.json()["status"]) == (200, "ready")
        for n in range(2):
            api.post("/v1/pledges", {"pledge": f"p{n}", "fact": made()}, headers={"Prefer": "respond-async"})
        answer = api.get("/health/ready")
        assert (answer.status_code, answer.json()["status"], answer.json()["lag"]) == (503, "not_ready", 2)
        assert answer.json()["parked"] == 0
        assert [name for name, check in answer.json()["checks"].items() if not check["ok"]] == ["backlog"]
        assert api.get("/health/reads").status_code == 200
        problem(api.get("/v1/pledges?at_position=2"), 503, "unavailable")


def test_a_server_is_not_ready_before_it_shows_what_it_was_given(sqlite_url: str) -> None:
    with running(sqlite_url, projector=False) as api:
        catch_up(api)
        api.post("/v1/pledges", {"pledge": "given", "fact": made()}, headers={"Prefer": "respond-async"})
        assert api.get("/health/ready").status_code == 200
    with running(sqlite_url, projector=False) as api:
        assert (api.get("/health/ready").status_code, api.get("/health/ready").json()["lag"]) == (503, 1)
        assert api.get("/health/reads").status_code == 503
