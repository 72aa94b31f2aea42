"""Which addresses may be asked at all: public ones on the web's ports, checked after resolving."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.models import Cause
from pipeline.urls import canonical, host_port

WEB_PORTS = (80, 443)
# As long as a resolved name is used without asking again; a crawl of hours must follow a site that moves.
RESOLVED_FOR_S = 300.0
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# Within 2000::/3: protocol assignments with Teredo, documentation, 6to4 (which carries any IPv4 address).
_SPECIAL_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_SPECIAL_V4 = tuple(map(ipaddress.IPv4Network, ("192.88.99.0/24", "192.0.0.0/24", "100.64.0.0/10")))


class UnfetchedError(Exception):
    """An address that gave no answer to archive, and why."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause
        self.detail = detail


@dataclass(frozen=True)
class Target:
    """Where a URL leads: every one of the addresses has been checked."""

    host: str
    port: int
    addresses: tuple[str, ...]


def is_public(address: str) -> bool:
    """Whether an IP address is a public host's, IPv4 inside IPv6 (mapped, NAT64) seen through.

    For IPv6 only 2000::/3 less its special blocks, since the rest of the space is private, local or unassigned (IANA
    IPv6 special-purpose registry); for IPv4 what `ipaddress` calls global and not multicast, less 6to4 relays.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or (ipaddress.IPv4Address(found.packed[-4:]) if found in _NAT64 else None)
        if inner is None:
            return found in _GLOBAL_UNICAST and not any(found in block for block in _SPECIAL_V6)
        found = inner
    return found.is_global and not found.is_multicast and not any(found in block for block in _SPECIAL_V4)


class Guard:
    """Resolves a URL's host and refuses it unless every address it has is public."""

    def __init__(self, allow_private: tuple[str, ...] = ()) -> None:
        self._all = "*" in allow_private
        self._allowed = frozenset(place for entry in allow_private for place in _places(entry))
        self._resolved: dict[tuple[str, int], tuple[float, tuple[str, ...]]] = {}

    async def check(self, url: str) -> Target:
        """The checked target of a canonical URL. Raises UnfetchedError (ADDRESS, DNS)."""
        if canonical(url) is None:
            raise UnfetchedError(Cause.ADDRESS, "not an http or https address that may be asked")
        return await self.target(*host_port(url))

    async def target(self, host: str, port: int) -> Target:
        """The checked target of a host and port. Raises UnfetchedError (ADDRESS, DNS)."""
        allowed = self._all or (host, port) in self._allowed
        if port not in WEB_PORTS and not allowed:
            raise UnfetchedError(Cause.ADDRESS, f"port {port} is not a web port")
        addresses = await self._resolve(host, port)
        refused = [address for address in addresses if not is_public(address)]
        if refused and not allowed:
            raise UnfetchedError(Cause.ADDRESS, f"{host} is at {refused[0]}, which is not a public address")
        return Target(host, port, addresses)

    async def _resolve(self, host: str, port: int) -> tuple[str, ...]:
        until, addresses = self._resolved.get((host, port), (0.0, ()))
        if time.monotonic() < until:
            return addresses
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise UnfetchedError(Cause.DNS, f"{host} cannot be resolved ({error})") from error
        addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not addresses:
            raise UnfetchedError(Cause.DNS, f"{host} has no address")
        self._resolved[host, port] = (time.monotonic() + RESOLVED_FOR_S, addresses)
        return addresses


def _places(entry: str) -> list[tuple[str, int]]:
    """Host and port pairs of one `allow_private` entry."""
    url = canonical(f"http://{entry}/")
    if url is None:
        return []
    host, port = host_port(url)
    written = urlsplit(f"http://{entry}/").port
    return [(host, port)] if written else [(host, port) for port in WEB_PORTS]
