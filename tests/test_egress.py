"""What the service may be made to fetch, and what not. The internet here is a mock on loopback: see internet.py."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from certifier.egress import AT_ONCE, MAX_BYTES, Egress, Limits, checked_name, is_public
from certifier.errors import AddressRefused, BusyError, UnreachableError
from tests.internet import Behaviour, Internet, Listener, body

URL = "https://studio.example.org/did.json"


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Internet]:
    with Internet(tmp_path) as net:
        yield net


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


ADDRESSES = {
    # address -> is it a public one?
    "93.184.216.34": True,
    "8.8.8.8": True,
    "172.32.0.1": True,
    "2606:2800:220:1:248:1893:25c8:1946": True,
    "0.0.0.0": False,
    "10.0.0.1": False,
    "100.64.0.1": False,
    "100.100.100.200": False,  # metadata of a cloud
    "127.0.0.1": False,
    "127.255.255.254": False,
    "169.254.169.254": False,  # metadata of most clouds
    "169.254.0.1": False,
    "172.16.0.1": False,
    "172.31.255.255": False,
    "192.0.0.9": False,
    "192.0.0.192": False,  # metadata of a cloud
    "192.0.2.1": False,
    "192.88.99.1": False,
    "192.168.1.1": False,
    "198.18.0.1": False,
    "198.51.100.1": False,
    "203.0.113.1": False,
    "224.0.0.1": False,
    "239.255.255.255": False,
    "240.0.0.1": False,
    "255.255.255.255": False,
    "::": False,
    "::1": False,
    "::127.0.0.1": False,
    "::ffff:127.0.0.1": False,
    "::ffff:8.8.8.8": False,
    "::ffff:0:127.0.0.1": False,
    "64:ff9b::7f00:1": False,
    "64:ff9b::808:808": False,
    "64:ff9b:1::1": False,
    "100::1": False,
    "2001::1": False,
    "2001:2::1": False,
    "2001:db8::1": False,
    "2002:7f00:1::": False,
    "3fff::1": False,
    "5f00::1": False,
    "fc00::1": False,
    "fd00:ec2::254": False,  # metadata of a cloud
    "fe80::1": False,
    "fe80::1%eth0": False,
    "2606:2800::1%eth0": False,
    "fec0::1": False,
    "ff02::1": False,
    "localhost": False,
    "2130706433": False,
    "0x7f.1": False,
    "": False,
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_knows_public_addresses_from_all_others(address: str) -> None:
    assert is_public(address) is ADDRESSES[address]


REFUSED_SPELLINGS = {
    "plain http": "http://studio.example.org/",
    "another scheme": "ftp://studio.example.org/",
    "a file": "file:///etc/passwd",
    "a scheme in capitals": "HTTPS://studio.example.org/",
    "no scheme": "//studio.example.org/",
    "an address": "https://93.184.216.34/",
    "loopback": "https://127.0.0.1/",
    "loopback, short": "https://127.1/",
    "loopback, decimal": "https://2130706433/",
    "loopback, octal": "https://0177.0.0.1/",
    "loopback, octal in one": "https://017700000001/",
    "loopback, hex": "https://0x7f000001/",
    "loopback, hex parts": "https://0x7f.0x0.0x0.0x1/",
    "loopback, the last part in hex": "https://127.0.0.0x1/",
    "zero": "https://0/",
    "loopback, v6": "https://[::1]/",
    "mapped v6": "https://[::ffff:127.0.0.1]/",
    "v6 with a zone": "https://[fe80::1%25eth0]/",
    "metadata": "https://169.254.169.254/latest/meta-data/",
    "localhost": "https://localhost/",
    "a name below localhost": "https://www.localhost/",
    "a name of the local network": "https://printer.local/",
    "a name inside a cloud": "https://metadata.google.internal/",
    "a name of Tor": "https://abcdefghij.onion/",
    "reverse names": "https://1.0.0.127.in-addr.arpa/",
    "a test name": "https://studio.test/",
    "a single label": "https://studio/",
    "a dot at the end": "https://studio.example.org./",
    "an empty label": "https://studio..example.org/",
    "an underscore": "https://_studio.example.org/",
    "a hyphen at the edge": "https://-studio.example.org/",
    "a long label": f"https://{'a' * 64}.example.org/",
    "a long name": f"https://{'a.' * 130}example.org/",
    "a user": "https://user@studio.example.org/",
    "a user that looks like a host": "https://studio.example.org@127.0.0.1/",
    "a user and a password": "https://user:word@studio.example.org/",
    "a backslash": "https://studio.example.org\\@127.0.0.1/",
    "another port": "https://studio.example.org:8443/",
    "port 80": "https://studio.example.org:80/",
    "an empty port": "https://studio.example.org:/",
    "a port with zeros": "https://studio.example.org:0443/",
    "a fragment": "https://studio.example.org/#frag",
    "a space": "https://studio.example.org/a b",
    "a line break": "https://studio.example.org/\r\nHost: other",
    "a tab in the host": "https://stu\tdio.example.org/",
    "a zero byte": "https://studio.example.org/\0",
    "a space in front": " https://studio.example.org/",
    "full-width digits": "https://１２７.０.０.１/",
    "circled letters": "https://ⓛocalhost.example.org/",
    "a full stop of another script": "https://127。0。0。1/",
    "a letter that folds to ASCII": "https://ſtudio.example.org/",
    "a dotless i": "https://stud\u0131o.example.org/",
    "percent in the host": "https://127%2e0%2e0%2e1/",
    "a host in capitals": "https://STUDIO.example.org/",
    "a query without a path": "https://studio.example.org?x",
    "far too long": "https://studio.example.org/" + "a" * 2000,
    "nothing": "",
}


@pytest.mark.parametrize("url", REFUSED_SPELLINGS.values(), ids=REFUSED_SPELLINGS.keys())
def test_no_other_spelling_of_an_address_is_even_looked_up(net: Internet, listener: Listener, url: str) -> None:
    with pytest.raises(AddressRefused):
        Egress(net.resolve, lambda _: ("127.0.0.1", listener.port)).fetch(url)
    assert (net.looked_up, listener.visits) == ([], 0)


def test_a_public_name_is_looked_up_in_the_spelling_that_was_checked() -> None:
    assert checked_name("https://xn--stdio-lva.example.org:443/a?b=c&d=%20") == "xn--stdio-lva.example.org"


def test_a_document_is_fetched_by_name_from_the_address_that_was_checked(net: Internet) -> None:
    address = net.serve("studio.example.org", {"/did.json": b'{"a": 1}'})
    assert net.egress().fetch(URL) == b'{"a": 1}'
    assert (net.looked_up, net.dialled, net.asked) == (["studio.example.org"], [address], ["/did.json"])


PRIVATE_ANSWERS = {
    "loopback": ["127.0.0.1"],
    "a private network": ["10.1.2.3"],
    "metadata": ["169.254.169.254"],
    "v6 loopback": ["::1"],
    "a mapped address": ["::ffff:10.0.0.1"],
    "NAT64 of a private address": ["64:ff9b::a00:1"],
    "a public and a private address": ["93.184.216.34", "127.0.0.1"],
    "a public and a private v6 address": ["93.184.216.34", "fd00::1"],
    "more addresses than anybody needs": [f"93.184.216.{n}" for n in range(9)],
}


@pytest.mark.parametrize("answer", PRIVATE_ANSWERS.values(), ids=PRIVATE_ANSWERS.keys())
def test_a_name_that_leads_inside_is_refused_before_any_packet(
    net: Internet, listener: Listener, answer: list[str]
) -> None:
    net.name("studio.example.org", *answer)
    egress = Egress(net.resolve, lambda _: ("127.0.0.1", listener.port))
    with pytest.raises(AddressRefused, match="not public"):
        egress.fetch(URL)
    assert listener.visits == 0


def test_a_name_that_changes_between_two_look_ups_gains_nothing(net: Internet, listener: Listener) -> None:
    """Rebinding: the second answer would be loopback. There is no second look-up; the first address is the one dialled."""
    public = net.serve("studio.example.org", {"/did.json": b"{}"})
    answers = iter([[public], ["127.0.0.1"]])
    dialled: list[str] = []

    def dial(address: str) -> tuple[str, int]:
        dialled.append(address)
        return net.dial(address) if address == public else ("127.0.0.1", listener.port)

    assert Egress(lambda _: next(answers), dial, net.ca_bundle).fetch(URL) == b"{}"
    assert (dialled, listener.visits) == ([public], 0)
    assert next(answers) == ["127.0.0.1"]


def test_an_address_that_does_not_answer_gives_way_to_the_next(net: Internet) -> None:
    public = net.serve("studio.example.org", {"/did.json": b"{}"})
    net.name("studio.example.org", "93.184.216.250", public)
    assert net.egress().fetch(URL) == b"{}"


def drip(first: bytes, piece: bytes) -> Behaviour:
    """A server that says something, then a little more again and again, as long as it is let."""

    pause = threading.Event()

    def behave(connection: ssl.SSLSocket) -> None:
        connection.sendall(first)
        while True:
            pause.wait(0.02)
            connection.sendall(piece)

    return behave


def endless(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def endless_redirect(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /other\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def redirect_to_no_text(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\xff\r\nContent-Length: 0\r\n\r\n")


def silent(connection: ssl.SSLSocket) -> None:
    connection.recv(1)


FAULTS: dict[str, tuple[Behaviour, str]] = {
    "a redirect inside": (body(b"", "302 Found", "Location: https://127.0.0.1/"), "redirect"),
    "a redirect elsewhere": (body(b"", "301 Moved", "Location: https://other.example.org/"), "redirect"),
    "a permanent redirect": (body(b"", "308 Permanent", "Location: /other"), "redirect"),
    "a redirect with an endless body": (endless_redirect, "redirect"),
    "a redirect to what is no text": (redirect_to_no_text, "redirect"),
    "not modified": (body(b"", "304 Not Modified"), "redirect"),
    "no such document": (body(b"", "404 Not Found"), "no such document"),
    "a fault of theirs": (body(b"", "500 Oh"), "no such document"),
    "a part": (body(b"{}", "206 Partial Content"), "no such document"),
    "an endless body": (endless, "too large"),
    "a byte too many": (body(b"x" * (MAX_BYTES + 1)), "too large"),
    "a packed body": (body(b"\x1f\x8b", "200 OK", "Content-Encoding: gzip"), "packed"),
    "a slow body": (drip(b"HTTP/1.1 200 OK\r\n\r\n", b" "), "too long"),
    "slow headers": (drip(b"HTTP/1.1 200 OK\r\nX: ", b"y"), "too long"),
    "silence": (silent, "does not answer"),
    "a body that ends early": (
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"),
        "does not answer",
    ),
    "no HTTP": (lambda connection: connection.sendall(b"SSH-2.0-example\r\n\r\n"), "does not answer"),
}


@pytest.mark.parametrize(("behaviour", "told"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_of_the_other_side_is_told_within_the_time_limit(
    net: Internet, behaviour: Behaviour, told: str
) -> None:
    net.serve("studio.example.org", behaviour)
    began = time.monotonic()
    with pytest.raises(UnreachableError, match=told):
        net.egress().fetch(URL)
    assert time.monotonic() - began < 2
    assert len(net.dialled) == 1


def test_a_body_of_exactly_the_limit_is_read(net: Internet) -> None:
    net.serve("studio.example.org", body(b"x" * MAX_BYTES))
    assert len(net.egress().fetch(URL)) == MAX_BYTES


def test_the_certificate_is_checked_against_the_name_and_not_the_address(net: Internet) -> None:
    net.serve("studio.example.org", {"/did.json": b"{}"}, certified_name="other.example.org")
    with pytest.raises(UnreachableError, match="certificate cannot be trusted"):
        net.egress().fetch(URL)
    assert net.asked == []


def test_a_certificate_of_an_unknown_authority_is_not_trusted(net: Internet) -> None:
    net.serve("studio.example.org", {"/did.json": b"{}"}, is_trusted=False)
    with pytest.raises(UnreachableError, match="certificate cannot be trusted"):
        net.egress().fetch(URL)


def test_proxies_of_the_environment_are_not_asked(
    net: Internet, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.port}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    net.serve("studio.example.org", {"/did.json": b"{}"})
    assert net.egress().fetch(URL) == b"{}"
    assert listener.visits == 0


def test_nothing_of_the_service_goes_along(net: Internet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine studio.example.org login example password word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    net.serve("studio.example.org", {"/did.json": b"{}"})
    net.egress().fetch(URL)
    sent = {line.partition(b":")[0].decode() for line in net.heads[0].split(b"\r\n")[1:] if line}
    assert sent == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}


def test_a_name_that_nobody_knows_is_unreachable(net: Internet) -> None:
    with pytest.raises(UnreachableError, match="could not be looked up"):
        net.egress().fetch(URL)


def test_a_resolver_that_hangs_is_not_waited_for(net: Internet) -> None:
    stop = threading.Event()

    def hang(_: str) -> list[str]:
        stop.wait(30)
        return ["93.184.216.34"]

    hanging = Egress(hang, limits=Limits(connect=0.1, read=0.1, total=0.2))
    began = time.monotonic()
    with pytest.raises(UnreachableError, match="could not be looked up"):
        hanging.fetch(URL)
    stop.set()
    assert time.monotonic() - began < 2


def test_only_so_many_are_fetched_at_once(net: Internet) -> None:
    entered, stop = threading.Semaphore(0), threading.Event()

    def waiting(_: str) -> list[str]:
        entered.release()
        stop.wait(5)
        return ["10.0.0.1"]

    egress = Egress(waiting, limits=Limits(connect=5, read=1, total=5))

    def ask() -> None:
        with pytest.raises(AddressRefused):
            egress.fetch(URL)

    threads = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert entered.acquire(timeout=5)
    with pytest.raises(BusyError):
        egress.fetch(URL)
    stop.set()
    for thread in threads:
        thread.join()


def test_what_is_sent_goes_through_the_same_door(net: Internet) -> None:
    address = net.serve("studio.example.org", body(b"x" * 10, "418 Teapot"))
    assert net.egress().post(URL, b"{}", {"X-Example": "1"}) == 418
    assert net.dialled == [address]
    head, _, content = net.heads[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /did.json HTTP/1.1\r\n")
    assert b"\r\nX-Example: 1\r\n" in head + b"\r\n"
    assert content == b"{}"
    sent = {line.partition(b":")[0].decode() for line in head.split(b"\r\n")[1:]}
    assert sent == {"Host", "User-Agent", "Accept-Encoding", "Connection", "Content-Length", "X-Example"}


@pytest.mark.parametrize(
    "url", ["http://studio.example.org/", "https://127.0.0.1/", "https://studio.example.org:8443/"]
)
def test_nothing_is_sent_to_another_spelling_of_an_address(net: Internet, listener: Listener, url: str) -> None:
    with pytest.raises(AddressRefused):
        Egress(net.resolve, lambda _: ("127.0.0.1", listener.port)).post(url, b"{}", {})
    assert (net.looked_up, listener.visits) == ([], 0)


ADDRESSES_TO_CHECK = {
    "a public name": ("studio.example.org", ["93.184.216.34"], None),
    "a name that leads inside": ("studio.example.org", ["10.1.2.3"], "not public"),
    "a name that nobody knows": ("other.example.org", ["93.184.216.34"], "could not be looked up"),
}


@pytest.mark.parametrize(("name", "addresses", "refused"), ADDRESSES_TO_CHECK.values(), ids=ADDRESSES_TO_CHECK.keys())
def test_an_address_is_checked_without_a_packet_to_it(
    net: Internet, name: str, addresses: list[str], refused: str | None
) -> None:
    net.name("studio.example.org", *addresses)
    if refused:
        with pytest.raises(AddressRefused, match=refused):
            net.egress().check_address(f"https://{name}/")
    else:
        net.egress().check_address(f"https://{name}/")
    assert net.dialled == []
