"""Changes of status as an Atom feed (RFC 4287): ids that never change, made of the log's name. Addresses are below
TRACKER_PUBLIC_URL if that is set, else relative to the feed's own; none is taken from a request.

An entry is updated when the change came to be known: at the recording of the event that made it so, or at the beginning
of the day on which a deadline had passed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

from api import amounts, wording
from api.formats.xml_text import xml_text
from api.http import data_license
from api.http.addresses import encoded
from api.http.media import MediaFormat
from projections.changes import StatusChange
from tracker.event import stamp

ATOM_FORMAT = MediaFormat("atom", "application/atom+xml; charset=utf-8")

_ID_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://commitments-tracker.invalid/feed")


class FeedEntry(NamedTuple):
    """One entry of the feed: a change, when it came to be known, and the status document of its day."""

    change: StatusChange
    updated: datetime
    status: Mapping[str, Any]


def known_from(change: StatusChange, recorded_at: datetime) -> datetime:
    """When a change could first be seen: its day had begun and its event was recorded."""
    return max(recorded_at, datetime.combine(change.on, time(), UTC))


def feed(
    entries: Iterable[FeedEntry],
    query: Mapping[str, str],
    updated: datetime,
    origin: str | None,
    license_: str | None,
    public_url: str = "",
) -> bytes:
    """The feed as XML.

    `query` are the filters that narrow it, as they stand in its address. `updated` is the feed's date where it has no
    entry. Ids are made with `origin`, the log's name, so that no two logs share one; they do not change with
    `public_url`, which the addresses begin with.
    """
    entries = list(entries)
    address = "/v1/feed.atom" + (f"?{encoded(query)}" if query else "")
    newest = max((entry.updated for entry in entries), default=updated)
    license_url = data_license.address(license_)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
        f"<id>{_id(origin, address)}</id>",
        "<title>Commitments Tracker: changes of status</title>",
        "<subtitle>What became of public pledges, as it is recorded.</subtitle>",
        f"<updated>{stamp(newest)}</updated>",
        f'<link rel="self" type="application/atom+xml" href={quoteattr(public_url + address)}/>',
        f'<link rel="alternate" type="text/html" href={quoteattr(public_url + "/")}/>',
        *([f'<link rel="license" href={quoteattr(license_url)}/>'] if license_url else []),
        "<author><name>Commitments Tracker</name></author>",
        *([f"<rights>{xml_text(license_)}</rights>"] if license_ else []),
        *(line for entry in entries for line in _entry(entry, origin, public_url)),
        "</feed>",
    ]
    return "\n".join(lines).encode() + b"\n"


def _entry(entry: FeedEntry, origin: str | None, public_url: str) -> Iterable[str]:
    change, status = entry.change, entry.status
    place = f"{change.pledge}?as_of={change.on}"
    now = wording.STATUS[change.after]
    yield "<entry>"
    yield f"<id>{_id(origin, f'{change.pledge}/{change.on}/{change.after}/{change.position}')}</id>"
    yield f"<title>{xml_text(now + ': ' + status['title'])}</title>"
    yield f"<updated>{stamp(entry.updated)}</updated>"
    yield f"<published>{stamp(entry.updated)}</published>"
    yield f'<link rel="alternate" type="text/html" href={quoteattr(f"{public_url}/pledges/{place}")}/>'
    yield f'<link rel="related" type="application/json" href={quoteattr(f"{public_url}/v1/pledges/{place}")}/>'
    yield f"<category term={quoteattr(change.after)} label={quoteattr(now)}/>"
    yield f'<summary type="text">{xml_text(sentence(change, status))}</summary>'
    yield "</entry>"


def sentence(change: StatusChange, status: Mapping[str, Any]) -> str:
    """The change in a sentence."""
    became = wording.STATUS[change.after].lower()
    who = wording.party(status["pledgor"])
    if change.before is None:
        start = f"{wording.day(change.on)}: {who} made this pledge; it is {became}."
    else:
        start = f"{wording.day(change.on)}: from {wording.STATUS[change.before].lower()} to {became}."
    near = amounts.distinct_digits(status["actual"], status["target"])
    actual, target = amounts.amount(status["actual"], near), amounts.amount(status["target"], near)
    share = amounts.ratio(status["ratio"], status["actual"])
    figures = [] if actual is None else [f"Reported: {actual.short}"]
    figures += [] if target is None else [f"target: {target.short}" if figures else f"Target: {target.short}"]
    figures += [] if share is None else [share]
    return f"{start} {', '.join(figures)}." if figures else start


def _id(origin: str | None, name: str) -> str:
    return uuid.uuid5(_ID_NAMESPACE, f"{origin or ''}\n{name}").urn
