"""What ``pip install certifier`` brings: a wheel with everything in it, that verifies without the service's packages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest

from certifier.cli.lazy import EXTRAS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
GOLDEN = ROOT / "tests/golden/0.3.0"
IMPORT = re.compile(r"^\s*(?:from (\w[\w.]*) import |import (\w[\w.]*))", re.MULTILINE)
FOR_TRANSLATORS = "certifier/web/catalogues/README.md"  # the program does not read it
FOLDERS = ("certifier", "standards", "templates", "docs", "keys")

# Put before every program: only what a light installation has can be imported. It stands in a file of its own in the path.
BLOCKER = '''
import importlib.abc
import sys

ALLOWED = {allowed!r}


class Light(importlib.abc.MetaPathFinder):
    """Knows no package that a light installation lacks."""

    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in ALLOWED or top in sys.stdlib_module_names or top.startswith("_"):
            return None
        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Light())
'''


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def with_all_below(names: set[str]) -> set[str]:
    """The distributions, and all that they need in turn, as the environment has them."""
    found = set[str]()
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            names |= needed_by(name) & INSTALLED
    return found


@cache
def needed_by(distribution: str) -> frozenset[str]:
    return frozenset(name_of(each) for each in requires(distribution) or () if "extra ==" not in each)


MODULES = {
    module: {each.lower().replace("_", "-") for each in owners} for module, owners in packages_distributions().items()
}
INSTALLED = {each for owners in MODULES.values() for each in owners}


def modules_of(distributions: set[str]) -> set[str]:
    return {module for module, owners in MODULES.items() if owners & distributions}


@dataclass(frozen=True)
class Light:
    """A folder with the wheel's content, and a Python that sees it with the light dependencies alone."""

    wheel: Path
    site: Path
    home: Path

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-c", self._program(), *map(str, arguments)]
        environment = {"XDG_CONFIG_HOME": str(self.home), "PATH": "/usr/bin:/bin", "HOME": str(self.home)}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=self.home)

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        return self.run("-", code)

    def _program(self) -> str:
        return (
            f"import sys; sys.path.insert(0, {str(self.site)!r}); import light\n"
            "if sys.argv[1] == '-':\n    exec(sys.argv[2])\n"
            "else:\n    from certifier.cli.main import main; main(prog_name='certifier')\n"
        )


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Light]:
    """The wheel as pip would make it, built without a network from what version control holds."""
    folder = tmp_path_factory.mktemp("wheel")
    tree, out, site = folder / "tree", folder / "out", folder / "site"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, tree / name)
    build = "import sys, setuptools.build_meta as b; b.build_wheel(sys.argv[1])"
    made = subprocess.run(
        [sys.executable, "-c", build, str(out)], cwd=tree, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    allowed = modules_of(with_all_below({name_of(each) for each in PROJECT["dependencies"]})) | {"certifier", "light"}
    (site / "light.py").write_text(BLOCKER.format(allowed=allowed))
    (folder / "home").mkdir()
    yield Light(wheel, site, folder / "home")
    shutil.rmtree(folder)


def test_the_wheel_holds_what_the_program_reads(light: Light) -> None:
    with zipfile.ZipFile(light.wheel) as archive:
        inside = set(archive.namelist())
    missing = []
    for path in sorted(each for name in FOLDERS for each in (ROOT / name).rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.is_dir() or "__pycache__" in path.parts or name == FOR_TRANSLATORS:
            continue
        place = name if name.startswith("certifier/") else f"certifier/_data/{name}"
        if place not in inside and not path.name.startswith("."):
            missing.append(place)
    assert missing == []
    assert not any(name.startswith(("tests/", "bench/", "examples/", "scripts/")) for name in inside)


def test_a_light_installation_verifies_a_certificate_with_a_pack(light: Light) -> None:
    """The lists in that pack are of a day long ago, so it cannot tell whether the certificate was withdrawn since."""
    said = light.run("verify", GOLDEN / "certificate.json", "--pack", GOLDEN / "pack", "--json")
    answer = json.loads(said.stdout)
    assert (said.returncode, answer["verdict"], "Traceback" in said.stderr) == (6, "cannot_tell", False)
    axes = ("integrity", "issuer_trust", "inclusion", "standard_state")
    assert [answer["axes"][axis] for axis in axes] == ["ok", "trusted", "included", "current"]


def test_a_light_installation_has_the_client_and_the_standard(light: Light) -> None:
    code = f"""
from pathlib import Path
from certifier.client import Client, Pack
from certifier.shipped import shipped
pack = Pack.open(Path({str(GOLDEN / "pack")!r}))
verification = pack.verify(Path({str(GOLDEN / "certificate.json")!r}))
assert verification.axes["integrity"] == "ok", verification
assert (shipped("standards") / "lcal/1.0.0/README.md").is_file()
Client("http://127.0.0.1:9").close()
for heavy in ("flask", "sqlalchemy", "granian", "PIL"):
    assert heavy not in __import__("sys").modules
print("done")
"""
    said = light.python(code)
    assert (said.stdout, said.stderr) == ("done\n", "")


WORKS = (
    "--help",
    "verify --help",
    "pack --help",
    "submit --help",
    "report check --help",
    "report service --help",
    "keys new --help",
    "import --help",
    "explain --help",
    "replay --help",
    "mine --help",
    "claims lint --help",
    "statement check --help",
    "standard test --help",
    "log monitor --help",
    "status recompute --help",
    "init --help",
    "doctor --help",
    "help exit-codes",
)


def test_a_light_installation_has_the_commands_of_artists_platforms_and_auditors(light: Light) -> None:
    code = f"""
import click.testing
from certifier.cli.main import main
for words in {WORKS!r}:
    result = click.testing.CliRunner().invoke(main, words.split())
    assert result.exit_code == 0, (words, result.output, result.exception)
print("done")
"""
    said = light.python(code)
    assert (said.stdout, said.stderr) == ("done\n", "")


MEASURE = "measure --model m --takes 1 --minutes 1 --device cpu-desktop --cpu-power-w 65 --out o -- true"
LACKING = {
    "serve": "server",
    "revoke 0000000000 --reason figure": "server",
    "init": "server",
    "keys new --role issuer": "server",
    "standard simulate x": "server",
    "log fsck": "server",
    MEASURE: "measure",
}


def test_a_command_whose_part_is_missing_names_it_in_a_sentence(light: Light) -> None:
    code = f"""
import click.testing
from certifier.cli.main import main
for words, extra in {LACKING!r}.items():
    result = click.testing.CliRunner().invoke(main, words.split(), catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (1, ""), (words, result.output)
    assert f"pip install 'certifier[{{extra}}]'" in result.stderr, (words, result.output)
print("done")
"""
    said = light.python(code)
    assert (said.stdout, said.stderr) == ("done\n", "")


def test_every_package_that_is_imported_belongs_to_the_light_installation_or_to_a_named_extra() -> None:
    light_modules = modules_of(with_all_below({name_of(each) for each in PROJECT["dependencies"]}))
    extras = {
        extra: modules_of(with_all_below({name_of(each) for each in needed if not each.startswith("certifier[")}))
        for extra, needed in PROJECT["optional-dependencies"].items()
    }
    for file in sorted((ROOT / "certifier").rglob("*.py")):
        found = {one or other for one, other in IMPORT.findall(file.read_text())}
        for module in {name.partition(".")[0] for name in found} - {"certifier", *sys.stdlib_module_names}:
            assert module in light_modules or module in extras[EXTRAS.get(module, "server")], (file, module)
