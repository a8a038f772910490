"""Changes of status as an Atom feed (RFC 4287): ids that never change, made of the log's id. Addresses are below
TRACKER_PUBLIC_URL if that is set, else relative to the feed's own; none is taken from a request.

An entry is published when the status changed in the world, and updated when that came to be known: at the recording of
the event that made it so, or at the beginning of the day on which a deadline had passed. What one request made known is
one entry, whatever the number of its changes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
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

_TITLES = 3
"""Titles of pledges in the title of an entry, at most."""

_ID_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://commitments-tracker.invalid/feed")


class ToldChange(NamedTuple):
    """A change, and the status document of its day."""

    change: StatusChange
    status: Mapping[str, Any]


class FeedEntry(NamedTuple):
    """One entry of the feed: what came to be known at one moment, the latest change in the world first.

    `is_of_request` if a request made it known, and not a day that began; `has_more` if the changes are not all.
    """

    updated: datetime
    told: Sequence[ToldChange]
    is_of_request: bool
    has_more: bool = False


def known_from(change: StatusChange, recorded_at: datetime) -> datetime:
    """When a change could first be seen: its day had begun and its event was recorded."""
    return max(recorded_at, datetime.combine(change.on, time(), UTC))


def feed(
    entries: Iterable[FeedEntry],
    query: Mapping[str, str],
    filters: Mapping[str, str],
    updated: datetime,
    log: str,
    license_: str | None,
    public_url: str = "",
) -> bytes:
    """The feed as XML.

    `query` is what stands in its address, `filters` are those of it that narrow the feed. `updated` is the feed's date
    where it has no entry. Ids are made with `log`, the log's id, so that no two logs share one, whatever their
    operators call them; they do not change with `public_url`, which the addresses begin with.
    """
    entries = list(entries)
    address = "/v1/feed.atom" + (f"?{encoded(query)}" if query else "")
    newest = max((entry.updated for entry in entries), default=updated)
    license_url = data_license.address(license_)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
        f"<id>{_id(log, address)}</id>",
        "<title>Commitments Tracker: changes of status</title>",
        "<subtitle>What became of public pledges, as it is recorded.</subtitle>",
        f"<updated>{stamp(newest)}</updated>",
        f'<link rel="self" type="application/atom+xml" href={quoteattr(public_url + address)}/>',
        f'<link rel="alternate" type="text/html" href={quoteattr(public_url + "/")}/>',
        *([f'<link rel="license" href={quoteattr(license_url)}/>'] if license_url else []),
        "<author><name>Commitments Tracker</name></author>",
        *([f"<rights>{xml_text(license_)}</rights>"] if license_ else []),
        *(line for entry in entries for line in _entry(entry, log, filters, public_url)),
        "</feed>",
    ]
    return "\n".join(lines).encode() + b"\n"


def _entry(entry: FeedEntry, log: str, filters: Mapping[str, str], public_url: str) -> Iterable[str]:
    newest = entry.told[0]
    pledges = {told.change.pledge: told.status["title"] for told in entry.told}
    one = f"/pledges/{newest.change.pledge}?as_of={newest.change.on}"
    yield "<entry>"
    yield f"<id>{_id(log, _name(entry, filters))}</id>"
    yield f"<title>{xml_text(_title(entry, list(pledges.values())))}</title>"
    yield f"<updated>{stamp(entry.updated)}</updated>"
    yield f"<published>{stamp(datetime.combine(newest.change.on, time(), UTC))}</published>"
    yield f'<link rel="alternate" type="text/html" href={quoteattr(public_url + (one if len(pledges) == 1 else "/"))}/>'
    for told in entry.told:
        address = f"{public_url}/v1/pledges/{told.change.pledge}?as_of={told.change.on}"
        yield f'<link rel="related" type="application/json" href={quoteattr(address)}/>'
    for status in dict.fromkeys(told.change.after for told in entry.told):
        yield f"<category term={quoteattr(status)} label={quoteattr(wording.STATUS[status])}/>"
    several = len(pledges) > 1
    sentences = [
        f"{told.status['title']}: {sentence(*told)}" if several else sentence(*told) for told in reversed(entry.told)
    ]
    sentences += ["There are further changes."] if entry.has_more else []
    yield f'<summary type="text">{xml_text(" ".join(sentences))}</summary>'
    yield "</entry>"


def _name(entry: FeedEntry, filters: Mapping[str, str]) -> str:
    """What the id is made of. A request tells other changes in a feed that is narrowed otherwise: another entry."""
    if entry.is_of_request:
        return f"request/{stamp(entry.updated)}?{encoded(filters)}"
    change = entry.told[0].change
    return f"{change.pledge}/{change.on}/{change.after}/{change.position}"


def _title(entry: FeedEntry, titles: Sequence[str]) -> str:
    if len(titles) == 1:
        return f"{wording.STATUS[entry.told[0].change.after]}: {titles[0]}"
    others = " and others" if len(titles) > _TITLES or entry.has_more else ""
    return f"Several pledges: {', '.join(titles[:_TITLES])}{others}"


def sentence(change: StatusChange, status: Mapping[str, Any]) -> str:
    """The change in a sentence."""
    became = wording.STATUS[change.after].lower()
    who = wording.party(status["pledgor"])
    if change.before is None:
        start = f"{wording.day(change.on)}: {who} made this pledge; it is {became}."
    else:
        start = f"{wording.day(change.on)}: from {wording.STATUS[change.before].lower()} to {became}."
    figures = figures_in_words(status)
    return f"{start} {figures}." if figures else start


def figures_in_words(status: Mapping[str, Any]) -> str:
    """The actual, the target and their ratio on one line; an empty text where there is none of them."""
    near = amounts.distinct_digits(status["actual"], status["target"])
    actual, target = amounts.amount(status["actual"], near), amounts.amount(status["target"], near)
    share = amounts.ratio(status["ratio"], status["actual"])
    figures = [] if actual is None else [f"Reported: {actual.short}"]
    figures += [] if target is None else [f"target: {target.short}" if figures else f"Target: {target.short}"]
    figures += [] if share is None else [share]
    return ", ".join(figures)


def _id(log: str, name: str) -> str:
    return uuid.uuid5(_ID_NAMESPACE, f"{log}\n{name}").urn
