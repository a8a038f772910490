"""`make audit` never calls good news what is no news: it knows whether the data of vulnerabilities was there."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.paths import ROOT

KNOWN = 'for last; do :; done; printf \'{"id": "PYSEC-1"}\' >"$last"'
"""Of a program that is asked about the known vulnerable version: it writes what it was told into its last argument."""


def audited(directory: Path, auditor: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the audit says and ends with, with a pip-audit that is a script of ours."""
    programs = directory / "bin"
    programs.mkdir()
    for name, script in {"python": "exit 0", "pip-audit": auditor}.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    for lock in ROOT.glob("requirements*.lock"):
        (directory / lock.name).write_text("")
    return subprocess.run(
        ["sh", str(ROOT / ".ci" / "audit"), *arguments],
        cwd=directory, env=os.environ | {"BIN": str(programs)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--required",), 3)])
def test_data_that_cannot_be_reached_is_told(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    done = audited(tmp_path, "echo 'no route to host' >&2; exit 1", *arguments)
    assert done.returncode == code
    assert "NOT AUDITED" in done.stderr
    assert "no route to host" in done.stderr


def test_a_mirror_that_knows_of_nothing_is_not_believed(tmp_path: Path) -> None:
    assert "NOT AUDITED" in audited(tmp_path, "exit 0").stderr


@pytest.mark.parametrize("found", [0, 1])
def test_every_lock_is_asked_about(tmp_path: Path, found: int) -> None:
    done = audited(tmp_path, f'case "$*" in *known.txt*) {KNOWN} ;; *) exit {found} ;; esac')
    assert done.returncode == found
    for lock in ROOT.glob("requirements*.lock"):
        assert f"{lock.name}:" in done.stdout
    assert "NOT AUDITED" not in done.stderr


def test_a_wrong_word_is_refused(tmp_path: Path) -> None:
    assert audited(tmp_path, "exit 0", "--require").returncode == 2


def test_a_job_asks_every_week_and_is_not_content_without_an_answer() -> None:
    job = yaml.safe_load((ROOT / ".github" / "workflows" / "audit.yml").read_text("utf-8"))
    assert job[True]["schedule"] == [{"cron": "17 4 * * 1"}]  # `on` is a truth value in YAML 1.1
    steps = [step.get("run") for step in job["jobs"]["audit"]["steps"]]
    assert "make audit ARGS=--required" in steps
