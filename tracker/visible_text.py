"""Characters that are not seen, or that make other text look like something else: escaped where text is shown.

These are the controls C0 and C1, the marks that turn the direction of writing, line and paragraph separators, and
characters without width. `U+202E` in a name shows it backwards; `U+200B` makes two names that look the same.
"""

from __future__ import annotations

import re

UNSEEN = (
    r"\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    r"\uffa0\ufff9-\ufffb"
)
"""What stands in a character class of a regular expression for DEL, C1 and all that is not seen beyond.

Every dialect of regular expressions in use reads it: Python's, Rust's (pydantic), ECMAScript's (JSON Schema).
"""

_NOT_ON_ONE_LINE = re.compile(rf"[\x00-\x1f{UNSEEN}]")
_NOT_SHOWN = re.compile(rf"[\x00-\x08\x0b-\x1f{UNSEEN}\ud800-\udfff\U000e0000-\U000e007f]")


def unseen_in(line: str) -> str | None:
    """The first character that does not belong on one line of text, as `U+202E`; None if there is none."""
    found = _NOT_ON_ONE_LINE.search(line)
    return None if found is None else f"U+{ord(found[0]):04X}"


def escaped(text: str) -> str:
    """The text with every character that is not seen as `\\u202e`; line ends and tabs stay.

    Within a JSON string that is the same character, so JSON stays what it says.
    """
    return _NOT_SHOWN.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
