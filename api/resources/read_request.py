"""What all reads share: the clocks, the projection's position, the format, and the validity of the response."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from pydantic_core import from_json, to_json

from api.formats import item_table
from api.formats.provenance import Grounds, Provenance
from api.formats.table import EXPORT_FORMATS
from api.http import clocks, system_clock
from api.http.addresses import base_path, encoded
from api.http.contract import AnyRequest, Contract
from api.http.data_license import with_license_link
from api.http.headers import entity_tag
from api.http.json_logging import LOGGER_NAME
from api.http.known_heads import Validity
from api.http.negotiation import negotiate
from api.http.parameters import Query
from api.http.problems import pledge_not_found
from api.http.responses import IMMUTABLE, IMMUTABLE_PRIVATE, NO_CACHE, BytesResponse
from api.resources.answer_schemas import SCHEMAS
from api.resources.grounds import grounds_of
from api.services import Services
from projections.queries import Clocks
from tracker.errors import PledgeNotFound, Unavailable
from tracker.event import Event, stamp
from tracker.pledge_events import PledgeEvents, UnreadEvent, unread_json
from tracker.rules.status_document import RULES_VERSION
from tracker.values import is_slug

AnswerT = TypeVar("AnswerT")

log = logging.getLogger(LOGGER_NAME)

PROJECTION_WAIT_SECONDS = 1.0
"""Seconds that a read of a position waits for the projection to get there."""

SETTLED_AFTER = timedelta(minutes=1)
"""The age from which an instant counts as settled: a stamped event may wait this long for its commit."""


_SHOWN = ("json", "cloudevents")
"""Formats that are shown; the others are downloaded."""

_EXTENSIONS = {known.name: known.extension for known in EXPORT_FORMATS if known.name not in _SHOWN}

Items = Sequence[Mapping[str, Any]]
"""The items of an answer, as JSON objects."""


class ReadRequest:
    """A read at the clocks, in one format. It is made in the thread that answers it: the clocks may ask the log."""

    def __init__(self, request: AnyRequest, services: Services) -> None:
        self.services = services
        self.path: str = request.scope["path"]
        self.base = base_path(request.scope)
        self.query: Query = request.scope["state"]["query"]
        contract: Contract = request.route_handler.opt["contract"]
        media_format = negotiate(request.scope, self.query, contract.formats)
        self.format, self._media_type = media_format.name, media_format.media_type
        self._shared = services.settings.public_read and contract.needs == "reader"
        self.log: str = request.scope["state"]["log"]
        """The id of the log that this read is about."""
        self._history = services.heads.history
        self._read_at = services.heads.log
        self._generation = services.heads.generation
        self.at = clocks.point(clocks.with_known_on(self.query), services.tracker.log, self._read_at)

    def address(self, path: str) -> str:
        """A path of this service as its readers ask for it (`addresses.address`)."""
        return f"{self.base}{path}"

    def absolute(self, address: str) -> str:
        """An address of this service for readers elsewhere: below `public_url`, or as it is without that setting."""
        settings = self.services.settings
        return settings.public_address(address.removeprefix(self.base)) if settings.public_url else address

    def pledge_address(self, pledge: str) -> str:
        """The address of the status of a pledge."""
        return self.address(f"/v1/pledges/{pledge}")

    def projected(self, at: clocks.ReadClocks | None = None) -> Clocks:
        """The clocks for the projection: at the position that was asked for, else at the one it has reached.

        Raises: Unavailable if the projection does not reach a position that was asked for within
        `PROJECTION_WAIT_SECONDS`.
        """
        at = at or self.at
        if at.position is None:
            return Clocks(at.as_of, self._position(), at.known_at)
        if not self.services.projected_to(at.position, PROJECTION_WAIT_SECONDS):
            raise Unavailable("the projection has not read the log so far yet")
        return Clocks(at.as_of, at.position, at.known_at)

    def _position(self) -> int:
        """How far the projection is, asked of the store: another process may have just written."""
        heads, standing = self.services.heads, self.services.timeline.head()
        if self.services.is_of_replica:
            return standing.position  # what is known of the primary is newer
        heads.note_standing(standing)
        return heads.projection

    def events(self, pledge: str) -> PledgeEvents:
        """The events of a pledge that are known at the clocks.

        Raises: PledgeNotFound if there are none.
        """
        events = self.taken_in(must_be_slug(pledge), self.at.position)
        if not events.rows:
            raise self.missing(pledge)
        return events

    def taken_in(self, pledge: str, position: int | None) -> PledgeEvents:
        """The events of a pledge up to a position; what stands behind a parked one is set aside as the projection does.

        So no answer has an event that the pledge's status does not have.
        """
        events = self.services.tracker.events_of(pledge, position)
        if not self.services.heads.is_settled and events.rows:
            for parked in self.services.timeline.unread(pledge, events.position)[:1]:
                events = events.before(parked.position, parked.reason)
        return events

    def folded(
        self, pledge: str, answer: Callable[[tuple[Event, ...]], AnswerT | None]
    ) -> tuple[AnswerT, PledgeEvents]:
        """What a function of a pledge's events answers at the clocks, and the events that it was made of.

        An event that cannot be taken in is left out with those behind it; `answer` is None where there is no pledge.

        Raises: PledgeNotFound if there is none; it tells of the events that were left out.
        """
        events = self.events(pledge)
        found, known = events.fold(answer)
        if known.reason and not events.reason:
            log.warning("the rules failed on event %d of %s: %s", known.unread[0].position, pledge, known.reason)
        if found is None:
            raise self.missing(pledge, known.unread)
        return found, known

    def status(self, pledge: str) -> bytes:
        """The status document of a pledge at the clocks.

        Raises: PledgeNotFound if the pledge has no status there; Unavailable if the projection is late.
        """
        clocks = self.projected()
        document = self.services.timeline.one(must_be_slug(pledge), clocks)
        if document is None:
            raise self.missing(pledge, self.services.timeline.unread(pledge, clocks.position))
        return document

    def missing(self, pledge: str, unread: Sequence[UnreadEvent] = ()) -> PledgeNotFound:
        """The refusal of a pledge that is not there at the clocks; it says where to look if it was recorded later."""
        recorded_at = None if unread else self.first_recorded_after(pledge)
        if recorded_at is None:
            return pledge_not_found(pledge, unread, as_of=self.at.as_of if self.at.dated else None)
        query = {
            name: value for name, value in self.query.items() if name not in ("known_at", "at_position", "known_on")
        }
        return PledgeNotFound(
            f"the pledge {pledge!r} was not recorded by then",
            first_recorded_at=stamp(recorded_at),
            as_known_now=self.address(f"{self.path}?{encoded(query)}" if query else self.path),
        )

    def first_recorded_after(self, pledge: str) -> datetime | None:
        """When a pledge was first recorded, if that was after the clocks and it exists on their day as known now."""
        if self.at.position is None:
            return None
        first = self.services.tracker.log.read(limit=1, pledge=pledge)
        if not first or first[0].position <= self.at.position:
            return None
        is_there = self.services.timeline.one(pledge, Clocks(self.at.as_of, self._position())) is not None
        return first[0].recorded_at if is_there else None

    def tag_of(self, *determinants: Any) -> str:
        """The entity tag of a streamed body, which is sent before the bytes are known.

        `determinants` are the values, beside rules and format, from which the bytes follow.
        """
        made_by = (RULES_VERSION, self.services.heads.generation[1:], self.format)
        return entity_tag(to_json([*made_by, *determinants]), log=self.log)

    def footer(self, position: int) -> dict[str, Any]:
        """The clocks that every response names, so that it can be asked for again."""
        return clocks.clocks_json(self.at.as_of, self.at.known_at, position)

    def about_pledge(
        self,
        pledge: str,
        version: int,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        from_events_alone: bool = True,
    ) -> BytesResponse:
        """A response made from one pledge's events: it is valid until the pledge's version changes.

        One that is not made `from_events_alone` is made anew for each request.
        """
        validity: Validity | None = Validity(day=self._day, pledge=pledge, version=version)
        if self.at.position is not None:
            validity = self._fixed()
        elif self._version(pledge) != version:
            validity = None  # the projection is behind the log: the next request asks it again
        if not from_events_alone:
            validity = None
        return self._response(body, validity, version=version, headers=headers)

    def about_all(
        self, position: int, body: bytes, headers: Mapping[str, str] | None = None, etag: str | None = None
    ) -> BytesResponse:
        """A response made from all pledges: it is valid until the projection moves on."""
        validity = Validity(day=self._day, projection=position) if self.at.position is None else self._fixed()
        return self._response(body, validity, headers=headers, etag=etag)

    def about_log(
        self,
        head: int,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        etag: str | None = None,
        checkpoint: str | None = None,
    ) -> BytesResponse:
        """A response made from the log: it is valid until the log grows, or until it is signed again.

        `checkpoint` is `KnownHeads.checkpoint` from before the last one was read, if the response tells of it.
        """
        is_open = self.at.position is None
        validity = Validity(day=self._day, log=head, checkpoint=checkpoint) if is_open else self._fixed()
        return self._response(body, validity, headers=headers, etag=etag)

    def provenance(self, footer: Mapping[str, Any], **more: Any) -> Provenance:
        """Where the rows of this answer come from; `more` are members of a `Provenance`, by name."""
        return Provenance.of(self.services.settings, self.log, footer, public_url=self.absolute(self.base), **more)

    def grounds(self, documents: Sequence[bytes], clocks: Clocks) -> Grounds:
        """What the statuses of a page rest on."""

        def pledges() -> Iterator[str]:
            return (from_json(document)["pledge"] for document in documents)

        return grounds_of(pledges, self.services.tracker.log, self.services.timeline, clocks)

    def items(self, name: str, pledge: str, known: PledgeEvents, items: Items, **more: object) -> BytesResponse:
        """`{items, …}` about one pledge, with the position of its last event, and the events that were not taken in."""
        more = {**more, **unread_json(known.unread), **self.footer(known.position)}
        return self.about_pledge(pledge, known.version, self.written(name, items, more))

    def written(self, name: str, items: Items, more: Mapping[str, object]) -> bytes:
        """Items in the format of the read: as JSON with `more` beside them, or as CSV.

        `name` is that of the schema of the whole answer among the components of the OpenAPI document.
        """
        if self.format == "json":
            return to_json({"items": items, **more})
        return b"".join(self.rows(name, items))

    def rows(self, name: str, items: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
        """Items as CSV, piece by piece; `name` as in `written`."""
        of_item = SCHEMAS[name]["properties"]["items"]["items"]
        return item_table.write_items(items, of_item, SCHEMAS, self.services.settings.data_license)

    @property
    def cache_control(self) -> str:
        """Immutable only if the request has `as_of`, `at_position` and `log`, and no event is parked."""
        if not (self.at.dated and self.at.numbered and "log" in self.query and self._is_settled):
            return NO_CACHE
        return IMMUTABLE if self._shared else IMMUTABLE_PRIVATE

    def _unless_void(self, validity: Validity | None) -> Validity | None:
        """The validity, or None if the log has become another history since the request came."""
        return validity if self.services.heads.history == self._history else None

    def _response(
        self,
        body: bytes,
        validity: Validity | None,
        *,
        etag: str | None = None,
        version: int | None = None,
        **more: Any,
    ) -> BytesResponse:
        headers = dict(more.pop("headers", None) or {})
        if link := with_license_link(headers.get("Link"), self.services.settings.data_license):
            headers["Link"] = link
        if self.format in _EXTENSIONS:
            headers["Content-Disposition"] = f'attachment; filename="{self._file_name()}"'
        return BytesResponse(
            body,
            media_type=self._media_type,
            etag=etag or entity_tag(body, version, log=self.log),
            validity=self._unless_void(validity),
            cache_control=self.cache_control,
            headers=headers,
            **more,
        )

    def _file_name(self) -> str:
        """The name under which the answer is kept: what it is, and the clocks as far as they are named."""
        what = self.path.removeprefix("/v1/").removeprefix("pledges/").replace("/", "-")
        position = "" if self.at.position is None else f"-at-{self.at.position}"
        return f"{what}-{self.at.as_of}{position}.{_EXTENSIONS[self.format]}"

    @property
    def _day(self) -> date | None:
        # A response about a day to come changes once that day has begun: then it is a memento.
        if self.at.dated and self.at.as_of <= system_clock.today():
            return None
        return min(self.at.as_of, system_clock.today())

    @property
    def _is_settled(self) -> bool:
        """Whether the response is final: no event was parked while it was made."""
        heads = self.services.heads
        return heads.is_settled and heads.generation == self._generation

    def _fixed(self) -> Validity | None:
        at = self.at
        settled = at.numbered or at.known_at is None or at.known_at < system_clock.now() - SETTLED_AFTER
        settled = settled and self._is_settled
        return Validity(day=self._day) if settled else None

    def _version(self, pledge: str) -> int:
        """The pledge's last version in the log, from memory if it is there."""
        heads = self.services.heads
        known = heads.version(pledge)
        if known is None:
            known = self.services.tracker.version(pledge)
            heads.note(pledge, known, read_at=self._read_at)
        return known


def must_be_slug(pledge: str) -> str:
    """The same name, which can be a pledge's.

    Raises: PledgeNotFound if it cannot, before any store is asked.
    """
    if not is_slug(pledge):
        raise pledge_not_found(pledge)
    return pledge
