"""The one door through which the service reaches others: https by name on port 443, public addresses only.

Whoever can make a service fetch an address can reach what only the service reaches. So nothing is sent before the address is
known to be public, the connection goes to exactly the address that was looked at, and nothing of the answer leads further.

The steps of ``fetch``, and of ``post``:
 (1) read the address: https, a registered kind of name, no user, no other port
 (2) look the name up, once
 (3) refuse it when any of its addresses is not public
 (4) connect to one of these addresses; the certificate is checked against the name
 (5) read at most so many bytes, in at most so many seconds, and follow no redirect; of the answer to a ``post`` the
     status alone is read

Sources: RFC 6890 and the IANA registries of special-purpose addresses, RFC 6761 (special names), RFC 6052 (NAT64).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from threading import BoundedSemaphore, Thread, Timer
from time import monotonic
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError

from certifier.errors import AddressRefused, BusyError, UnreachableError
from certifier.sessions import PlainSession

HTTPS_PORT = 443
MAX_BYTES = 64 * 1024
MAX_URL = 2_000
MAX_ADDRESSES = 8
AT_ONCE = 4
PIECE = 4_096

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# A last label of letters keeps out every spelling of an address: 127.1, 0x7f.1, 017700000001, 1.2.3.0x4.
_URL = re.compile(
    rf"https://((?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}}))(?::443)?(/[!$-;=?-Z_a-z~]*)?", re.ASCII
)
# Names that no public server has (RFC 6761, 6762, 7686, 8375, 9476, and what routers hand out).
SPECIAL_NAMES = frozenset({"alt", "arpa", "home", "internal", "invalid", "lan", "local", "localhost", "onion", "test"})

# Beyond what the standard library calls not global: addresses that carry another address inside, and leftovers of old plans.
_REFUSED_V4 = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4")))
_PUBLIC_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(map(IPv6Network, ("2001::/23", "2002::/16", "3fff::/20")))

Resolver = Callable[[str], Sequence[str]]
Dialled = tuple[str, int]
Read = TypeVar("Read")


@dataclass(frozen=True)
class Limits:
    """Seconds for one connection, for one silence of the other side, and for everything together."""

    connect: float = 3.0
    read: float = 3.0
    total: float = 5.0


def system_addresses(name: str) -> list[str]:
    """Every address of a name, as the system's resolver has it. Raises OSError."""
    found = socket.getaddrinfo(name, HTTPS_PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an IP address in its usual spelling belongs to a host that anybody on the internet can reach."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return ip.is_global and not any(ip in network for network in _REFUSED_V4)
    return _is_public_v6(ip)


def _is_public_v6(ip: IPv6Address) -> bool:
    """Mapped, translated and tunnelled IPv4 addresses lie outside 2000::/3, or in one of the refused networks."""
    return (
        ip.scope_id is None and ip in _PUBLIC_V6 and ip.is_global and not any(ip in network for network in _REFUSED_V6)
    )


def checked_name(url: str) -> str:
    """The host name in an address that may be looked up at all. Raises AddressRefused; nothing was sent then."""
    found = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if found is None:
        raise AddressRefused(
            "This address is not fetched.",
            found=repr(url[:120]),
            expected="https://NAME/PATH: a public host name in small ASCII letters, port 443, no user, no fragment",
        )
    name = found.group(1)
    if len(name) > 253 or name.rpartition(".")[2] in SPECIAL_NAMES:
        raise AddressRefused("No public server has this name.", found=name[:120], expected="a name of the public DNS")
    return name


class Egress:
    """Fetches from others and sends to them, with everything in between checked. Thread-safe.

    ``resolve``, ``dial`` and ``ca_bundle`` stand for the internet; only tests give others. ``dial`` says where the
    connection to a checked address goes. ``at_once`` connections at most are open.
    """

    def __init__(
        self,
        resolve: Resolver = system_addresses,
        dial: Callable[[str], Dialled] = lambda address: (address, HTTPS_PORT),
        ca_bundle: str | None = None,
        limits: Limits = Limits(),
        at_once: int = AT_ONCE,
    ) -> None:
        self._resolve = resolve
        self._dial = dial
        self._ca_bundle = ca_bundle
        self.limits = limits
        self._places = BoundedSemaphore(at_once)

    def fetch(self, url: str, accept: str = "application/json", max_bytes: int = MAX_BYTES) -> bytes:
        """The body at an address.

        Raises AddressRefused when the address may not be fetched (then no packet went there), BusyError when too much is
        fetched just now, UnreachableError for every fault of the other side and on the way.
        """
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        return self._asked("GET", url, headers, None, lambda response, line: _document_in(response, line, max_bytes))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send a body to an address; the HTTP status of the answer, whatever it is. Nothing else of it is read.

        Raises as ``fetch``.
        """
        return self._asked("POST", url, headers, body, _status_in)

    def check_address(self, url: str) -> None:
        """Raises AddressRefused for an address that may not be reached, or that nobody can look up now. Nothing is sent."""
        name = checked_name(url)
        try:
            with self._place():
                self._addresses_of(name)
        except UnreachableError as error:
            raise AddressRefused(
                error.message,
                found=error.found,
                expected="a name of the public DNS",
                hint="Is the name spelled right? A new name may take some minutes until it can be looked up; then try again.",
            ) from error

    def _asked(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        read: Callable[[requests.Response, _Line], Read],
    ) -> Read:
        name = checked_name(url)  # (1)
        with self._place():
            ends = monotonic() + self.limits.total
            addresses = self._addresses_of(name)  # (2), (3)
            line = _Line(self._dial, addresses, ends, self.limits)
            try:
                with self._answer(method, url, headers, body, line) as response:  # (4)
                    return read(response, line)  # (5)
            except (requests.RequestException, HTTPError, OSError) as error:
                raise _unreachable(name, error, monotonic() >= ends, self.limits) from error

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise BusyError("Many things are being fetched from others just now.", hint="Ask again shortly.")
        try:
            yield
        finally:
            self._places.release()

    def _addresses_of(self, name: str) -> tuple[str, ...]:
        """The addresses of a name, each of them public. The system's resolver knows no time limit, so it runs beside."""
        found: list[str] = []
        asking = Thread(target=self._look_up, args=(name, found), daemon=True)
        asking.start()
        asking.join(self.limits.connect)
        addresses = tuple(found)
        if not addresses:
            raise UnreachableError("The host name could not be looked up.", found=name)
        private = [address for address in addresses if not is_public(address)]
        if private or len(addresses) > MAX_ADDRESSES:
            raise AddressRefused(
                "The host name leads to an address that is not public.",
                found=f"{name}: {', '.join(private[:3]) or f'{len(addresses)} addresses'}",
                expected="public addresses only",
                hint="Nothing was sent there.",
            )
        return addresses

    def _look_up(self, name: str, found: list[str]) -> None:
        try:
            found.extend(self._resolve(name))
        except (OSError, UnicodeError):
            found.clear()

    @contextmanager
    def _answer(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, line: _Line
    ) -> Iterator[requests.Response]:
        with line, PlainSession() as session:
            session.trust_env = False  # no proxy, no .netrc and no other bundle of the environment
            session.headers.clear()
            session.mount("https://", _Adapter(line))
            response = session.request(
                method,
                url,
                data=body,
                headers={"User-Agent": "lcal", "Connection": "close", **headers},
                timeout=(self.limits.connect, self.limits.read),
                verify=self._ca_bundle or True,
                allow_redirects=False,
                stream=True,
            )
            with response:
                yield response


def _status_in(response: requests.Response, line: _Line) -> int:
    line.check_time()  # headers that were cut off by the clock are no answer
    return response.status_code


def _document_in(response: requests.Response, line: _Line, max_bytes: int) -> bytes:
    _check_answer(response)
    return _body_of(response.raw, line, max_bytes)


def _check_answer(response: requests.Response) -> None:
    if response.is_redirect or 300 <= response.status_code < 400:
        raise UnreachableError(
            "The server redirects, and redirects are not followed.", found=f"HTTP {response.status_code}"
        )
    if response.status_code != requests.codes.ok:
        raise UnreachableError("The server has no such document.", found=f"HTTP {response.status_code}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise UnreachableError("The server sends a packed document that nobody asked for.", expected="identity")


def _body_of(raw: HTTPResponse, line: _Line, max_bytes: int) -> bytes:
    body = b""
    for piece in raw.stream(PIECE, decode_content=False):
        body += piece
        if len(body) > max_bytes:
            raise UnreachableError("The document is too large.", expected=f"at most {max_bytes} bytes")
        line.check_time()
    line.check_time()  # a body that was cut off by the clock is no body
    return body


def _unreachable(name: str, error: Exception, late: bool, limits: Limits) -> UnreachableError:
    if late:
        return UnreachableError("The server took too long.", found=name, expected=f"at most {limits.total:g} seconds")
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return UnreachableError("The server's certificate cannot be trusted.", found=name)
    return UnreachableError("The server does not answer.", found=f"{name}: {type(error).__name__}")


class _Line:
    """One connection to one of the checked addresses, cut when its time is over, in whatever state it is then."""

    def __init__(self, dial: Callable[[str], Dialled], addresses: Sequence[str], ends: float, limits: Limits) -> None:
        self._dial, self._addresses, self._ends, self._limits = dial, addresses, ends, limits
        self._handle: socket.socket | None = None
        self._timer = Timer(max(ends - monotonic(), 0), self._cut)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._handle:
            self._handle.close()

    def connect(self) -> socket.socket:
        """A connection to the first address that answers. Raises OSError, TimeoutError when the time is over."""
        fault: OSError = ConnectionError("no address")
        for address in self._addresses:
            seconds = min(self._limits.connect, self._ends - monotonic())
            if seconds <= 0:
                raise TimeoutError
            try:
                connected = socket.create_connection(self._dial(address), seconds)
            except OSError as error:
                fault = error
                continue
            self._handle = connected.dup()  # TLS takes the socket over; the handle stays
            return connected
        raise fault

    def check_time(self) -> None:
        if monotonic() >= self._ends:
            raise TimeoutError

    def _cut(self) -> None:
        if self._handle:
            try:
                self._handle.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # closed meanwhile


class _Connection(HTTPSConnection):
    """A connection by name that goes to an address which was checked before."""

    def __init__(self, *arguments: Any, line: _Line, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._line = line

    def _new_conn(self) -> socket.socket:
        try:
            return self._line.connect()
        except OSError as error:
            raise NewConnectionError(self, type(error).__name__) from error


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class _Adapter(HTTPAdapter):
    """Gives ``requests`` connections on one line alone; without proxies and without a second try."""

    def __init__(self, line: _Line) -> None:
        super().__init__(max_retries=0)
        self._line = line

    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> Any:  # noqa: ARG002
        host, _ = self.build_connection_pool_key_attributes(request, verify, cert)
        return _Pool(host["host"], HTTPS_PORT, maxsize=1, line=self._line)
