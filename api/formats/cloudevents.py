"""Events as CloudEvents 1.0, a JSON batch (`application/cloudevents-batch+json`).

{"specversion": "1.0", "id": "0193…", "source": "https://example.org/v1/pledges/nato-ukraine-2024",
 "type": "org.commitments-tracker.ProgressReported", "subject": "nato-ukraine-2024",
 "time": "2026-11-21T16:00:00.123456Z", "datacontenttype": "application/json",
 "dataschema": "https://example.org/schema/openapi.json#/components/schemas/Event",
 "sequence": "0000000000000000002", "data": <the event as it is served>}

`source` is the pledge's address, and always an absolute one: below TRACKER_PUBLIC_URL if that is set, else below the
log's name, TRACKER_ORIGIN. A name without a domain gets one that leads nowhere, `.invalid` (RFC 2606), so that the
sources of two logs differ all the same. `time` is when the event was recorded, which is what happened here; when its
fact was stated stands in the data. Where the data have a licence, each event has it as the extension attribute
`license`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from pydantic_core import from_json, to_json

from api.formats.provenance import Provenance
from tracker.pledge_events import raw_fact

TYPE_PREFIX = "org.commitments-tracker."
"""What the types of events begin with, on every installation: the facts mean the same everywhere."""

_NO_TYPE = "unreadable"
"""The type of an event whose stored line does not tell it: CloudEvents want one."""


def write_events(lines: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """A JSON array of CloudEvents, from events as they are served."""
    opening = b"[\n"
    for line in lines:
        yield opening + cloud_event(line, provenance)
        opening = b",\n"
    yield b"]\n" if opening == b",\n" else b"[]\n"


def _base(provenance: Provenance) -> str:
    """The absolute address below which the log's resources stand."""
    if provenance.public_url:
        return provenance.public_url
    host, slash, path = provenance.origin.rpartition("://")[2].partition("/")
    domain = host if "." in host else f"{host}.invalid"
    return f"https://{quote(domain, safe=':')}{slash}{quote(path, safe='/')}".rstrip("/")


def cloud_event(line: bytes, provenance: Provenance) -> bytes:
    """One CloudEvent, as JSON (`application/cloudevents+json`), from an event as it is served."""
    base, event = _base(provenance), from_json(line)
    extensions = {} if provenance.license_ is None else {"license": provenance.license_}
    pledge, type_ = str(event.get("pledge", "")), raw_fact(event).get("type")
    attributes = {
        "specversion": "1.0",
        "id": str(event.get("id", event["position"])),
        "source": f"{base}/v1/pledges/{quote(pledge)}",
        "type": TYPE_PREFIX + (type_ if isinstance(type_, str) else _NO_TYPE),
        "subject": pledge,
        "time": event.get("recorded_at"),
        "datacontenttype": "application/json",
        "dataschema": f"{base}/schema/openapi.json#/components/schemas/Event",
        "sequence": f"{event['position']:019d}",
        **extensions,
    }
    return b'%s,"data":%s}' % (to_json(attributes)[:-1], line)
