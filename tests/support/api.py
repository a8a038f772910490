"""The API on a fresh store, and facts to send to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from api.app import create_app
from api.http import access_keys
from api.http.system_clock import now
from api.services import Services
from api.settings import Settings
from projections.queries import TIMELINE
from projections.runner import PROJECTION_VERSION, ProjectionRunner
from projections.tables import create_tables, open_engine
from tests.support.waiting import HANG_SECONDS
from tracker.application import Tracker

ADMIN = "an-admin-key-of-more-than-32-characters"
MONITOR = {"Authorization": f"Bearer {ADMIN}"}
SOURCE = {"publisher": "Example Gazette", "tier": "media"}
# The address at which facts are recorded on the pledge that `Api.open` opens.
EVENTS = "/v1/pledges/aid-2024/events"
NEEDED_QUERY = {
    "/v1/diff": "?from=2024-01-01",
    "/ledger/proof/consistency": "?from=1",
    "/ledger/proof/inclusion": "?position=1",
    "/ledger/proof/event": "?position=1",
}
"""What some addresses cannot do without."""


def made(**fields: Any) -> dict[str, Any]:
    return {
        "type": "PledgeMade", "stated_on": "2024-01-10", "title": "Aid of 2024", "pledgor": {"name": "Alliance"},
        "kind": "money", "target": "at least 40bn EUR", "window": {"start": "2024-01-01", "end": "2024-12-31"},
        "source": SOURCE,
    } | fields  # fmt: skip


def progress(quantity: Any = "20.9bn EUR", **fields: Any) -> dict[str, Any]:
    figure = {"quantity": quantity, "basis": "cumulative", "period": {"start": "2024-01-01", "end": "2024-06-30"}}
    figure |= fields.pop("figure", {})
    return {"type": "ProgressReported", "stated_on": "2024-07-10", "source": SOURCE, "figure": figure} | fields


def statement(**fields: Any) -> dict[str, Any]:
    return {"type": "StatementMade", "stated_on": "2024-08-01", "source": SOURCE, "summary": "Talk."} | fields


def prepare(database_url: str) -> None:
    """What `tracker init` does."""
    Tracker(database_url).close()
    engine = open_engine(database_url)
    create_tables(engine, TIMELINE, PROJECTION_VERSION)
    access_keys.create_tables(engine)
    engine.dispose()


class Api:
    """The app, its inner services and a client with an admin key for writes."""

    def __init__(self, client: TestClient[Litestar]) -> None:
        self.client = client
        self.services: Services = client.app.state.services

    def get(self, path: str, **options: Any) -> Response:
        return self.client.get(path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Response:
        headers = MONITOR | options.pop("headers", {})
        if isinstance(body, bytes):
            headers = {"Content-Type": "application/json"} | headers
            return self.client.post(path, content=body, headers=headers, **options)
        return self.client.post(path, json=body, headers=headers, **options)

    def open(self, pledge: str = "aid-2024", **fields: Any) -> Any:
        answer = self.post("/v1/pledges", {"pledge": pledge, "fact": made(**fields)})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def add(self, fact: dict[str, Any], pledge: str = "aid-2024", **headers: str) -> Any:
        answer = self.post(f"/v1/pledges/{pledge}/events", fact, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def head(self) -> int:
        return self.services.tracker.log.head()


@contextmanager
def running(database_url: str, **settings: Any) -> Iterator[Api]:
    """The API on a store whose tables are there."""
    given: dict[str, Any] = {"admin_key": ADMIN, "rate_limit": 0, "failed_key_limit": 0, **settings}
    app = create_app(Settings(_env_file=None, database_url=database_url, **given))
    with TestClient(app, raise_server_exceptions=False) as client, patient(app.state.services):
        yield Api(client)


def catch_up(api: Api) -> None:
    """Project everything once, as a projector in another process does."""
    services = api.services
    runner = ProjectionRunner(services.settings.database_url, services.tracker.log, now, engine=services.engine)
    runner.catch_up()
    runner.stop()


@contextmanager
def patient(services: Services) -> Iterator[None]:
    """Reads and writes wait for the projection for as long as it takes, if this process projects."""
    follower = services.follower
    if not services.settings.projector:
        yield
        return
    wait, wait_async = follower.wait, follower.wait_async
    with (
        patch.object(follower, "wait", lambda position, timeout: wait(position, HANG_SECONDS)),
        patch.object(follower, "wait_async", lambda position, timeout: wait_async(position, HANG_SECONDS)),
    ):
        yield


def problem(answer: Response, status: int, code: str, pointer: str | None = None) -> dict[str, Any]:
    """The problem that an answer is, which must have this status, code and pointer, a message and a type we serve."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    body: dict[str, Any] = answer.json()
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["type"] == f"/problems/{code}"
    assert body["title"]
    assert body["detail"]
    assert "Traceback" not in answer.text
    if pointer is not None:
        assert pointer in [entry["pointer"] for entry in body["errors"]], body
        assert all(entry["message"] for entry in body["errors"])
    return body
