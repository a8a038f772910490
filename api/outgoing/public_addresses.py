"""Connections to addresses of the public internet alone, whatever a name resolves to.

Who registers a webhook names an address that our machine connects to. So the address is looked at after the name is
resolved, and that very address is connected to: a name that resolves to another one a moment later changes nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpcore

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_EMBEDDING = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")))
"""Addresses that lead to an IPv4 address which stands in them."""


class AddressRefused(Exception):
    """A name leads to an address that is not of the public internet."""


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, and of one machine."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in _EMBEDDING):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class PublicBackend(httpcore.AsyncNetworkBackend):
    """Connects to public addresses, if `public`, and to those of `networks`."""

    def __init__(self, networks: Sequence[Network], *, public: bool) -> None:
        self._networks, self._public = networks, public
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one of the addresses of a host.

        Raises: AddressRefused if one of them may not be connected to; httpcore's errors if none answers.
        """
        loop = asyncio.get_running_loop()
        try:
            asked = loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = await asyncio.wait_for(asked, timeout)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"{host} is not resolved in time") from None
        except OSError as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from None
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        for address in addresses:
            self._must_be_allowed(host, address)
        for last, address in enumerate(addresses, 1):
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                if last == len(addresses):
                    raise
        raise httpcore.ConnectError(f"{host} has no address")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._backend.sleep(seconds)

    def _must_be_allowed(self, host: str, text: str) -> None:
        address = ip_address(text.partition("%")[0])
        if any(address.version == network.version and address in network for network in self._networks):
            return
        if not self._public:
            raise AddressRefused(f"{host} is {address}: without TLS only TRACKER_WEBHOOK_NETWORKS are sent to")
        if not is_public(address):
            raise AddressRefused(f"{host} is {address}, which is no address of the public internet")
