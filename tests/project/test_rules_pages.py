"""The pages about the rules say what the code does."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType
from typing import get_args

import pytest

import tracker.errors
from tests.support.paths import ROOT
from tracker.errors import Refusal
from tracker.rules.flags import FLAGS
from tracker.rules.outcome import Headline, ScheduleState
from tracker.rules.status_document import RULES

DOCS = ROOT / "docs"
RULES_PAGE = (DOCS / "rules.md").read_text("utf-8")


def script(name: str) -> ModuleType:
    """A script of the docs that writes from the tests."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """The script that writes the page of hard cases."""
    return script("hard_cases")


def test_the_page_of_hard_cases_is_that_of_the_tests(writer: ModuleType) -> None:
    assert writer.PAGE.read_text("utf-8") == writer.page(), "run docs/hard_cases.py"


def test_the_examples_of_the_rules_are_those_of_the_tests() -> None:
    examples = script("rules_examples")
    assert examples.FILE.read_text("utf-8") == examples.written(), "run docs/rules_examples.py"
    written = examples.examples()
    assert [flag["name"] for flag in written["flags"] if flag["example"]] == list(FLAGS)
    found = {name: one for row in written["statuses"] for name, one in row["examples"].items()}
    assert {name: one["status"]["status"] for name, one in found.items()} == {name: name for name in get_args(Headline)}
    assert written["versions"][0]["version"] == RULES


def test_all_hard_cases_are_there() -> None:
    page = (DOCS / "hard-cases.md").read_text("utf-8")
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.M)] == list(range(1, 68))


def test_the_newest_version_of_the_rules_is_the_codes() -> None:
    versions = re.findall(r"^- \*\*(\d+)\*\* \(\d{4}-\d{2}-\d{2}\)", RULES_PAGE, re.M)
    assert versions == [str(number) for number in range(int(RULES), 0, -1)]


def test_every_flag_status_and_schedule_is_explained() -> None:
    flags, headlines = RULES_PAGE.split("| flag | when |")[1], RULES_PAGE.split("| status | when |")[1].split("\n\n")[0]
    assert tuple(re.findall(r"^\| `(\w+)`", flags, re.M)) == FLAGS
    first_cells = [line.split("|")[1] for line in headlines.splitlines() if line.startswith("| `")]
    assert tuple(re.findall(r"`(\w+)`", " ".join(first_cells))) == get_args(Headline)
    assert all(f"`{state}`" in RULES_PAGE for state in get_args(ScheduleState))


def test_every_refusal_of_a_fact_is_explained() -> None:
    asked_of_requests = {"version_conflict", "idempotency_mismatch", "batch_refused"}
    codes = {cls.code for cls in vars(tracker.errors).values() if isinstance(cls, type) and issubclass(cls, Refusal)}
    table = RULES_PAGE.split("| refused | code |")[1].split("\n\n")[0]
    assert set(re.findall(r"\| `(\w+)` \|$", table, re.M)) == codes - asked_of_requests - {"error"}


@pytest.mark.parametrize("page", ["rules.md", "hard-cases.md", "decisions.md"])
def test_links_of_the_pages_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", (DOCS / page).read_text("utf-8")):
        assert (DOCS / link).exists(), link


def test_the_modules_named_exist() -> None:
    for module in re.findall(r"`(\w+\.py)`", RULES_PAGE):
        assert (DOCS.parent / "tracker" / module).exists(), module
