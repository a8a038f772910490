"""Statuses folded from the log itself, and how the projection differs from them: for auditors."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from litestar import Controller
from litestar.di import NamedDependency
from pydantic_core import from_json, to_json

from api.http.contract import AnyRequest, read
from api.http.headers import entity_tag
from api.http.parameters import flag
from api.http.responses import BytesResponse
from api.http.streams import StreamedResponse
from api.resources import contracts
from api.resources.read_request import ReadRequest
from api.services import Services
from projections.queries import Clocks
from projections.verify import Mismatch, compare_documents, replay
from tracker.rules.status_document import RULES_VERSION


class AuditController(Controller):
    """What an auditor makes again instead of believing it."""

    @read("/v1/replay", contracts.REPLAY)
    def replay(self, request: AnyRequest, services: NamedDependency[Services]) -> StreamedResponse:
        """All statuses, folded from the log itself at the clocks, as a stream in the order of the log.

        With `compare=true` every one is compared with the projection's, anew each time: `differences` must be empty.
        """
        read = ReadRequest(request, services)
        log, at = services.tracker.log, read.at
        if flag(read.query, "compare"):
            clocks = read.projected()
            head = BytesResponse(b"", etag=entity_tag(secrets.token_bytes(16)), cache_control="no-store")
            pieces = compare_documents(log, services.timeline, clocks)
            return StreamedResponse(head, _replay_json(pieces, read.footer(clocks.position), comparing=True))
        clocks = Clocks(at.as_of, log.head() if at.position is None else at.position, at.known_at)
        footer = read.footer(clocks.position)
        head = read.about_log(clocks.position, b"", etag=entity_tag(to_json([RULES_VERSION, footer]), log=read.log))
        return StreamedResponse(head, _replay_json(((one.document, None) for one in replay(log, clocks)), footer))


def _replay_json(
    found: Iterator[tuple[bytes | None, Mismatch | None]], footer: Mapping[str, Any], *, comparing: bool = False
) -> Iterator[bytes]:
    """The JSON of the documents as they come, then of the differences, which are gathered: there are none, or few."""
    differences: list[dict[str, Any]] = []
    opening = b'{"items":[\n'
    for document, difference in found:
        if document is not None:
            yield opening + document
            opening = b",\n"
        if difference is not None:
            differences.append(_mismatch_json(difference))
    rest = to_json({"differences": differences, **footer} if comparing else footer)
    yield (b"" if opening == b",\n" else opening) + b"]," + rest[1:] + b"\n"


def _mismatch_json(found: Mismatch) -> dict[str, Any]:
    """The members of the status that differ: as folded from the log, and as the projection has them."""
    names = found.members

    def side(document: bytes | None) -> dict[str, Any] | None:
        if not document:
            return None
        body = from_json(document)
        return {name: body[name] for name in names or ("status",) if name in body}

    return {
        "pledge": found.pledge,
        "about": str(found),
        "members": names,
        "replayed": side(found.replayed),
        "projected": side(found.projected),
    }
