"""The addresses that an answer has: in a page, a feed, a problem, or in its headers."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from httpx import Response

_LINKING = {"href", "src", "action"}
_NAMED_LINK = re.compile(r"<([^>]*)>")
_IN_XML = re.compile(r' href="([^"]*)"')


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what an element leads to; what it draws within the page is no address."""
        if tag != "use":
            self.found += [value for name, value in attrs if name in _LINKING and value]


def links_of(html: str) -> list[str]:
    """Every address in a page, in order: links, scripts, styles, pictures, frames and forms."""
    parser = _Links()
    parser.feed(html)
    return parser.found


def addresses_of(answer: Response) -> Iterator[str]:
    """Every address in an answer and its headers, as it is written."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    yield from filter(None, (answer.headers.get("location"),))
    yield from _NAMED_LINK.findall(answer.headers.get("link", ""))
    if kind == "text/html":
        yield from links_of(answer.text)
    elif kind == "application/atom+xml":
        yield from _IN_XML.findall(answer.text)
    elif kind == "application/link-format":
        yield from _NAMED_LINK.findall(answer.text)
    elif kind in ("application/json", "application/problem+json"):
        yield from _of_json(answer.json())


def _of_json(value: Any) -> Iterator[str]:
    """What stands in a JSON document and begins with a slash, pointers aside."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name != "pointer":
                yield from _of_json(member)
    elif isinstance(value, list):
        for member in value:
            yield from _of_json(member)
    elif isinstance(value, str) and value.startswith("/"):
        yield value
