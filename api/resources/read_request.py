"""What all reads share: the clocks, how far the projection is, the format, and how long an answer holds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from litestar import Request
from pydantic_core import to_json

from api.http import clocks
from api.http.cache import IMMUTABLE, IMMUTABLE_PRIVATE, NO_CACHE, BytesResponse, Validity, tag
from api.http.contract import Contract
from api.http.data_license import with_link
from api.http.drafts import is_slug
from api.http.negotiation import negotiate
from api.http.parameters import Query
from api.resources.recording import not_found
from api.services import Services
from projections.timeline import Clocks
from tracker.errors import Unavailable
from tracker.event import Event, stamp
from tracker.rules.status_document import RULES_VERSION

PROJECTION_WAIT_SECONDS = 1.0
"""Seconds that a read of a position waits for the projection to get there."""

SETTLED_AFTER = timedelta(minutes=1)
"""An event may still be recorded with an instant this little in the past: one that was stamped, then had to wait."""


class ReadRequest:
    """One read. Made in the thread that answers it: the clocks may have to ask the log."""

    def __init__(self, request: Request[Any, Any, Any], services: Services) -> None:
        self.services = services
        self.query: Query = request.scope["state"]["query"]
        contract: Contract = request.route_handler.opt["contract"]
        media_format = negotiate(request.scope, self.query, contract.formats)
        self.format, self._media_type = media_format.name, media_format.media_type
        self._shared = services.settings.public_read and contract.needs == "reader"
        self._read_at = services.heads.log
        self._generation = services.heads.generation
        self.at = clocks.point(self.query, services.tracker.journal, self._read_at)

    def projected(self, at: clocks.ReadClocks | None = None) -> Clocks:
        """The clocks for the projection: as far as it is, or as far as was asked for.

        Errors: ``Unavailable`` if it does not get in time to a position that was asked for.
        """
        at = at or self.at
        deadline = time.monotonic() + PROJECTION_WAIT_SECONDS
        while at.position is not None and self._position() < at.position:
            if time.monotonic() > deadline:
                raise Unavailable("the projection has not read the log so far yet")
            time.sleep(0.01)
        position = self._position() if at.position is None else at.position
        return Clocks(at.as_of, position, at.known_at)

    def _position(self) -> int:
        """How far the projection is; asked of the store only if it is not known to be far enough."""
        heads = self.services.heads
        if self.at.position is None or heads.projection < self.at.position:
            heads.note_standing(self.services.timeline.standing())
        return heads.projection

    def events(self, pledge: str) -> list[Event]:
        """The events of a pledge that are known at the clocks.

        Errors: ``PledgeNotFound`` if there are none.
        """
        events = self.services.tracker.events_of(slug(pledge), self.at.position)
        if not events:
            raise not_found(pledge)
        return events

    def tag_of(self, *said: Any) -> str:
        """The tag of a stream, which is sent before its bytes are known: they follow from what is said here."""
        return tag(to_json([RULES_VERSION, self.services.heads.generation[1], self.format, *said]))

    def footer(self, position: int) -> dict[str, Any]:
        """The three that every answer has, so that it can be made again."""
        at = self.at
        return {
            "as_of": at.as_of.isoformat(),
            "known_at": None if at.known_at is None else stamp(at.known_at),
            "position": position,
        }

    def about_pledge(
        self, pledge: str, version: int, body: bytes, headers: Mapping[str, str] | None = None
    ) -> BytesResponse:
        """An answer made of one pledge's events: it holds until its version changes."""
        holds: Validity | None = Validity(day=self._day, pledge=pledge, version=version)
        if self.at.position is not None:
            holds = self._fixed()
        elif self._version(pledge) != version:
            holds = None  # the projection is behind the log: ask again next time
        return self._answer(body, holds, version=version, headers=headers)

    def about_all(
        self, position: int, body: bytes, headers: Mapping[str, str] | None = None, etag: str | None = None
    ) -> BytesResponse:
        """An answer made of all pledges: it holds until the projection moves on."""
        holds = Validity(day=self._day, projection=position) if self.at.position is None else self._fixed()
        return self._answer(body, holds, headers=headers, etag=etag)

    def about_log(
        self, head: int, body: bytes, headers: Mapping[str, str] | None = None, etag: str | None = None
    ) -> BytesResponse:
        """An answer made of the log: it holds until the log grows."""
        holds = Validity(day=self._day, log=head) if self.at.position is None else self._fixed()
        return self._answer(body, holds, headers=headers, etag=etag)

    def items(self, pledge: str, last: Event, items: object, **more: object) -> BytesResponse:
        """``{items, …}`` about one pledge, with the position of its last event."""
        body = to_json({"items": items, **more, **self.footer(last.position)})
        return self.about_pledge(pledge, last.version, body)

    @property
    def cache_control(self) -> str:
        """Immutable only if the caller named the day and a position that the log has and nothing is parked."""
        if not (self.at.dated and self.at.numbered and self._is_settled):
            return NO_CACHE
        return IMMUTABLE if self._shared else IMMUTABLE_PRIVATE

    def _answer(self, body: bytes, holds: Validity | None, **more: Any) -> BytesResponse:
        headers = dict(more.pop("headers", None) or {})
        if link := with_link(headers.get("Link"), self.services.settings.data_license):
            headers["Link"] = link
        kind, kept = self._media_type, self.cache_control
        return BytesResponse(body, media_type=kind, holds=holds, cache_control=kept, headers=headers, **more)

    @property
    def _day(self) -> Any:
        # An answer about a day to come is another once it has: then it is a memento.
        if self.at.dated and self.at.as_of <= clocks.today():
            return None
        return min(self.at.as_of, clocks.today())

    @property
    def _is_settled(self) -> bool:
        """Whether what was read is final: nothing was parked while it was read."""
        heads = self.services.heads
        return heads.is_settled and heads.generation == self._generation

    def _fixed(self) -> Validity | None:
        at = self.at
        settled = at.numbered or at.known_at is None or at.known_at < clocks.now() - SETTLED_AFTER
        settled = settled and self._is_settled
        return Validity(day=self._day) if settled else None

    def _version(self, pledge: str) -> int:
        """The pledge's last version by the log, from memory if it is there."""
        heads = self.services.heads
        known = heads.version(pledge)
        if known is None:
            known = self.services.tracker.version(pledge)
            heads.note(pledge, known, read_at=self._read_at)
        return known


def slug(pledge: str) -> str:
    """The name as it is, if it can be a pledge's.

    Errors: ``PledgeNotFound`` otherwise, before any store is asked.
    """
    if not is_slug(pledge):
        raise not_found(pledge)
    return pledge
