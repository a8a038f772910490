"""Row 15: what the first load of a pledge's page takes over the wire; `tests/browser` asks the same of a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import httpx

from benchmarks.harness import ADMIN, Row, compared, free_port, run_tracker, tracker_server

PAGE = "/pledges/nato-ukraine-2024"
IMPORTED = re.compile(r"""\b(?:import|from)\s*["'](\.{0,2}/[^"']+)["']""")
"""A module that a script imports before it runs."""

MAX_BYTES, MAX_REQUESTS = 60_000, 5
"""What may come over the wire, and in how many requests beside the page."""


class Linked(HTMLParser):
    """The files that a page asks for by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note styles, icons, scripts and pictures."""
        given = dict(attrs)
        loads = tag in ("script", "img") or (tag == "link" and given.get("rel") in ("stylesheet", "icon"))
        address = given.get("href" if tag == "link" else "src")
        if loads and address and not address.startswith("data:"):
            self.found.append(address)


def rows(folder: Path) -> Iterator[Row]:
    """The bytes and the requests, each beside its budget."""
    env = {"TRACKER_DATABASE_URL": f"sqlite:///{folder}/page.db", "TRACKER_ADMIN_KEY": ADMIN}
    run_tracker(env, "seed")
    port = free_port()
    with tracker_server(env["TRACKER_DATABASE_URL"], port), httpx.Client(headers={"Accept": "text/html"}) as client:
        loaded = _loaded(client, f"http://127.0.0.1:{port}{PAGE}")
    sizes = [sum(loaded.values())]
    yield compared(
        "15", "page of a pledge, first load", sizes, [MAX_BYTES], "budget", 1.0, better="lower", unit="bytes"
    )
    beside = [len(loaded) - 1]
    yield compared("15", "page of a pledge, requests beside it", beside, [MAX_REQUESTS], "budget", 1.0, better="lower",
                   unit="requests")  # fmt: skip


def _loaded(client: httpx.Client, page: str) -> dict[str, int]:
    """The bytes over the wire of a page and of all that it asks for."""
    loaded, waiting = dict[str, int](), [page]
    while waiting:
        url = waiting.pop()
        if url in loaded:
            continue
        answer = client.get(url).raise_for_status()
        loaded[url] = answer.num_bytes_downloaded
        if url == page:
            reader = Linked()
            reader.feed(answer.text)
            waiting += [urljoin(page, address) for address in reader.found]
        elif url.endswith(".js"):
            waiting += [urljoin(url, address) for address in IMPORTED.findall(answer.text)]
    return loaded
