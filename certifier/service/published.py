"""What an installation publishes so that anybody can verify on their own: status as the log tells it, lists, trust, packs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from certifier.certificate.pack import pack_of, sign_pack, sign_trust
from certifier.certificate.rdfc import CONTEXT_FILES, context_bytes
from certifier.certificate.status import (
    LIST_LENGTH,
    PURPOSES,
    RENDITIONS,
    status_entries_of,
    status_list_payload,
    status_url,
)
from certifier.certificate.times import time_text
from certifier.certificate.trust import Trust, trust_of
from certifier.certificate.verification import Material
from certifier.crypto.strict_json import parse_object
from certifier.errors import NotFoundError, ReadOnlyError
from certifier.log.note import verifier_key_for
from certifier.service.logbook import STATES, Change, Logbook
from certifier.service.own_keys import ROTATE_HINT, OwnKeys
from certifier.service.places import Places
from certifier.service.shelf import Shelf
from certifier.settings import Settings
from certifier.storage.rows import CertificateRow

# A state that the log tells -> the list that it sets a bit in.
PURPOSE_OF = {"revoked": "revocation", "suspended": "suspension"}
SetPlaces = Mapping[tuple[str, int], Sequence[int]]  # by purpose and number of the list


class Published:
    """Everything follows from the logs, the register and the standards; nothing of it is stored. Thread-safe."""

    def __init__(
        self, settings: Settings, shelf: Shelf, own_keys: OwnKeys, logbooks: Sequence[Logbook], places: Places
    ) -> None:
        self._settings = settings
        self._shelf = shelf
        self._own_keys = own_keys
        self._logbooks = tuple(logbooks)
        self._places = places
        self._set: tuple[Mapping[str, int], SetPlaces] | None = None

    def changes_of(self, code: str, sizes: Mapping[str, int] | None = None) -> tuple[Change, ...]:
        """Every change of a certificate's status that a published checkpoint holds, in order; as of given log sizes."""
        sizes = sizes or {}
        return tuple(change for book in self._logbooks for change in book.changes_of(code, sizes.get(book.origin)))

    def changes_with_logs(self, code: str) -> tuple[tuple[str, Change], ...]:
        """As ``changes_of``, each with the origin of the log that holds it."""
        return tuple((book.origin, change) for book in self._logbooks for change in book.changes_of(code))

    def changed_codes(self) -> set[str]:
        """The codes of all certificates whose status was ever changed."""
        return {code for book in self._logbooks for code in book.changed_codes()}

    def lifecycle(self, code: str, sizes: Mapping[str, int] | None = None) -> str:
        """``active``, ``suspended`` or ``revoked``, as the log says at its newest checkpoint."""
        changes = self.changes_of(code, sizes)
        return STATES[changes[-1].kind] if changes else "active"

    def suspended_codes(self) -> frozenset[str]:
        """The codes of all certificates that are suspended now."""
        return frozenset(code for code in self.changed_codes() if self.lifecycle(code) == "suspended")

    def status_list(self, purpose: str, number: int, now: datetime, rendition: str = "record") -> bytes:
        """The signed Bitstring Status List of a purpose and number, computed from the log alone; made at a whole minute.

        Raises NotFoundError when no certificate stands in such a list. Raises ReadOnlyError when the entries at hand do not
        lead to the signed log, or when a certificate that the log withdrew is lost here, so that its place is not known: then
        no list is better than one that calls it active.
        """
        sizes, set_places = self._set_places()
        if purpose not in PURPOSES or not 1 <= number <= self._places.lists():
            raise NotFoundError(
                "There is no such status list.",
                found=f"{purpose[:40]} {number}",
                expected=f"{' or '.join(PURPOSES)}, 1 to {self._places.lists()}",
            )
        made_at, newest = now.replace(second=0, microsecond=0), self._logbooks[-1].origin
        method = self._own_keys.method_of(self._own_keys.for_lists(now))
        payload = status_list_payload(
            status_url(self._settings.base_url, purpose, number),
            purpose,
            set_places.get((purpose, number), ()),
            issuer=self._settings.did,
            log=f"{newest} at size {sizes[newest]}",
            now=made_at,
        )
        return RENDITIONS[rendition](payload, self._own_keys.signer_for(method), method, time_text(made_at))

    def status_urls(self) -> dict[str, tuple[str, int]]:
        """Every status list that there is now: purpose and number by URL. Raises ReadOnlyError when none can be told."""
        self._set_places()
        numbers = range(1, self._places.lists() + 1)
        return {
            status_url(self._settings.base_url, purpose, number): (purpose, number)
            for number in numbers
            for purpose in PURPOSES
        }

    def _set_places(self) -> tuple[Mapping[str, int], SetPlaces]:
        """The size of each log, and the positions that are set at these sizes; only changed certificates are looked at."""
        if not self._own_keys.signers or not all(book.is_trustworthy for book in self._logbooks):
            raise ReadOnlyError("The log cannot be read as it was signed, so no status is told.")
        sizes = {book.origin: book.head.size for book in self._logbooks}
        remembered = self._set
        if remembered is None or remembered[0] != sizes:
            states = {code: self.lifecycle(code, sizes) for code in self.changed_codes()}
            withdrawn = {code: state for code, state in states.items() if state in PURPOSE_OF}
            found: dict[tuple[str, int], list[int]] = {}
            for code, places in self._places.of(withdrawn).items():
                purpose = PURPOSE_OF[withdrawn[code]]
                number, position = divmod(places[purpose], LIST_LENGTH)
                found.setdefault((purpose, number + 1), []).append(position)
            self._set = remembered = (sizes, found)
        return remembered

    def trust_at(self, now: datetime) -> Trust:
        """What a verifier of this installation pins: its keys, and every version of the standard it ever judged by."""
        return trust_of(
            self._own_keys.keyring,
            issuer=self._settings.did,
            environment=self._settings.environment,
            logs=tuple(verifier_key_for(key.id, key.public) for key in self._own_keys.keyring.with_role("log")),
            standards=self._shelf.states(now),
        )

    def pack(self, now: datetime) -> bytes:
        """One signed file with all that offline verification needs, dated to the minute.

        Raises ReadOnlyError when no key can sign it, or no status can be told: a pack without one would be of no use.
        """
        # The trust is signed by the oldest key that may: whoever pinned that one learns of the newer ones from the pack.
        issuers, others = (self._own_keys.in_force(role, now) for role in ("issuer", "status"))
        if not issuers:
            raise ReadOnlyError("No key in force that could sign a pack is here.", hint=ROTATE_HINT)
        oldest, method = self._own_keys.method_of(issuers[0]), self._own_keys.method_of((others or issuers)[-1])
        made_at = now.replace(second=0, microsecond=0)
        unsigned = pack_of(
            sign_trust(self.trust_at(now), self._own_keys.signer_for(oldest), oldest, made_at),
            issuer=self._settings.did,
            status_lists=[self.status_list(purpose, number, now) for purpose, number in self.status_urls().values()],
            contexts={url: context_bytes(url) for url in CONTEXT_FILES},
            checkpoints=[book.head.note for book in self._logbooks if book.head.note],
            now=made_at,
        )
        return sign_pack(unsigned, self._own_keys.signer_for(method), method)

    def material(self, row: CertificateRow, now: datetime) -> Material:
        """All that a check of this certificate needs, as this installation serves it."""
        entries = status_entries_of(parse_object(row.payload))
        lists = {entry.url: self.status_list(entry.purpose, entry.number, now) for entry in entries}
        return Material(self.trust_at(now), row.proof, lists)
