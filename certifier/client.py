"""Talk to a service over HTTP. Every failure of the network is an UnreachableError, never a verdict."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import requests

from certifier.certificate.code import parse_code
from certifier.crypto.signing import Signer
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import CertifierError, ForeignInputError, IncompleteAddress, NotFoundError, UnreachableError

CHALLENGE = "lcal-key-challenge/1\npurpose: my-tracks\n"  # how a challenge for this begins (service/key_challenges.py)
TIMEOUT_S = (5, 120)
POLL_S = 0.5  # between two looks at what is on its way
LIMITS = Limits(max_bytes=5 * 1024 * 1024, max_depth=32, max_nodes=200_000)


class Client:
    """One service, by the address where it listens; signed URLs are fetched there by their path."""

    def __init__(self, server: str) -> None:
        if not server.startswith(("http://", "https://")):
            raise IncompleteAddress(
                "The server's address is incomplete.", found=server, expected="http://HOST:PORT or https://HOST"
            )
        self.server = server.rstrip("/")
        self._session = requests.Session()

    def get(self, path: str) -> bytes:
        """The body at a path. Raises NotFoundError, ForeignInputError (the service's own problem) or UnreachableError."""
        return self._request("GET", path).content

    def get_optional(self, path: str) -> bytes | None:
        """The body at a path, None when the service has none or did not answer."""
        try:
            return self.get(path)
        except (NotFoundError, ForeignInputError, UnreachableError):
            return None

    def get_fresh(self, path: str) -> bytes:
        """As ``get``, past every cache on the way: a withdrawal of a moment ago is seen."""
        return self._request("GET", path, headers={"Cache-Control": "no-cache"}).content

    def status_lists(self, urls: Iterable[str]) -> dict[str, bytes]:
        """The newest status lists by their signed URL, as far as they can be had."""
        found = {}
        for url in urls:
            with suppress(NotFoundError, ForeignInputError, UnreachableError):
                found[url] = self.get_fresh(urlsplit(url).path)
        return found

    def pack(self) -> bytes:
        """The newest pack for offline verification, past every cache; ``open_pack`` verifies it."""
        return self.get_fresh("/packs/latest")

    def submit(
        self, report: Path, audio: Path, logs: Iterable[Path] = (), *, dry_run: bool = False, contact: str | None = None
    ) -> dict[str, Any]:
        """Send a submission and give back the service's answer. Raises ForeignInputError with what the service found."""
        with ExitStack() as stack:
            files: list[tuple[str, tuple[str, BinaryIO]]] = [
                (field, (path.name, stack.enter_context(path.open("rb"))))
                for field, path in (("report", report), ("audio", audio), *(("logs", log) for log in logs))
            ]
            query = {"dry_run": "true"} if dry_run else {}
            form = {"contact": contact} if contact else {}
            answer = self._request("POST", "/api/v1/submissions", files=files, params=query, data=form)
            return parse_object(answer.content, LIMITS)

    def finished(self, answer: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
        """The answer about an accepted submission once its certificate is there, or as it stands after so many seconds."""
        ends = time.monotonic() + seconds
        while answer["state"] == "accepted" and time.monotonic() < ends:
            time.sleep(POLL_S)
            answer = self.submission(str(answer["id"]))
        return answer

    def submission(self, submission_id: str) -> dict[str, Any]:
        return parse_object(self.get(f"/api/v1/submissions/{submission_id}"), LIMITS)

    def my_tracks(self, key: Signer) -> dict[str, Any]:
        """What was submitted with a key, which signs a challenge of the service for it.

        Raises ForeignInputError for a challenge of another kind or of another host, which is never signed: a service could
        else have a report signed, or ask a third one in our name.
        """
        challenge = str(parse_object(self.get_fresh("/api/v1/key-challenges"), LIMITS).get("challenge"))
        asked, host = self.server.split("://", 1)[1], challenge.partition("\nhost: ")[2].partition("\n")[0]
        is_near = (urlsplit(self.server).hostname or "") in (
            "localhost",
            "127.0.0.1",
            "::1",
        )  # it may stand for any host
        if not challenge.startswith(CHALLENGE) or not (host == asked or is_near):
            raise ForeignInputError(
                "The service asks to sign something else than a challenge of its own.",
                found=f"a challenge of {host}" if challenge.startswith(CHALLENGE) else repr(challenge[:40]),
                expected=f"a challenge of {asked}",
                hint="Name the service by its public address.",
            )
        body = {"key": key.public.did_key, "challenge": challenge, "signature": key.sign(challenge.encode()).hex()}
        return parse_object(self._request("POST", "/api/v1/my-tracks", json=body).content, LIMITS)

    def code_for_audio(self, sha256: str) -> str:
        """The code of the newest certificate for a file (SHA-256 of its bytes). Raises NotFoundError."""
        items = parse_object(self.get(f"/api/v1/certificates?sha256={sha256}"), LIMITS).get("items")
        code = items[0].get("code") if isinstance(items, list) and items and isinstance(items[0], dict) else None
        if not isinstance(code, str):
            raise NotFoundError(
                "No certificate here is for this file.",
                found=f"sha256 {sha256}",
                hint="A file that was converted or edited has another digest: try the master, or the code on the label.",
            )
        return parse_code(code)

    def verify(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the service for a verification. To trust keys instead of the server, check the files yourself."""
        return parse_object(self._request("POST", "/api/v1/verifications", json=dict(body)).content, LIMITS)

    def _request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        try:
            response = self._session.request(method, self.server + path, timeout=TIMEOUT_S, **arguments)
        except requests.RequestException as error:
            raise UnreachableError(
                f"{self.server} does not answer.",
                found=type(error).__name__,
                hint="Is the service running, and is the address right? Try again in a moment.",
            ) from error
        if response.status_code >= requests.codes.server_error:
            raise UnreachableError(
                f"{self.server} cannot answer now.", found=f"HTTP {response.status_code}", hint="Try again later."
            )
        if not response.ok:
            raise _problem_of(response)
        return response


def _problem_of(response: requests.Response) -> CertifierError:
    """The service's problem (RFC 9457) as an error of ours."""
    try:
        problem = parse_object(response.content, LIMITS)
    except CertifierError:
        problem = {}
    details = (problem.get("errors") or [{}])[0]
    kind = NotFoundError if response.status_code == requests.codes.not_found else ForeignInputError
    return kind(
        str(problem.get("detail") or problem.get("title") or f"HTTP {response.status_code}"),
        found=details.get("found"),
        expected=details.get("expected"),
        hint=details.get("hint"),
        pointer=details.get("pointer"),
    )
