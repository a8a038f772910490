"""For other people's pages and feed readers: a feed of changes, a badge, and a page for an iframe."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, time
from importlib.resources import files
from typing import Any

from litestar import Controller, Request
from litestar.di import NamedDependency
from litestar.params import FromPath
from pydantic_core import from_json

from api import amounts
from api.formats import atom, badge
from api.http import license  # noqa: A004
from api.http.cache import BytesResponse
from api.http.contract import read
from api.http.parameters import integer
from api.pages.bars import bar_of
from api.pages.frame import render
from api.resources import contracts
from api.resources.list_filters import asked, filters
from api.resources.read_request import ReadRequest, slug
from api.resources.recording import not_found
from api.services import Services
from projections.timeline import Clocks

Asking = Request[Any, Any, Any]

FRAME_STYLE = files("api.pages").joinpath("templates", "embed.css").read_text("utf-8")


class PublishController(Controller):
    """What can be shown elsewhere."""

    @read("/v1/feed.atom", contracts.FEED)
    def feed(self, request: Asking, services: NamedDependency[Services]) -> BytesResponse:
        """The changes of status that came to be known last, newest first, as Atom."""
        reading = ReadRequest(request, services)
        query, journal = reading.query, services.tracker.journal
        limit = integer(query, "limit", 1, contracts.MAX_FEED, 50)
        narrowed, clocks = filters(query), reading.projected()
        recorded: dict[int, datetime] = {}

        def recorded_at(position: int) -> datetime:
            if position not in recorded:
                recorded[position] = journal.recorded_at(position) or datetime.min.replace(tzinfo=UTC)
            return recorded[position]

        found = [
            (atom.known_from(c, recorded_at(c.position)), c) for c in services.timeline.changes(narrowed, clocks, limit)
        ]
        found.sort(key=lambda pair: (pair[0], pair[1].on, pair[1].position, pair[1].pledge), reverse=True)
        entries = []
        for updated, change in found[:limit]:
            body = services.timeline.one(change.pledge, Clocks(change.on, clocks.position, clocks.known_at))
            if body is not None:
                entries.append(atom.FeedEntry(change, updated, from_json(body)))
        settings, clock_names = services.settings, ("as_of", "known_at", "at_position", "limit")
        start = datetime.combine(clocks.as_of, time(), UTC)
        body = atom.feed(entries, asked(query, *clock_names), start, settings.origin, settings.data_license)
        return reading.about_all(clocks.position, body)

    @read("/v1/pledges/{pledge:str}/badge.svg", contracts.BADGE)
    def badge(self, request: Asking, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The status as a small picture, light and dark."""
        reading, status = _status(request, services, pledge)
        policy = _policy(badge.style(status["status"]))
        return reading.about_pledge(pledge, status["version"], badge.badge(status), policy)

    @read("/embed/{pledge:str}", contracts.EMBED)
    def embed(self, request: Asking, services: NamedDependency[Services], pledge: FromPath[str]) -> BytesResponse:
        """The status as a small page for an iframe on any site. It needs no script and loads nothing."""
        reading, status = _status(request, services, pledge)
        clocks = {name: reading.query[name] for name in ("as_of", "known_at", "at_position") if name in reading.query}
        near = amounts.distinct_digits(status["actual"], status["target"])
        body = render(
            "embed.html",
            status=status,
            style=FRAME_STYLE,
            bar=bar_of(status),
            share=amounts.ratio(status["ratio"], status["actual"]),
            actual=amounts.amount(status["actual"], near),
            target=amounts.amount(status["target"], near),
            link=contracts.addressed(f"/pledges/{pledge}", clocks),
            license=services.settings.data_license,
            license_link=license.address(services.settings.data_license),
        )
        policy = _policy(FRAME_STYLE, "; base-uri 'none'; form-action 'none'; frame-ancestors *")
        return reading.about_pledge(pledge, status["version"], body, policy)


def _status(request: Asking, services: Services, pledge: str) -> tuple[ReadRequest, Mapping[str, Any]]:
    reading = ReadRequest(request, services)
    body = services.timeline.one(slug(pledge), reading.projected())
    if body is None:
        raise not_found(pledge)
    return reading, from_json(body)


def _policy(style: str, more: str = "") -> dict[str, str]:
    """Nothing but this very style."""
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {"Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'{more}"}
