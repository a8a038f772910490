"""Columns: every place in a fact has one, a fact becomes a row, and the row the same fact."""

from typing import Any

import pytest

from api.formats.fact_columns import CELL_SHAPES, KNOWN_COLUMNS, SHORT_NAMES, flatten, path_of, unflatten
from tests.support.paths import ROOT
from tracker.event import fact_json
from tracker.fact_reading import read_fact
from tracker.facts import FACT_TYPES

DOCS = ROOT / "docs"
MADE = {
    "type": "PledgeMade",
    "stated_on": "2024-07-10",
    "source": {"publisher": "Gazette", "tier": "media"},
    "title": "Forty billion",
    "pledgor": {"name": "Allies"},
    "kind": "money",
}


def test_every_place_in_every_fact_has_a_column() -> None:
    def places(schema: dict[str, Any], definitions: dict[str, Any], prefix: str = "") -> set[str]:
        found = set()
        for name, part in schema["properties"].items():
            arms = [part, *part.get("anyOf", ())]
            below = [definitions[arm["$ref"].rpartition("/")[2]] for arm in arms if "$ref" in arm]
            below = [b for b in below if "properties" in b and "op" not in b["properties"]]
            found |= places(below[0], definitions, f"{prefix}{name}.") if below else {f"{prefix}{name}"}
        return found

    for fact in FACT_TYPES.values():
        schema = fact.model_json_schema()
        assert places(schema, schema.get("$defs", {})) <= set(CELL_SHAPES), fact


def test_short_names_stand_for_places_that_exist() -> None:
    assert set(SHORT_NAMES.values()) <= set(CELL_SHAPES)
    assert path_of("nature", "ProgressReported") == "figure.nature"
    assert path_of("nature", "TallyReported") == "nature"
    assert path_of("figure.nature", "TallyReported") == "figure.nature"


FACTS: list[dict[str, Any]] = [
    MADE | {"target": "at least €40bn", "tags": ["nato", "aid"], "window": {"end": "2024-12-31"}, "measurable": True},
    MADE | {"tags": [], "group": {"rule": "count_at_least", "count": 2, "members": ["BE", "IS"],
            "not_applicable": [{"member": "IS", "reason": "no; army"}], "opted_out": []}},
    MADE | {"type": "TallyReported", "met": 22, "not_met": "about two-thirds of members", "members_not_met": []},
    MADE | {"type": "ProgressReported", "figure": {"quantity": {"op": "between", "value": "1.5", "upper": "2",
            "unit": "USD"}, "basis": "cumulative", "final": False, "period": {"end": "2024-06-30"}}},
    MADE | {"type": "EventCorrected", "event": "01930000-0000-7000-8000-000000000001", "reason": "typo",
            "changes": {"figure": {"quantity": {"value": "20.9"}}, "summary": None}},
    MADE | {"type": "MilestoneReached", "milestone": "=HYPERLINK(1)", "due": "2025-Q1", "partly": True},
    MADE | {"type": "SourceCaptured", "event": "01930000-0000-7000-8000-000000000001", "sha256": "0" * 64, "bytes": 7},
]  # fmt: skip


@pytest.mark.parametrize("raw", FACTS, ids=lambda raw: raw["type"])
def test_a_fact_becomes_a_row_and_the_row_the_same_fact(raw: dict[str, Any]) -> None:
    own = FACT_TYPES[raw["type"]].model_fields
    fact = fact_json(read_fact({name: value for name, value in raw.items() if name in own}))
    assert unflatten(flatten(fact)) == (fact, [])


def test_words_beside_parts_must_say_the_same() -> None:
    parts = {"figure.quantity.op": "gt", "figure.quantity.value": "50", "figure.quantity.unit": "EUR"}
    assert unflatten({"figure.quantity": "over 50 EUR", **parts})[1] == []
    assert unflatten({"figure.quantity": "over 60 EUR", **parts})[1] == [
        ("figure.quantity", 'the words say "over 60 EUR", the parts beside them "over 50 EUR"; empty one of the two')
    ]


def test_every_column_is_in_the_docs() -> None:
    page = (DOCS / "import.md").read_text(encoding="utf-8")
    assert [
        name for name in sorted(KNOWN_COLUMNS) if f"`{name}`" not in page and name.rpartition(".")[0] not in CELL_SHAPES
    ] == []
