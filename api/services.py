"""What a request can reach, made once by ``create_app`` and handed to every route."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from api.http.auth import KeyRing
from api.http.cache import KnownHeads, ResponseCache
from api.http.event_tail import EventTail
from api.http.limits import WriteLimit
from api.http.log_follower import LogFollower
from api.http.request_counts import RequestCounts
from api.http.streams import OpenBodies
from api.settings import Settings
from projections.timeline import Timeline
from tracker.application import Tracker


@dataclass(frozen=True, slots=True)
class Services:
    """The record, the read model, and what this process keeps in memory."""

    settings: Settings
    tracker: Tracker
    timeline: Timeline
    engine: Engine
    keys: KeyRing
    heads: KnownHeads
    response_cache: ResponseCache
    follower: LogFollower
    limit: WriteLimit
    event_tail: EventTail
    request_counts: RequestCounts
    open_bodies: OpenBodies

    def open_streams(self) -> None:
        """Begin, on the event loop that runs."""
        self.event_tail.open()
        self.open_bodies.open()

    def end_streams(self) -> None:
        """The process ends, and nobody who reads slowly keeps it. From any thread, and from a signal's handler."""
        self.event_tail.close()
        self.open_bodies.close()
