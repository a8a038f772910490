"""The licence of the data, as an operator names it: a web address, an SPDX identifier, or words."""

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
"""SPDX identifiers of licences for data, by their small letters. Another word may be no identifier: it gets no link."""


def address(license_: str | None) -> str | None:
    """The web address of a licence; None if it has only words, so that nothing can link to it."""
    if license_ is None:
        return None
    if re.fullmatch(r"https?://[\x21\x23-\x3b\x3d\x3f-\x7e]+", license_):
        return license_
    known = _SPDX.get(license_.casefold())
    return None if known is None else f"https://spdx.org/licenses/{known}.html"


def with_license_link(link: str | None, license_: str | None) -> str | None:
    """A `Link` header with the licence beside the links it has (RFC 8288, RFC 4946); None if there is no link."""
    found = address(license_)
    links = [part for part in (link, None if found is None else f'<{found}>; rel="license"') if part]
    return ", ".join(links) or None
