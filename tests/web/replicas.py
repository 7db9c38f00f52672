"""Replicas of one installation, each `certifier serve` as a process of its own, and a real nginx in front of them.

The processes are forked from one that has everything imported, so that a start takes a moment.

    with at_work(folder, database_url, {"LCAL_DRAIN_SECONDS": "0.5"}) as place:
        load = Load(place)
        load.run(beside=lambda: place.replicas.restart(0))
        assert load.wrong == []
        place.check(load)
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
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from certifier.service.certifier import Issued
from tests.referee import check_history, get_from
from tests.studio import NOW, Studio
from tests.web.test_server_faults import submit

ROOT = Path(__file__).resolve().parents[2]
FAIL_TIMEOUT_S = 1  # of nginx; deploy/nginx.conf has more
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
    """Started together; each has a copy of the home, and one has two workers."""

    def __init__(
        self, home: Path, amount: int, environment: Mapping[str, str], with_two_workers: int | None = 1
    ) -> None:
        self.with_two_workers = with_two_workers
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
        arguments += ["--workers", "2"] if number == self.with_two_workers else []
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
        self.tell_to_stop(number)
        return self.wait(number)

    def tell_to_stop(self, number: int) -> None:
        os.kill(self._running[number], signal.SIGTERM)

    def wait(self, number: int) -> int:
        process = self._running.pop(number)
        return os.waitstatus_to_exitcode(int(self._ask({"wait": process})))

    def kill(self, number: int) -> None:
        """All processes of a replica at once, without a word."""
        process = self._running.pop(number)
        os.killpg(process, signal.SIGKILL)
        self._ask({"wait": process})

    def restart(self, number: int) -> None:
        """As deploy/README.md says: stop, start, wait until it is ready and nginx believes it."""
        assert self.stop(number) == 0
        self.start(number)
        self.wait_until_ready(number)
        Event().wait(FAIL_TIMEOUT_S)

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


# -- all together ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Replicas behind nginx on one PostgreSQL, with one certificate."""

    url: str
    certificate: str
    replicas: Replicas
    studio: Studio
    code: str
    history: list[dict[str, Any]] = field(default_factory=list)

    def session(self) -> requests.Session:
        session = requests.Session()
        session.verify, session.trust_env = self.certificate, False  # no bundle of the machine instead
        return session

    def submit(self, number: int) -> requests.Response:
        """A track of its own, through nginx; the same again at the next call with that number."""
        return submit(self.studio, self.url, number, self.history, self.certificate)

    def check(self, load: Load) -> None:
        """Everything acknowledged is there, once: whatever was submitted has its certificate, and nothing is there twice."""
        sent = load.answered["submit"]
        for number in range(1, sent + 1):
            assert self.submit(number).status_code in {200, 201}
        view = check_history(get_from(self.replicas.url(0)), self.history)
        assert view.size == 1 + sent
        kept = self.studio.certifier()
        try:
            more = len(kept.complaints.listed(["received"])) - load.answered["complain"]
            assert 0 <= more <= len(load.wrong)
        finally:
            kept.close()


@contextmanager
def at_work(folder: Path, database_url: str, settings: Mapping[str, str]) -> Iterator[Place]:
    """Three replicas at work; their lines are JSON to the last one, and tell no traceback."""
    studio = Studio(folder)
    certifier = studio.certifier(database_url=database_url)
    issued = certifier.certify(studio.examined("first"), NOW)
    assert isinstance(issued, Issued)
    certifier.close()
    with (
        Replicas(studio.settings.home, 3, settings | {"LCAL_DATABASE_URL": database_url}) as replicas,
        nginx(folder, replicas.ports, f"{FAIL_TIMEOUT_S}s") as address,
    ):
        yield Place(address, str(folder / "certificate.pem"), replicas, studio, issued.certificate.code)
    logs = [replicas.log(number) for number in range(3)]
    assert not [log for log in logs if "Traceback" in log]
    assert [line for log in logs for line in log.splitlines() if not line.startswith("{")] == []


class Load:
    """Clients that ask without a pause worth mentioning; what went wrong is kept, and how often each was answered."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.wrong: list[str] = []
        self.answered: Counter[str] = Counter()
        self._over = Event()

    def run(self, beside: Callable[[], None]) -> None:
        """All clients until ``beside`` has returned."""
        clients = [Thread(target=self._work, args=(ask,)) for ask in (*2 * [self.read], *2 * [self.verify])]
        clients += [Thread(target=self._work, args=(ask,)) for ask in (self.submit, self.complain)]
        for client in clients:
            client.start()
        try:
            beside()
        finally:
            self._over.set()
            for client in clients:
                client.join()

    def _work(self, ask: Callable[[requests.Session, int], None]) -> None:
        with self.place.session() as session:
            number = 0
            while not self._over.is_set():
                number += 1
                try:
                    ask(session, number)
                    self.answered[ask.__name__] += 1
                except (requests.RequestException, AssertionError, KeyError) as error:
                    self.wrong.append(f"{ask.__name__}: {error!r}")
                self._over.wait(0.02)

    def read(self, session: requests.Session, number: int) -> None:
        paths = (f"/v/{self.place.code}.vc", f"/v/{self.place.code}.json", "/log/checkpoint", "/status/revocation/1")
        answer = session.get(self.place.url + paths[number % len(paths)], timeout=30)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:200]}"

    def verify(self, session: requests.Session, number: int) -> None:
        answer = session.post(f"{self.place.url}/api/v1/verifications", json={"code": self.place.code}, timeout=30)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:200]}"

    def submit(self, session: requests.Session, number: int) -> None:
        """A certificate, or the promise of one."""
        answer = self.place.submit(number)
        assert answer.status_code in {201, 202}, f"{answer.status_code} {answer.text[:200]}"

    def complain(self, session: requests.Session, number: int) -> None:
        """What may not be sent twice."""
        about = {"kind": "other", "text": f"An example of a report, number {number}."}
        answer = session.post(f"{self.place.url}/api/v1/complaints", json=about, timeout=30)
        assert answer.status_code == 201, f"{answer.status_code} {answer.text[:200]}"
        self._over.wait(0.1)


if __name__ == "__main__":
    main()
