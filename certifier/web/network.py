"""Where a request comes from: the peer, or what a trusted proxy in front says of it.

``X-Forwarded-For`` is believed from the proxies that the operator named, and read from its end: each proxy adds whom it heard,
and what stands before the first untrusted one anybody may have written.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from certifier.settings import Address, Network

REMEMBERED = 1024
LONGEST = 80  # of an address in brackets, with zone and port
OF_ONE_HOME = 64  # bits of an IPv6 address that name whoever has it; the rest they choose


def client_address(peer: str, forwarded: str, proxies: Sequence[Network]) -> Address | None:
    """The address that a request came from; None where the peer has none, as on a socket file.

    ``forwarded`` is the header X-Forwarded-For, its fields joined by commas.
    """
    address = _address(peer)
    for part in reversed(forwarded.split(",") if forwarded else []):
        if address is None or not any(address in network for network in proxies):
            break
        before = _address(part.strip())
        if before is None:  # a proxy of ours writes addresses; whatever stands there and before is not from one
            break
        address = before
    return address


@lru_cache(REMEMBERED)
def network_name(address: Address | None) -> str:
    """The network that a client is counted under: an IPv4 address, the first 64 bits of an IPv6 one."""
    if isinstance(address, IPv6Address):
        return f"{ip_network((int(address) >> OF_ONE_HOME << OF_ONE_HOME, OF_ONE_HOME))}"
    return str(address)


def _address(text: str) -> Address | None:
    return _parsed(text) if len(text) <= LONGEST else None


@lru_cache(REMEMBERED)
def _parsed(text: str) -> Address | None:
    """An address with or without a port, without a zone; what IPv6 maps from IPv4 is that."""
    bare = text[1:].partition("]")[0] if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
