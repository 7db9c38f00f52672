"""A witness as tlog-witness asks for one, small and in memory, over HTTP on the loopback address or without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Literal

from certifier.crypto.signing import SigningKey
from certifier.errors import BadSignature, MalformedNote, MalformedProof
from certifier.log.lines import to_base64
from certifier.log.merkle import EMPTY_ROOT, verify_consistency
from certifier.log.note import (
    COSIGNATURE,
    Checkpoint,
    VerifierKey,
    cosigned_message,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    verifier_key_for,
)
from certifier.log.witness import PATH, SIZE_TYPE, parse_add_checkpoint
from certifier.service.witnesses import Answer

WORKED_TIME = 1_790_000_000

Misbehaviour = Literal["stall", "bad signature", "another key", "another size", "junk", "long", "500", "redirect"]


def witness_signer(name: str) -> SigningKey:
    return SigningKey.from_seed(sha256(f"witness {name}".encode()).digest())


@dataclass
class Witness:
    """One witness; ``latest`` is what it cosigned last, by the origin of the log."""

    name: str
    logs: Sequence[VerifierKey]
    signer: SigningKey
    now: int = WORKED_TIME
    misbehaviour: Misbehaviour | None = None
    latest: dict[str, Checkpoint] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)  # the old size of each request, for the tests to look at
    released: Event = field(default_factory=Event)  # ends a stall
    lock: Lock = field(default_factory=Lock)

    @property
    def key(self) -> VerifierKey:
        return verifier_key_for(self.name, self.signer.public, COSIGNATURE)

    def line(self, checkpoint: Checkpoint) -> str:
        """A cosignature with its line feed, put together without asking the product."""
        text, signer = checkpoint.text, self.signer
        if self.misbehaviour == "bad signature":
            text = text.replace("\n", "\r\n")
        if self.misbehaviour == "another key":
            signer = witness_signer("somebody else")
        key = verifier_key_for(self.name, signer.public, COSIGNATURE)
        value = self.now.to_bytes(8, "big") + signer.sign(cosigned_message(text, self.now))
        return f"— {self.name} {to_base64(key.key_id + value)}\n"

    def answer(self, body: bytes) -> Answer:
        """What the witness says to a request; the steps are those of tlog-witness, section "add-checkpoint"."""
        match self.misbehaviour:
            case "stall":
                self.released.wait()
            case "500":
                return _told(500, "out of order")
            case "redirect":
                return _told(307, "over there")
            case "junk":
                return _told(200, "<html>a captive portal</html>")
            case "long":
                return _told(200, "— long.example " + "AAAA" * 20_000 + "\n")
        try:
            request = parse_add_checkpoint(body)
            checkpoint = parse_checkpoint(parse_note(request.note).text)
        except (MalformedNote, MalformedProof) as error:
            return _told(400, error.message)
        self.asked.append(request.old_size)
        trusted = [key for key in self.logs if key.name == checkpoint.origin]
        if not trusted:
            return _told(404, "unknown origin")
        try:
            open_checkpoint(request.note, trusted)
        except BadSignature as error:
            return _told(403, error.message)
        if request.old_size > checkpoint.size:
            return _told(400, "the old size is beyond the checkpoint's")
        with self.lock:  # compared and kept in one step, else a slow request could roll the log back
            old = self.latest.get(checkpoint.origin, Checkpoint(checkpoint.origin, 0, EMPTY_ROOT))
            if request.old_size != old.size:
                told = old.size - 1 if self.misbehaviour == "another size" else old.size
                return Answer(409, SIZE_TYPE, f"{told}\n".encode())
            try:
                _check_proof(old, checkpoint, request.consistency_proof)
            except MalformedProof as error:
                return _told(422, error.message)
            if old.size == checkpoint.size and old.root != checkpoint.root:
                return _told(409, "another root of the same size")
            self.latest[checkpoint.origin] = checkpoint
        return _told(200, self.line(checkpoint))

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The witness behind HTTP, by its submission prefix; a stalled request is let go at the end."""
        witness = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # connections are kept, as the specification asks
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = witness.answer(body) if self.path == f"/{PATH}" else _told(404, "no such call")
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
                if answer.status == 307:
                    self.send_header("Location", f"/{PATH}")
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name in the base class
                """Say nothing: the tests look at ``asked``."""

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    self.close_connection = True  # who asked went away meanwhile

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            # Else closing would wait for the connections that the client keeps open.
            server.block_on_close = False
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/"
            finally:
                self.released.set()
                server.shutdown()
                thread.join()


def _check_proof(old: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> None:
    if old.size == 0:
        if proof:
            raise MalformedProof("Nothing proves a tree to continue the empty one.")
    elif old.size < new.size:
        verify_consistency(old.size, new.size, proof, old.root, new.root)
    elif proof:
        raise MalformedProof("Two trees of one size need no proof.")


def _told(status: int, text: str) -> Answer:
    return Answer(status, "text/plain; charset=utf-8", text.encode())
