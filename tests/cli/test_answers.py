"""What the command `tracker` answers: statuses, histories and exports."""

import csv
import json
import os
import re
import subprocess
import sys
import zipfile
from contextlib import suppress
from io import BytesIO, StringIO
from typing import Any

import pytest

from api.formats.table import EVENT_FORMATS, STATUS_FORMATS
from api.http import media
from tests.support.api import running
from tests.support.shell import Shell
from tests.support.waiting import HANG_SECONDS


def test_a_status_is_what_the_api_answers(shell: Shell) -> None:
    asked = ["nato-ukraine-2024", "--as-of", "2024-10-16"]
    document = json.loads(shell.run("status", *asked, "--json").stdout)
    assert (document["status"], document["as_of"], document["known_at"]) == ("in_progress", "2024-10-16", None)
    said = shell.run("status", *asked).stdout
    assert re.search(r"^reported +€20\.9bn \(20,900,000,000 EUR\)$", said, flags=re.M)
    assert re.search(r"^promised +at least €40bn \(at least 40,000,000,000 EUR\)$", said, flags=re.M)
    assert re.search(r"^status +In progress$", said, flags=re.M)


def test_why_it_is_so_stands_in_sentences_and_not_in_ids(shell: Shell) -> None:
    said = shell.run("status", "nato-ukraine-2024").stdout
    assert re.search(r"^because +Every possible value of what is reported lies beyond the target\.$", said, flags=re.M)
    assert re.search(
        r"^ +event \d+, \d+ \w+ 2025: Claimed to be exceeded: over €50bn \(The Sofia Globe\)$", said, flags=re.M
    )
    assert re.search("^flag: ", said, flags=re.M)
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", said)


def test_members_are_counted_as_on_the_page(shell: Shell) -> None:
    lines = shell.run("status").stdout.splitlines()
    assert any(" 22 of 31 " in line or line.endswith(" 22 of 31") for line in lines)


def test_a_status_has_colours_on_a_terminal_and_none_in_a_pipe(shell: Shell) -> None:
    """The words are the same; a pipe has no escape in it, and no space that another program does not split at."""
    piped = shell.run("status").stdout
    assert "\x1b" not in piped
    assert "\u00a0" not in piped
    seen = on_a_terminal(shell)
    assert "\x1b[32mExceeded" in seen
    bare = re.sub(r"\x1b\[[0-9;]*m", "", seen)
    assert [line.split() for line in bare.splitlines()] == [line.split() for line in piped.splitlines()]


def test_a_terminal_whose_owner_wants_no_colour_gets_none(shell: Shell) -> None:
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", on_a_terminal(shell, NO_COLOR="1"))


def on_a_terminal(shell: Shell, **variables: str) -> str:
    """What `tracker status` writes to a terminal."""
    ours, theirs = os.openpty()
    env = {**os.environ, "TRACKER_DATABASE_URL": shell.url, "TERM": "xterm-256color", "COLUMNS": "200"}
    env.pop("NO_COLOR", None)
    env |= variables
    with subprocess.Popen([sys.executable, "-c", shell.program, "status"], stdout=theirs, env=env) as process:
        os.close(theirs)
        seen = b""
        with suppress(OSError):  # a terminal whose other end is closed
            while piece := os.read(ours, 4096):
                seen += piece
        assert process.wait(HANG_SECONDS) == 0
    os.close(ours)
    return seen.decode()


def test_the_status_of_all_is_a_table_without_ragged_ends(shell: Shell) -> None:
    lines = shell.run("status").stdout.splitlines()
    assert len(lines) == 13
    assert any(re.match(r"nato-ukraine-2024 +Exceeded +over €50bn +at least €40bn +over 125 %", line) for line in lines)
    assert lines == [line.rstrip() for line in lines]
    assert len(json.loads(shell.run("status", "--json").stdout)["items"]) == 12


def test_the_list_takes_the_filters_of_the_api(shell: Shell) -> None:
    lines = shell.run("status", "--status", "exceeded", "--tag", "nato").stdout.splitlines()
    with running(shell.url) as api:
        wanted = [item["pledge"] for item in api.get("/v1/pledges?status=exceeded&tag=nato").json()["items"]]
    assert sorted(line.split()[0] for line in lines[1:]) == sorted(wanted) != []
    assert "filters narrow the list" in shell.run("status", "nato-ukraine-2024", "--tag", "nato", code=2).stderr


def test_a_pledge_that_was_not_made_yet_is_not_there(shell: Shell) -> None:
    result = shell.run("status", "nato-ukraine-2024", "--as-of", "2024-07-30", code=1)
    assert "there is no pledge 'nato-ukraine-2024' as of 2024-07-30" in result.stderr
    shell.run("history", "nato-ukraine-2024", "--as-of", "2024-07-30", code=1)
    shell.run("status", "nato-ukraine-2024", "--at-position", "1", code=1)


@pytest.mark.parametrize("axis", ["as_of", "known"])
def test_history_says_how_the_status_came_to_be(axis: str, shell: Shell) -> None:
    said = json.loads(shell.run("history", "nato-ukraine-2024", "--axis", axis, "--json").stdout)
    changes = [i["status_after"] for i in said["items"] if i["status_after"] != i["status_before"]]
    assert changes == ["announced", "in_progress", "exceeded"] or axis == "known"
    table = shell.run("history", "nato-ukraine-2024", "--axis", axis).stdout
    assert axis == "known" or re.search(r"In progress → Exceeded", table)
    assert "Claimed to be exceeded: over €50bn" in table


# --- exports


@pytest.mark.parametrize("form", ["json", "ndjson", "csv"])
def test_an_export_holds_every_pledge(form: str, shell: Shell) -> None:
    said = shell.run("export", "--format", form, "--as-of", "2025-12-31").stdout
    rows: list[Any]
    if form == "csv":
        rows = list(csv.DictReader(StringIO(said, newline="")))
        row = next(row for row in rows if row["pledge"] == "nato-ukraine-2024")
        assert (row["ratio"], row["ratio.op"], row["ratio.value"]) == ("over 125 %", "gt", "1.25")
        assert (row["actual"], row["actual.value"]) == ("over 50000000000 EUR", "50000000000")
    else:
        rows = json.loads(said)["items"] if form == "json" else [json.loads(line) for line in said.splitlines()]
    assert len(rows) == 12


@pytest.mark.parametrize("form", [offered.name for offered in STATUS_FORMATS])
def test_an_export_is_what_the_api_answers_in_every_format_of_statuses(form: str, shell: Shell) -> None:
    shell.run("export", "--format", form, "--output", "statuses")
    with running(shell.url) as api:
        answer = api.get("/v1/export", params={"format": form})
    assert (shell.directory / "statuses").read_bytes() == answer.content


@pytest.mark.parametrize("form", [offered.name for offered in EVENT_FORMATS])
def test_an_export_has_every_event_in_every_format_of_events(form: str, shell: Shell) -> None:
    exported = shell.run("export", "--events", "--format", form).stdout_bytes
    if form == "xlsx":
        with zipfile.ZipFile(BytesIO(exported)) as package:
            exported = package.read("xl/worksheets/sheet1.xml")
    with shell.log() as log:
        ids = [row.event_id for row in log.read()]
    places = [exported.index(event_id.encode()) for event_id in ids]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("options", "query"),
    [
        (["--status", "exceeded"], "status=exceeded"),
        (["--status", "exceeded", "--status", "overdue,met"], "status=exceeded,overdue,met"),
        (["--party", "NATO Allies", "--party", "ua"], "party=NATO+Allies&party=ua"),
        (["--due-before", "2026-01-01", "--q", "40bn"], "due_before=2026-01-01&q=40bn"),
    ],
)
def test_an_export_takes_the_filters_of_the_api(options: list[str], query: str, shell: Shell) -> None:
    said = shell.run("export", "--format", "csv", "--as-of", "2025-06-30", *options).stdout_bytes
    assert 1 < len(said.splitlines()) < 13
    with running(shell.url) as api:
        assert api.get(f"/v1/export?format=csv&{query}&as_of=2025-06-30").content == said


def test_a_filter_that_cannot_be_is_wrong_usage(shell: Shell) -> None:
    for options, said in (
        (["--status", "done"], "--status is one or more of"),
        (["--due-before", "soon"], "--due-before"),
        (["--q", "x" * 301], "--q is one line of at most 300 characters"),
        (["--events", "--tag", "x"], "filters are for statuses"),
    ):
        assert said in shell.run("export", *options, code=2).stderr


def test_a_format_whose_library_is_not_there_says_how_to_have_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "find_spec", lambda library: None)
    refused = shell.run("export", "--format", "parquet", code=1)
    assert "pip install 'commitments-tracker[parquet]'" in refused.stderr


def test_an_export_to_a_file_is_whole_or_not_there(shell: Shell) -> None:
    shell.run("export", "--output", "all.json")
    assert len(json.loads((shell.directory / "all.json").read_bytes())["items"]) == 12
    assert "cannot be written" in shell.run("export", "--output", "no/such/place", code=1).stderr
    assert list(shell.directory.glob("*.part")) == []


def test_the_license_of_the_data_stands_in_the_export(shell: Shell) -> None:
    assert json.loads(shell.run("export", TRACKER_DATA_LICENSE="CC0-1.0").stdout)["license"] == "CC0-1.0"
