"""The bar of a pledge: a bound is drawn as a bound."""

from decimal import Decimal
from typing import Any

import pytest

from api.pages.bars import bar_of


def status(op: str, value: str, **more: str) -> dict[str, Any]:
    return {"status": "in_progress", "target": {"op": "ge", "value": "40", "unit": "EUR"},
            "actual": {"op": "eq", "value": "20", "unit": "EUR"},
            "ratio": {"op": op, "value": value, **more}}  # fmt: skip


@pytest.mark.parametrize(
    ("op", "value", "kinds"),
    [
        ("eq", "0.5", ["solid"]),
        ("gt", "0.5", ["solid", "fade"]),
        ("ge", "0", ["fade"]),
        ("le", "0.5", ["possible"]),
        ("approx", "0.5", ["solid", "possible"]),
        ("nearly", "1", ["solid", "possible"]),
        ("eq", "-0.1", []),
    ],
)
def test_a_bar_draws_a_bound_as_a_bound(op: str, value: str, kinds: list[str]) -> None:
    drawn = bar_of(status(op, value))
    assert drawn is not None
    assert [segment.kind for segment in drawn.segments] == kinds
    for segment in drawn.segments:
        assert Decimal(segment.x[:-1]) + Decimal(segment.width[:-1]) <= 100


def test_what_goes_on_after_the_bar_is_told() -> None:
    drawn = bar_of(status("eq", "3"))
    assert drawn is not None
    assert drawn.beyond
    assert bar_of(status("eq", "1.2")) is not None


@pytest.mark.parametrize(
    ("target", "width"),
    [
        ({"op": "ge", "value": "40"}, None),
        ({"op": "approx", "value": "40"}, "3.33%"),
        ({"op": "between", "value": "40", "upper": "50"}, "16.65%"),
        ({"op": "between", "value": "40", "upper": "400"}, "33.40%"),
    ],
)
def test_a_target_with_two_ends_is_as_wide_as_its_possible_values(target: dict[str, str], width: str | None) -> None:
    drawn = bar_of({"status": "announced", "target": {**target, "unit": "EUR"}, "actual": None, "ratio": None})
    assert drawn is not None
    assert drawn.target_width == width


@pytest.mark.parametrize(
    ("target", "actual"),
    [
        ({"op": "eq", "value": "0", "unit": "count:cases"}, {"op": "eq", "value": "5", "unit": "count:cases"}),
        ({"op": "between", "value": "0", "upper": "50", "unit": "EUR"}, None),
        ({"op": "ge", "value": "40", "unit": "EUR"}, {"op": "eq", "value": "5", "unit": "PLN"}),
    ],
)
def test_what_has_no_share_of_its_target_has_no_bar(target: dict[str, str], actual: dict[str, str] | None) -> None:
    assert bar_of({"status": "missed", "target": target, "actual": actual, "ratio": None}) is None
