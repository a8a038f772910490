"""What a browser asks for, and the text of the pages it gets."""

import re
from html import unescape

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
"""The headers of a browser that asks for a page."""


def text_of(html: str) -> str:
    """The text of some HTML, on one line."""
    return " ".join(unescape(re.sub("<[^>]+>", "", html)).split())
