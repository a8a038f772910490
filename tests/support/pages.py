"""What a browser asks for, and the text of the pages it gets."""

import re
from html import unescape

from tests.support.api import Api

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
"""The headers of a browser that asks for a page."""


def text_of(html: str) -> str:
    """The text of some HTML, on one line."""
    return " ".join(unescape(re.sub("<[^>]+>", "", html)).split())


def shown(api: Api, path: str) -> str:
    """The HTML of a page, which must be there."""
    answer = api.get(path, headers=BROWSER)
    assert answer.status_code == 200, answer.text
    return answer.text


def part(page: str, pattern: str) -> str:
    """The HTML of the first part of a page that is of a pattern, which must be in it."""
    found = re.search(pattern, page, re.DOTALL)
    assert found is not None, pattern
    return found[0]


def part_text(page: str, pattern: str) -> str:
    """The text of a part of a page."""
    return text_of(part(page, pattern))
