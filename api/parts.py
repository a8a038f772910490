"""What a request can reach, made once by ``create_app`` and handed to every route."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from api.auth import KeyRing
from api.follow import Follower
from api.limits import WriteLimit
from api.polling import Answers, Heads
from api.settings import Settings
from api.streaming import Sending
from api.tail import Tail
from api.tally import Tally
from projections.timeline import Timeline
from tracker.application import Tracker


@dataclass(frozen=True, slots=True)
class Parts:
    """The record, the read model, and what this process keeps in memory."""

    settings: Settings
    tracker: Tracker
    timeline: Timeline
    engine: Engine
    keys: KeyRing
    heads: Heads
    answers: Answers
    follower: Follower
    limit: WriteLimit
    tail: Tail
    tally: Tally
    sending: Sending

    def open_streams(self) -> None:
        """Begin, on the event loop that runs."""
        self.tail.open()
        self.sending.open()

    def end_streams(self) -> None:
        """The process ends, and nobody who reads slowly keeps it. From any thread, and from a signal's handler."""
        self.tail.close()
        self.sending.close()
