"""The log as a stream of NATS JetStream: CloudEvents in the order of their positions, each once.

The stream itself says how far it is: its last message names the log, the position and the event. Each message is sent
with the sequence number that the stream must have before it, so that nothing is left out, repeated or overtaken,
whoever else publishes and whichever answer is lost. The message id is the event's, which lets NATS drop a repetition,
too. Where the last messages were deleted, those that are left say how far it was, since each number is one event; the
state directory remembers the position beside, for a stream that has none left.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import nats
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from api.formats.cloudevents import cloud_event
from api.formats.provenance import Provenance
from api.outgoing.published import STATE_FILE, key_of, positions
from tracker.errors import Unavailable
from tracker.event import raw_event, served
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow
from tracker.log.state_file import StateFile
from tracker.pledge_events import raw_fact

MEDIA_TYPE = "application/cloudevents+json"
"""The type of each message's bytes."""

LOG_HEADER, POSITION_HEADER, ID_HEADER = "Tracker-Log", "Tracker-Position", "Nats-Msg-Id"
"""The headers of a message: the id of the log, the event's position, and its id."""

EXPECTED_HEADER = "Nats-Expected-Last-Sequence"
"""The header that makes JetStream refuse a message unless the stream ends at this sequence number."""

CONNECT_SECONDS = 5
"""Seconds that one server has to answer a new connection."""

BATCH_EVENTS = 200
"""Messages on their way at one time, at most."""

ANSWER_SECONDS = 10.0
"""Seconds that a message waits until it is taken and JetStream has answered."""

CLOSE_SECONDS = 2.0
"""Seconds that a connection has to end: a server that takes nothing keeps what waits to be sent for ever."""

PAUSE_SECONDS = (0.2, 1.0, 2.0, 5.0)
"""Seconds before the first, second and each further attempt after a failure."""

LOOK_SECONDS = 0.25
"""Seconds between two looks at a log that has nothing new."""

DUPLICATES_SECONDS = 600
"""Seconds for which a stream that is made here knows the ids of its messages."""

_log = logging.getLogger("tracker.publish")


class StreamRefused(Exception):
    """The stream cannot be continued: it has events that this log has not. The operator decides what becomes of it."""


class StreamEnd(NamedTuple):
    """Where a stream stands: the position of the last event in it, and the sequence number of its last message."""

    position: int
    sequence: int


class JetStreamFeed:
    """Publishes one log to one stream. `provenance` is what the CloudEvents say of the log of an id.

    Messages of a pledge have the subject `<subject>.<pledge>.<type>`. A stream that is not there is made, with these
    subjects, on disk, and keeps everything; one that is there is taken as it is.
    """

    def __init__(
        self,
        log: LogRecorder,
        provenance: Callable[[str], Provenance],
        state_directory: Path,
        *,
        stream: str,
        subject: str,
    ) -> None:
        self._log, self._provenance = log, provenance
        self._stream, self._subject = stream, subject
        self._state = StateFile(state_directory / STATE_FILE)
        self._kept, self._keeps = -1, True
        self._reached, self._failures = -1, 0  # attempts since anything was last published
        self.published = 0
        """Events that this process has published."""

    async def run(
        self, servers: Sequence[str], stopping: asyncio.Event, *, credentials: Path | None, once: bool, replicas: int
    ) -> None:
        """Publish what is there and, unless `once`, whatever is recorded, until `stopping`; NATS may go and come back.

        Raises: StreamRefused if the stream has another history; with `once` NATS's errors, too.
        """
        while not stopping.is_set():
            try:
                connection = await nats.connect(
                    list(servers),
                    name="commitments-tracker",
                    allow_reconnect=False,
                    connect_timeout=CONNECT_SECONDS,
                    max_reconnect_attempts=1,  # of each server, before this call gives up
                    reconnect_time_wait=0,
                    user_credentials=None if credentials is None else str(credentials),
                    error_cb=_pass_over,
                )
                try:
                    context = connection.jetstream(timeout=ANSWER_SECONDS)
                    end = await self._end(context, replicas)
                    if end.position > self._reached:
                        self._got_on(end.position)
                    if await self._follow(context, end, stopping, once=once):
                        return
                finally:
                    with suppress(Exception):
                        await asyncio.wait_for(connection.close(), CLOSE_SECONDS)
            except StreamRefused:
                raise
            except Exception as error:
                if once and self._failures == len(PAUSE_SECONDS):
                    raise
                if not self._failures:
                    is_fault = not isinstance(error, (NatsError, OSError, TimeoutError, Unavailable))
                    _log.warning("nothing is published, and it is tried again: %s", _told(error), exc_info=is_fault)
                pause = PAUSE_SECONDS[min(self._failures, len(PAUSE_SECONDS) - 1)]
                self._failures += 1
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), pause)

    async def _follow(self, context: JetStreamContext, end: StreamEnd, stopping: asyncio.Event, *, once: bool) -> bool:
        """Whether all is done: never while the log goes on, unless `once`. False if the log got another id."""
        log = self._log.guard.log
        while not stopping.is_set():
            rows = await asyncio.to_thread(self._next, end.position)
            if self._log.guard.log != log:
                return False
            if not rows:
                self._got_on(end.position)
                await asyncio.to_thread(self._keep, end.position)
                if once:
                    return True
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)
                continue
            end = await self._send(context, rows, end)
            self._got_on(end.position)
        return True

    def _got_on(self, position: int) -> None:
        """Take in that the stream has all events up to a position: what was in the way is over."""
        if self._failures:
            _log.warning("%s goes on behind position %d", self._stream, position)
        self._reached, self._failures = position, 0

    def _next(self, position: int) -> list[LogRow]:
        """The events behind a position.

        Raises: StreamRefused if the log lost events that were known.
        """
        self._log.look()
        if (refusal := self._log.guard.refusal) is not None:
            raise StreamRefused(refusal.detail)
        return self._log.read(position, BATCH_EVENTS)

    async def _send(self, context: JetStreamContext, rows: Sequence[LogRow], end: StreamEnd) -> StreamEnd:
        """Send the events of some rows; all are on their way at once, and the stream takes them in this order alone."""
        log = self._log.guard.log
        answers = await asyncio.gather(
            *(self._publish(context, row, log, expected=end.sequence + number) for number, row in enumerate(rows)),
            return_exceptions=True,
        )
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        self.published += len(rows)
        await asyncio.to_thread(self._keep, rows[-1].position)
        return StreamEnd(rows[-1].position, end.sequence + len(rows))

    async def _publish(self, context: JetStreamContext, row: LogRow, log: str, *, expected: int) -> None:
        headers = {
            ID_HEADER: row.event_id,
            EXPECTED_HEADER: str(expected),
            "Content-Type": MEDIA_TYPE,
            LOG_HEADER: log,
            POSITION_HEADER: str(row.position),
        }
        line = served(row.state, row.position)
        try:
            # The library bounds the wait for the answer, and not the one for a server that takes nothing.
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await context.publish(
                    f"{self._subject}.{row.pledge}.{_type_of(row)}",
                    cloud_event(line, self._provenance(log)),
                    stream=self._stream,
                    headers=headers,
                    timeout=ANSWER_SECONDS,
                )
        except TimeoutError:
            raise NatsError(f"a message was not taken and answered within {ANSWER_SECONDS:.0f} s") from None
        if answer.duplicate:
            raise NatsError(
                f"the stream takes message {row.event_id} for a repetition of its number {answer.seq}, which is no more"
                " the last one; it knows ids for as long as its duplicate window says"
            )
        if answer.seq != expected + 1:
            raise NatsError(f"message {row.event_id} is at {answer.seq} and not at {expected + 1} of the stream")

    async def _end(self, context: JetStreamContext, replicas: int) -> StreamEnd:
        """Where the stream stands, after it was made if it was not there.

        Raises: StreamRefused if it has events that the log has not.
        """
        try:
            info = await context.stream_info(self._stream)
        except NotFoundError:
            info = await context.add_stream(
                StreamConfig(
                    name=self._stream,
                    description="Events of a Commitments Tracker, one message each, in the order of the log.",
                    subjects=[f"{self._subject}.>"],
                    retention=RetentionPolicy.LIMITS,
                    storage=StorageType.FILE,
                    num_replicas=replicas,
                    duplicate_window=DUPLICATES_SECONDS,
                    allow_direct=True,
                )
            )
        found = await asyncio.to_thread(self._log.look)
        last = info.state.last_seq
        if last == 0:
            return StreamEnd(0, 0)
        message = await self._last_message(context, last)
        if message is None:  # all are deleted, by the stream's limits or by hand
            return StreamEnd(self._remembered(found.log), last)
        headers = message.headers or {}
        position = headers.get(POSITION_HEADER, "")
        if not position.isdecimal():
            raise StreamRefused(f"the last message of the stream {self._stream} is none of a tracker's log")
        await asyncio.to_thread(self._must_continue, found.log, headers, int(position))
        reached = int(position) + last - (message.seq or last)
        if reached > found.head.position:
            raise StreamRefused(
                f"the stream {self._stream} had events up to position {reached}, and log {found.log} ends at"
                f" {found.head.position}: the log went back. Readers were told what is lost; name another stream"
            )
        return StreamEnd(reached, last)

    async def _last_message(self, context: JetStreamContext, last: int) -> RawStreamMsg | None:
        """The last message that is left in the stream, which is number `last` if that was not deleted."""
        with suppress(NotFoundError):
            return await context.get_msg(self._stream, last)
        with suppress(NotFoundError):
            return await context.get_last_msg(self._stream, f"{self._subject}.>")
        return None

    def _must_continue(self, log: str, headers: dict[str, str], position: int) -> None:
        """Check that the log still has the event that the stream ends with."""
        of, event = headers.get(LOG_HEADER, ""), headers.get(ID_HEADER, "")
        own = {identity.log for identity in self._log.identities()}
        rows = self._log.read(position - 1, 1)
        if of not in own:
            raise StreamRefused(
                f"the stream {self._stream} has the events of log {of}, and this is {log}: name another stream"
            )
        if not rows or rows[0].event_id != event:
            raise StreamRefused(
                f"the stream {self._stream} ends with event {event} at position {position}, which log {log} has not:"
                " the log went back. Readers were told what is lost; name another stream, or purge this one"
            )

    def _remembered(self, log: str) -> int:
        return self._known().get(key_of(log, self._stream), 0)

    def _keep(self, position: int) -> None:
        if position == self._kept:
            return
        try:
            with self._state.locked():
                self._state.write({**self._known(), key_of(self._log.guard.log, self._stream): position})
        except OSError as error:  # the stream itself says how far it is, as long as it has a message
            if self._keeps:
                _log.warning("the position is not kept in %s: %s", self._state.path, error)
            self._keeps = False
        else:
            self._kept, self._keeps = position, True

    def _known(self) -> dict[str, int]:
        """What the state directory remembers of each stream.

        Raises: StreamRefused if its file is broken.
        """
        try:
            return positions(self._state)
        except ValueError:
            raise StreamRefused(f"{self._state.path} is broken: put a copy back, or move it away") from None


def _type_of(row: LogRow) -> str:
    """The token of the subject for the type of a fact."""
    type_ = raw_fact(raw_event(row.state, row.position)).get("type")
    return type_ if isinstance(type_, str) and type_.isalnum() else "unreadable"


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__


async def _pass_over(error: Exception) -> None:
    """Errors of the connection are met by who publishes; the library would print them."""
