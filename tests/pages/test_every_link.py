"""Every link on every page leads somewhere: each is followed once, and each kind of page that it leads to is read."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, urldefrag, urlsplit

import pytest

from seeds import seed_files
from tests.support.api import Api, running
from tests.support.links import links_of
from tests.support.pages import BROWSER

_START = ("/", "/parties", "/deadlines", "/audit", "/record", "/import", "/proposals", "/developers", "/schema",
          "/about/rules", "/problems", "/nowhere", "/deadlines?as_of=2024-12-20&days=90", "/?as_of=2020-01-01",
          "/?q=nothing-of-the-kind", "/sitemap.xml", "/robots.txt")  # fmt: skip
"""Pages to begin with: those of the frame, and those that are found in no other way."""

_EXPECTED = {"/nowhere": 404}


def kind_of(address: str) -> tuple[str, ...]:
    """What sort of page an address leads to: its path without names, and the parameters that it has."""
    parts = urlsplit(address)
    path = re.sub(r"^/(pledges|parties|tags|embed|problems)/[^/]+", r"/\1/*", parts.path)
    path = re.sub(r"^/v1/pledges/[^/]+", "/v1/pledges/*", path)
    return path, *sorted(name for name, _ in parse_qsl(parts.query, keep_blank_values=True))


def followed(api: Api) -> dict[str, int]:
    """The status of every address that some page links to; of pages of one kind the first is read for links.

    A page of which more than one thing is asked is followed, and not read: its filters and days would go on for ever.
    """
    waiting, seen, read = list(_START), dict[str, int](), set[tuple[str, ...]]()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        answer = api.get(address, headers=BROWSER | {"If-None-Match": '"not it"'})
        seen[address] = answer.status_code
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        if not is_page or kind_of(address) in read or (len(kind_of(address)) > 2 and address not in _START):
            continue
        read.add(kind_of(address))
        for link in links_of(answer.text):
            target, fragment = urldefrag(link)
            if not target:
                assert fragment == "" or f'id="{fragment}"' in answer.text, (address, link)
            elif not target.startswith(("https://", "http://")):
                assert target.startswith("/"), (address, link)
                waiting.append(target)
    return seen


@pytest.mark.slow
def test_every_link_on_every_page_leads_somewhere(tmp_path: Path) -> None:
    with running(f"sqlite:///{tmp_path}/tracker.db") as api:
        lines = b"\n".join(file.read_bytes().strip() for file in seed_files())
        answer = api.post("/v1/events", lines, headers={"Content-Type": "application/x-ndjson"})
        assert answer.status_code == 201, answer.text
        seen = followed(api)
        wrong = {address: status for address, status in seen.items() if status != _EXPECTED.get(address, 200)}
        assert wrong == {"/sitemap.xml": 404}  # it needs an address of its own, which a test has not
        kinds = {kind_of(address)[0] for address in seen}
        assert {
            "/pledges/*", "/pledges/*/record", "/pledges/*/statement", "/parties/*", "/tags/*", "/embed/*",
            "/problems/*", "/v1/feed.atom", "/v1/deadlines.ics", "/v1/pledges", "/ledger/checkpoint", "/developers",
            "/about/rules",
        } <= kinds  # fmt: skip
