"""Addresses are the operator's: no answer has one that a request names, whatever headers it names it in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from api.settings import Settings
from tests.support.api import MONITOR, Api, progress, running
from tests.support.routes import STREAM, Route, routes

EVIL = "evil-host.example"
PUBLIC = "https://pledges.example.org"
HOSTILE = {
    "Host": EVIL,
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Server": EVIL,
    "X-Forwarded-Proto": "evil-host.example",
    "X-Forwarded-Prefix": f"//{EVIL}",
    "X-Host": EVIL,
    "X-Original-URL": f"//{EVIL}/",
    "X-Rewrite-URL": f"//{EVIL}/",
    "Forwarded": f"host={EVIL};proto=https",
    "Origin": f"https://{EVIL}",
    "Referer": f"https://{EVIL}/",
}


@pytest.fixture(scope="module", params=[None, PUBLIC])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    url = f"sqlite:///{tmp_path_factory.mktemp('hosts')}/tracker.db"
    with running(url, public_url=request.param, trusted_proxies="127.0.0.0/8") as api:
        api.open()
        api.add(progress())
        yield api


def addresses(route: Route) -> Iterator[str]:
    """The route as it is, in every format and along every axis, and with what is redirected."""
    query = route.parameters("query")
    more = "&" if "?" in route.valid else "?"
    yield route.valid
    for name in ("format", "axis"):
        yield from (f"{route.valid}{more}{name}={value}" for value in query.get(name, {}).get("enum", ()))
    yield from (f"{route.valid}{more}{name}=" for name in ("q", "known_on") if name in query)


def test_no_route_is_left_out(served: Api) -> None:
    known = {route.template for route in routes(served.get("/schema/openapi.json").json())}
    there = {re.sub(r"{(\w+):\w+}", r"{\1}", route.path) for route in served.client.app.routes}
    assert there == known
    assert {"/", "/pledges/{pledge}", "/record"} <= known


def test_no_answer_has_the_address_that_a_request_names(served: Api) -> None:
    told, statuses = {}, set()
    for route in routes(served.get("/schema/openapi.json").json()):
        if route.template == STREAM:
            continue
        for address in addresses(route) if route.method == "GET" else [route.path]:
            for more in ({}, {"Accept-Datetime": "Wed, 12 Feb 2025 00:00:00 GMT"}):
                headers = MONITOR | HOSTILE | more
                answer = served.client.request(route.method, address, headers=headers, follow_redirects=False)
                statuses.add(answer.status_code)
                if EVIL in answer.text or EVIL in repr(answer.headers):
                    told[f"{route.method} {address}"] = answer.text[:300]
    assert told == {}
    assert {200, 302, 415} <= statuses


def test_what_is_read_elsewhere_begins_with_the_operators_address(served: Api) -> None:
    base = served.services.settings.public_url or ""
    assert base in ("", PUBLIC)
    feed = served.get("/v1/feed.atom", headers=HOSTILE).text
    assert f'rel="self" type="application/atom+xml" href="{base}/v1/feed.atom"' in feed
    assert f'href="{base}/pledges/aid-2024?as_of=2024-01-10"' in feed
    events = served.get("/v1/events?format=cloudevents", headers=HOSTILE).json()
    named = base or f"https://{served.services.settings.log_origin(served.get('/v1/log').json()['log'])}.invalid"
    assert {event["source"] for event in events} == {f"{named}/v1/pledges/aid-2024"}
    assert served.get("/schema/openapi.json").json()["servers"] == [{"url": f"{base}/"}]
    page = served.get("/pledges/aid-2024?as_of=2024-03-01", headers=HOSTILE).text
    assert (f'<link rel="canonical" href="{base}/pledges/aid-2024?as_of=2024-03-01">' in page) == bool(base)
    assert ("canonical" in page) == bool(base)


def test_the_ids_of_the_feed_do_not_move_with_the_address(sqlite_url: str) -> None:
    ids = []
    for url in (None, PUBLIC, "https://elsewhere.example/pledges/"):
        with running(sqlite_url, public_url=url) as api:
            if not ids:
                api.open()
            feed = api.get("/v1/feed.atom").text
            ids.append([line for line in feed.splitlines() if line.startswith("<id>")])
    assert ids[0] == ids[1] == ids[2]
    assert len(ids[0]) > 1


@pytest.mark.parametrize(
    "url",
    [
        "pledges.example.org", "ftp://pledges.example.org", "https://", "https://a/?b=c", "https://a/#b", "//a",
        "https://user@a", 'https://a/"><script>', "https://a b", "javascript:alert(1)", "https://a//b", "https://a/\n",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="public_url"):
        Settings(_env_file=None, public_url=url)


def test_a_slash_at_the_end_of_the_address_is_left_out() -> None:
    assert Settings(_env_file=None, public_url=f"{PUBLIC}/a/").public_address("/v1") == f"{PUBLIC}/a/v1"
    assert Settings(_env_file=None).public_address("/v1") == "/v1"
