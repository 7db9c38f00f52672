"""Settings of one installation: one table, read from the environment (``LCAL_…``) and a TOML file, or given as values.

Each setting stands here once, with its type, unit, default and one sentence; what reads, shows and documents them goes by
this table. The environment wins over the file. A *home* is the folder that holds everything an installation owns: database,
public register of keys, private keys.
"""

from __future__ import annotations

import difflib
import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from certifier.errors import OperatorError
from certifier.shipped import shipped
from certifier.storage.files import is_open_to_all, load_text

BASE_URL_FILE = "base-url"
CONFIG_FILE = "config.toml"
SIGNERS_FILE = "signers"
POLICY_FILE = "witnesses.policy"
RESTORE_MARKER = "restore-unfinished"
_STANDARDS, _TEMPLATES, _DOCS = shipped("standards"), shipped("templates"), shipped("docs")
PREFIX = "LCAL_"
DEFAULT_HOME = Path("var/home")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Networks = tuple[Network, ...]
LOOPBACK: Networks = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


@dataclass(frozen=True)
class Told:
    """What is told of a setting: a sentence, the unit, whether nobody may see the value, and what values there are."""

    says: str
    unit: str = ""
    secret: bool = False
    least: float = 0
    among: tuple[str, ...] = ()
    default: str = ""  # in words, where the value says too little

    def in_words(self) -> str:
        """The sentence, with what else has to be said."""
        return self.says + (f" In {self.unit}." if self.unit else "") + (" Secret." if self.secret else "")


@dataclass(frozen=True)
class Settings:
    """``base_url`` is public and signed into certificates; where the server listens is another matter (DESIGN 22)."""

    home: Annotated[Path, Told("The folder of the installation.", default="`var/home`")]
    base_url: Annotated[str, Told("The public address, signed into certificates; fixed when the home is made.")] = (
        "https://label.example"
    )
    issuer_name: Annotated[str, Told("The issuer's name in new registers.")] = "Low-Carbon Audio Label"
    environment: Annotated[
        str,
        Told(
            "`production` for a service that means it; `sandbox` and `demo` issue other credentials too "
            "([vc-api.md](vc-api.md)), with a key of their own.",
            among=("production", "sandbox", "demo"),
        ),
    ] = "demo"
    database_url: Annotated[
        str, Told("`postgresql://USER@HOST/NAME`, for replicas.", secret=True, default="SQLite in the home")
    ] = ""
    standards_dir: Annotated[
        Path, Told("Where the folders of the standard lie.", default="`standards` beside the package")
    ] = _STANDARDS
    templates_dir: Annotated[
        Path, Told("Where the templates of the pages lie.", default="`templates` beside the package")
    ] = _TEMPLATES
    docs_dir: Annotated[Path, Told("Where the guides lie.", default="`docs` beside the package")] = _DOCS
    standards: Annotated[
        str,
        Told(
            "The open versions of the standard, the newest last; others with their last day: `lcal/1.0.0@2027-03-01`."
        ),
    ] = "lcal/1.0.0"
    key_passphrase_file: Annotated[
        Path | None,
        Told("The file with the passphrase of encrypted keys in `private/` ([keys.md](keys.md)).", default="none"),
    ] = None
    max_upload_bytes: Annotated[int, Told("The largest master that is taken in.", "bytes")] = 512 * 1024 * 1024
    max_log_bytes: Annotated[int, Told("The largest raw log that is taken in.", "bytes")] = 5 * 1024 * 1024
    max_logs: Annotated[int, Told("Raw logs of one submission.")] = 20
    max_waiting: Annotated[
        int, Told("Requests with a body at once and worker; more are told 503 and when to come back.", least=1)
    ] = 24
    upload_seconds: Annotated[int, Told("How long a body may take to arrive.", "seconds", least=1)] = 60
    submit_seconds: Annotated[
        float, Told("How long a submission waits for its certificate before it is told *accepted*.", "seconds")
    ] = 2.0
    min_free_bytes: Annotated[int, Told("Issuing pauses when the disk has less room.", "bytes")] = 64 * 1024 * 1024
    cpu: Annotated[int, Told("The CPU that a worker keeps to; -1 for any.", least=-1, default="any")] = -1
    trusted_proxies: Annotated[
        Networks, Told("Networks of proxies whose `X-Forwarded-For` counts.", default="none")
    ] = ()
    limit_verification: Annotated[
        int, Told("Verifications a minute from one network ([access.md](access.md)); 0 for no limit.")
    ] = 600
    limit_submission: Annotated[
        int, Told("Submissions, forms and other writing requests a minute from one network; 0 for no limit.")
    ] = 60
    limit_reads: Annotated[
        int, Told("All other requests a minute from one network, against abuse; 0 for no limit.")
    ] = 6_000
    limit_calls: Annotated[int, Told("Requests a minute with the keys of one holder; 0 for no limit.")] = 6_000
    limit_bulk: Annotated[int, Told("Items of batches a minute for one holder of keys; 0 for no limit.")] = 60_000
    limit_store: Annotated[
        str,
        Told(
            "`redis://HOST:PORT/NUMBER`, where replicas count together.",
            secret=True,
            default="the database; memory on SQLite",
        ),
    ] = ""

    host: Annotated[str, Told("The address to listen on (`--host`).")] = "127.0.0.1"
    port: Annotated[int, Told("The port to listen on (`--port`, or the variable `PORT`).", least=1)] = 8000
    workers: Annotated[int, Told("Worker processes (`--workers`); more than one on PostgreSQL.", least=1)] = 1
    metrics_networks: Annotated[Networks, Told("Networks that may read `/metrics`.")] = LOOPBACK
    log_requests: Annotated[
        str,
        Told(
            "`worked` writes a line for each request that had to be worked on, `all` for answers from memory too.",
            among=("worked", "all"),
        ),
    ] = "worked"
    drain_seconds: Annotated[
        float,
        Told("How long a server that is told to stop goes on, unready, so that a proxy sends elsewhere.", "seconds"),
    ] = 0.0
    stop_seconds: Annotated[
        int, Told("How long what is on its way may take when the server stops; then it is cut off.", "seconds", least=1)
    ] = 30

    @property
    def did(self) -> str:
        """``did:web`` of the base URL's host (did:web method specification; a port is percent-encoded)."""
        return "did:web:" + self.base_url.split("://", 1)[1].split("/", 1)[0].replace(":", "%3A")

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'service.sqlite'}"

    @property
    def register_dir(self) -> Path:
        return self.home / "keys"

    @property
    def log_dir(self) -> Path:
        """The public files of the logs, outside the database."""
        return self.home / "log"

    @property
    def newest_standard(self) -> Path:
        """The folder of the newest version."""
        return self.standards_dir / (self.standards.split() or [""])[-1]

    @property
    def archive_dir(self) -> Path:
        """Every version of the standard that was ever used here."""
        return self.home / "standards"

    @property
    def private_dir(self) -> Path:
        return self.home / "private"

    @property
    def signers_file(self) -> Path:
        """The URIs of signers elsewhere than in ``private_dir``, one a line."""
        return self.home / SIGNERS_FILE

    @property
    def key_change_file(self) -> Path:
        """A change of the keys that was begun and is not in log and register yet."""
        return self.home / "key-change.json"


# Variables that are no setting of the service, and what reads them.
ELSEWHERE = {
    "LCAL_CONFIG": Told("The file with settings.", default="`config.toml` in the home, where there is one"),
    "LCAL_KEY_PASSPHRASE": Told(
        "The passphrase itself, where no file holds it ([keys.md](keys.md)).", secret=True, default="none"
    ),
    "LCAL_KEY": Told(
        "The API key that `verify` shows a service ([access.md](access.md)).", secret=True, default="none"
    ),
    "LCAL_SERVER": Told("The service that commands such as `verify` and `submit` ask.", default="none"),
}


class Setting(NamedTuple):
    """One row of the table. ``kind`` is the type of its value."""

    name: str
    kind: Any
    told: Told
    default: Any

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()

    def default_in_words(self) -> str:
        return self.told.default or f"`{to_text(self.default)}`"


@cache
def settings_table() -> tuple[Setting, ...]:
    """Every setting, in the order of ``Settings``."""
    hints = get_type_hints(Settings, include_extras=True)
    return tuple(
        Setting(field.name, *_kind_and_told(hints[field.name]), None if field.default is MISSING else field.default)
        for field in fields(Settings)
    )


def _kind_and_told(hint: Any) -> tuple[Any, Told]:
    kind, told = get_args(hint)
    return kind, told


def to_text(value: Any) -> str:
    """A value as the environment names it."""
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


@dataclass(frozen=True)
class Loaded:
    """Settings with the origin of each value, and the variables ``LCAL_…`` that name nothing.

    An origin is ``default``, the variable, the file, or ``--home``.
    """

    settings: Settings
    origins: Mapping[str, str]
    unknown: tuple[str, ...]

    def warnings(self) -> Iterator[str]:
        """A line for each variable that names nothing."""
        for name in self.unknown:
            yield f"{name} names no setting{_meant(name, [row.variable for row in settings_table()])}"


def load_settings(home: Path | None = None, environment: Mapping[str, str] = os.environ) -> Loaded:
    """The settings of a home: the environment over the file over the defaults. Raises OperatorError.

    The home is ``home``, else ``LCAL_HOME``, else ``var/home``. The file is the one that ``LCAL_CONFIG`` names, else
    ``config.toml`` in the home where there is one. An empty variable counts as none.
    """
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value}
    home = home or Path(given.get("LCAL_HOME", DEFAULT_HOME))
    values: dict[str, Any] = {"home": home}
    origins = dict.fromkeys((row.name for row in settings_table()), "default")
    origins["home"] = (
        "LCAL_HOME" if str(home) == given.get("LCAL_HOME") else "--home" if home != DEFAULT_HOME else "default"
    )
    file = Path(given["LCAL_CONFIG"]) if "LCAL_CONFIG" in given else home / CONFIG_FILE
    for row, value in _rows_of(file, required="LCAL_CONFIG" in given):
        values[row.name], origins[row.name] = _from_file(row, value, file), str(file)
    for row in settings_table():
        if row.variable in given and row.name != "home":
            values[row.name], origins[row.name] = parse_value(row, given[row.variable], row.variable), row.variable
    _fix_base_url(home, values, origins)
    return Loaded(Settings(**values), origins, tuple(_unknown(given, home)))


def _fix_base_url(home: Path, values: dict[str, Any], origins: dict[str, str]) -> None:
    """Put in the base URL that the home was made for: it is signed into everything and cannot change later."""
    made_for = load_text(home / BASE_URL_FILE)
    url = values.get("base_url", made_for)
    if made_for is not None and url != made_for:
        raise OperatorError(
            f"{origins['base_url']} is not the address that this home was made for.", found=url, expected=made_for
        )
    if url is not None and (not url.startswith(("https://", "http://")) or url.endswith("/")):
        raise OperatorError(
            "The base URL cannot be used.", found=url, expected="https://HOST without a slash at the end"
        )
    if made_for is not None:
        values["base_url"], origins["base_url"] = made_for, str(home / BASE_URL_FILE)


def _unknown(given: Mapping[str, str], home: Path) -> Iterator[str]:
    """Variables that nobody reads. What the home's list of signers names is read (``env:LCAL_…``)."""
    known = {row.variable for row in settings_table()} | ELSEWHERE.keys()
    known |= set(re.findall(r"env:(\w+)", load_text(home / SIGNERS_FILE) or ""))
    return (name for name in sorted(given) if name not in known)


# -- the file -------------------------------------------------------------------------------------------------------


def _rows_of(file: Path, *, required: bool) -> Iterator[tuple[Setting, Any]]:
    text = load_text(file)
    if text is None:
        if required:
            raise OperatorError(f"There is no file {file}.", hint="Check LCAL_CONFIG.")
        return
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OperatorError(
            f"The settings in {file} cannot be read.", found=str(error), expected="TOML, such as: port = 8000"
        ) from error
    rows = {row.name: row for row in settings_table() if row.name != "home"}
    for name, value in document.items():
        if name not in rows:
            raise OperatorError(
                f"{file}: there is no setting {name[:60]!r}.",
                expected=f"names without {PREFIX}, in small letters{_meant(name, rows)}",
                hint="Run: certifier config table",
            )
        if rows[name].told.secret and is_open_to_all(file):
            raise OperatorError(
                f"Everybody may read {file}, and it holds a secret ({name}).", hint=f"Run: chmod o= {file}"
            )
        yield rows[name], value


def _from_file(row: Setting, value: Any, file: Path) -> Any:
    """A value of TOML. A relative path counts from the file's folder."""
    where = f"{row.name} in {file}"
    if row.kind == Networks and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return parse_value(row, " ".join(value), where)
    natural: Any = {int: int, float: (int, float)}.get(row.kind, str)
    if isinstance(value, bool) or not isinstance(value, natural):
        raise OperatorError(f"{where} is of another type.", found=repr(value)[:80], expected=_expected(row))
    parsed = parse_value(row, str(value), where)
    return file.parent / parsed if isinstance(parsed, Path) else parsed


# -- values ---------------------------------------------------------------------------------------------------------


def parse_value(row: Setting, text: str, where: str) -> Any:
    """The value of a setting from text. ``where`` names the place for whoever reads the error. Raises OperatorError."""
    try:
        value = _PARSERS[_simple(row.kind)](text)
    except ValueError as error:
        raise OperatorError(f"{where} cannot be used.", found=_found(row, text), expected=_expected(row)) from error
    too_small = isinstance(value, (int, float)) and not (value >= row.told.least and math.isfinite(value))
    if too_small or (row.told.among and value not in row.told.among):
        raise OperatorError(f"{where} cannot be used.", found=_found(row, text), expected=_expected(row))
    return value


def parse_networks(text: str) -> Networks:
    """Networks in CIDR notation, or single addresses, separated by spaces or commas. Raises ValueError."""
    return tuple(ip_network(part) for part in text.replace(",", " ").split())


def _simple(kind: Any) -> Any:
    """The type that a value is read as: ``Path`` for ``Path | None``."""
    return kind if kind == Networks or get_origin(kind) is None else get_args(kind)[0]


_PARSERS: dict[Any, Any] = {str: str, int: int, float: float, Path: Path, Networks: parse_networks}
_KINDS = {str: "text", int: "a whole number", float: "a number", Path: "a path", Networks: "networks: 10.0.0.0/8 ::1"}


def _expected(row: Setting) -> str:
    if row.told.among:
        return f"one of: {', '.join(row.told.among)}"
    least = f", at least {row.told.least}" if row.kind in (int, float) else ""
    return f"{_KINDS[_simple(row.kind)]}{f' of {row.told.unit}' if row.told.unit else ''}{least}"


def _found(row: Setting, text: str) -> str:
    return "(a secret)" if row.told.secret else text[:80]


def _meant(name: str, names: Any) -> str:
    close = difflib.get_close_matches(name, list(names), 1)
    return f"; did you mean {close[0]}?" if close else ""
