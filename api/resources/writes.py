"""Writing: open a pledge, add a fact, add a batch."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.http.bodies import read_body
from api.http.clocks import now
from api.http.contract import JSON, NDJSON, AnyRequest, write
from api.http.headers import header
from api.http.parameters import flag, invalid
from api.resources import contracts, recording
from api.resources.recording import PostedWrite, WriteOutcome
from api.services import Services

MAX_FACT_BODY_BYTES = 64 * 1024
"""Bytes read of the body of a single fact, at most: 48 KiB and its envelope."""

MAX_BATCH_BODY_BYTES = 64 * 1024 * 1024
"""Bytes read of the body of a batch, at most."""

READ_YOUR_WRITE_SECONDS = 1.0
"""Seconds that a write waits for the projection, so that its caller reads what it wrote."""


class WriteController(Controller):
    """The writes of monitors."""

    path = "/v1"

    @write("/pledges", contracts.OPEN_PLEDGE, limit=MAX_FACT_BODY_BYTES)
    async def open_pledge(self, request: AnyRequest, services: NamedDependency[Services]) -> Response[bytes]:
        """Open a pledge with its PledgeMade; without `pledge` the slug is made from the title."""
        posted = await _posted(request, JSON)
        outcome = await sync_to_thread(recording.open_pledge, services.tracker, posted)
        return await _response(request, services, outcome)

    @write("/pledges/{pledge:str}/events", contracts.ADD_EVENT, limit=MAX_FACT_BODY_BYTES)
    async def add_event(
        self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]
    ) -> Response[bytes]:
        """Record one fact on a pledge."""
        posted = await _posted(request, JSON)
        outcome = await sync_to_thread(recording.add_event, services.tracker, posted, pledge)
        return await _response(request, services, outcome)

    @write("/events", contracts.ADD_BATCH, limit=MAX_BATCH_BODY_BYTES)
    async def add_batch(self, request: AnyRequest, services: NamedDependency[Services]) -> Response[bytes]:
        """Record up to 10,000 facts on any pledges, all or nothing."""
        posted = await _posted(request, JSON, NDJSON)
        outcome = await sync_to_thread(recording.add_batch, services.tracker, posted)
        return await _response(request, services, outcome, batch=True)


async def _posted(request: AnyRequest, *accepted: str) -> PostedWrite:
    scope = request.scope
    state: Any = scope["state"]
    dry_run = flag(state["query"], "dry_run")
    key = _idempotency_key(header(scope, b"idempotency-key"))
    media_type, body = await read_body(request, *accepted)
    caller = state["caller"].name
    return PostedWrite(
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


async def _response(
    request: AnyRequest, services: Services, outcome: WriteOutcome, *, batch: bool = False
) -> Response[bytes]:
    """The response, once the projection has the events, or after `READ_YOUR_WRITE_SECONDS`."""
    headers = {"Cache-Control": "no-store"}
    recorded = outcome.recorded
    if recorded is None:
        return Response(outcome.body, status_code=200, media_type=JSON, headers=headers)
    events = recorded.events
    services.heads.recorded((event.pledge, event.version) for event in events)
    if _respond_async(request):
        headers["Preference-Applied"] = "respond-async"
        services.follower.wake()
    else:
        await services.follower.projected(events[-1].position, READ_YOUR_WRITE_SECONDS)
    if recorded.replayed:
        headers["Idempotency-Replayed"] = "true"
    if not batch:
        headers["ETag"] = f'"{events[0].version}"'
        headers["Location"] = f"/v1/pledges/{events[0].pledge}"
    return Response(outcome.body, status_code=201, media_type=JSON, headers=headers)


def _respond_async(request: AnyRequest) -> bool:
    prefer = (header(request.scope, b"prefer") or b"").lower()
    return b"respond-async" in [part.split(b";")[0].strip() for part in prefer.split(b",")]
