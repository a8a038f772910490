"""Parties: who promised or was promised what, and what became of it."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import Any

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath
from pydantic_core import from_json, to_json

from api.http.contract import AnyRequest, read
from api.http.headers import next_link
from api.http.parameters import integer
from api.http.responses import BytesResponse
from api.resources import contracts
from api.resources.list_filters import page_of
from api.resources.read_request import ReadRequest
from api.services import Services
from projections.changes import StatusChange
from projections.queries import Clocks, Filters
from tracker.errors import PartyNotFound

_KEY = re.compile(contracts.PARTY_KEY)

MAX_CHANGES = 50
"""Changes of a party's pledges that are told, the latest."""


class PartyController(Controller):
    """Who promised or was promised what."""

    path = "/v1/parties"

    @read("/", contracts.PARTIES)
    def some(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """The parties in force, in order of their keys, page by page."""
        read = ReadRequest(request, services)
        limit = integer(read.query, "limit", 1, contracts.MAX_PAGE_PLEDGES, 100)
        page = page_of(read, {"of": "parties"})
        clocks = read.projected()
        last = "" if page.after is None else page.after[1]
        found = sorted((key, one) for key, one in services.timeline.parties(clocks).items() if one.is_in_force)
        rest = [(key, one) for key, one in found if key > last]
        items = [one.document() for _, one in islice(rest, limit)]
        following = page.following(clocks, (None, rest[limit - 1][0]) if len(rest) > limit else None)
        more = {"next_cursor": following, **read.footer(clocks.position), "total": len(found)}
        headers = {}
        if following is not None:
            headers["Link"] = next_link(read.address("/v1/parties"), {**read.query, "cursor": following})
        return read.about_all(clocks.position, read.written("PartyPage", items, more), headers)

    @read("/{key:str}", contracts.ONE_PARTY)
    def one(self, request: AnyRequest, services: NamedDependency[Services], key: FromPath[str]) -> BytesResponse:
        """One party: how many of its pledges have which status, what they sum up to, and what changed last."""
        read = ReadRequest(request, services)
        clocks, timeline = read.projected(), services.timeline
        counted = next(iter(timeline.parties(clocks, key).values()), None) if _KEY.fullmatch(key) else None
        if counted is None:
            raise PartyNotFound(f"no pledge at these clocks has or had a party {key[:128]!r}")
        found = counted.document()
        for role, narrowed in (("pledgor", Filters(promised_by=key)), ("beneficiary", Filters(promised_to=key))):
            found[f"as_{role}"]["totals"] = timeline.summary(narrowed, clocks)["totals"]
        changes: list[StatusChange] = []
        for some in timeline.changes(Filters(promised_by=key, promised_to=key), clocks, by_position=False):
            changes += some.found
            changes.sort(key=lambda change: (change.on, change.position, change.pledge), reverse=True)
            if len(changes) >= MAX_CHANGES and changes[MAX_CHANGES - 1].on > some.on:
                break
        found["changes"] = [_change(services, change, clocks) for change in changes[:MAX_CHANGES]]
        return read.about_all(clocks.position, to_json({**found, **read.footer(clocks.position)}))


def _change(services: Services, change: StatusChange, clocks: Clocks) -> dict[str, Any]:
    document = services.timeline.one(change.pledge, replace(clocks, as_of=change.on))
    return {
        "pledge": change.pledge,
        "title": None if document is None else from_json(document)["title"],
        "as_of": change.on.isoformat(),
        "status_before": change.before,
        "status_after": change.after,
    }
