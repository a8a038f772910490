"""Writing: open a pledge, add a fact, add a batch."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.params import FromPath

from api import recording, vocabulary
from api.bodies import read_body
from api.clocks import now
from api.contract import JSON, NDJSON, write
from api.parts import Parts
from api.polling import header
from api.query import flag, invalid
from api.recording import Done, Posted

FACT_LIMIT = 64 * 1024
"""Bytes read of the body of a single fact: 48 KiB and its envelope."""

BATCH_LIMIT = 64 * 1024 * 1024
PATIENCE = 1.0
"""Seconds that a write waits for the projection."""


class WriteController(Controller):
    """What monitors send."""

    path = "/v1"

    @write("/pledges", vocabulary.OPEN_PLEDGE, limit=FACT_LIMIT)
    async def open_pledge(self, request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[bytes]:
        """Open a pledge with its PledgeMade; without `pledge` the slug is made from the title."""
        posted = await _posted(request, JSON)
        done = await sync_to_thread(recording.open_pledge, parts.tracker, posted)
        return await _answer(request, parts, done)

    @write("/pledges/{pledge:str}/events", vocabulary.ADD_EVENT, limit=FACT_LIMIT)
    async def add_event(
        self, request: Request[Any, Any, Any], parts: NamedDependency[Parts], pledge: FromPath[str]
    ) -> Response[bytes]:
        """Record one fact on a pledge."""
        posted = await _posted(request, JSON)
        done = await sync_to_thread(recording.add_event, parts.tracker, posted, pledge)
        return await _answer(request, parts, done)

    @write("/events", vocabulary.ADD_BATCH, limit=BATCH_LIMIT)
    async def add_batch(self, request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[bytes]:
        """Record up to 10,000 facts on any pledges, all or nothing."""
        posted = await _posted(request, JSON, NDJSON)
        done = await sync_to_thread(recording.add_batch, parts.tracker, posted)
        return await _answer(request, parts, done, batch=True)


async def _posted(request: Request[Any, Any, Any], *accepted: str) -> Posted:
    scope = request.scope
    state: Any = scope["state"]
    dry_run = flag(state["query"], "dry_run")
    key = _idempotency_key(header(scope, b"idempotency-key"))
    media_type, body = await read_body(request, *accepted)
    caller = state["caller"].name
    return Posted(
        by=caller,
        media_type=media_type,
        body=body,
        now=now(),
        key=None if key is None else f"{caller}\n{scope['method']}\n{scope['path']}\n{key}",
        if_match=header(scope, b"if-match"),
        dry_run=dry_run,
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


async def _answer(request: Request[Any, Any, Any], parts: Parts, done: Done, *, batch: bool = False) -> Response[bytes]:
    """The answer, once the projection has the events or patience is at its end."""
    headers = {"Cache-Control": "no-store"}
    recorded = done.recorded
    if recorded is None:
        return Response(done.body, status_code=200, media_type=JSON, headers=headers)
    events = recorded.events
    parts.heads.recorded((event.pledge, event.version) for event in events)
    if _respond_async(request):
        headers["Preference-Applied"] = "respond-async"
        parts.follower.wake()
    else:
        await parts.follower.projected(events[-1].position, PATIENCE)
    if recorded.replayed:
        headers["Idempotency-Replayed"] = "true"
    if not batch:
        headers["ETag"] = f'"{events[0].version}"'
        headers["Location"] = f"/v1/pledges/{events[0].pledge}"
    return Response(done.body, status_code=201, media_type=JSON, headers=headers)


def _respond_async(request: Request[Any, Any, Any]) -> bool:
    prefer = (header(request.scope, b"prefer") or b"").lower()
    return b"respond-async" in [part.split(b";")[0].strip() for part in prefer.split(b",")]
