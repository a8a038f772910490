"""The licence of the data, as an operator names it: a web address, the SPDX identifier of one for data, or words."""

from __future__ import annotations

import re

_SPDX = {
    name.casefold(): name
    for name in (
        *("CC0-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0"),
        *("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0", "CC-BY-ND-4.0", "CC-PDDC"),
        *("ODbL-1.0", "ODC-By-1.0", "PDDL-1.0", "OGL-UK-1.0", "OGL-UK-2.0", "OGL-UK-3.0", "OGL-Canada-2.0"),
        *("etalab-2.0", "DL-DE-BY-2.0", "DL-DE-ZERO-2.0", "NLOD-1.0", "NLOD-2.0"),
        *("CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0", "C-UDA-1.0", "O-UDA-1.0"),
    )
}
"""SPDX identifiers by their lower-case form. A word that is not among them may name no licence, and a link to its page
would lead nowhere."""


def address(license_: str | None) -> str | None:
    """The web address of the licence's text; None for a licence that is only words, which is named without a link."""
    if license_ is None:
        return None
    if re.fullmatch(r"https?://[\x21\x23-\x3b\x3d\x3f-\x7e]+", license_):
        return license_
    known = _SPDX.get(license_.casefold())
    return None if known is None else f"https://spdx.org/licenses/{known}.html"


def with_link(link: str | None, license_: str | None) -> str | None:
    """The value of a `Link` header: `link` and, where the licence has an address, the licence (RFC 8288, RFC 4946)."""
    found = address(license_)
    links = [part for part in (link, None if found is None else f'<{found}>; rel="license"') if part]
    return ", ".join(links) or None
