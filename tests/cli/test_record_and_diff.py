"""`tracker record` and `tracker diff`: what a POST and `/v1/diff` do, on the terminal."""

from __future__ import annotations

import json

import pytest

from tests.support.api import made, progress, running
from tests.support.shell import Shell

SLUG = "nato-ukraine-2024"


def test_a_fact_is_recorded_and_its_receipt_printed(empty: Shell) -> None:
    fact = empty.write("made.json", json.dumps(made(pledgor={"name": "Germany", "code": "GER"})))
    dry = empty.run("record", "aid-2024", fact, "--dry-run")
    assert json.loads(dry.stdout)["statuses"][0]["status"] == "overdue"
    said = empty.run("record", "aid-2024", fact, "--by", "alice")
    receipt = json.loads(said.stdout)
    assert (receipt["position"], receipt["version"], receipt["replayed"]) == (1, 1, False)
    assert receipt["event"]["recorded_by"] == "alice"
    assert 'Look again: /pledgor/code: "GER" is no code of ISO 3166 alpha-2: is it DE?' in said.stderr


def test_one_key_records_once(empty: Shell) -> None:
    empty.run("record", "aid-2024", empty.write("made.json", json.dumps(made())))
    fact = empty.write("fact.json", json.dumps(progress()))
    first = json.loads(empty.run("record", "aid-2024", fact, "--key", "report-1").stdout)
    again = json.loads(empty.run("record", "aid-2024", fact, "--key", "report-1").stdout)
    assert again == first | {"replayed": True}
    other = empty.write("fact.json", json.dumps(progress("21bn EUR")))
    assert "(idempotency_mismatch)" in empty.run("record", "aid-2024", other, "--key", "report-1", code=1).stderr


def test_what_is_wrong_is_said_with_its_place(empty: Shell) -> None:
    bad = empty.write("bad.json", json.dumps(made(kind="gold", target=None)))
    said = empty.run("record", "aid-2024", bad, code=1).stderr
    assert "/kind: " in said
    assert "it is not recorded (invalid_fact)" in said
    assert "(malformed)" in empty.run("record", "aid-2024", empty.write("no.json", "{"), code=1).stderr
    assert (
        "(not_opened)" in empty.run("record", "none", empty.write("fact.json", json.dumps(progress())), code=1).stderr
    )
    long = empty.write("long.json", " " * 100_000)
    assert "at most 49152 bytes" in empty.run("record", "aid-2024", long, code=1).stderr
    empty.run("record", "No Slug", bad, code=2)
    assert empty.head() == 0


def test_a_diff_is_what_the_api_answers(shell: Shell) -> None:
    asked = ["2024-09-01", "2025-02-12"]
    found = json.loads(shell.run("diff", *asked, "--json").stdout)
    with running(shell.url) as api:
        assert found == api.get("/v1/diff?from=2024-09-01&to=2025-02-12").json()
    said = shell.run("diff", *asked, SLUG)
    assert [line.split()[0] for line in said.stdout.splitlines()] == ["pledge", SLUG]
    assert "Announced → Exceeded  — → over €50bn" in said.stdout
    assert "1 pledge changed: 1 said" in said.stderr


def test_two_instants_compare_what_was_recorded(shell: Shell) -> None:
    instants = ["2020-01-01T00:00:00Z", json.loads(shell.run("export", "--events").stdout)["items"][-1]["recorded_at"]]
    found = json.loads(shell.run("diff", *instants, "--json").stdout)["items"]
    assert len(found) == 12
    assert {item["status_before"] for item in found} == {None}
    narrowed = json.loads(shell.run("diff", *instants, "--json", "--pledge", SLUG).stdout)["items"]
    assert [item["pledge"] for item in narrowed] == [SLUG]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["2025-02-12", "2024-09-01"], "TO is not before FROM"),
        (["2025-02-30", "2025-03-01"], "FROM"),
        (["2024-09-01", "2025-02-12", "--as-of", "2025-01-01"], "--as-of is the other clock"),
        (["2024-09-01", "2025-02-12", "No Slug"], "is no pledge"),
        (["2024-09-01", "2025-02-12", "--status", "fine"], "--status"),
    ],
)
def test_what_cannot_be_compared_is_wrong_usage(shell: Shell, given: list[str], said: str) -> None:
    assert said in shell.run("diff", *given, code=2).stderr
