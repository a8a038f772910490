"""The address of a client: the one that connects, or the one that a trusted proxy says it passes on.

Everything that counts by address reads `scope["client"]`, which is set here once for a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from api.http.headers import header

IPV6_CLIENT_BITS = 64
"""Bits of an IPv6 address that tell one client from another: the rest it chooses itself."""

KNOWN_ADDRESSES = 4_096
"""Addresses that are remembered with what they come to: reading one takes as long as the rest of a 304."""

MAX_ADDRESS_CHARACTERS = 64
"""Characters of an address, at most; what is longer is none, and is not remembered."""

Network = IPv4Network | IPv6Network


class ClientAddress(ASGIMiddleware):
    """Sets `scope["client"]` to the client's own address. `X-Forwarded-For` is believed from trusted proxies only."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Set the address, and go on."""
        if client := scope.get("client"):
            scope["client"] = (client_of(client[0], header(scope, b"x-forwarded-for"), self._trusted), client[1])
        await next_app(scope, receive, send)


def client_of(peer: str, forwarded: bytes | None, trusted: Sequence[Network]) -> str:
    """The client of a connection from `peer`: the rightmost forwarded address that is no trusted proxy.

    What stands left of it, or is no address, anybody may have written.
    """
    found = peer
    hops = [] if forwarded is None or not trusted else forwarded.decode("latin-1").split(",")
    while _is_trusted(found, trusted) and hops:
        hop = _plain(hops.pop().strip())
        if _address(hop) is None:
            break
        found = hop
    return found if len(found) > MAX_ADDRESS_CHARACTERS else _read(found)[1]


def _plain(hop: str) -> str:
    """The address without a port and brackets, which some proxies add."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _address(text: str) -> IPv4Address | IPv6Address | None:
    return None if len(text) > MAX_ADDRESS_CHARACTERS else _read(text)[0]


@lru_cache(maxsize=KNOWN_ADDRESSES)
def _read(text: str) -> tuple[IPv4Address | IPv6Address | None, str]:
    """The address that a text is, if it is one, and the client that counts by it."""
    try:
        address = ip_address(text)
    except ValueError:
        return None, text
    if not isinstance(address, IPv6Address):
        return address, text
    if address.ipv4_mapped:
        return address.ipv4_mapped, text
    return address, str(IPv6Network((address, IPV6_CLIENT_BITS), strict=False))


def _is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in trusted)
