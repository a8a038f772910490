"""Text as XML 1.0 can hold it, for every format that is XML: Atom, IATI and the SVG of a badge."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_safe(text: str) -> str:
    """The text with U+FFFD in the place of every character that XML 1.0 §2.2 does not allow; nothing is escaped."""
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def xml_text(text: str) -> str:
    """The text as the content of an element: allowed characters only, markup escaped."""
    return escape(xml_safe(text))
