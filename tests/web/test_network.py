"""Where a request comes from: nobody writes themselves another address."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from certifier.web.network import client_address, network_name

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:a::/48"))

# the peer, X-Forwarded-For -> the client
CASES: dict[str, tuple[str, str, str | None]] = {
    "nobody in between": ("192.0.2.7", "", "192.0.2.7"),
    "a forged header without a proxy": ("192.0.2.7", "198.51.100.1", "192.0.2.7"),
    "a forged header that names a proxy": ("192.0.2.7", "10.0.0.1", "192.0.2.7"),
    "one trusted proxy": ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
    "two trusted proxies": ("10.0.0.1", "192.0.2.7, 10.0.0.2", "192.0.2.7"),
    "forged before a trusted proxy": ("10.0.0.1", "198.51.100.1, 192.0.2.7", "192.0.2.7"),
    "many forged": ("10.0.0.1", ",".join(["198.51.100.1"] * 1000 + ["192.0.2.7"]), "192.0.2.7"),
    "a forged proxy before the client": ("10.0.0.1", "198.51.100.1, 10.0.0.9, 192.0.2.7", "192.0.2.7"),
    "a trusted proxy that says nothing": ("10.0.0.1", "", "10.0.0.1"),
    "nonsense from a trusted proxy": ("10.0.0.1", "nonsense", "10.0.0.1"),
    "nonsense before the client": ("10.0.0.1", "nonsense, 192.0.2.7", "192.0.2.7"),
    "an empty field": ("10.0.0.1", "192.0.2.7, ", "10.0.0.1"),
    "with a port": ("10.0.0.1", "192.0.2.7:4711", "192.0.2.7"),
    "IPv6": ("2001:db8:a::1", "2001:db8:1::5", "2001:db8:1::5"),
    "IPv6 in brackets with a port": ("2001:db8:a::1", "[2001:db8:1::5]:4711", "2001:db8:1::5"),
    "IPv6 with a zone": ("fe80::1%eth0", "", "fe80::1"),
    "an IPv4 proxy as IPv6 writes it": ("::ffff:10.0.0.1", "192.0.2.7", "192.0.2.7"),
    "no peer at all": ("", "192.0.2.7", None),
    "letters beyond ASCII": ("10.0.0.1", "\u0661\u0662.0.0.1", "10.0.0.1"),
}


@pytest.mark.parametrize(("peer", "forwarded", "client"), CASES.values(), ids=CASES.keys())
def test_an_address_counts_as_far_as_it_can_be_believed(peer: str, forwarded: str, client: str | None) -> None:
    assert client_address(peer, forwarded, PROXIES) == (ip_address(client) if client else None)


NAMES = {
    "an IPv4 address": ("192.0.2.7", "192.0.2.7"),
    "the home of an IPv6 address": ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
}


@pytest.mark.parametrize(("address", "name"), NAMES.values(), ids=NAMES.keys())
def test_a_network_is_what_one_household_has(address: str, name: str) -> None:
    assert network_name(ip_address(address)) == name
