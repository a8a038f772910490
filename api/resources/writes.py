"""Writing: open a pledge, add a fact, add a batch; from the bytes of a request to its response.

A write is parsed, looked up under its idempotency key, compared with If-Match, checked for its shape and recorded, in
this order; the first of these that refuses it gives the response. A single fact goes to the writer as it came, and its
request waits on the event loop: the writer does all of that. A batch is decoded in a thread of its own beforehand, so
that nobody waits for it, and so is what is not to be recorded (`dry_run`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from litestar import Controller, Response
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.http import drafts
from api.http.addresses import address
from api.http.auth import Caller
from api.http.batch_items import batch_items
from api.http.bodies import ListHash, parse, payload_hash, read_body
from api.http.body_room import Share
from api.http.contract import JSON, NDJSON, AnyRequest, write
from api.http.headers import entity_tags, header
from api.http.log_ids import log_of_write
from api.http.parameters import flag, invalid
from api.http.problems import pledge_not_found
from api.http.system_clock import now
from api.resources import contracts
from api.resources.receipts import batch_receipt, dry_run, receipt
from api.services import Services
from tracker.application import Tracker
from tracker.errors import BatchRefused, NotOpened, VersionConflict
from tracker.log.guard import must_be_this_log
from tracker.promise_facts import PledgeMade
from tracker.requests import Draft, Recorded, Request
from tracker.values import is_slug

MAX_FACT_BODY_BYTES = 64 * 1024
"""Bytes read of the body of a single fact, at most: 48 KiB and its envelope."""

MAX_BATCH_BODY_BYTES = 64 * 1024 * 1024
"""Bytes read of the body of a batch, at most."""

READ_YOUR_WRITE_SECONDS = 1.0
"""Seconds that a write waits for the projection, so that its caller reads what it wrote."""


@dataclass(frozen=True, slots=True)
class PostedWrite:
    """A write as it came in. `key` is the caller's Idempotency-Key with its scope, `if_match` the header."""

    by: str
    media_type: str
    body: bytearray
    now: datetime
    key: str | None
    if_match: bytes | None
    dry_run: bool
    log: str | None
    """The id of the log that the write is for; None if any."""


class WriteOutcome(NamedTuple):
    """The outcome of a write: the recorded events and the body of the response. `recorded` is None after a dry run."""

    recorded: Recorded | None
    body: bytes


class WriteController(Controller):
    """The writes of monitors."""

    path = "/v1"

    @write("/pledges", contracts.OPEN_PLEDGE, limit=MAX_FACT_BODY_BYTES)
    async def open_pledge(self, request: AnyRequest, services: NamedDependency[Services]) -> Response[bytes]:
        """Open a pledge with its PledgeMade; without `pledge` the slug is made from the title."""
        posted = await posted_write(request, JSON)
        try:
            outcome = await _outcome(services, _opening(services.tracker, posted))
        except BatchRefused as refused:
            raise drafts.single_refusal(refused, "/fact") from None
        return await write_response(request, services, outcome)

    @write("/pledges/{pledge:str}/events", contracts.ADD_EVENT, limit=MAX_FACT_BODY_BYTES)
    async def add_event(
        self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]
    ) -> Response[bytes]:
        """Record one fact on a pledge."""
        posted = await posted_write(request, JSON)
        try:
            outcome = await _outcome(services, _added(services.tracker, posted, pledge))
        except BatchRefused as refused:
            refusal = drafts.single_refusal(refused, "")
            raise (pledge_not_found(pledge) if isinstance(refusal, NotOpened) else refusal) from None
        return await write_response(request, services, outcome)

    @write("/events", contracts.ADD_BATCH, limit=MAX_BATCH_BODY_BYTES)
    async def add_batch(self, request: AnyRequest, services: NamedDependency[Services]) -> Response[bytes]:
        """Record up to 10,000 facts on any pledges, all or nothing."""
        with services.body_room.taken() as share:
            posted = await posted_write(request, JSON, NDJSON, share=share)
            async with services.body_room.turn(share):
                posted = replace(posted, now=now())  # it may have waited
                outcome = await sync_to_thread(_add_batch, services.tracker, posted)
        return await write_response(request, services, outcome, batch=True)


async def posted_write(request: AnyRequest, *accepted: str, share: Share | None = None) -> PostedWrite:
    """A write as it came in, with a body of one of the media types.

    Raises: InvalidParameter if a parameter or header cannot be; and as `read_body`.
    """
    scope = request.scope
    state: Any = scope["state"]
    dry_run = flag(state["query"], "dry_run")
    key = _idempotency_key(header(scope, b"idempotency-key"))
    media_type, body = await read_body(request, *accepted, share=share)
    caller: Caller = state["caller"]
    return PostedWrite(
        by=caller.name,
        media_type=media_type,
        body=body,
        now=now(),
        key=None if key is None else f"{caller.scope}\n{scope['method']}\n{scope['path']}\n{key}",
        if_match=header(scope, b"if-match"),
        dry_run=dry_run,
        log=log_of_write(scope),
    )


def _idempotency_key(given: bytes | None) -> str | None:
    if given is None:
        return None
    try:
        key = given.decode("utf-8")
    except UnicodeDecodeError:
        key = ""
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise invalid("Idempotency-Key", "is 1 to 255 printable characters")
    return key


async def write_response(
    request: AnyRequest, services: Services, outcome: WriteOutcome, *, batch: bool = False
) -> Response[bytes]:
    """The response to a write, once the projection has the events, or after `READ_YOUR_WRITE_SECONDS`."""
    headers = {"Cache-Control": "no-store"}
    recorded = outcome.recorded
    if recorded is None:
        return Response(outcome.body, status_code=200, media_type=JSON, headers=headers)
    events = recorded.events
    if recorded.replayed:  # another process may have recorded it
        services.heads.recorded((event.pledge, event.version) for event in events)
    else:
        services.metrics.recorded.inc(len(events))
    if _respond_async(request):
        headers["Preference-Applied"] = "respond-async"
    else:
        await services.follower.wait_async(events[-1].position, READ_YOUR_WRITE_SECONDS)
    if recorded.replayed:
        headers["Idempotency-Replayed"] = "true"
    if not batch:
        headers["ETag"] = f'"{events[0].version}"'
        headers["Location"] = address(request.scope, f"/v1/pledges/{events[0].pledge}")
    return Response(outcome.body, status_code=201, media_type=JSON, headers=headers)


def _respond_async(request: AnyRequest) -> bool:
    prefer = (header(request.scope, b"prefer") or b"").lower()
    return b"respond-async" in [part.split(b";")[0].strip() for part in prefer.split(b",")]


async def _outcome(services: Services, write: _Write) -> WriteOutcome:
    """The outcome of a single fact.

    Raises: what refuses it; BatchRefused with its one refusal if the log does.
    """
    if write.posted.dry_run:
        return await sync_to_thread(_record, services.tracker, write)
    recorded = await services.write_answers.of(write)
    return WriteOutcome(recorded, receipt(recorded, write.place(0)))


def _opening(tracker: Tracker, posted: PostedWrite) -> _Write:
    """A pledge that is to be opened with its first fact."""

    def plan(raw: Any, _expected: int | None) -> tuple[Draft, ...]:
        return (drafts.opening_draft(raw, posted.now),)

    return _Write(tracker, posted, plan, opens=True, place=lambda _: "/fact")


def _added(tracker: Tracker, posted: PostedWrite, pledge: str) -> _Write:
    """A fact that is to be recorded on a pledge that exists; it is PledgeNotFound if there is no such pledge."""

    def plan(raw: Any, expected: int | None) -> tuple[Draft, ...]:
        draft = drafts.draft(pledge, raw, posted.now, expected_version=expected)
        if not is_slug(pledge) or (isinstance(draft.fact, PledgeMade) and not tracker.version(pledge)):
            raise pledge_not_found(pledge)
        return (draft,)

    return _Write(tracker, posted, plan, pledge=pledge)


def _add_batch(tracker: Tracker, posted: PostedWrite) -> WriteOutcome:
    """Record many facts on many pledges, all or nothing.

    Raises: BatchRefused with every item that is wrong, its pointers from the beginning of the body.
    """
    indexes: list[int] = []

    def plan(batch: drafts.BatchDrafts, _expected: int | None) -> tuple[Draft, ...]:
        if not batch.is_sound:
            raise _all_of(batch, _refused_by_log(tracker, posted, batch.independent()))
        indexes.extend(index for index, _ in batch.drafts)
        return tuple(draft for _, draft in batch.drafts)

    try:
        write = _Write(tracker, posted, plan, decode=_read_batch, place=lambda index: f"/{indexes[index]}/fact")
        return _record(tracker, write)
    except BatchRefused as refused:
        raise (BatchRefused(drafts.batch_refusals(refused, indexes)) if indexes else refused) from None


def _read_one(posted: PostedWrite) -> tuple[Any, bytes | None]:
    """The JSON value of a body, and its hash if the write has a key."""
    raw = parse(posted.body)
    return raw, None if posted.key is None else payload_hash(raw)


def _read_batch(posted: PostedWrite) -> tuple[drafts.BatchDrafts, bytes | None]:
    """The drafts of a batch, and the hash of its items if the write has a key. The body is given up."""
    items = batch_items(posted.media_type, posted.body)
    hashed = None if posted.key is None else ListHash()
    batch = drafts.batch_drafts(items if hashed is None else map(hashed.add, items), posted.now)
    posted.body.clear()
    return batch, None if hashed is None else hashed.digest()


Plan = Callable[[Any, int | None], tuple[Draft, ...]]


@dataclass(slots=True)
class _Write:
    """A posted write on its way into the record (`requests.Posted`).

    `plan` makes drafts of what is decoded, `pledge` is that of the address.
    """

    tracker: Tracker
    posted: PostedWrite
    plan: Plan
    pledge: str | None = None
    opens: bool = False
    decode: Callable[[PostedWrite], tuple[Any, bytes | None]] = _read_one
    place: Callable[[int], str] = lambda _: ""
    """The pointer to the fact of each draft in the body."""
    raw: Any = None
    digest: bytes | None = None

    def read(self) -> tuple[str | None, bytes | None]:
        """The key and the hash of the payload, of a write for this log.

        Raises: Malformed if it is no JSON; OtherLog if it is for another log.
        """
        self.raw, self.digest = self.decode(self.posted)
        must_be_this_log(self.tracker.log.guard.log, self.posted.log)
        return self.posted.key, self.digest

    def request(self) -> Request:
        """The request.

        Raises: VersionConflict if the pledge is not at the version of If-Match; InvalidFact, TooLarge, NotOpened,
        PledgeNotFound or BatchRefused for what is wrong with the facts themselves.
        """
        posted = self.posted
        expected = _expected(self.tracker, posted.if_match, self.pledge)
        drafted = self.plan(self.raw, expected)
        return Request(drafted, posted.by, posted.now, posted.key, self.digest, self.opens, posted.log)


def _record(tracker: Tracker, write: _Write) -> WriteOutcome:
    """Record a batch, or try a write, from a thread of its own, in the order of refusals that the writer keeps too."""
    posted = write.posted
    key, digest = write.read()
    if key is not None and not posted.dry_run and (known := tracker.replay(key, digest)):
        return WriteOutcome(known, batch_receipt(known))
    try:
        request = write.request()
        if posted.dry_run:
            return WriteOutcome(None, dry_run(tracker, request, write.place))
        recorded = tracker.record(request)
    except (BatchRefused, VersionConflict):
        # The same request, sent twice at once, must not refuse itself.
        if key is None or posted.dry_run or not (known := tracker.replay(key, digest)):
            raise
        recorded = known
    return WriteOutcome(recorded, batch_receipt(recorded))


def _expected(tracker: Tracker, if_match: bytes | None, pledge: str | None) -> int | None:
    """The version that If-Match names, if it is the pledge's.

    Raises: VersionConflict if the pledge is at another one.
    """
    if if_match is None:
        return None
    if pledge is None:
        raise invalid("If-Match", "goes with one pledge's events; in a batch, say 'expected_version'")
    at = tracker.version(pledge) if is_slug(pledge) else 0
    wanted = [etag.partition(".")[0] for etag in entity_tags(if_match)]
    if if_match.strip() == b"*":
        wanted = [str(at)] if at else []
    if str(at) not in wanted:
        raise VersionConflict(f"{pledge!r} is at version {at}; read it again and decide anew", version=at)
    return None if if_match.strip() == b"*" else at


def _refused_by_log(tracker: Tracker, posted: PostedWrite, sound: list[tuple[int, Draft]]) -> drafts.Refusals:
    if not sound:
        return []
    try:
        tracker.preview(Request(tuple(draft for _, draft in sound), posted.by, posted.now))
    except BatchRefused as refused:
        return drafts.batch_refusals(refused, [index for index, _ in sound])
    return []


def _all_of(batch: drafts.BatchDrafts, more: drafts.Refusals) -> BatchRefused:
    refusals = sorted(batch.refusals + more, key=lambda pair: pair[0])
    return BatchRefused(refusals, more_items=batch.more_items, more_problems=batch.more_problems)
