"""Every error that may leave this package, split by whose fault it is.

CertifierError
├── ForeignInputError          what was sent cannot be used; the sender can mend it
│   ├── MalformedJson          not the strict JSON we read
│   ├── MalformedKey           no Ed25519 public key, or one that accepts forgeries
│   ├── MalformedEnvelope      no DSSE envelope around an in-toto statement
│   ├── MalformedReport        the report does not fit its model (``findings`` name each field)
│   ├── BadSignature           a signature does not fit its key and bytes
│   │   └── UnknownLog         a checkpoint of a log whose key nobody named
│   ├── MalformedAudio         no audio file that can be measured
│   │   ├── TruncatedAudio     the header promises more than the file holds
│   │   └── AudioTooLarge      more than the limits allow
│   ├── AudioMismatch          the file is not the one that the report names
│   ├── LogMismatch            a deposited log is not the one that the report names
│   ├── MalformedLog           a raw log of a measuring tool cannot be read
│   ├── MalformedNote          no signed note or checkpoint (C2SP)
│   ├── MalformedProof         no tlog-proof file, or hashes that do not fit
│   ├── MalformedCertificate   no certificate of this label
│   │   └── UnusableStatusList a status list that says nothing (``reason`` is a word for machines)
│   ├── MalformedTrust         no trust file
│   ├── MalformedPack          no pack for offline verification, or one that may not be trusted
│   ├── MalformedCode          no certificate code
│   ├── MalformedCredential    no credential or presentation of the W3C data model
│   ├── CredentialRefused      a credential of others that does not verify (``step`` says where)
│   ├── AddressRefused         an address to which this service does not connect
│   ├── PreconditionRequired   a change that does not say of what
│   ├── PreconditionFailed     the thing was changed meanwhile
│   └── IdempotencyKeyReused   the key stands for another request
├── ConflictError              fine in itself, but not together with what is on record
│   ├── ReportAlreadyUsed
│   └── IdempotencyKeyUsed     the key was used before; the caller looks what for
├── AccessRefused              who asks may not have this
│   ├── KeyMissing             it takes an API key, and none was sent
│   ├── KeyInvalid             nobody has this API key, or it was revoked
│   ├── KeyExpired             the API key is out of date
│   ├── ScopeMissing           the API key is not for this (``expected`` is the scope)
│   └── NetworkNotAllowed      the API key is not good from there
├── NotFoundError              the named thing does not exist here
├── SandboxOnly                what only an installation for trying out does
├── StandardError              a rule file or table of a standard is wrong (``file``, ``line``)
├── OperatorError              the installation is wrong: settings, keys, database
│   ├── KeyFileExposed
│   ├── ReadOnlyError          the service may not write now, and says why
│   └── StorageError           the database does not answer, or could not commit
├── BusyError                  too much at once; the same request later
├── RateLimited                more than a limit allows; again after ``after_s`` seconds
├── TooManyError               a queue that people work through is full; again in some hours
└── UnreachableError           the network or the server did not answer
"""

from __future__ import annotations

import re
from dataclasses import dataclass


class CertifierError(Exception):
    """What went wrong in one line; what was found, what was expected, what to do."""

    def __init__(
        self,
        message: str,
        *,
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
        pointer: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.found = found
        self.expected = expected
        self.hint = hint
        self.pointer = pointer


class ForeignInputError(CertifierError):
    """What was sent cannot be used; the sender can mend it."""


class MalformedJson(ForeignInputError): ...


class MalformedKey(ForeignInputError): ...


class KeyNotProven(ForeignInputError):
    """Somebody says that a key is theirs, and has not shown it just now, here and for this."""


class MalformedEnvelope(ForeignInputError): ...


@dataclass(frozen=True)
class FieldFinding:
    """One field of a document that does not fit, by JSON Pointer (RFC 6901)."""

    pointer: str
    problem: str
    found: str | None = None


class MalformedReport(ForeignInputError):
    def __init__(self, message: str, *, findings: tuple[FieldFinding, ...] = (), hint: str | None = None) -> None:
        first = findings[0] if findings else None
        super().__init__(
            message,
            found=first.found if first else None,
            expected=first.problem if first else None,
            hint=hint,
            pointer=first.pointer if first else None,
        )
        self.findings = findings


class BadSignature(ForeignInputError): ...


class UnknownLog(BadSignature):
    """A checkpoint of a log whose key nobody named: it proves nothing, and contradicts nothing."""


class MalformedAudio(ForeignInputError): ...


class TruncatedAudio(MalformedAudio): ...


class AudioTooLarge(MalformedAudio): ...


class AudioMismatch(ForeignInputError): ...


class LogMismatch(ForeignInputError): ...


class MalformedLog(ForeignInputError): ...


class MalformedNote(ForeignInputError): ...


class MalformedProof(ForeignInputError): ...


class MalformedCertificate(ForeignInputError): ...


class UnusableStatusList(MalformedCertificate):
    """A status list that says nothing of a certificate; ``reason`` is a word of certificate/status.UNUSABLE, or aged_pack."""

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
        pointer: str | None = None,
    ) -> None:
        super().__init__(message, found=found, expected=expected, hint=hint, pointer=pointer)
        self.reason = reason


class MalformedTrust(ForeignInputError): ...


class MalformedPack(ForeignInputError): ...


class StolenPackKey(MalformedPack):
    """The pack rests on a key that was stolen, so nothing in it counts, its date neither."""


class MalformedCode(ForeignInputError): ...


class MalformedCredential(ForeignInputError): ...


class CredentialRefused(ForeignInputError):
    """A credential of others that does not verify. ``step`` is a word for machines that says where it failed."""

    def __init__(
        self,
        message: str,
        *,
        step: str = "proof",
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
        pointer: str | None = None,
    ) -> None:
        super().__init__(message, found=found, expected=expected, hint=hint, pointer=pointer)
        self.step = step


class AddressRefused(ForeignInputError): ...


class PreconditionRequired(ForeignInputError):
    """A change has to say which state of the thing it means to change."""


class PreconditionFailed(ForeignInputError):
    """The thing is not in that state any more."""


class IdempotencyKeyReused(ForeignInputError): ...


class ConflictError(CertifierError):
    """Fine in itself, but not together with what is on record."""


class ReportAlreadyUsed(ConflictError): ...


class IdempotencyKeyUsed(ConflictError):
    """The key was used before: for the same request, or for another one."""


class AccessRefused(CertifierError):
    """Who asks may not have this. No text of one holds the key that was sent."""


class KeyMissing(AccessRefused): ...


class KeyInvalid(AccessRefused): ...


class KeyExpired(AccessRefused): ...


class ScopeMissing(AccessRefused):
    """The API key is not for this; ``expected`` is the scope that it lacks."""


class NetworkNotAllowed(AccessRefused): ...


class NotFoundError(CertifierError): ...


class SandboxOnly(CertifierError):
    """What only an installation for trying out does."""


class StandardError(CertifierError):
    """A rule file or table of a standard is wrong."""

    def __init__(
        self,
        message: str,
        *,
        file: str,
        line: int | None = None,
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        place = f"{file}{f':{line}' if line else ''}"
        super().__init__(f"{place}: {message}", found=found, expected=expected, hint=hint)
        self.file = file
        self.line = line


class OperatorError(CertifierError):
    """The installation is wrong: settings, keys, database."""


class KeyFileExposed(OperatorError): ...


class ReadOnlyError(OperatorError):
    """The service may not write now, and says why."""


class IncompleteAddress(OperatorError):
    """The address of a server is not one: the wrong usage of a command."""


class StorageError(OperatorError):
    """The database does not answer, or could not commit; the driver's error is the cause."""


class BusyError(CertifierError):
    """Too much at once; the same request later."""


class RateLimited(CertifierError):
    """More than a limit allows; the same request again after ``after_s`` seconds."""

    def __init__(
        self,
        message: str,
        *,
        after_s: int = 60,
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
        pointer: str | None = None,
    ) -> None:
        super().__init__(message, found=found, expected=expected, hint=hint, pointer=pointer)
        self.after_s = after_s


class TooManyError(CertifierError):
    """A queue that people work through is full."""


class UnreachableError(CertifierError):
    """The network or the server did not answer."""


def kind_of(error: CertifierError) -> str:
    """The name of an error's class as one word: ``MalformedCode`` is ``malformed-code``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
