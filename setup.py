"""Put the folders beside the package into the wheel; everything else about the build stands in pyproject.toml.

Setuptools packs what lies below the package. ``standards``, ``templates``, ``docs`` and ``keys`` stand at the top of the tree, so
a copy of them goes to ``certifier/_data``, where certifier/shipped.py looks first. An installation with ``-e`` uses the tree.
"""

from pathlib import Path
from shutil import copytree, ignore_patterns, rmtree

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDERS = ("standards", "templates", "docs", "keys")


class BuildWithData(build_py):
    """The package, with a copy of the folders that it needs beside it."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for name in FOLDERS:
            target = Path(self.build_lib, "certifier", "_data", name)
            rmtree(target, ignore_errors=True)  # of an earlier build
            copytree(name, target, ignore=ignore_patterns("__pycache__", "*.pyc"))


setup(cmdclass={"build_py": BuildWithData})
