"""The OpenAPI document says what the API does, and nothing it does not."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from jsonschema_rs import Draft202012Validator
from schemathesis import GenerationMode

from api.http.problems import STATUS, catalogue
from tests.support.api import ADMIN, SOURCE, Api, made, problem, progress, statement
from tests.support.links import links_of
from tracker.facts import FACT_TYPES

MEANT = {"known_at", "at_position", "cursor", "from", "to", "known_from", "known_to"}
"""Parameters whose value may be right in shape and still name nothing that can be answered."""


def document(api: Api) -> Any:
    return api.get("/schema/openapi.json").json()


def must_fit(doc: Any, path: str, method: str, status: int, media: str, body: Any) -> None:
    answer = doc["paths"][path][method]["responses"][str(status)]
    schema = answer["content"][media]["schema"]
    Draft202012Validator({**schema, "components": doc["components"]}).validate(body)


def test_it_is_openapi_3_1_and_every_reference_leads_somewhere(kept: Api) -> None:
    doc = document(kept)
    assert doc["openapi"].startswith("3.1")
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(doc)))
    assert names <= doc["components"]["schemas"].keys()
    ids = [operation["operationId"] for methods in doc["paths"].values() for operation in methods.values()]
    assert max(Counter(ids).values()) == 1
    for methods in doc["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert "security" in operation


def test_every_route_of_the_api_is_described_and_no_page(kept: Api) -> None:
    doc = document(kept)
    served = {
        (re.sub(r":\w+}", "}", route.path), method.lower())
        for route in kept.client.app.routes
        for method in getattr(route, "methods", ())
        if method not in ("OPTIONS", "HEAD")
        and re.match(r"/(v1|health|metrics|problems|ledger|schema/openapi.json)(/|$)", route.path)
    }
    described = {(path, method) for path, methods in doc["paths"].items() for method in methods}
    assert described == served


def test_operations_have_names_that_generated_clients_read_well_by(kept: Api) -> None:
    doc = document(kept)
    operations = [operation for methods in doc["paths"].values() for operation in methods.values()]
    chapters = [tag["name"] for tag in doc["tags"]]
    for operation in operations:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"]), operation["operationId"]
        assert [tag for tag in operation["tags"] if tag in chapters] == operation["tags"] != []
    assert {tag for operation in operations for tag in operation["tags"]} == set(chapters)
    for operation in operations:  # generators drop an operation with a constant in a header
        assert not [p["name"] for p in operation["parameters"] if "const" in p["schema"]]
        assert all(p["description"] for p in operation["parameters"])


def test_every_member_is_described_and_every_schema_has_an_example_that_fits(kept: Api) -> None:
    doc = document(kept)
    schemas = doc["components"]["schemas"]

    def members(schema: Any, of: str) -> Iterator[tuple[str, Any]]:
        if isinstance(schema, dict):
            yield from ((f"{of}.{name}", member) for name, member in schema.get("properties", {}).items())
            for key, part in schema.items():
                if key not in ("examples", "if", "then", "else"):
                    yield from members(part, of)
        elif isinstance(schema, list):
            for part in schema:
                yield from members(part, of)

    def must_have_a_fitting_example(place: str, schema: Any) -> None:
        if not {"$ref", "const", "enum"}.isdisjoint(schema):
            return
        assert schema["examples"], place
        fits = Draft202012Validator({**schema, "components": doc["components"]}, validate_formats=True)
        assert [example for example in schema["examples"] if not fits.is_valid(example)] == [], place

    for name, schema in schemas.items():
        must_have_a_fitting_example(name, schema)
        for place, member in members(schema, name):
            assert member.get("description"), place
            assert "default" not in member, place  # or generated types take it for a member that is always there
            must_have_a_fitting_example(place, member)
    for path, methods in doc["paths"].items():
        for method, operation in methods.items():
            for parameter in operation["parameters"]:
                own = parameter["schema"]
                must_have_a_fitting_example(f"{method} {path} {parameter['name']}", own.get("items", own))
            for place, member in members(operation["responses"], f"{method} {path}"):
                assert member.get("description"), place
                must_have_a_fitting_example(place, member)


def test_examples_read_as_what_they_are_of(kept: Api) -> None:
    """An example that only has the form of its member, such as a slug for a status, teaches nothing."""

    def examples(name: str, part: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(part, list):
            for one in part:
                yield from examples(name, one)
        elif isinstance(part, dict):
            name = part["name"] if "in" in part else name
            yield from ((name, example) for example in part.get("examples", ()))
            for own, member in part.get("properties", {}).items():
                yield from examples(own, member)
            for key, member in part.items():
                if key not in ("examples", "properties"):
                    yield from examples(name, member)

    found = list(examples("", document(kept)))
    slugs = {name for name, example in found if example in ("nato-ukraine-2024", ["nato-ukraine-2024"])}
    assert slugs <= {"pledge", "part_of", "by", "subject", "condition", "tags"}
    codes = {name for name, example in found if example == "40000000000"}
    assert codes <= {"value", "upper", "share"}


def test_an_upper_bound_goes_with_between_alone(kept: Api) -> None:
    doc = document(kept)
    fits = Draft202012Validator({"$ref": "#/components/schemas/Quantity", "components": doc["components"]})
    assert fits.is_valid({"op": "between", "value": "1", "upper": "2", "unit": "EUR"})
    assert fits.is_valid({"op": "eq", "value": "1", "upper": None, "unit": "EUR"})
    assert not fits.is_valid({"op": "eq", "value": "1", "upper": "2", "unit": "EUR"})
    assert not fits.is_valid({"op": "between", "value": "1", "unit": "EUR"})


def test_facts_are_closed_and_told_apart_by_their_type(kept: Api) -> None:
    schemas = document(kept)["components"]["schemas"]
    assert schemas["Fact"]["discriminator"]["propertyName"] == "type"
    assert set(schemas["Fact"]["discriminator"]["mapping"]) == set(FACT_TYPES)
    for name in (*FACT_TYPES, "Figure", "Quantity", "Source", "Party", "Window", "Group"):
        assert schemas[name]["additionalProperties"] is False, name
    for name in FACT_TYPES:
        own = schemas[name]["properties"]["type"]
        assert (own["const"], own["type"]) == (name, "string")
        assert "type" in schemas[name]["required"]


def test_answers_are_as_they_are_described(lite: Api) -> None:
    doc = document(lite)
    opened = lite.post(
        "/v1/pledges", {"pledge": "aid-2024", "fact": made(beneficiary={"name": "Ukraine", "code": "UA"})}
    )
    must_fit(doc, "/v1/pledges", "post", 201, "application/json", opened.json())
    added = lite.post("/v1/pledges/aid-2024/events", progress("over 50bn EUR"))
    must_fit(doc, "/v1/pledges/{pledge}/events", "post", 201, "application/json", added.json())
    event = added.json()["event"]["id"]
    more = [
        statement(trajectory="on_track", speaker={"name": "X"}),
        progress("55bn USD", stated_on="2024-07-11"),
        progress("60bn EUR", figure={"nature": "projection"}, stated_on="2024-07-12"),
        {"type": "ShareReported", "stated_on": "2024-07-12", "source": SOURCE, "subset": "E", "share": "more than half",
         "of": event},
        {"type": "AssessmentIssued", "stated_on": "2024-09-01", "rating": "A", "rubric": "R", "rubric_version": "1",
         "reasoning": "x"},
        {"type": "PledgeRevised", "stated_on": "2024-09-01", "source": SOURCE, "target": "at least 60bn EUR",
         "reason": "x"},
    ]  # fmt: skip
    batch = lite.post("/v1/events", [{"pledge": "aid-2024", "fact": fact} for fact in more])
    must_fit(doc, "/v1/events", "post", 201, "application/json", batch.json())
    group = {"rule": "each_member", "members": ["BE", "FR", "IS"], "opted_out": ["IS"]}
    lite.open("members", kind="ratio", target="at least 2 percent:gdp", group=group)
    tally = {"type": "TallyReported", "stated_on": "2024-03-01", "source": SOURCE, "met": "two-thirds of members"}
    lite.add(tally, "members")
    lite.open("steps", kind="milestone", target=None, window=None)
    lite.add({"type": "MilestoneScheduled", "stated_on": "2024-02-01", "source": SOURCE, "milestone": "M",
              "due": "2024-Q2"}, "steps")  # fmt: skip
    for name in ("aid-2024", "members", "steps"):
        for path in ("", "/events", "/history", "/timeline", "/figures", "/members"):
            found = lite.get(f"/v1/pledges/{name}{path}")
            must_fit(doc, f"/v1/pledges/{{pledge}}{path}", "get", 200, "application/json", found.json())
    for path in ("/v1/pledges", "/v1/events", "/v1/summary", "/v1/export", "/health/ready", "/problems"):
        must_fit(doc, path, "get", 200, "application/json", lite.get(path).json())
    grouped = lite.get("/v1/summary?by=tag&currency=USD").json()
    must_fit(doc, "/v1/summary", "get", 200, "application/json", grouped)
    must_fit(doc, "/v1/diff", "get", 200, "application/json", lite.get("/v1/diff?from=2024-01-01").json())
    dry = lite.post("/v1/pledges/aid-2024/events?dry_run=true", statement())
    must_fit(doc, "/v1/pledges/{pledge}/events", "post", 200, "application/json", dry.json())
    refused = lite.post("/v1/pledges/aid-2024/events", {})
    must_fit(doc, "/v1/pledges/{pledge}/events", "post", 422, "application/problem+json", refused.json())


def test_every_type_of_problem_is_explained_where_it_says(kept: Api) -> None:
    assert set(catalogue()) == set(STATUS)
    listed = kept.get("/problems").json()["items"]
    assert {item["code"] for item in listed} == set(STATUS)
    for item in listed:
        page = kept.get(item["type"])
        assert page.status_code == 200
        assert page.json() == item
        assert len(item["about"]) > 20
    problem(kept.get("/problems/nothing"), 404, "not_found")


def test_the_page_loads_nothing_from_elsewhere(kept: Api) -> None:
    page = kept.get("/schema")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script>" not in page.text
    assert " style=" not in page.text
    loaded = [link for link in links_of(page.text) if link != "#main"]
    assert "/schema/openapi.json" in loaded
    for path in loaded:
        assert path.startswith("/")
        assert kept.get(path).status_code == 200
    for name in ("schema.js", "schema.css"):
        assert "://" not in kept.get(f"/assets/{name}").text
    problem(kept.get("/assets/..%2Fapp.py"), 404, "not_found")
    problem(kept.get("/assets/app.py"), 404, "not_found")


# --- whatever satisfies the document


def operations(doc: Any) -> list[Any]:
    schema = schemathesis.openapi.from_dict(doc)
    return [result.ok() for result in schema.get_all_operations()]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_that_satisfies_the_document_is_never_400_for_its_shape(lite: Api, method: str) -> None:
    """Schemathesis makes requests from the document; the answers must be of the kinds and shapes it lists."""
    lite.open()
    lite.add(progress())
    doc = document(lite)
    chosen = [operation for operation in operations(doc) if operation.method.upper() == method]
    chosen = [operation for operation in chosen if operation.path != "/v1/events/stream"]  # it never ends
    assert len(chosen) >= 3
    answered = Counter(status for operation in chosen for status in check(lite, doc, operation))
    # Enough to see that they are taken; how many depends on the constants that Hypothesis finds in all loaded modules.
    assert answered[200 if method == "GET" else 201] >= 2, answered


def check(api: Api, doc: Any, operation: Any) -> list[int]:
    examples = 5 if operation.method.upper() == "GET" else 30
    found: list[int] = []

    @seed(20261121)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def run(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url="http://testserver.local")
        headers = {**sent.pop("headers", {}), "Authorization": f"Bearer {ADMIN}"}
        sent.pop("cookies", None)
        data = sent.pop("data", None)
        answer = api.client.request(**sent, content=data, headers=headers)
        found.append(answer.status_code)
        described = doc["paths"][operation.path][operation.method.lower()]["responses"]
        assert str(answer.status_code) in described, (sent, answer.text)
        assert answer.status_code < 500
        if answer.status_code == 400:
            named = {entry.get("parameter") for entry in answer.json()["errors"]}
            assert set() < named <= MEANT, (sent, data, answer.text)
            assert operation.method.upper() == "GET"
        media = answer.headers.get("content-type", "").partition(";")[0]
        if media.endswith(("/json", "+json")) and answer.content:
            must_fit(doc, operation.path, operation.method.lower(), answer.status_code, media, answer.json())

    run()
    return found
