"""Sums over pledges in one currency: exact, at the rates as published, and what has no rate is named."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from tests.support.api import Api, made, progress

ENDED = {"start": "2023-01-01", "end": "2023-06-30"}
"""The euro stood at 1.0866 dollars and 0.85828 pounds that day."""


def pledge(name: str, target: str, actual: str | None = None, **fields: Any) -> list[dict[str, Any]]:
    fields = {"stated_on": "2023-01-10", "window": {"end": "2023-12-31"}, "title": name, **fields}
    items = [{"pledge": name, "fact": made(target=target, **fields)}]
    if actual is not None:
        items.append({"pledge": name, "fact": progress(actual, stated_on="2023-07-10", figure={"period": ENDED})})
    return items


def summary(api: Api, *pledges: list[dict[str, Any]], query: str = "currency=EUR&as_of=2023-08-01") -> Any:
    assert api.post("/v1/events", [item for items in pledges for item in items]).status_code == 201
    answer = api.get(f"/v1/summary?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def cents(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.01'), rounding=ROUND_HALF_EVEN):f}"


def test_dollars_are_divided_by_the_rate_of_the_periods_end(api: Api) -> None:
    converted = summary(api, pledge("a", "100 USD", "50 USD"))["converted"]
    assert converted["unit"] == "EUR"
    assert converted["target"] == {"op": "eq", "value": "92.03", "unit": "EUR"}  # 100 / 1.0866 = 92.0301…
    assert converted["actual"] == {"op": "eq", "value": "46.02", "unit": "EUR"}  # 46.0150…
    assert converted["rates"] == [
        {"from": "USD", "to": "EUR", "rate": "1.0866", "date": "2023-06-30", "provider": "ECB"}
    ]
    assert converted["unconverted"] == []


def test_the_sum_is_rounded_and_not_what_is_summed(api: Api) -> None:
    """Three times 46.0150… is 138.0452…; three times 46.02 would be 138.06."""
    converted = summary(api, *(pledge(name, "100 USD", "50 USD") for name in "abc"))["converted"]
    assert converted["actual"]["value"] == "138.05" == cents(Decimal(150) / Decimal("1.0866"))
    assert len(converted["rates"]) == 1


def test_a_half_cent_goes_to_the_even_one(lite: Api) -> None:
    assert summary(lite, pledge("a", "0.125 EUR"))["converted"]["target"]["value"] == "0.12"
    assert summary(lite, pledge("b", "0.25 EUR"))["converted"]["target"]["value"] == "0.38"  # 0.375


def test_between_two_currencies_both_rates_are_told(lite: Api) -> None:
    converted = summary(lite, pledge("a", "100 GBP", "50 GBP"), query="currency=USD&as_of=2023-08-01")["converted"]
    assert Decimal(converted["actual"]["value"]) == Decimal("63.30")  # 50 / 0.85828 * 1.0866 = 63.3010…
    assert converted["rates"] == [
        {"from": "GBP", "to": "USD", "rate": "0.85828", "to_rate": "1.0866", "date": "2023-06-30", "provider": "ECB"}
    ]


def test_what_has_no_rate_is_named_and_not_counted(api: Api) -> None:
    converted = summary(api, pledge("a", "100 USD", "50 USD"), pledge("b", "100 UAH", "70 UAH"))["converted"]
    assert converted["unconverted"] == ["b"]
    assert converted["target"]["value"] == "92.03"
    assert all(rate["from"] == "USD" for rate in converted["rates"])


def test_bounds_stay_bounds(lite: Api) -> None:
    pledges = (pledge("a", "at least 100 USD", "over 50 USD"), pledge("b", "100 EUR", "50 EUR"))
    converted = summary(lite, *pledges)["converted"]
    assert converted["target"] == {"op": "ge", "value": "192.03", "unit": "EUR"}
    assert converted["actual"] == {"op": "gt", "value": "96.02", "unit": "EUR"}


def test_what_is_no_money_is_left_alone(lite: Api) -> None:
    other = pledge("shells", "1000000 count:shells", kind="count")
    found = summary(lite, pledge("a", "100 EUR"), other)
    assert found["converted"]["target"]["value"] == "100"
    assert found["converted"]["unconverted"] == []
    assert {total["unit"] for total in found["totals"]} == {"EUR", "count:shells"}


def test_groups_have_their_own_sums(api: Api) -> None:
    by_whom = [("a", "BE", "100 USD", "50 USD"), ("b", "BE", "10 EUR", None), ("c", "NL", "100 UAH", None)]
    pledges = [pledge(n, t, a, pledgor={"name": f"Land {c}", "code": c}) for n, c, t, a in by_whom]
    found = summary(api, *pledges, query="currency=EUR&by=pledgor&as_of=2023-08-01")
    groups = {group["key"]: group for group in found["groups"]}
    assert set(groups) == {"BE", "NL"}
    assert groups["BE"]["converted"]["target"]["value"] == "102.03"
    assert groups["BE"]["by_status"] == {"announced": 1, "in_progress": 1}
    assert groups["NL"]["converted"] == {
        "unit": "EUR", "target": None, "actual": None, "rates": [], "unconverted": ["c"],
    }  # fmt: skip
    assert found["converted"]["target"]["value"] == "102.03"
    assert found["converted"]["unconverted"] == ["c"]
    filtered = api.get("/v1/summary?currency=EUR&pledgor=nl&as_of=2023-08-01").json()
    assert filtered["converted"] == groups["NL"]["converted"]


def test_a_part_is_not_counted_beside_its_whole(lite: Api) -> None:
    found = summary(lite, pledge("whole", "100 EUR"), pledge("part", "40 EUR", part_of="whole"))
    assert found["converted"]["target"]["value"] == "100"
    only = lite.get("/v1/summary?currency=EUR&q=part&as_of=2023-08-01").json()
    assert only["converted"]["target"]["value"] == "40"


def total(found: Any, unit: str) -> Any:
    return next(one for one in found["totals"] if one["unit"] == unit)


def test_only_pledges_with_both_are_set_side_by_side(api: Api) -> None:
    pledges = (pledge("a", "100 EUR", "50 EUR"), pledge("b", "at least 30 EUR"), pledge("c", "10 EUR", "5 USD"))
    found = total(summary(api, *pledges), "EUR")
    assert (found["pledges"], found["reported"], found["unconverted"]) == (3, 2, 0)
    assert found["target"] == {"op": "ge", "value": "140", "unit": "EUR"}
    assert found["actual"] == {"op": "eq", "value": "54.6", "unit": "EUR"}  # 5 / 1.0866 = 4.6015…
    assert found["compared"] == {
        "pledges": 2, "target": {"op": "eq", "value": "110", "unit": "EUR"}, "actual": found["actual"],
    }  # fmt: skip
    grouped = api.get("/v1/summary?as_of=2023-08-01&by=kind").json()["groups"]
    assert [(group["key"], total(group, "EUR")["compared"]["pledges"]) for group in grouped] == [("money", 2)]


def test_an_actual_without_a_rate_is_counted_and_in_no_sum(lite: Api) -> None:
    found = total(summary(lite, pledge("a", "100 USD", "50 UAH"), pledge("b", "10 USD", "1 USD")), "USD")
    assert (found["pledges"], found["reported"], found["unconverted"], found["compared"]["pledges"]) == (2, 1, 1, 1)
    assert (found["target"]["value"], found["actual"]["value"]) == ("110", "1")
    assert found["compared"]["target"]["value"] == "10"


def test_percentages_and_levels_are_counted_and_never_added(lite: Api) -> None:
    share = pledge("share", "at least 2 percent:gdp", "2.1 percent:gdp", kind="ratio")
    level = pledge("troops", "100 count:troops", kind="count")
    level.append({"pledge": "troops", "fact": progress("90 count:troops", stated_on="2023-07-10",
                                                       figure={"basis": "level", "period": ENDED})})  # fmt: skip
    running = pledge("more", "50 count:troops", "20 count:troops", kind="count")
    found = summary(lite, share, level, running)
    percent, troops = total(found, "percent:gdp"), total(found, "count:troops")
    assert (percent["pledges"], percent["reported"], percent["target"], percent["actual"]) == (1, 1, None, None)
    assert percent["compared"] == {"pledges": 1, "target": None, "actual": None}
    assert (troops["pledges"], troops["reported"], troops["compared"]["pledges"]) == (2, 2, 2)
    assert (troops["target"]["value"], troops["actual"]["value"]) == ("50", "20")


def by_pledgor(api: Api, *joint: dict[str, Any]) -> dict[str, Any]:
    said = pledge("a", "100 EUR", "50 EUR", pledgor={"name": "Denmark", "code": "DK"}, joint=list(joint))
    groups = summary(api, said, query="by=pledgor&as_of=2023-08-01")["groups"]
    return {group["key"]: {n: group["totals"][0][n]["value"] for n in ("target", "actual")} for group in groups}


def test_what_several_promised_is_apportioned_where_all_shares_are_known(lite: Api) -> None:
    party = {"name": "Norway", "code": "NO"}
    agency = {"party": {"name": "An agency"}, "share": "12.5"}
    assert by_pledgor(lite, {"party": party, "share": "25"}, agency) == {
        "DK": {"target": "62.5", "actual": "31.25"},
        "NO": {"target": "25", "actual": "12.5"},
        "An agency": {"target": "12.5", "actual": "6.25"},
    }


def test_what_several_promised_is_one_group_where_a_share_is_not_known(lite: Api) -> None:
    norway, agency = {"name": "Norway", "code": "NO"}, {"name": "An agency"}
    assert by_pledgor(lite, {"party": norway, "share": "25"}, {"party": agency}) == {
        "DK+NO+An agency": {"target": "100", "actual": "50"}
    }
