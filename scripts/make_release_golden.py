"""Issue one certificate and keep every public file of it as a golden of this release: ``make_release_golden.py 0.2.0``.

Run once for a release, before it is tagged; never again for the same version. What an earlier release issued has to verify for
ever, so a test checks every folder that lies below ``tests/golden``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from certifier.certificate.baked import bake  # noqa: E402 - the tree has to be found first
from certifier.certificate.status import status_file_name  # noqa: E402
from certifier.certificate.trust import trust_document  # noqa: E402
from certifier.crypto.canonical import to_json_text  # noqa: E402
from certifier.service.certifier import Issued  # noqa: E402
from tests.studio import NOW, Studio  # noqa: E402


def main(version: str) -> None:
    folder = ROOT / "tests" / "golden" / version
    folder.mkdir(parents=True)  # fails where the release has its golden already
    with tempfile.TemporaryDirectory() as world:
        studio = Studio(Path(world))
        certifier = studio.certifier()
        answer = certifier.submit(studio.upload(studio.signed(studio.report())), NOW)
        if not isinstance(answer, Issued):
            sys.exit("the golden report was refused")
        row, submission = answer.certificate, certifier.store.submission(answer.submission_id)
        openbadge = certifier.rendition(row, "openbadge")
        files = {
            "certificate.json": row.document or b"",
            "certificate.openbadge.json": openbadge,
            "certificate.jwt": certifier.rendition(row, "jwt"),
            "certificate.cose": certifier.rendition(row, "compact"),
            "certificate.baked.svg": bake(
                '<svg xmlns="http://www.w3.org/2000/svg"></svg>', openbadge.decode()
            ).encode(),
            "certificate.tlog-proof": row.proof or b"",
            "report.dsse.json": submission.envelope,
            "decision.json": submission.decision,
            "trust.json": to_json_text(trust_document(certifier.published.trust_at(NOW))).encode(),
            "pack": certifier.published.pack(NOW),
        }
        lists = certifier.published.material(row, NOW).status_lists
        files |= {status_file_name(url): raw for url, raw in lists.items()}
        for name, content in files.items():
            (folder / name).write_bytes(content)
    print(f"wrote {folder.relative_to(ROOT)}")


if __name__ == "__main__":
    main(sys.argv[1])
