"""A sheet that is released again and again: what changed is restated or corrected, once it is asked for."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.imports.sheet_map import BadMap, parse_map
from tests.support.shell import Shell, with_tables

MAP = """
[follow]
name = "aid-sheet"
[fields]
publisher = "Institute"
tier = "other"
url = "https://example.org/aid.csv"
[[fact]]
when = { Kind = "made" }
type = "PledgeMade"
pledge = "{Donor|slug}"
ref = "{ID}"
fields = { stated_on = "{Date}", title = "{Donor}", pledgor = "{Donor}", kind = "money", target = "{Amount} EUR" }
[[fact]]
when = { Kind = "paid" }
type = "ProgressReported"
pledge = "{Donor|slug}"
ref = "{ID}"
fields = { stated_on = "{Date}", quantity = "{Amount} EUR", basis = "increment", stage = "disbursed", \
period_start = "{Month}", period_end = "{Month}" }
"""
HEADER = "ID,Donor,Kind,Date,Month,Amount"
MADE = "1,Fenwick,made,2024-01-01,,100"
JANUARY, JANUARY_MORE = "2,Fenwick,paid,2024-02-01,2024-01,10", "2,Fenwick,paid,2024-02-01,2024-01,12"
FEBRUARY, MARCH = "3,Fenwick,paid,2024-03-01,2024-02,20", "4,Fenwick,paid,2024-04-01,2024-03,30"


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    """A database with its tables, and the map."""
    shell = with_tables(database_url, tmp_path)
    shell.write("m.toml", MAP)
    return shell


def release(shell: Shell, *rows: str, code: int = 0, day: str = "2024-05-01", options: str = "--restate") -> Any:
    path = shell.write("f.csv", "".join(f"{row}\r\n" for row in (HEADER, *rows)))
    return shell.run("import", path, "--map", "m.toml", "--released-on", day, *options.split(), code=code)


def recorded(shell: Shell) -> list[tuple[str, dict[str, Any]]]:
    with shell.log() as log:
        return [(row.type, json.loads(row.state)["fact"]) for row in log.read()]


def actual(shell: Shell, **clocks: str) -> str:
    options = [part for name, value in clocks.items() for part in (f"--{name.replace('_', '-')}", value)]
    found = json.loads(shell.run("replay", *options).stdout.splitlines()[0])
    return str(found["actual"]["value"])


def test_two_releases_and_one_that_takes_a_change_back_end_in_the_right_history(shell: Shell) -> None:
    release(shell, MADE, JANUARY, FEBRUARY)
    release(shell, MADE, JANUARY_MORE, FEBRUARY, MARCH, day="2024-06-01")
    release(shell, MADE, JANUARY, FEBRUARY, MARCH, day="2024-07-01")
    release(shell, MADE, JANUARY_MORE, FEBRUARY, MARCH, day="2024-08-01")
    types = [type_ for type_, _ in recorded(shell)]
    assert types == [
        "PledgeMade", "ProgressReported", "ProgressReported", "ProgressReported", "FigureRestated", "FigureRestated",
        "FigureRestated",
    ]  # fmt: skip
    said = {day: actual(shell, as_of=day) for day in ("2024-05-31", "2024-06-01", "2024-07-01", "2024-08-01")}
    assert said == {"2024-05-31": "60", "2024-06-01": "62", "2024-07-01": "60", "2024-08-01": "62"}
    known = [actual(shell, as_of="2024-12-31", at_position=str(position)) for position in (3, 4, 5, 6, 7)]
    assert known == ["30", "60", "62", "60", "62"]
    release(shell, MADE, JANUARY_MORE, FEBRUARY, MARCH, day="2024-09-01")
    assert shell.head() == 7


def test_a_key_that_a_later_release_has_twice_is_a_problem(shell: Shell) -> None:
    release(shell, MADE, JANUARY)
    told = release(shell, MADE, JANUARY, JANUARY_MORE, day="2024-06-01", code=1).stderr
    assert 'line 4: ref: "2" is given already, at line 3' in told
    assert "--skip-recorded" not in told
    assert shell.head() == 2


def test_a_release_without_any_row_lists_all_as_vanished(shell: Shell) -> None:
    release(shell, MADE, JANUARY)
    assert release(shell, day="2024-06-01").stdout.count("vanished") == 2


def test_the_key_of_a_row_stands_in_its_source(shell: Shell) -> None:
    release(shell, MADE)
    assert recorded(shell)[0][1]["source"]["locator"] == "aid-sheet 1"


def test_nothing_is_restated_unless_it_is_asked_for_but_new_rows_are_recorded(shell: Shell) -> None:
    release(shell, MADE, JANUARY, FEBRUARY)
    result = release(shell, MADE, JANUARY_MORE, MARCH, options="--skip-recorded")
    assert [type_ for type_, _ in recorded(shell)][3:] == ["ProgressReported"]
    assert result.stderr.splitlines()[:2] == [
        "The release against the ones before: 1 new, 1 changed, 0 to be changed by hand, 1 vanished, 1 as before.",
        "Changed rows are not recorded: --restate records them.",
    ]
    assert [line.split()[0:6] for line in result.stdout.splitlines()[1:]] == [
        ["line", "3", "2", "fenwick", "restated", "figure.quantity:"],
        ["—", "3", "fenwick", "vanished", "ProgressReported", "20"],
    ]


def test_a_dry_run_shows_the_difference_as_a_table_and_records_nothing(shell: Shell) -> None:
    release(shell, MADE, JANUARY)
    result = release(shell, MADE, JANUARY_MORE, MARCH, options="--restate --dry-run")
    assert "figure.quantity: 10 EUR → 12 EUR" in result.stdout
    assert [line.split()[4] for line in result.stdout.splitlines()[1:]] == ["restated", "new"]
    assert "2 facts can be recorded" in result.stderr
    assert shell.head() == 2


def test_a_changed_cell_of_our_own_sheet_corrects_our_record(shell: Shell) -> None:
    shell.write("m.toml", MAP.replace('name = "aid-sheet"', 'name = "aid-sheet"\nours = true'))
    release(shell, MADE, JANUARY)
    release(shell, MADE.replace("100", "110").replace("Fenwick", "Fenwick", 1), JANUARY_MORE, day="2024-06-01")
    corrections = [fact for type_, fact in recorded(shell) if type_ == "EventCorrected"]
    assert [set(fact["changes"]) for fact in corrections] == [{"target"}, {"figure"}]
    assert actual(shell, as_of="2024-02-01") == "12"
    assert actual(shell, as_of="2024-02-01", at_position="2") == "10"
    release(shell, MADE, JANUARY, day="2024-07-01")
    assert (actual(shell, as_of="2024-02-01"), shell.head()) == ("10", 6)


def test_our_correction_of_a_restated_figure_mends_the_restatement(shell: Shell) -> None:
    release(shell, MADE, JANUARY)
    release(shell, MADE, JANUARY_MORE, day="2024-06-01")
    shell.write("m.toml", MAP.replace('name = "aid-sheet"', 'name = "aid-sheet"\nours = true'))
    release(shell, MADE, JANUARY_MORE.replace(",12", ",13"), day="2024-07-01")
    assert [actual(shell, as_of=day) for day in ("2024-05-31", "2024-06-01")] == ["10", "13"]


def test_what_no_fact_can_say_is_listed_to_be_changed_by_hand(shell: Shell) -> None:
    release(shell, MADE, JANUARY)
    result = release(shell, MADE.replace("100", "110"), JANUARY.replace("paid", "made").replace(",10", ",10"), code=0)
    lines = result.stdout.splitlines()[1:]
    assert ["by hand" in line for line in lines] == [True, True]
    assert "target: 100 EUR → 110 EUR" in lines[0]
    assert "it is recorded as ProgressReported" in lines[1]
    assert shell.head() == 2


def test_a_row_that_a_reviewer_voided_is_not_brought_again(shell: Shell) -> None:
    release(shell, MADE, JANUARY)
    with shell.log() as log:
        event = log.read()[1].event_id
    void = {"type": "EventVoided", "stated_on": "2024-05-02", "event": event, "reason": "A test"}
    shell.run("import", shell.write("v.ndjson", json.dumps({"pledge": "fenwick", "fact": void}) + "\n"))
    release(shell, MADE, JANUARY)
    assert shell.head() == 3


def test_a_release_before_the_last_statement_changes_nothing_by_itself(shell: Shell) -> None:
    release(shell, MADE, JANUARY)
    release(shell, MADE, JANUARY_MORE, day="2024-06-01")
    result = release(shell, MADE, JANUARY, day="2024-05-15")
    assert "it was last said on 2024-06-01, after this release" in result.stdout
    assert shell.head() == 3


def test_a_row_may_name_one_that_an_earlier_release_recorded(shell: Shell) -> None:
    shell.write("m.toml", MAP + """
[[fact]]
when = { Kind = "share" }
type = "ShareReported"
pledge = "{Donor|slug}"
ref = "{ID}"
fields = { stated_on = "{Date}", share = "half", subset = "Allies", of = "2" }
""".replace("half", "50 percent:aid"))  # fmt: skip
    release(shell, MADE, JANUARY)
    release(shell, MADE, JANUARY, "9,Fenwick,share,2024-05-01,,")
    assert [type_ for type_, _ in recorded(shell)] == ["PledgeMade", "ProgressReported", "ShareReported"]


def test_a_members_later_result_replaces_the_earlier_one(shell: Shell) -> None:
    shell.write("m.toml", """
[follow]
name = "members"
[fields]
publisher = "Alliance"
tier = "official"
[[fact]]
when = "Title"
type = "PledgeMade"
pledge = "two-percent"
ref = "{Title}"
[fact.fields]
stated_on = "2014-09-05"
title = "{Title}"
pledgor = "Alliance"
kind = "ratio"
target = "at least 2 percent:gdp"
rule = "each_member"
members = "BE; PL"
[[fact]]
when = "Code"
type = "MemberReported"
pledge = "two-percent"
ref = "{Code}"
fields = { stated_on = "2024-06-17", member = "{Code}", quantity = "{Share} percent:gdp", basis = "level" }
verdict_against = "at least 2 percent:gdp"
""")  # fmt: skip

    def members(*rows: str, day: str = "2024-07-01") -> None:
        path = shell.write("f.csv", "\r\n".join(("Title,Code,Share", "Two,,", *rows)))
        shell.run("import", path, "--map", "m.toml", "--restate", "--released-on", day)

    members(",BE,1.3", ",PL,4.1")
    members(",BE,2.0", ",PL,4.2", day="2025-07-01")
    assert [(type_, fact.get("member"), fact.get("verdict")) for type_, fact in recorded(shell)][3:] == [
        ("MemberReported", "BE", "met"), ("FigureRestated", None, None),
    ]  # fmt: skip
    members(",BE,2.0", ",PL,4.2", day="2025-07-02")
    assert shell.head() == 5


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("ref = 'x'\nfields = { publisher = 'P', locator = 'x' }", "the locator of a source is the key of its row"),
        ("fields = { publisher = 'P' }", "a StatementMade needs a ref"),
        ("ref = 'x'", "a StatementMade needs a publisher"),
    ],
)
def test_a_map_that_follows_a_sheet_must_give_its_rows_keys(toml: str, says: str) -> None:
    with pytest.raises(BadMap, match=says):
        parse_map(f'[follow]\nname = "s"\n[[fact]]\ntype = "StatementMade"\npledge = "p"\n{toml}')
