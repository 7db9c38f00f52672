"""Settings come from one table: the environment over the file over the defaults, and nothing is overlooked."""

from __future__ import annotations

import json
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from certifier.cli.main import main
from certifier.errors import OperatorError
from certifier.settings import Settings, load_settings, settings_table

DOCS = Path(__file__).parents[1] / "docs" / "operate.md"


def written(home: Path, text: str, mode: int = 0o640) -> Path:
    file = home / "config.toml"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = written(tmp_path, "max_waiting = 5\nmax_logs = 3\n")
    loaded = load_settings(tmp_path, {"LCAL_MAX_WAITING": "7"})
    assert (loaded.settings.max_waiting, loaded.settings.max_logs, loaded.settings.cpu) == (7, 3, -1)
    told = [loaded.origins[name] for name in ("max_waiting", "max_logs", "cpu")]
    assert told == ["LCAL_MAX_WAITING", str(file), "default"]


def test_an_empty_variable_counts_as_none(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"LCAL_MAX_LOGS": ""}).settings == Settings(home=tmp_path)


READ = {
    "a whole number": ("max_logs", "9", "9", 9),
    "a number": ("submit_seconds", "0.5", "0.5", 0.5),
    "a whole number where any number may stand": ("submit_seconds", "3", "3", 3.0),
    "a path": ("key_passphrase_file", "/run/secret", '"/run/secret"', Path("/run/secret")),
    "networks": (
        "trusted_proxies",
        "10.0.0.0/8, ::1",
        '["10.0.0.0/8", "::1"]',
        (ip_network("10.0.0.0/8"), ip_network("::1/128")),
    ),
    "a word": ("environment", "production", '"production"', "production"),
}


@pytest.mark.parametrize(("name", "text", "toml", "value"), READ.values(), ids=READ.keys())
def test_a_value_is_the_same_from_the_environment_and_from_the_file(
    tmp_path: Path, name: str, text: str, toml: str, value: Any
) -> None:
    told = load_settings(tmp_path, {f"LCAL_{name.upper()}": text}).settings
    written(tmp_path, f"{name} = {toml}\n")
    assert getattr(told, name) == getattr(load_settings(tmp_path, {}).settings, name) == value


def test_a_relative_path_in_the_file_counts_from_its_folder(tmp_path: Path) -> None:
    written(tmp_path, 'key_passphrase_file = "secret"\n')
    assert load_settings(tmp_path, {}).settings.key_passphrase_file == tmp_path / "secret"


REFUSED = {
    "a name that is no setting": ("max_waitng = 3", {}, "did you mean max_waiting"),
    "the home, which the file lies in": ('home = "/srv"', {}, "names without LCAL_"),
    "no TOML": ("max_waiting: 3", {}, "TOML"),
    "a word for a number": ('max_waiting = "many"', {}, "a whole number"),
    "true for a number": ("max_waiting = true", {}, "a whole number"),
    "half a CPU": ("cpu = 0.5", {}, "a whole number"),
    "no network": ('trusted_proxies = ["nginx"]', {}, "networks"),
    "a network with bits of a host": ("", {"LCAL_TRUSTED_PROXIES": "10.0.0.1/8"}, "networks"),
    "a number below the least": ("", {"LCAL_MAX_WAITING": "0"}, "at least 1"),
    "no number at all": ("", {"LCAL_SUBMIT_SECONDS": "nan"}, "at least 0"),
    "an unknown environment": ("", {"LCAL_ENVIRONMENT": "Production"}, "one of: production"),
    "a base URL with a slash at its end": ("", {"LCAL_BASE_URL": "https://label.example/"}, "without a slash"),
    "a file that is not there": ("", {"LCAL_CONFIG": "/nowhere/config.toml"}, "LCAL_CONFIG"),
}


@pytest.mark.parametrize(("toml", "environment", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_a_setting_that_cannot_be_used_is_one_clear_error(
    tmp_path: Path, toml: str, environment: dict[str, str], told: str
) -> None:
    written(tmp_path, toml)
    with pytest.raises(OperatorError) as caught:
        load_settings(tmp_path, environment)
    assert told in f"{caught.value.message} {caught.value.expected} {caught.value.hint}"


def test_a_variable_that_names_nothing_is_told_and_those_of_the_signers_are_not(tmp_path: Path) -> None:
    (tmp_path / "signers").write_text("env:LCAL_ISSUER_KEY\n")
    given = {"LCAL_MAX_WAITNG": "3", "LCAL_ISSUER_KEY": "…", "LCAL_SERVER": "https://label.example"}
    loaded = load_settings(tmp_path, given)
    assert list(loaded.warnings()) == ["LCAL_MAX_WAITNG names no setting; did you mean LCAL_MAX_WAITING?"]


def test_no_variable_that_a_command_reads_is_called_unknown(tmp_path: Path) -> None:
    commands = (Path(__file__).parents[1] / "certifier" / "cli").glob("*.py")
    read = {name for file in commands for name in re.findall(r'envvar="(LCAL_\w+)"', file.read_text())}
    assert "LCAL_SERVER" in read
    assert load_settings(tmp_path, dict.fromkeys(read - {"LCAL_CONFIG"}, "1")).unknown == ()


def test_a_secret_in_a_file_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    text = 'database_url = "postgresql://label:hush@db/label"\n'
    written(tmp_path, text, 0o644)
    with pytest.raises(OperatorError, match="Everybody may read") as caught:
        load_settings(tmp_path, {})
    assert "hush" not in f"{caught.value.message}{caught.value.found}"
    written(tmp_path, text, 0o640)
    assert load_settings(tmp_path, {}).settings.database_url.endswith("db/label")


def test_show_hides_secrets_and_names_the_origin_of_each_value(tmp_path: Path) -> None:
    variables = {"LCAL_DATABASE_URL": "postgresql://label:hush@db/label", "LCAL_MAX_LOGS": "4"}
    for form in ((), ("--json",)):
        told = CliRunner().invoke(main, ["config", "show", "--home", str(tmp_path), *form], env=variables)
        assert (told.exit_code, "hush" in told.output, "(hidden)" in told.output) == (0, False, True)
    rows = json.loads(told.stdout)["settings"]
    assert rows["max_logs"] == {"value": "4", "origin": "LCAL_MAX_LOGS"}
    assert rows["home"] == {"value": str(tmp_path), "origin": "--home"}


def test_the_documentation_holds_the_table_of_all_settings() -> None:
    """certifier config table prints it, make goldens puts it there; every setting says what it is for."""
    told = CliRunner().invoke(main, ["config", "table"])
    assert f"<!-- certifier config table -->\n{told.stdout}<!-- end -->" in DOCS.read_text()
    assert all(row.told.says.endswith(".") for row in settings_table())
