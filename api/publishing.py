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

from api import atom, badge, license, vocabulary  # noqa: A004
from api import pages_words as words
from api.contract import read
from api.filters import asked, filters
from api.pages_bars import bar
from api.pages_frame import render
from api.parts import Parts
from api.polling import Answer
from api.query import integer
from api.reading import Reading, slug
from api.recording import not_found
from projections.timeline import Clocks

Asking = Request[Any, Any, Any]

FRAME_STYLE = files("api").joinpath("templates", "embed.css").read_text("utf-8")


class PublishController(Controller):
    """What can be shown elsewhere."""

    @read("/v1/feed.atom", vocabulary.FEED)
    def feed(self, request: Asking, parts: NamedDependency[Parts]) -> Answer:
        """The changes of status that came to be known last, newest first, as Atom."""
        reading = Reading(request, parts)
        query, journal = reading.query, parts.tracker.journal
        limit = integer(query, "limit", 1, vocabulary.MAX_FEED, 50)
        narrowed, clocks = filters(query), reading.projected()
        recorded: dict[int, datetime] = {}

        def recorded_at(position: int) -> datetime:
            if position not in recorded:
                recorded[position] = journal.recorded_at(position) or datetime.min.replace(tzinfo=UTC)
            return recorded[position]

        found = [
            (atom.known_from(c, recorded_at(c.position)), c) for c in parts.timeline.changes(narrowed, clocks, limit)
        ]
        found.sort(key=lambda pair: (pair[0], pair[1].on, pair[1].position, pair[1].pledge), reverse=True)
        entries = []
        for updated, change in found[:limit]:
            body = parts.timeline.one(change.pledge, Clocks(change.on, clocks.position, clocks.known_at))
            if body is not None:
                entries.append(atom.Entry(change, updated, from_json(body)))
        settings, clock_names = parts.settings, ("as_of", "known_at", "at_position", "limit")
        start = datetime.combine(clocks.as_of, time(), UTC)
        body = atom.feed(entries, asked(query, *clock_names), start, settings.origin, settings.data_license)
        return reading.about_all(clocks.position, body)

    @read("/v1/pledges/{pledge:str}/badge.svg", vocabulary.BADGE)
    def badge(self, request: Asking, parts: NamedDependency[Parts], pledge: FromPath[str]) -> Answer:
        """The status as a small picture, light and dark."""
        reading, status = _status(request, parts, pledge)
        policy = _policy(badge.style(status["status"]))
        return reading.about_pledge(pledge, status["version"], badge.badge(status), policy)

    @read("/embed/{pledge:str}", vocabulary.EMBED)
    def embed(self, request: Asking, parts: NamedDependency[Parts], pledge: FromPath[str]) -> Answer:
        """The status as a small page for an iframe on any site. It needs no script and loads nothing."""
        reading, status = _status(request, parts, pledge)
        clocks = {name: reading.query[name] for name in ("as_of", "known_at", "at_position") if name in reading.query}
        near = words.apart(status["actual"], status["target"])
        body = render(
            "embed.html",
            status=status,
            style=FRAME_STYLE,
            bar=bar(status),
            share=words.ratio(status["ratio"], status["actual"]),
            actual=words.amount(status["actual"], near),
            target=words.amount(status["target"], near),
            link=vocabulary.addressed(f"/pledges/{pledge}", clocks),
            license=parts.settings.data_license,
            license_link=license.address(parts.settings.data_license),
        )
        policy = _policy(FRAME_STYLE, "; base-uri 'none'; form-action 'none'; frame-ancestors *")
        return reading.about_pledge(pledge, status["version"], body, policy)


def _status(request: Asking, parts: Parts, pledge: str) -> tuple[Reading, Mapping[str, Any]]:
    reading = Reading(request, parts)
    body = parts.timeline.one(slug(pledge), reading.projected())
    if body is None:
        raise not_found(pledge)
    return reading, from_json(body)


def _policy(style: str, more: str = "") -> dict[str, str]:
    """Nothing but this very style."""
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {"Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'{more}"}
