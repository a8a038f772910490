"""The licence of the data, as an operator names it: a web address, or an SPDX identifier such as ``CC-BY-4.0``."""

from __future__ import annotations

import re


def address(license_: str | None) -> str | None:
    """Where it can be read; None for one that is only words."""
    if license_ is None:
        return None
    if re.fullmatch(r"https?://[\x21\x23-\x3b\x3d\x3f-\x7e]+", license_):
        return license_
    return f"https://spdx.org/licenses/{license_}.html" if re.fullmatch(r"[A-Za-z0-9.+-]+", license_) else None


def with_link(link: str | None, license_: str | None) -> str | None:
    """A ``Link`` header with the licence beside what it has (RFC 8288, RFC 4946)."""
    found = address(license_)
    both = [part for part in (link, None if found is None else f'<{found}>; rel="license"') if part]
    return ", ".join(both) or None
