"""One service, as programs use it. What it gives out is verified here, with keys that the caller trusts."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from certifier.certificate.code import parse_code
from certifier.certificate.trust import Trust
from certifier.certificate.verification import AudioDigests, Verification
from certifier.client.changes import Changes
from certifier.client.errors import NotFound
from certifier.client.given import (
    Given,
    Target,
    digests_of,
    document_bytes,
    expected_audio,
    given_of_bytes,
    given_of_code,
    given_of_files,
    given_of_text,
    is_audio,
)
from certifier.client.many import WORKERS, By, Item, Result, verify_many
from certifier.client.pack import Pack
from certifier.client.transport import LIMITS, TIMEOUT_S, VISIBLE, Answer, Patience, Request, Timeout, Transport
from certifier.client.trust import trust_of
from certifier.crypto.signing import Signer
from certifier.crypto.strict_json import parse_object
from certifier.errors import CertifierError, ForeignInputError, MalformedAudio, NotFoundError, UnreachableError

CHALLENGE = "lcal-key-challenge/1\npurpose: my-tracks\n"  # how a challenge for this begins (service/key_challenges.py)
POLL_S = 0.5  # between two looks at what is on its way
NO_CACHE = {"Cache-Control": "no-cache"}


@dataclass(frozen=True)
class ServiceVerdict:
    """What a service says of a certificate. ``document`` is its whole answer (VerificationView in /openapi.json)."""

    verdict: str
    reason: str
    because: str
    axes: Mapping[str, str]
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Submission:
    """A submission as it stands. ``document`` is the service's whole answer (SubmissionView in /openapi.json).

    ``state`` is ``certified``, ``refused`` or ``accepted`` (decided and being signed: ``Client.wait``).
    """

    id: str
    state: str
    outcome: str
    code: str | None
    document: Mapping[str, Any]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        code = document.get("code")
        return cls(
            str(document.get("id")),
            str(document.get("state")),
            str(document.get("outcome")),
            code if isinstance(code, str) else None,
            document,
        )


class Client:
    """One service, by the address where it listens; signed URLs are fetched there by their path.

    ``trust`` are the keys that verifications rest on: a Trust, or the file of one; else those that were pinned with
    ``certifier init --pin``. ``key`` is an API key, where a platform has one; it is sent over https, or to this machine. Any
    number of threads may use one client. ``timeout`` is in seconds: to connect, and between two pieces of an answer.
    """

    def __init__(
        self,
        url: str,
        *,
        trust: Trust | Path | None = None,
        key: str | None = None,
        timeout: Timeout | float = TIMEOUT_S,
        patience: Patience = Patience(),  # noqa: B008 - a value that never changes
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Raises IncompleteAddress; MalformedTrust for a trust file that is none."""
        self._transport = Transport(url, key, timeout, patience)
        self._patience = patience
        self.server = self._transport.server
        self.clock = clock
        self.has_key = key is not None
        self._given_trust = trust_of(trust) if trust else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections. A request that is under way ends by itself."""
        self._transport.close()

    @cached_property
    def trust(self) -> Trust | None:
        """The trusted keys; None where none were given and none are pinned: then every verdict is *cannot tell*."""
        return self._given_trust or trust_of(None)

    # -- verification -----------------------------------------------------------------------------------------------

    def verify(
        self, target: Target, *, audio: Path | AudioDigests | None = None, isrc: str | None = None
    ) -> Verification:
        """Fetch what is missing, and check everything here, with the trusted keys.

        ``target`` is a code, the text of a QR, a certificate (bytes, text, or the parsed record), or a Path: of a certificate in
        any form, with its proof and status lists beside it where they are at hand, or of a WAV, AIFF or FLAC file, whose
        certificate is looked up. ``audio`` or ``isrc`` says which recording it should be for.
        Raises NotFound where the service has no such certificate; MalformedCode, MalformedCertificate, MalformedJson or
        MalformedAudio for what is none; Unavailable for no answer.
        """
        digests = expected_audio(audio, isrc)
        if isinstance(target, Path) and is_audio(target):
            if digests is not None:
                raise ValueError("One thing is compared: the audio itself, and nothing beside it.")
            digests = digests_of(target)
            given = self.given_of_audio(digests)
        else:
            given = self.given_of(target)
        return given.check(self.trust, digests, self.clock())

    def verify_many(self, items: Iterable[Item], *, workers: int = WORKERS, by: By = "code") -> Iterator[Result]:
        """Verify any number of certificates, each here, as ``verify`` does: one Result for each item, in order.

        An item is a value of the kind ``by`` (code, isrc, sha256 or essence_sha256), or an object as in a verification batch:
        ``{"ref": …, "isrc": …}``. ``items`` is read as far as results are taken and a bounded number ahead. An item that cannot
        be checked is a Result with a ``problem`` and stops nothing; only a key that is refused ends it all (NotAllowed).
        With an API key the records come in batches; without one, one by one. A code, ISRC or digest without a certificate is
        ``no_certificate``, for which there is the service's word alone.
        """
        return verify_many(self, items, workers, by)

    def ask(self, target: Target, *, audio: Path | AudioDigests | None = None) -> ServiceVerdict:
        """The service's own word. To trust keys instead of the server, use ``verify``."""
        body: dict[str, Any] = {}
        raw = target.read_bytes() if isinstance(target, Path) else document_bytes(target)
        if raw is not None:
            body["credential"] = raw.decode("utf-8", "replace")
        else:
            text = str(target)
            body["credential" if text.lower().startswith(("http://", "https://")) else "code"] = text
        if digests := expected_audio(audio, None):
            body["audio"] = {"sha256": digests.sha256, "essence_sha256": digests.essence_sha256}
        answer = self.post_json("/api/v1/verifications", body)
        axes = answer.get("axes")
        return ServiceVerdict(
            str(answer.get("verdict")),
            str(answer.get("reason")),
            str(answer.get("because")),
            axes if isinstance(axes, dict) else {},
            answer,
        )

    def given_of(self, target: Target) -> Given:
        """What is to be checked, with all that the service has for it; nothing is verified."""
        if isinstance(target, Path):
            return given_of_files(target, self)
        raw = document_bytes(target)
        return given_of_text(str(target), self) if raw is None else given_of_bytes(raw, None, self)

    def given_of_audio(self, digests: AudioDigests) -> Given:
        """The newest certificate for a file. Raises MalformedAudio for one that cannot be read, and NotFoundError."""
        if digests.unreadable:
            raise MalformedAudio(digests.unreadable, hint="Give the master file itself.")
        try:
            return given_of_code(self.code_by("sha256", digests.sha256), self)
        except NotFound as error:
            raise NotFoundError(
                "No certificate here is for this file.",
                found=f"sha256 {digests.sha256}",
                hint="A file that was converted or edited has another digest: try the master, or the code on the label.",
            ) from error

    def code_by(self, kind: By, value: str) -> str:
        """The code of the newest certificate in force for an ISRC or a digest, else of the newest. Raises NotFound."""
        items = parse_object(self.get(f"/api/v1/certificates?{urlencode([(kind, value)])}"), LIMITS).get("items")
        rows = [row for row in items if isinstance(row, dict)] if isinstance(items, list) else []
        in_force = (row for row in rows if (row.get("lifecycle") or {}).get("state") == "active")
        chosen = next(in_force, rows[0] if rows else None)
        if chosen is None:
            raise NotFound("The service has no certificate for this.", found=f"{kind} {value}"[:200])
        return parse_code(str(chosen.get("code")))

    def pack(self) -> Pack:
        """The newest pack for verification without a network. Raises MalformedPack or BadSignature for one of others."""
        return Pack.from_bytes(self.pack_bytes(), trust=self.trust, clock=self.clock)

    # -- submissions ------------------------------------------------------------------------------------------------

    def submit(
        self,
        report: Path,
        audio: Path,
        logs: Iterable[Path] = (),
        *,
        dry_run: bool = False,
        contact: str | None = None,
        idempotency_key: str | None = None,
    ) -> Submission:
        """Send a signed report with its master and raw logs. It may be repeated: the service takes one key once.

        Raises Refused with what the service found wrong; a track that meets no class is a Submission that is refused.
        """
        key = str(uuid.uuid4()) if idempotency_key is None else idempotency_key
        if not VISIBLE.fullmatch(key):
            raise ForeignInputError(
                "The idempotency key cannot be used.",
                found=f"{len(key)} characters",
                expected="8 to 255 visible ASCII characters, such as a UUID",
            )
        request = Request(
            "POST",
            "/api/v1/submissions",
            params={"dry_run": "true"} if dry_run else None,
            headers=None if dry_run else {"Idempotency-Key": key},
            form={"contact": contact} if contact else None,
            files=[("report", report), ("audio", audio), *(("logs", log) for log in logs)],
        )
        return Submission.from_document(parse_object(self.send(request).body, LIMITS))

    def submission(self, submission_id: str) -> Submission:
        return Submission.from_document(
            parse_object(self.get(f"/api/v1/submissions/{quote(submission_id, safe='')}"), LIMITS)
        )

    def wait(self, submission: Submission, *, seconds: float = 60) -> Submission:
        """The submission once its certificate is there, or as it stands after so many seconds."""
        ends = monotonic() + seconds
        while submission.state == "accepted" and monotonic() < ends:
            self._patience.sleep(POLL_S)
            submission = self.submission(submission.id)
        return submission

    def my_tracks(self, key: Signer) -> dict[str, Any]:
        """What was submitted with a key, which signs a challenge of the service for it.

        Raises ForeignInputError for a challenge of another kind or of another host, which is never signed: a service could
        else have a report signed, or ask a third one in our name.
        """
        challenge = str(parse_object(self.get_fresh("/api/v1/key-challenges"), LIMITS).get("challenge"))
        asked, host = self.server.split("://", 1)[1], challenge.partition("\nhost: ")[2].partition("\n")[0]
        # A service on this machine may stand for any host.
        if not challenge.startswith(CHALLENGE) or not (host == asked or self._transport.is_near):
            raise ForeignInputError(
                "The service asks to sign something else than a challenge of its own.",
                found=f"a challenge of {host}" if challenge.startswith(CHALLENGE) else repr(challenge[:40]),
                expected=f"a challenge of {asked}",
                hint="Name the service by its public address.",
            )
        body = {"key": key.public.did_key, "challenge": challenge, "signature": key.sign(challenge.encode()).hex()}
        return self.post_json("/api/v1/my-tracks", body, is_repeatable=False)

    # -- files ------------------------------------------------------------------------------------------------------

    def get(self, path: str) -> bytes:
        """The body at a path. Raises NotFound, Refused (the service's own problem) or Unavailable."""
        return self.send(Request("GET", path)).body

    def get_optional(self, path: str) -> bytes | None:
        """The body at a path, None when the service has none or did not answer."""
        with suppress(NotFoundError, ForeignInputError, UnreachableError):
            return self.get(path)
        return None

    def get_fresh(self, path: str) -> bytes:
        """As ``get``, past every cache on the way: a withdrawal of a moment ago is seen."""
        return self.send(Request("GET", path, headers=NO_CACHE)).body

    def changes(self, after: str | None = None) -> Changes:
        """What happened after an event of this id, in its order; without one, from the earliest that is kept.

        Raises Refused for an event that is not kept any more: then begin anew, and look again at what you show.
        """
        query = f"?{urlencode({'after': after})}" if after else ""
        return Changes.from_document(parse_object(self.get_fresh(f"/api/v1/status-changes{query}"), LIMITS))

    def status_lists(self, urls: Iterable[str]) -> dict[str, bytes]:
        """The newest status lists by their signed URL, as far as they can be had."""
        found = {}
        for url in urls:
            with suppress(CertifierError):
                found[url] = self.get_fresh(urlsplit(url).path)
        return found

    def pack_bytes(self) -> bytes:
        """The newest pack as it is served, past every cache; nothing is verified."""
        return self.get_fresh("/packs/latest")

    def post_json(self, path: str, body: Any, *, is_repeatable: bool = True) -> dict[str, Any]:
        return parse_object(self.send(Request("POST", path, is_repeatable, json=body)).body, LIMITS)

    def send(self, request: Request) -> Answer:
        return self._transport.send(request)
