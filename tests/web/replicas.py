"""Replicas of one installation, each `certifier serve` as a process of its own, and a real nginx in front of them.

The processes are forked from one that has everything imported, so that a start takes a moment.

    with Replicas(studio, database_url, 3) as replicas, nginx(replicas.ports, folder) as url:
        requests.get(f"{url}/log/checkpoint", verify=CERTIFICATE)
        replicas.restart(0)
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from threading import Event
from typing import Any, Self

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def until(condition: Callable[[], object], what: str) -> None:
    """Until it holds, a minute at most."""
    for _ in range(1200):
        if condition():
            return
        Event().wait(0.05)
    raise AssertionError(f"within a minute not: {what}")


def free_ports(amount: int) -> list[int]:
    sockets = [socket.socket() for _ in range(amount)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Replicas:
    """Started together; each has a copy of the home."""

    def __init__(self, home: Path, amount: int, environment: Mapping[str, str]) -> None:
        self.ports = free_ports(amount)
        self.homes = [home.with_name(f"replica-{number}") for number in range(amount)]
        for copy in self.homes:
            shutil.copytree(home, copy)
        self._environment = dict(environment)
        self._running: dict[int, int] = {}

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.web.replicas"]
        self._launcher = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            for number in range(len(self.ports)):
                self.start(number)
            for number in range(len(self.ports)):
                self.wait_until_ready(number)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            with suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
        assert self._launcher.stdin
        assert self._launcher.stdout
        self._launcher.stdin.close()
        self._launcher.wait(timeout=60)
        self._launcher.stdout.close()

    def url(self, number: int) -> str:
        return f"http://127.0.0.1:{self.ports[number]}"

    def log(self, number: int) -> str:
        return self.homes[number].with_suffix(".log").read_text()

    def start(self, number: int) -> None:
        arguments = ["serve", "--home", str(self.homes[number]), "--port", str(self.ports[number])]
        log = str(self.homes[number].with_suffix(".log"))
        self._running[number] = int(self._ask({"start": arguments, "environment": self._environment, "log": log}))

    def wait_until_ready(self, number: int) -> None:
        until(lambda: self.readiness(number) == 200, f"replica {number} is ready:\n{self.log(number)[-2000:]}")

    def readiness(self, number: int) -> int | None:
        try:
            return requests.get(f"{self.url(number)}/readyz", timeout=10).status_code
        except requests.RequestException:
            return None

    def stop(self, number: int) -> int:
        """SIGTERM to the server alone, as systemd and containers send it; its exit code."""
        process = self._running.pop(number)
        os.kill(process, signal.SIGTERM)
        return os.waitstatus_to_exitcode(int(self._ask({"wait": process})))

    def _ask(self, question: dict[str, Any]) -> str:
        assert self._launcher.stdin
        assert self._launcher.stdout
        self._launcher.stdin.write(json.dumps(question) + "\n")
        self._launcher.stdin.flush()
        return self._launcher.stdout.readline()


def main() -> None:
    from certifier.cli.main import main as certifier  # noqa: PLC0415 - the launcher alone needs it
    from certifier.web import server  # noqa: F401, PLC0415 - imported before the fork

    for line in sys.stdin:
        question = json.loads(line)
        if "wait" in question:
            answer = os.waitpid(question["wait"], 0)[1]
        else:
            answer = os.fork()
            if answer == 0:
                _run_child(certifier, question)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _run_child(certifier: Any, question: dict[str, Any]) -> None:
    code: object = 1
    try:
        os.setsid()
        log = os.open(question["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for old, new in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(old, new)
        os.environ.update(question["environment"])
        certifier(question["start"])
        code = 0
    except SystemExit as error:
        code = error.code
    finally:  # a child must never run on in the parent's loop
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0)


# -- nginx ----------------------------------------------------------------------------------------------------------


def configured(folder: Path, ports: list[int], https: int, fail_timeout: str = "5s") -> Path:
    """The configuration of deploy/ for nginx as a whole: on loopback, with the ports and files of a test."""
    certificate = save_certificate(folder)
    text = CONFIGURATION.read_text()
    changes = {f"127.0.0.1:{8001 + number}": f"127.0.0.1:{port}" for number, port in enumerate(ports)}
    changes |= {
        "listen 80;": f"listen 127.0.0.1:{free_ports(1)[0]};",
        "listen 443 ssl": f"listen 127.0.0.1:{https} ssl",
        "/etc/ssl/label/fullchain.pem": str(certificate),
        "/etc/ssl/label/privkey.pem": str(folder / "key.pem"),
        "/var/log/nginx/label.log": str(folder / "access.log"),
        "fail_timeout=5s": f"fail_timeout={fail_timeout}",
    }
    for old, new in changes.items():
        assert old in text, f"deploy/nginx.conf does not say {old!r}"
        text = text.replace(old, new)
    site = folder / "label.conf"
    site.write_text(text)
    temporary = "\n".join(
        f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    whole = folder / "nginx.conf"
    whole.write_text(
        f"daemon off; worker_processes 2; {user} pid {folder}/nginx.pid; error_log {folder}/error.log notice;\n"
        f"events {{}}\nhttp {{ {temporary}\ninclude {site}; }}\n"
    )
    return whole


def save_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "label.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificate = folder / "certificate.pem"
    certificate.write_bytes(made.public_bytes(pem))
    return certificate


@contextmanager
def nginx(folder: Path, ports: list[int], fail_timeout: str = "5s") -> Iterator[str]:
    """The address of a running nginx in front of the ports; its certificate is ``folder/certificate.pem``."""
    assert NGINX, "no nginx: run make test-deps"
    [https] = free_ports(1)
    whole = configured(folder, ports, https, fail_timeout)
    process = subprocess.Popen([NGINX, "-c", str(whole), "-p", str(folder), "-e", str(folder / "error.log")])
    try:
        until(lambda: process.poll() is not None or _speaks_tls(https), "nginx answers")
        assert process.poll() is None, (folder / "error.log").read_text()
        yield f"https://127.0.0.1:{https}"
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(timeout=30)


def _speaks_tls(port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    main()
