"""For auditors: statuses folded from the log itself, and how the projection differs from them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from litestar import Controller, Request
from litestar.di import NamedDependency
from pydantic_core import from_json, to_json

from api.http.cache import BytesResponse, tag
from api.http.contract import read
from api.http.parameters import flag
from api.http.streams import StreamedResponse
from api.resources import contracts
from api.resources.read_request import ReadRequest
from api.services import Services
from projections.queries import Clocks
from projections.verify import Mismatch, compare_documents, replay
from tracker.rules.status_document import RULES_VERSION


class AuditController(Controller):
    """What need not be believed, because it can be made again."""

    @read("/v1/replay", contracts.REPLAY)
    def replay(self, request: Request[Any, Any, Any], services: NamedDependency[Services]) -> StreamedResponse:
        """All statuses, folded from the log itself at the clocks, as a stream in the order of the log.

        With `compare=true` every one is compared with the projection's, anew each time: `differences` must be empty.
        """
        reading = ReadRequest(request, services)
        log, at = services.tracker.log, reading.at
        if flag(reading.query, "compare"):
            clocks = reading.projected()
            mark = BytesResponse(b"", etag=tag(secrets.token_bytes(16)), cache_control="no-store")
            pieces = compare_documents(log, services.timeline, clocks)
            return StreamedResponse(mark, _listed(pieces, reading.footer(clocks.position), comparing=True))
        clocks = Clocks(at.as_of, log.head() if at.position is None else at.position, at.known_at)
        footer = reading.footer(clocks.position)
        mark = reading.about_log(clocks.position, b"", etag=tag(to_json([RULES_VERSION, footer])))
        return StreamedResponse(mark, _listed(((one.document, None) for one in replay(log, clocks)), footer))


def _listed(
    found: Iterator[tuple[bytes | None, Mismatch | None]], footer: Mapping[str, Any], *, comparing: bool = False
) -> Iterator[bytes]:
    """The documents as they come, then the differences, which are gathered: there are none, or few."""
    differences: list[dict[str, Any]] = []
    opening = b'{"items":[\n'
    for document, difference in found:
        if document is not None:
            yield opening + document
            opening = b",\n"
        if difference is not None:
            differences.append(_difference(difference))
    rest = to_json({"differences": differences, **footer} if comparing else footer)
    yield (b"" if opening == b",\n" else opening) + b"]," + rest[1:] + b"\n"


def _difference(found: Mismatch) -> dict[str, Any]:
    """The members that differ, as the log has them and as the projection has."""
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
