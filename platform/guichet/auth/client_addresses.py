"""Where a request comes from: the socket's other end, or what a trusted proxy says of it."""

import functools
import ipaddress

from litestar.types import HTTPScope

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_address(scope: HTTPScope, trusted: tuple[str, ...]) -> str:
    """The client's address; the peer's, or the empty string, where nobody vouches for another.

    `X-Forwarded-For` is read only when the peer is in one of the networks `trusted`, each in CIDR
    notation. Every proxy adds on the right whom it heard from, so the client is the right-most
    address that is not a trusted proxy's: what stands further left, anybody may have written.
    """
    peer = scope["client"][0] if scope["client"] else ""
    networks = _networks(trusted)
    if not _is_in(networks, _parse(peer)):
        return peer
    for entry in reversed(_forwarded_for(scope)):
        address = _parse(entry.strip(" \t"))
        if address is None:
            return peer
        if not _is_in(networks, address):
            return str(address)
    return peer


@functools.cache
def _networks(trusted: tuple[str, ...]) -> tuple[_Network, ...]:
    return tuple(map(ipaddress.ip_network, trusted))


def _forwarded_for(scope: HTTPScope) -> list[str]:
    """The entries of all lines of the header, which are one list (RFC 9110 section 5.3)."""
    lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return b",".join(lines).decode("latin-1").split(",")


def _parse(text: str) -> _Address | None:
    """An address, or None. One of IPv4 stays one when it comes to an IPv6 socket."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _is_in(networks: tuple[_Network, ...], address: _Address | None) -> bool:
    return address is not None and any(address in network for network in networks)
