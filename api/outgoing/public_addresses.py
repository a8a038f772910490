"""Connections to addresses of the public internet alone, whatever a name resolves to.

Who registers a webhook names an address that our machine connects to. So the address is looked at after the name is
resolved, and that very address is connected to: a name that resolves to another one a moment later changes nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from threading import Thread
from typing import Any

import httpcore

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_UNICAST = IPv6Network("2000::/3")
"""The addresses of IPv6 that machines of the internet have; all others are private, reserved or of no machine."""

_EMBEDDING = tuple(map(IPv6Network, ("2002::/16", "2001::/32")))
"""Addresses of that range that lead to an IPv4 address which stands in them."""


CONNECT_SECONDS = 4.0
"""Seconds that an address has to connect where the name has another one besides."""


class AddressRefused(Exception):
    """A name leads to an address that is not of the public internet."""


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, and of one machine."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _UNICAST or any(address in network for network in _EMBEDDING):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class Resolver:
    """Looks names up in threads that nothing else waits for: a name whose servers do not answer holds up no other.

    Each name is looked up once at a time, whoever asks, so there are never more threads than names.
    """

    def __init__(self) -> None:
        self._asked: dict[str, asyncio.Future[list[str]]] = {}

    async def addresses(self, host: str) -> list[str]:
        """The addresses of a name.

        Raises: OSError if it has none; ValueError if it can be no name.
        """
        if (asked := self._asked.get(host)) is None:
            loop = asyncio.get_running_loop()
            asked = self._asked[host] = loop.create_future()
            asked.add_done_callback(lambda done: self._over(host, done))
            Thread(target=_look_up, args=(host, loop, asked), name=f"resolver-{host}", daemon=True).start()
        return await asyncio.shield(asked)

    def _over(self, host: str, asked: asyncio.Future[list[str]]) -> None:
        del self._asked[host]
        if not asked.cancelled():
            asked.exception()  # whoever asked may have given up


def _look_up(host: str, loop: asyncio.AbstractEventLoop, asked: asyncio.Future[list[str]]) -> None:
    """Look a name up in this thread, which may take as long as it will, and tell the loop, if there is one still."""

    found: list[str] = []
    wrong: Exception | None = None

    def tell() -> None:
        if asked.done():
            return
        if wrong is None:
            asked.set_result(found)
        else:
            asked.set_exception(wrong)

    try:
        answered = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(str(info[4][0]) for info in answered))
    except (OSError, ValueError) as error:
        wrong = error
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(tell)


class PublicBackend(httpcore.AsyncNetworkBackend):
    """Connects to public addresses, if `public`, and to those of `networks`."""

    def __init__(self, networks: Sequence[Network], *, public: bool, resolver: Resolver | None = None) -> None:
        self._networks, self._public = networks, public
        self._resolver = resolver or Resolver()
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
        try:
            addresses = await asyncio.wait_for(self._resolver.addresses(host), timeout)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"{host} is not resolved in time") from None
        except (OSError, ValueError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from None
        for address in addresses:
            self._must_be_allowed(host, address)
        for left, address in zip(reversed(range(len(addresses))), addresses, strict=True):
            patience = CONNECT_SECONDS if left else timeout
            try:
                return await self._backend.connect_tcp(address, port, patience, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not left:
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
