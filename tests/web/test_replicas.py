"""Three replicas on one PostgreSQL behind nginx: one log, one register of keys, and a restart that nobody notices."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from certifier.service.certifier import Issued
from tests.postgres import Postgres
from tests.referee import check_history, get_from
from tests.studio import NOW, Studio
from tests.web.replicas import Replicas, nginx
from tests.web.test_server_faults import submit

FAIL_TIMEOUT_S = 2  # of nginx; deploy/nginx.conf has more
SETTINGS = {"LCAL_DRAIN_SECONDS": "1", "LCAL_TRUSTED_PROXIES": "127.0.0.1/32"}


@dataclass(frozen=True)
class Place:
    """Replicas behind nginx, with one certificate."""

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


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("replicas")
    studio = Studio(folder)
    url = postgres.new_database()
    certifier = studio.certifier(database_url=url)
    issued = certifier.certify(studio.examined("first"), NOW)
    assert isinstance(issued, Issued)
    certifier.close()
    with (
        Replicas(studio.settings.home, 3, SETTINGS | {"LCAL_DATABASE_URL": url}) as replicas,
        nginx(folder, replicas.ports, f"{FAIL_TIMEOUT_S}s") as address,
    ):
        yield Place(address, str(folder / "certificate.pem"), replicas, studio, issued.certificate.code)
    logs = [replicas.log(number) for number in range(3)]
    assert not [log for log in logs if "Traceback" in log]
    assert all(line.startswith("{") for log in logs for line in log.splitlines())


class Load:
    """Clients that ask without a pause worth mentioning; what went wrong is kept, and how often each was answered."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.wrong: list[str] = []
        self.answered: Counter[str] = Counter()
        self._over = threading.Event()

    def run(self, beside: Callable[[], None]) -> None:
        """All clients until ``beside`` has returned."""
        clients = [threading.Thread(target=self._work, args=(ask,)) for ask in (*2 * [self.read], *2 * [self.verify])]
        clients += [threading.Thread(target=self._work, args=(ask,)) for ask in (self.submit, self.complain)]
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
        answer = submit(self.place.studio, self.place.url, number, self.place.history, self.place.certificate)
        assert answer.status_code in {201, 202}, f"{answer.status_code} {answer.text[:200]}"

    def complain(self, session: requests.Session, number: int) -> None:
        """What may not be sent twice."""
        about = {"kind": "other", "text": f"An example of a report, number {number}."}
        answer = session.post(f"{self.place.url}/api/v1/complaints", json=about, timeout=30)
        assert answer.status_code == 201, f"{answer.status_code} {answer.text[:200]}"
        self._over.wait(0.1)


def test_replicas_are_restarted_one_after_the_other_and_nobody_notices(place: Place) -> None:
    """Under reads, verifications and submissions: no request fails, nothing is lost, nothing is done twice."""
    load = Load(place)

    def restart_all() -> None:
        for number in range(3):
            assert place.replicas.stop(number) == 0
            place.replicas.start(number)
            place.replicas.wait_until_ready(number)
            threading.Event().wait(FAIL_TIMEOUT_S)

    load.run(restart_all)
    assert load.wrong == []
    assert min(load.answered[name] for name in ("read", "verify", "complain")) >= 20
    assert load.answered["submit"] >= 2
    for number in range(
        1, load.answered["submit"] + 1
    ):  # sent again, each is answered, with the certificate that it has
        answer = submit(place.studio, place.url, number, place.history, place.certificate)
        assert answer.status_code in {200, 201}
    view = check_history(get_from(place.replicas.url(0)), place.history)
    assert view.size == 1 + load.answered["submit"]
    kept = place.studio.certifier()
    assert len(kept.complaints.listed(["received"])) == load.answered["complain"]
    kept.close()
