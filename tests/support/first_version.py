"""The record made by version 0.1, in a store of each kind: tests/data/v0.1 stays for ever."""

import gzip
import shutil
import subprocess
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.stores import postgres_tool

DATA = ROOT / "tests" / "data" / "v0.1"


def unpacked(name: str, folder: Path) -> Path:
    """A file of the data, unpacked into a folder."""
    target = folder / name
    with gzip.open(DATA / f"{name}.gz") as packed, target.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return target


def sqlite_of_the_first_version(folder: Path) -> str:
    """The URL of a SQLite file with the record and its read models."""
    return f"sqlite:///{unpacked('tracker.db', folder)}"


def postgres_of_the_first_version(url: str, folder: Path) -> str:
    """The URL of an empty database, with the record and its read models put into it."""
    dump = unpacked("tracker.sql", folder)
    subprocess.run([postgres_tool("psql"), "-q", "-v", "ON_ERROR_STOP=1", "-f", dump, url], check=True)
    return url
