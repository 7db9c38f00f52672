"""With a witness policy in its home, nothing is published that the quorum has not seen; a contradiction stops the log."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from threading import Event
from time import monotonic

import pytest

from certifier.certificate.verify import check_certificate
from certifier.errors import OperatorError, ReadOnlyError
from certifier.log.note import parse_note, verify_signatures
from certifier.log.proof import parse_proof
from certifier.service.certifier import Accepted, Issued
from tests.studio import NOW, Studio
from tests.witness import Witness, witness_signer


class Witnessed:
    """A studio's installation with three witnesses, two of which are enough."""

    def __init__(self, studio: Studio, stack: ExitStack) -> None:
        self.studio = studio
        certifier = studio.certifier()
        self.log_key = certifier.logbook.verifier_key
        certifier.close()
        self.witnesses = [
            Witness(f"witness.example/w{number}", [self.log_key], witness_signer(str(number))) for number in (1, 2, 3)
        ]
        lines = [f"log {self.log_key.to_text()}"]
        for number, witness in enumerate(self.witnesses, 1):
            url = stack.enter_context(witness.serving())
            lines.append(f"witness w{number} {witness.key.to_text()} {url}")
        lines += ["group all 2 w1 w2 w3", "quorum all", ""]
        (studio.settings.home / "witnesses.policy").write_text("\n".join(lines))


@pytest.fixture
def witnessed(studio: Studio) -> Iterator[Witnessed]:
    with ExitStack() as stack:
        yield Witnessed(studio, stack)


def test_a_proof_carries_the_cosignatures_of_the_quorum(witnessed: Witnessed) -> None:
    certifier = witnessed.studio.certifier()
    witnessed.witnesses[2].misbehaviour = "500"
    answer = certifier.certify(witnessed.studio.examined(1), NOW)
    assert isinstance(answer, Issued)
    note = parse_note(parse_proof(answer.certificate.proof or b"").checkpoint)
    signers = verify_signatures(note, [witness.key for witness in witnessed.witnesses])
    assert [key.name for key in signers] == ["witness.example/w1", "witness.example/w2"]
    row = answer.certificate
    assert check_certificate(row.document or b"", certifier.published.material(row, NOW), NOW).verdict == "valid"
    assert certifier.logbook.head.note == parse_proof(row.proof or b"").checkpoint
    certifier.close()


def test_without_the_quorum_it_waits_and_nothing_is_published(witnessed: Witnessed) -> None:
    """Accepted and kept; published and delivered as soon as the witnesses are back, without anybody asking again."""
    certifier = witnessed.studio.certifier(submit_seconds=0.2)
    before = certifier.logbook.head
    for witness in witnessed.witnesses[:2]:
        witness.misbehaviour = "500"
    answer = certifier.certify(witnessed.studio.examined(1), NOW)
    assert isinstance(answer, Accepted)
    assert certifier.logbook.head == before
    for witness in witnessed.witnesses:
        witness.misbehaviour = None
    certifier.sweep()
    for _ in range(600):
        row = certifier.store.certificate_for_submission(answer.submission_id)
        if row and row.document:
            break
        Event().wait(0.02)
    assert certifier.logbook.head.size == 1
    again = certifier.certify(witnessed.studio.examined(1), NOW)
    assert isinstance(again, Issued)
    certifier.close()


def test_a_checkpoint_that_missed_its_quorum_is_ours_after_a_restart(witnessed: Witnessed) -> None:
    """One witness has cosigned it already: that is no reason to think that this log was set back."""
    patient = witnessed.studio.certifier()
    assert isinstance(patient.certify(witnessed.studio.examined(1), NOW), Issued)
    patient.close()
    certifier = witnessed.studio.certifier(submit_seconds=0.2)
    for witness in witnessed.witnesses[:2]:
        witness.misbehaviour = "500"
    assert isinstance(certifier.certify(witnessed.studio.examined(2), NOW), Accepted)
    certifier.close()
    for witness in witnessed.witnesses:
        witness.misbehaviour = None
    restarted = witnessed.studio.certifier()
    assert restarted.problems == ()
    assert restarted.logbook.head.size == 2
    restarted.close()


def test_witnesses_that_hang_hold_up_no_reader_and_nobody_who_submits(witnessed: Witnessed) -> None:
    certifier = witnessed.studio.certifier(submit_seconds=0.2)
    head = certifier.logbook.head
    for witness in witnessed.witnesses:
        witness.misbehaviour = "stall"
    began = monotonic()
    answers = [certifier.certify(witnessed.studio.examined(number), NOW) for number in range(4)]
    certifier.logbook._looked_at = 0.0  # time to look for what others published
    assert certifier.logbook.head == head
    assert monotonic() - began < 4  # a single round of the witnesses may take longer
    assert {type(answer) for answer in answers} == {Accepted}
    for witness in witnessed.witnesses:
        witness.misbehaviour = None
        witness.released.set()
    certifier.close()
    restarted = witnessed.studio.certifier()
    assert restarted.logbook.head.size == 4
    restarted.close()


def test_a_log_that_was_set_back_is_found_by_its_witnesses(witnessed: Witnessed) -> None:
    """Database and files were set back together; only those outside remember."""
    studio = witnessed.studio
    copy = studio.folder / "copy"
    shutil.copytree(studio.settings.home, copy)
    certifier = studio.certifier()
    assert isinstance(certifier.certify(studio.examined(1), NOW), Issued)
    certifier.close()
    shutil.rmtree(studio.settings.home)
    shutil.copytree(copy, studio.settings.home)
    set_back = studio.certifier()
    assert [problem.kind for problem in set_back.problems] == ["behind-witness"]
    with pytest.raises(ReadOnlyError):
        set_back.certify(studio.examined(2), NOW + timedelta(hours=1))
    set_back.close()


def test_willing_witnesses_do_not_cover_up_a_torn_file(witnessed: Witnessed) -> None:
    certifier = witnessed.studio.certifier()
    certifier.certify(witnessed.studio.examined(1), NOW)
    certifier.close()
    (witnessed.studio.settings.log_dir / "label.example-2026/tile/0/000.p/1").write_bytes(b"torn")
    reopened = witnessed.studio.certifier()
    assert [problem.kind for problem in reopened.problems] == ["tile-torn"]
    reopened.close()


def test_a_witness_that_saw_another_history_stops_the_log(witnessed: Witnessed) -> None:
    certifier = witnessed.studio.certifier()
    certifier.certify(witnessed.studio.examined(1), NOW)
    elsewhere = witnessed.witnesses[0]
    held = elsewhere.latest[certifier.logbook.origin]
    elsewhere.latest[certifier.logbook.origin] = type(held)(held.origin, held.size, bytes(32))
    told = certifier.certify(witnessed.studio.examined(2), NOW)
    assert isinstance(told, Accepted)
    with pytest.raises(ReadOnlyError) as error:
        certifier.certify(witnessed.studio.examined(3), NOW)
    assert "writer-stopped" in (error.value.found or "")
    certifier.close()
    reopened = witnessed.studio.certifier()
    assert reopened.problems[0].kind in {"log-inconsistent", "behind-witness"}
    reopened.close()


def test_a_policy_that_cannot_be_read_is_told(witnessed: Witnessed) -> None:
    (witnessed.studio.settings.home / "witnesses.policy").write_text("quorum nobody\n")
    with pytest.raises(OperatorError, match="policy"):
        witnessed.studio.certifier()
