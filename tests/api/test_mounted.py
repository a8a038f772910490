"""The service below a path of a host: behind a proxy that keeps the path or strips it, and mounted in another app."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from litestar import Litestar, asgi
from litestar.testing import TestClient
from litestar.types import Receive, Scope, Send

from api.app import create_app
from api.settings import Settings
from tests.support.api import ADMIN, MONITOR, made, patient, progress
from tests.support.links import addresses_of
from tests.support.pages import BROWSER

BASE = "/tracker"
ACCEPTS_DATETIME = {"Accept-Datetime": "Wed, 12 Feb 2025 00:00:00 GMT"}


def alone(app: Litestar) -> Any:
    """Behind a proxy that keeps the path."""
    return app


class ByRootPath:
    """A host that mounts as Starlette does: `root_path` has the path, and the path of the request has it, too."""

    def __init__(self, app: Litestar) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Give what is below the mount to the app, and its life."""
        if scope["type"] != "lifespan":
            assert scope["path"].startswith(BASE)
            scope = {**scope, "root_path": BASE, "state": {"of": "the host"}, "path_params": {"of": "the host"}}
        await self.app(scope, receive, send)


def in_litestar(app: Litestar) -> Litestar:
    """A Litestar app that mounts this one, and runs its life."""

    @asgi(BASE, is_mount=True, copy_scope=True)
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return Litestar([mounted], lifespan=[lambda _: app.lifespan()], openapi_config=None)


class Stripped:
    """A proxy that strips the path before it asks."""

    def __init__(self, app: Litestar) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Ask without the path."""
        if scope["type"] != "lifespan":
            assert scope["path"].startswith(BASE)
            scope = {**scope, "path": scope["path"].removeprefix(BASE) or "/", "raw_path": b""}
        await self.app(scope, receive, send)


@contextmanager
def host(sqlite_url: str, mount: Callable[[Litestar], Any], **settings: Any) -> Iterator[TestClient[Any]]:
    given: dict[str, Any] = {"admin_key": ADMIN, "rate_limit": 0, **settings}
    app = create_app(Settings(_env_file=None, database_url=sqlite_url, **given))
    with TestClient(mount(app), raise_server_exceptions=False) as client, patient(app.state.services):
        opened = client.post(f"{BASE}/v1/pledges", json={"pledge": "aid-2024", "fact": made()}, headers=MONITOR)
        assert opened.status_code == 201, opened.text
        assert opened.headers["location"] == f"{BASE}/v1/pledges/aid-2024"
        told = client.post(f"{BASE}/v1/pledges/aid-2024/events", json=progress(), headers=MONITOR)
        assert told.status_code == 201, told.text
        yield client


MOUNTS = [
    pytest.param(alone, {"base_path": BASE}, id="a proxy that keeps the path"),
    pytest.param(Stripped, {"base_path": BASE}, id="a proxy that strips the path"),
    pytest.param(ByRootPath, {"base_path": BASE}, id="mounted as by Starlette"),
    pytest.param(ByRootPath, {}, id="mounted as by Starlette, not set"),
    pytest.param(in_litestar, {"base_path": BASE}, id="mounted in Litestar"),
]
PAGES = [
    "/", "/?status=", "/pledges/aid-2024", "/pledges/aid-2024/record", "/pledges/aid-2024/statement",
    "/audit", "/record", "/proposals", "/import", "/schema", "/problems", "/problems/not_found", "/nowhere",
    "/embed/aid-2024", "/pledges/nobody", "/parties", "/parties/alliance", "/tags/aid", "/about/rules", "/developers",
]  # fmt: skip
DATA = [
    "/v1/pledges?limit=1", "/v1/pledges/aid-2024", "/v1/pledges/aid-2024/timemap?format=link", "/v1/events?limit=1",
    "/v1/pledges/aid-2024/timemap", "/v1/feed.atom", "/v1/nowhere", "/v1/pledges/aid-2024?asof=2024-01-01",
    "/v1/pledges/aid-2024?at_position=0", "/v1/parties", "/problems", "/v1/summary", "/ledger/checkpoint",
]  # fmt: skip


@pytest.mark.parametrize(("mount", "settings"), MOUNTS)
def test_every_address_begins_with_the_base_path_and_is_served(
    sqlite_url: str, mount: Callable[[Litestar], Any], settings: dict[str, Any]
) -> None:
    with host(sqlite_url, mount, **settings) as client:
        followed: set[str] = set()
        for path, headers in [*((page, BROWSER) for page in PAGES), *((data, {}) for data in DATA)]:
            answer = client.get(BASE + path, headers=headers, follow_redirects=False)
            assert answer.status_code < 500, answer.text
            for found in addresses_of(answer):
                if not found.startswith(("#", "https://", "http://")):
                    assert found == BASE or found.startswith(f"{BASE}/"), (path, found)
                    assert not found.startswith(BASE + BASE), (path, found)
                    followed.add(found.partition("#")[0])
        assert {f"{BASE}/audit", f"{BASE}/v1/feed.atom", f"{BASE}/v1/pledges/aid-2024?as_of=2024-01-10"} <= followed
        statuses = {found: client.get(found, headers=BROWSER).status_code for found in sorted(followed)}
        assert {found: status for found, status in statuses.items() if status not in (200, 400, 404)} == {}
        nowhere = {f"{BASE}{path}" for path in ("/nowhere", "/pledges/nobody", "/v1/nowhere")}
        # Litestar gives a mounted app every path with a slash at its end, which a problem repeats.
        assert {found.rstrip("/") for found, status in statuses.items() if status == 404} <= nowhere


def test_redirects_cookies_and_what_stays_on_a_page_keep_the_base_path(sqlite_url: str) -> None:
    with host(sqlite_url, alone, base_path=BASE) as client:
        blank = client.get(f"{BASE}/?status=&q=aid", follow_redirects=False)
        assert (blank.status_code, blank.headers["location"]) == (302, f"{BASE}/?q=aid")
        memento = client.get(f"{BASE}/v1/pledges/aid-2024", headers=ACCEPTS_DATETIME, follow_redirects=False)
        assert memento.headers["location"] == f"{BASE}/v1/pledges/aid-2024?as_of=2025-02-12"
        assert f"<{BASE}/v1/pledges/aid-2024/timemap>" in memento.headers["link"]
        assert f'data-base="{BASE}"' in client.get(f"{BASE}/", headers=BROWSER).text
        assert client.get(f"{BASE}/schema/openapi.json").json()["servers"] == [{"url": f"{BASE}/"}]
        assert not client.cookies
        sheet = client.get(f"{BASE}/v1/export?format=csv")
        assert "aid-2024" in sheet.text
        assert (
            client.get(BASE, headers=BROWSER).status_code == client.get(f"{BASE}/", headers=BROWSER).status_code == 200
        )
        # What asks from beside the service, as a health check does, knows no base path.
        assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize("public_url", ["https://example.org", f"https://example.org{BASE}/"])
def test_the_address_for_readers_has_the_base_path_once(sqlite_url: str, public_url: str) -> None:
    with host(sqlite_url, Stripped, base_path=f"{BASE}/", public_url=public_url) as client:
        here = f"https://example.org{BASE}"
        page = client.get(f"{BASE}/pledges/aid-2024?as_of=2024-03-01", headers=BROWSER).text
        assert f'<link rel="canonical" href="{here}/pledges/aid-2024?as_of=2024-03-01">' in page
        assert f'<a href="{BASE}/audit?pledge=aid-2024">' in page
        assert f'href="{here}/v1/feed.atom"' in client.get(f"{BASE}/v1/feed.atom").text
        events = client.get(f"{BASE}/v1/events?format=cloudevents").json()
        assert {event["source"] for event in events} == {f"{here}/v1/pledges/aid-2024"}
        assert client.get(f"{BASE}/schema/openapi.json").json()["servers"] == [{"url": f"{here}/"}]


def test_a_pledge_that_is_called_like_the_base_path_is_found(sqlite_url: str) -> None:
    with host(sqlite_url, alone, base_path=BASE) as client:
        fact = {"pledge": "tracker", "fact": made(title="Another")}
        assert client.post(f"{BASE}/v1/pledges", json=fact, headers=MONITOR).status_code == 201
        for path in (f"{BASE}/v1/pledges/tracker", "/v1/pledges/tracker"):
            assert client.get(path).json()["pledge"] == "tracker"
        assert client.get("/tracker-of-others/v1/pledges").json()["instance"] == f"{BASE}/tracker-of-others/v1/pledges"


@pytest.mark.parametrize("path", ["tracker", "/a//b", "/a?b", "/..", "/a/../b", "https://example.org/a", "/a b", "//a"])
def test_a_base_path_that_is_none_is_refused_at_the_start(path: str) -> None:
    with pytest.raises(ValueError, match="base_path"):
        Settings(_env_file=None, base_path=path)


def test_a_public_address_with_another_path_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="TRACKER_PUBLIC_URL names a path that is not TRACKER_BASE_PATH, /tracker"):
        Settings(_env_file=None, base_path=BASE, public_url="https://example.org/elsewhere")
    assert Settings(_env_file=None, base_path="/").base_path == ""
