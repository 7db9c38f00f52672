"""A small internet on loopback, for tests only: names, public addresses, a certificate authority and TLS servers.

There is no internet where the tests run, so this stands in for it: names resolve to public addresses, which are checked, and
only the last step, the connection, is led to a server on 127.0.0.1. A ``Listener`` counts who connects.

    with Internet(tmp_path) as net:
        net.serve("studio.example.org", {"/.well-known/did.json": b"{}"})
        net.egress().fetch("https://studio.example.org/.well-known/did.json")
"""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from certifier.egress import AT_ONCE, Egress, Limits

Behaviour = Callable[[ssl.SSLSocket], None]
QUICK = Limits(connect=1.0, read=0.4, total=1.0)


class Listener:
    """A socket on loopback that only counts its visitors."""

    def __init__(self) -> None:
        self.visits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            visitor.close()

    def close(self) -> None:
        self._socket.close()


def body(content: bytes, status: str = "200 OK", *headers: str) -> Behaviour:
    """The behaviour of a server that answers with this."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *headers])
    return lambda connection: connection.sendall(head.encode() + b"\r\n\r\n" + content)


class Internet:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, list[str]] = {}
        self._ports: dict[str, int] = {}
        self._sockets: list[socket.socket] = []
        self.looked_up: list[str] = []
        self.dialled: list[str] = []
        self.asked: list[str] = []
        self.heads: list[bytes] = []
        self._ca_key = ec.generate_private_key(ec.SECP256R1())
        self._ca = _certificate("Example CA", self._ca_key, None)
        self.ca_bundle = str(folder / "ca.pem")
        Path(self.ca_bundle).write_bytes(self._ca.public_bytes(serialization.Encoding.PEM))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._sockets:
            server.close()

    def egress(self, limits: Limits = QUICK, at_once: int = AT_ONCE) -> Egress:
        return Egress(self.resolve, self.dial, self.ca_bundle, limits, at_once)

    def resolve(self, name: str) -> list[str]:
        self.looked_up.append(name)
        if name not in self._names:
            raise socket.gaierror(name)
        return self._names[name]

    def dial(self, address: str) -> tuple[str, int]:
        self.dialled.append(address)
        return "127.0.0.1", self._ports.get(address, 9)

    def name(self, name: str, *addresses: str) -> None:
        """A name with these addresses and no server."""
        self._names[name] = list(addresses)

    def serve(
        self,
        name: str,
        pages: Mapping[str, bytes] | Behaviour,
        *,
        certified_name: str | None = None,
        is_trusted: bool = True,
    ) -> str:
        """A server for a name: pages by path, or any behaviour once TLS stands. Gives its public address."""
        address = f"93.184.216.{len(self._ports) + 1}"
        server = socket.create_server(("127.0.0.1", 0))
        self._sockets.append(server)
        self._names[name], self._ports[address] = [address], server.getsockname()[1]
        context = self._context(certified_name or name, is_trusted)
        threading.Thread(target=self._serve, args=(server, context, pages), daemon=True).start()
        return address

    def serve_elsewhere(self, name: str, port: int) -> Path:
        """A name whose server runs by itself at a port of this machine; gives the file with key and certificate for it."""
        address = f"93.184.216.{len(self._ports) + 1}"
        self._names[name], self._ports[address] = [address], port
        return self._pem(name, is_trusted=True)

    def _serve(self, server: socket.socket, context: ssl.SSLContext, pages: Mapping[str, bytes] | Behaviour) -> None:
        while True:
            try:
                raw, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(raw, context, pages), daemon=True).start()

    def _answer(self, raw: socket.socket, context: ssl.SSLContext, pages: Mapping[str, bytes] | Behaviour) -> None:
        try:
            with context.wrap_socket(raw, server_side=True) as connection:
                head = _request_on(connection)
                self.heads.append(head)
                path = head.split(b" ")[1].decode()
                self.asked.append(path)
                if callable(pages):
                    pages(connection)
                elif path in pages:
                    body(pages[path])(connection)
                else:
                    body(b"", "404 Not Found")(connection)
        except (OSError, IndexError):
            raw.close()

    def _context(self, name: str, is_trusted: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._pem(name, is_trusted))
        return context

    def _pem(self, name: str, is_trusted: bool) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = (self._ca, self._ca_key) if is_trusted else None
        certificate = _certificate(name, key, issuer)
        path = self._folder / f"{name}-{len(self._ports)}.pem"
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + pem)
        return path


def _request_on(connection: ssl.SSLSocket) -> bytes:
    """A whole request, with its body where it has one."""
    request = connection.recv(65536)
    while request:
        head, _, content = request.partition(b"\r\n\r\n")
        lengths = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if len(content) >= int(lengths[0] if lengths else 0):
            break
        request += connection.recv(65536)
    return request


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    is_ca = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signing_key = issuer[1] if issuer else key
    if issuer:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
        builder = builder.add_extension(authority, critical=False)
    else:
        usage = {"digital_signature": True, "key_cert_sign": True, "crl_sign": True}
        others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
        more = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
        builder = builder.add_extension(x509.KeyUsage(**usage, **more), critical=True)
    if " " not in name:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(signing_key, hashes.SHA256())
