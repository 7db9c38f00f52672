"""What has to hold after any fault, once the installation was opened again: all that was acknowledged is there.

``lost_from`` is quick and knows the store; ``judged`` asks the referee, who knows only the public interface.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from certifier.service.certifier import Certifier, Issued
from certifier.web.app import create_app
from tests.faults.load import History
from tests.referee import LogView, check_history
from tests.studio import Studio


def lost_from(certifier: Certifier, history: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was acknowledged and is not there: a document byte for byte, its entry below the published head, a change."""
    rows, entries, changes = {}, {}, defaultdict(list)
    issued = {operation["code"]: operation["document"] for operation in history if operation["op"] == "issue"}
    for operation in history:
        if operation["op"] != "issue":
            changes[operation["code"]].append(operation["op"])
    if issued:
        rows = {row.code: row.document for row in certifier.store.certificates_of(list(issued))}
        entries = {placed.code: placed.index for placed in certifier.store.issue_entries(list(issued))}
    size = certifier.logbook.head.size
    documents = [code for code, digest in issued.items() if hashlib.sha256(rows.get(code) or b"").hexdigest() != digest]
    unplaced = [code for code in issued if entries.get(code, size) >= size]
    unchanged = [code for code, acknowledged in changes.items() if not _holds(certifier, code, acknowledged)]
    return [
        *(f"the document of {code}" for code in documents),
        *(f"the entry of {code}" for code in unplaced),
        *(f"a change of {code}" for code in unchanged),
    ]


def _holds(certifier: Certifier, code: str, acknowledged: Sequence[str]) -> bool:
    """Whether the log has these changes in their order, whatever else was on its way."""
    held = iter(change.kind for change in certifier.published.changes_of(code))
    return all(kind in held for kind in acknowledged)


def judged(certifier: Certifier, history: Sequence[Mapping[str, Any]]) -> LogView:
    """The whole history over the public interface. Raises Refuted."""
    client = create_app(certifier).test_client()

    def get(path: str) -> tuple[int, bytes]:
        answer = client.get(path)
        return answer.status_code, answer.data

    return check_history(get, history)


def issue_one(certifier: Certifier, studio: Studio, history: History, name: str) -> None:
    """Issuing goes on, and the certificate is of this log."""
    answer = certifier.certify(studio.examined(name), datetime.now(UTC), f"key-{name}")
    assert isinstance(answer, Issued)
    history.issue(answer, f"key-{name}")
