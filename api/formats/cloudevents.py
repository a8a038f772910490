"""Events as CloudEvents 1.0, a JSON batch (`application/cloudevents-batch+json`).

{"specversion": "1.0", "id": "0193…", "source": "/v1/pledges/nato-ukraine-2024", "type": "ProgressReported",
 "subject": "nato-ukraine-2024", "time": "2026-11-21T16:00:00.123456Z", "datacontenttype": "application/json",
 "sequence": "0000000000000000002", "data": <the event as it is served>}

`source` is the pledge's address: below TRACKER_PUBLIC_URL if that is set, else a relative reference (CloudEvents §3.1
allows one). `time` is when the event was recorded, which is what happened here; when its fact was stated stands in the
data. Where the data have a licence, each event has it as the extension attribute `license`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic_core import from_json, to_json

from api.formats.provenance import Provenance
from tracker.pledge_events import raw_fact

_NO_TYPE = "unreadable"
"""The type of an event whose stored line does not tell it: CloudEvents want one."""


def write_events(lines: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """A JSON array of CloudEvents, from events as they are served."""
    extensions = {} if provenance.license_ is None else {"license": provenance.license_}
    opening = b"[\n"
    for line in lines:
        yield opening + _cloud_event(line, provenance.public_url, extensions)
        opening = b",\n"
    yield b"]\n" if opening == b",\n" else b"[]\n"


def _cloud_event(line: bytes, public_url: str, extensions: Mapping[str, str]) -> bytes:
    event = from_json(line)
    pledge, type_ = str(event.get("pledge", "")), raw_fact(event).get("type")
    attributes = {
        "specversion": "1.0",
        "id": str(event.get("id", event["position"])),
        "source": f"{public_url}/v1/pledges/{pledge}",
        "type": type_ if isinstance(type_, str) else _NO_TYPE,
        "subject": pledge,
        "time": event.get("recorded_at"),
        "datacontenttype": "application/json",
        "sequence": f"{event['position']:019d}",
        **extensions,
    }
    return b'%s,"data":%s}' % (to_json(attributes)[:-1], line)
