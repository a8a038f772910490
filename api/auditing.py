"""For auditors: statuses folded from the log itself, and how the projection differs from them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from litestar import Controller, Request
from litestar.di import NamedDependency
from pydantic_core import from_json, to_json

from api import vocabulary
from api.contract import read
from api.parts import Parts
from api.polling import Answer, tag
from api.query import flag
from api.reading import Reading
from api.replaying import Difference, compared, replay
from api.streaming import Streamed
from projections.timeline import Clocks
from tracker.document import RULES_VERSION


class AuditController(Controller):
    """What need not be believed, because it can be made again."""

    @read("/v1/replay", vocabulary.REPLAY)
    def replay(self, request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Streamed:
        """All statuses, folded from the log itself at the clocks, as a stream in the order of the log.

        With `compare=true` every one is compared with the projection's, anew each time: `differences` must be empty.
        """
        reading = Reading(request, parts)
        journal, at = parts.tracker.journal, reading.at
        if flag(reading.query, "compare"):
            clocks = reading.projected()
            mark = Answer(b"", etag=tag(secrets.token_bytes(16)), cache_control="no-store")
            pieces = compared(journal, parts.timeline, clocks)
            return Streamed(mark, _listed(pieces, reading.footer(clocks.position), comparing=True))
        clocks = Clocks(at.as_of, journal.head() if at.position is None else at.position, at.known_at)
        footer = reading.footer(clocks.position)
        mark = reading.about_log(clocks.position, b"", etag=tag(to_json([RULES_VERSION, footer])))
        return Streamed(mark, _listed(((one.document, None) for one in replay(journal, clocks)), footer))


def _listed(
    found: Iterator[tuple[bytes | None, Difference | None]], footer: Mapping[str, Any], *, comparing: bool = False
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


def _difference(found: Difference) -> dict[str, Any]:
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
