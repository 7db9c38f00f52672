"""Take in a submission: parts go to temporary files as they arrive, and everything about them is bounded.

What the parts mean is judged by the service; here they only have to be the right ones, and not too large.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from flask import Request, request
from werkzeug.datastructures import FileStorage

from certifier.report.envelope import LIMITS
from certifier.service.examine import Upload, check_line
from certifier.settings import Settings
from certifier.web.problems import MediaTypeUnsupported, ParameterInvalid, PayloadTooLarge, UploadTooSlow

FORM = "multipart/form-data"
FIELDS = ("report", "audio", "logs", "contact")
MAX_CONTACT = 200
SPARE_PARTS = 20  # so that a few files too many are told as such, not as a body that is too large


class UploadRequest(Request):
    """A request whose file parts are written to temporary files, each with a name that a decoder can open."""

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002 - the signature of Werkzeug
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        file = tempfile.NamedTemporaryFile(prefix="upload-")  # noqa: SIM115 - closed with the request
        self.environ.setdefault("certifier.uploads", []).append(file)
        return file

    def close(self) -> None:
        """Remove the temporary files, those of a body that broke off too."""
        super().close()
        for file in self.environ.pop("certifier.uploads", []):
            file.close()


class TimedStream:
    """A request body that has to arrive in time.

    The clock is looked at between reads: a sender that trickles is stopped, one that falls silent only by a proxy in front.
    """

    def __init__(self, stream: Any, seconds: float) -> None:
        self._stream = stream
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def read(self, size: int = -1) -> bytes:
        if time.monotonic() > self._deadline:
            raise UploadTooSlow("The upload took too long.", expected=f"all of it within {self._seconds:g} s")
        return bytes(self._stream.read(size))


def read_upload(settings: Settings) -> Upload:
    """The submission in the request's form. Raises a ForeignInputError that names the part, or BusyError before it is read."""
    if request.mimetype != FORM:
        raise MediaTypeUnsupported(
            "A submission is a form with files.", found=request.mimetype or "no content type", expected=FORM
        )
    check_line()
    _bound(settings)
    names = {str(name or "") for name in (*request.files, *request.form)}
    if unknown := sorted(names - set(FIELDS)):
        raise ParameterInvalid(
            f"There is no field {unknown[0][:40]!r}.", found=unknown[0][:40], expected=", ".join(FIELDS)
        )
    for field in ("audio", "logs"):
        if any(request.form.getlist(field)):
            raise ParameterInvalid(
                f"The field {field!r} came as text.", found="no file name", expected="a file", pointer=field
            )
    if len(request.form.getlist("report")) + len(_files("report")) > 1:
        raise ParameterInvalid("The report came twice.", found="2 reports", expected="one", pointer="report")
    return Upload(_report(), Path(_one_file("audio").stream.name), _logs(settings), _contact())


def _bound(settings: Settings) -> None:
    total = settings.max_upload_bytes + LIMITS.max_bytes + settings.max_logs * settings.max_log_bytes
    bound_form(settings, total, settings.max_logs)


def bound_form(settings: Settings, total: int, files: int) -> None:
    """Let the request's form be at most so many bytes and about so many files, which arrive in time."""
    request.max_content_length = total
    request.max_form_memory_size = LIMITS.max_bytes
    request.max_form_parts = files + SPARE_PARTS
    if (request.content_length or 0) > total:
        raise PayloadTooLarge(
            "The submission is too large.", found=f"{request.content_length} bytes", expected=f"at most {total} bytes"
        )
    request.environ["wsgi.input"] = TimedStream(request.environ["wsgi.input"], settings.upload_seconds)


def _report() -> bytes:
    if "report" in request.form:
        return request.form["report"].encode()
    return _content(_one_file("report"), LIMITS.max_bytes)


def _contact() -> str | None:
    """How the operator reaches the applicant, as one line of text; None where nothing is said."""
    given = request.form.getlist("contact")
    if len(given) + len(request.files.getlist("contact")) > 1 or request.files.getlist("contact"):
        raise ParameterInvalid(
            "The contact is one line of text.", found="a file, or more than one", expected="text", pointer="contact"
        )
    text = given[0].strip() if given else ""
    if len(text) > MAX_CONTACT or not text.isprintable():
        raise ParameterInvalid(
            "The contact cannot be used.",
            found=f"{len(text)} characters",
            expected=f"one printable line of at most {MAX_CONTACT} characters, such as a mail address",
            pointer="contact",
        )
    return text or None


def _logs(settings: Settings) -> dict[str, bytes]:
    files = _files("logs")
    if len(files) > settings.max_logs:
        raise PayloadTooLarge(
            "There are too many logs.", found=str(len(files)), expected=f"at most {settings.max_logs}"
        )
    contents = [_content(file, settings.max_log_bytes) for file in files]
    return dict(zip(_names(files), contents, strict=True))


def _names(files: list[FileStorage]) -> Iterator[str]:
    """The names of the files, told apart where two are alike."""
    taken: set[str] = set()
    for number, file in enumerate(files, 1):
        name = file.filename or "log"
        name = f"{name} (log {number})" if name in taken else name
        while name in taken:
            name += "'"
        taken.add(name)
        yield name


def _files(field: str) -> list[FileStorage]:
    """The files of a field; an empty choice in a browser's form is no file."""
    return [file for file in request.files.getlist(field) if file.filename]


def _one_file(field: str) -> FileStorage:
    files = _files(field)
    if len(files) != 1:
        raise ParameterInvalid(
            f"The submission needs one file in the field {field!r}.",
            found=f"{len(files)} files",
            expected="one file",
            hint={"report": "certifier report sign makes it.", "audio": "Send the master that the report names."}[
                field
            ],
            pointer=field,
        )
    return files[0]


def _content(file: FileStorage, limit: int) -> bytes:
    content = file.stream.read(limit + 1)
    if len(content) > limit:
        raise PayloadTooLarge(
            f"The file {file.filename!r} is too large.", found="more", expected=f"at most {limit} bytes"
        )
    return content
