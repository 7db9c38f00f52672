"""What a service publishes, as bytes by path on the loopback address: honest at first, and whatever a test makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from certifier.crypto.signing import SigningKey
from certifier.log.entry import log_entry
from certifier.log.merkle import Tree, leaf_hash
from certifier.log.note import Checkpoint, VerifierKey, sign_checkpoint, verifier_key_for
from certifier.log.tiles import TILE_WIDTH, TilePath, entry_bundle, paths_for, tile_bytes

AT = "2026-11-22T20:00:00Z"
Files = dict[str, bytes]


def signer_of(origin: str) -> SigningKey:
    return SigningKey.from_seed(sha256(f"log {origin}".encode()).digest())


def vkey_of(origin: str) -> VerifierKey:
    return verifier_key_for(origin, signer_of(origin).public)


def entries_of(count: int) -> list[bytes]:
    """Entries of the label's log that all differ."""
    return [log_entry("key-retire", AT, kid=f"key-{number}") for number in range(count)]


def tree_of(entries: Sequence[bytes]) -> Tree:
    tree = Tree()
    for entry in entries:
        tree.append(leaf_hash(entry))
    return tree


def checkpoint_of(origin: str, entries: Sequence[bytes]) -> Checkpoint:
    return Checkpoint(origin, len(entries), tree_of(entries).root())


def log_files(origin: str, entries: Sequence[bytes], address: str = "/log", signer: SigningKey | None = None) -> Files:
    """Every file of a log of exactly these entries, by its path at a service."""
    signer = signer or signer_of(origin)
    tree = tree_of(entries)
    return {
        f"{address}/checkpoint": sign_checkpoint(checkpoint_of(origin, entries), signer),
        f"{address}/log.vkey": f"{verifier_key_for(origin, signer.public).to_text()}\n".encode(),
        **{f"{address}/{tile.text}": file_bytes(tile, tree, entries) for tile in paths_for(len(entries))},
    }


def file_bytes(tile: TilePath, tree: Tree, entries: Sequence[bytes]) -> bytes:
    if tile.level is None:
        start = TILE_WIDTH * tile.index
        return entry_bundle(entries[start : start + tile.width])
    return tile_bytes(tree, tile.level, tile.index, tile.width)


@dataclass
class Site:
    """A service that answers with ``files``; ``asked`` are the paths in order. ``then`` come after each checkpoint read."""

    url: str = ""
    files: Files = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    past_caches: list[str] = field(default_factory=list)  # those of them that no cache may answer
    then: list[Files | int] = field(default_factory=list)
    status: int = 200

    def answer(self, path: str) -> tuple[int, bytes]:
        self.asked.append(path)
        if path == "/log/checkpoint" and self.then:
            coming = self.then.pop(0)
            self.status = coming if isinstance(coming, int) else 200
            self.files = coming if isinstance(coming, dict) else self.files
        if self.status != 200:
            return self.status, b"not now"
        return (200, self.files[path]) if path in self.files else (404, b"nothing here")


@contextmanager
def served(files: Files | None = None) -> Iterator[Site]:
    site = Site(files=files or {})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Cache-Control") == "no-cache":
                site.past_caches.append(self.path)
            code, body = site.answer(self.path)
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
