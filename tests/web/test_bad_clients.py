"""Clients that send slowly, too much, two things at once, or another host's name, against the service as it runs.

What else a client may do wrong stands with what it does wrong: test_wire (methods, wrong types, bodies that cannot be used),
test_submissions (too large, a key sent again), test_limits (forged addresses), tests/test_bad_input (bent reports).
"""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import requests

from certifier.web.app import ROUTES, Route
from tests.serving import served_by_process
from tests.studio import Studio
from tests.web.conftest import World
from tests.web.routes import address_of

SLOW = 48  # more than the service has threads
PATIENCE_S = 20


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    studio.certifier().close()
    with served_by_process(studio) as url:
        yield int(url.rpartition(":")[2])


def head(line: str, *fields: str) -> bytes:
    return "\r\n".join((line, "Host: label.example", *fields, "", "")).encode()


def told(port: int, raw: bytes) -> bytes:
    """The first piece of what the service says to these bytes; nothing where it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(raw)
        try:
            return connection.recv(65536)
        except ConnectionError:
            return b""


# -- slow -------------------------------------------------------------------------------------------------------------

POST = ("POST /api/v1/verifications HTTP/1.1", "Content-Type: application/json")
UPLOAD = ("POST /api/v1/report-checks HTTP/1.1", "Content-Type: multipart/form-data; boundary=b")
TRICKLED = {
    "headers": b"GET / HTTP/1.1\r\nHost: label.example\r\nX-Slow: ",
    "a body of JSON": head(*POST, "Content-Length: 100") + b"{",
    "a body in chunks": head(*POST, "Transfer-Encoding: chunked") + b"1\r\n{\r\n",
    "an upload": head(*UPLOAD, "Content-Length: 100000") + b"--b\r\n",
    "a packed list without end": head(
        "POST /api/v1/verification-batches HTTP/1.1", "Content-Type: application/x-ndjson", "Content-Encoding: gzip",
        "Transfer-Encoding: chunked",
    ),
}  # fmt: skip


@pytest.mark.parametrize("begun", TRICKLED.values(), ids=TRICKLED.keys())
def test_clients_that_send_a_byte_now_and_then_keep_nobody_out(port: int, begun: bytes) -> None:
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)) for _ in range(SLOW)
        ]
        for connection in slow:
            connection.sendall(begun)
        for path in ("/readyz", "/log/checkpoint", "/", "/standards.json"):
            assert requests.get(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S).status_code == 200
        for connection in slow:
            connection.sendall(b" ")
        assert requests.get(f"http://127.0.0.1:{port}/meaning", timeout=PATIENCE_S).status_code == 200


# -- too much, and two things at once ---------------------------------------------------------------------------------

BOMB = gzip.compress(b" " * 50_000_000)
# what is sent -> the status, where it is answered and not hung up on
UNCLEAR = {
    "a body far larger than it may be": (head(*POST, "Content-Length: 99999999999"), {413}),
    "a length that is no number": (head(*POST, "Content-Length: many"), {400}),
    "a length below nothing": (head(*POST, "Content-Length: -1"), {400}),
    "two lengths": (head(*POST, "Content-Length: 2", "Content-Length: 3") + b"{}", {400}),
    "a chunk that is no chunk": (head(*POST, "Transfer-Encoding: chunked") + b"zz\r\n{}\r\n0\r\n\r\n", {400}),
    "an unpacked body of fifty megabytes": (
        head(*POST, "Content-Encoding: gzip", f"Content-Length: {len(BOMB)}") + BOMB,
        {400, 413, 415},
    ),
    "a header of a megabyte": (head("GET / HTTP/1.1", "X-Long: " + "a" * 1_000_000), {400, 431}),
    "ten thousand headers": (head("GET / HTTP/1.1", *(f"X-{n}: a" for n in range(10_000))), {400, 431}),
    "an address of a megabyte": (head(f"GET /{'a' * 1_000_000} HTTP/1.1"), {400, 404, 414, 431}),
    "a line break in a header": (b"GET / HTTP/1.1\r\nHost: label.example\r\nX: a\x00b\r\n\r\n", {400}),
    "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n", {400}),
    "a method of its own": (head("REVOKE /v/0000000000 HTTP/1.1"), {405}),
    "an address that climbs": (head("GET /static/../../../../etc/passwd HTTP/1.1"), {404}),
    "an address that climbs in disguise": (head("GET /static/%2e%2e%2f%2e%2e%2fetc/passwd HTTP/1.1"), {404}),
    "an address with a zero byte": (head("GET /v/%00 HTTP/1.1"), {400, 404}),
    "an address that is no UTF-8": (head("GET /v/%ff%fe HTTP/1.1"), {400, 404}),
}


@pytest.mark.parametrize(("raw", "statuses"), UNCLEAR.values(), ids=UNCLEAR.keys())
def test_what_cannot_be_read_is_refused_and_the_service_goes_on(port: int, raw: bytes, statuses: set[int]) -> None:
    answer = told(port, raw)
    assert answer == b"" or int(answer.split(None, 2)[1]) in statuses, answer[:300]
    assert b"Traceback" not in answer
    assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE_S).json()["ready"] is True


def test_a_body_with_a_length_and_in_chunks_is_read_in_one_way_only(port: int) -> None:
    """Else a proxy that reads it the other way takes the rest for a request of somebody else (RFC 9112, section 6.1)."""
    inside = b"GET /meaning HTTP/1.1\r\nHost: label.example\r\n\r\n"
    both = head(*POST, f"Content-Length: {5 + len(inside)}", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + inside
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(both)
        connection.shutdown(socket.SHUT_WR)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"HTTP/1.1 5" not in answers
    assert answers.count(b"HTTP/1.1 200") == 0


# -- another host's name ----------------------------------------------------------------------------------------------

FOREIGN = "foreign.example.net"
NAMES = {
    "Host": FOREIGN,
    "X-Forwarded-Host": FOREIGN,
    "X-Forwarded-Server": FOREIGN,
    "X-Original-URL": f"https://{FOREIGN}/",
    "Forwarded": f"host={FOREIGN};proto=https",
    "X-Host": FOREIGN,
}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_the_name_that_a_client_gives_the_host_comes_back_from_nowhere(world: World, route: Route) -> None:
    address = address_of(world, route)
    for path in (address, f"{address.partition('?')[0].rstrip('/')}/"):
        answer = world.client.open(path, method=route.method, headers=NAMES, base_url=f"http://{FOREIGN}")
        assert FOREIGN not in f"{answer.headers}", path
        assert FOREIGN.encode() not in answer.data, path


def test_an_address_in_another_form_makes_no_redirect_elsewhere(port: int) -> None:
    """The absolute form of a proxy, slashes in front, a backslash, no path at all, another spelling of a code."""
    absolute = (f"http://{FOREIGN}", f"http://{FOREIGN}/v", f"http://{FOREIGN}//")
    for target in (
        *absolute,
        f"//{FOREIGN}/v",
        "//",
        "///v",
        "//?a",
        "*",
        f"/\\{FOREIGN}/",
        f"/v/oooooooooo?x=//{FOREIGN}",
    ):
        asked = f"GET {target} HTTP/1.1\r\nHost: {FOREIGN}\r\n\r\n".encode()
        answer = told(port, asked).decode(errors="replace").partition("\r\n\r\n")[0]
        location = next((line for line in answer.splitlines() if line.lower().startswith("location:")), "location: /")
        assert urlsplit(location.partition(":")[2].strip()).hostname in (None, "label.example"), (target, answer)
