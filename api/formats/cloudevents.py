"""Events as CloudEvents 1.0, a JSON batch (`application/cloudevents-batch+json`).

{"specversion": "1.0", "id": "0193…", "source": "/v1/pledges/nato-ukraine-2024", "type": "ProgressReported",
 "subject": "nato-ukraine-2024", "time": "2026-11-21T16:00:00.123456Z", "datacontenttype": "application/json",
 "sequence": "0000000000000000002", "data": <the event as it is served>}

`time` is when it was recorded, which is what happened here; when it was said stands in the data. Where the data have a
licence, each event has it as the extension attribute `license`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic_core import from_json, to_json


def batch(lines: Iterable[bytes], license_: str | None = None) -> Iterator[bytes]:
    """A JSON array of events, from events as they are served."""
    opening, extensions = b"[\n", {} if license_ is None else {"license": license_}
    for line in lines:
        yield opening + _wrapped(line, extensions)
        opening = b",\n"
    yield b"]\n" if opening == b",\n" else b"[]\n"


def _wrapped(line: bytes, extensions: Mapping[str, str]) -> bytes:
    event = from_json(line)
    attributes = {
        "specversion": "1.0",
        "id": event["id"],
        "source": f"/v1/pledges/{event['pledge']}",
        "type": event["fact"]["type"],
        "subject": event["pledge"],
        "time": event["recorded_at"],
        "datacontenttype": "application/json",
        "sequence": f"{event['position']:019d}",
        **extensions,
    }
    return b'%s,"data":%s}' % (to_json(attributes)[:-1], line)
