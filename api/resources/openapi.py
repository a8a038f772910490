"""The OpenAPI document, made from the routes' contracts and from the facts' models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from litestar import Litestar
from pydantic_core import to_json

from api.http.contract import NDJSON, Contract, Parameter, Reply, Schema, ref
from api.http.drafts import MAX_REF_CHARACTERS
from api.http.parameters import MAX_REPEATED
from api.http.problems import PROBLEM, STATUS, catalogue
from api.resources.answer_schemas import SCHEMAS
from api.resources.contracts import PARTY_KEY
from api.resources.field_meanings import FIELD_MEANS
from api.resources.operations import CHAPTERS, chapter_of, name_of
from api.resources.proposal_contracts import PROPOSAL_ID, PROPOSAL_SCHEMAS
from api.resources.schema_examples import example_of
from api.wording import STATUS_MEANS
from tracker.facts import FACT_ADAPTER
from tracker.units import SLUG

_SLUG = {"type": "string", "pattern": f"^{SLUG}$", "examples": ["nato-ukraine-2024"]}
_PATH_PARAMETERS: dict[str, tuple[str, Schema]] = {
    "pledge": ("The slug of the pledge.", _SLUG),
    "code": ("The code of a problem.", {"type": "string", "enum": sorted(STATUS)}),
    "key": (
        "The key of a party, in any case: its code, else the slug of its name.",
        {"type": "string", "pattern": f"^{PARTY_KEY}$", "examples": ["UA", "nato-allies"]},
    ),
    "sha256": (
        "The hash of the bytes.",
        {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "examples": ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
        },
    ),
    "proposal": ("The id of the proposal.", PROPOSAL_ID),
    "place": (
        "The path of a tile or a bundle below `tile/`; its slashes are not encoded.",
        {
            "type": "string",
            "pattern": r"^([0-9]|[1-5][0-9]|6[0-3]|entries)(/x[0-9]{3})*/[0-9]{3}(\.p/[1-9][0-9]{0,2})?$",
            "examples": ["0/000", "entries/x001/067.p/5"],
        },
    ),
}
"""What stands in the addresses, by name: what it means, and what it looks like."""

_PROBLEMS_OF_ALL = ("unavailable",)
_PROBLEMS_OF_KEYS = ("unauthorized", "forbidden", "rate_limited")

ABOUT = """Public pledges as immutable events, and their status on any date.

Every read takes two clocks: `as_of`, what had been said by then, and `known_at` or `at_position`, what we had recorded.
An unknown parameter is refused. Every read has an `ETag`; send it as `If-None-Match` and an unchanged answer is a 304.
Writes take an `Idempotency-Key`: a retry never records twice. What goes wrong is a problem (RFC 9457)."""


def openapi(app: Litestar, server: str = "/") -> bytes:
    """The OpenAPI 3.1 document of an app, as JSON; `server` is the address that its paths are below."""
    paths: dict[str, dict[str, Any]] = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            contract = handler.opt.get("contract")
            if isinstance(contract, Contract):
                path = re.sub(r"{(\w+):\w+}", r"{\1}", route.path)
                for method in sorted(m.lower() for m in handler.http_methods if m != "HEAD"):
                    if (chapter := chapter_of(method, path)) is not None:
                        paths.setdefault(path, {})[method] = _operation(contract, method, path, handler, chapter)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Commitments Tracker",
            "version": version("commitments-tracker"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "tags": [
            {"name": chapter}
            for chapter in CHAPTERS
            if any(chapter in operation["tags"] for methods in paths.values() for operation in methods.values())
        ],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": components(), "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }
    return to_json(document)


@cache
def components() -> dict[str, Any]:
    """Every schema by its name: the facts' models as Pydantic has them, and what is answered."""
    facts = FACT_ADAPTER.json_schema(ref_template="#/components/schemas/{model}")
    models: dict[str, Any] = facts.pop("$defs")
    clashes = models.keys() & SCHEMAS.keys()
    assert not clashes, clashes
    referring = {"type": "object", "properties": {"ref": _REF}, "required": ["ref"], "additionalProperties": False}
    whole = {
        **models,
        **SCHEMAS,
        **PROPOSAL_SCHEMAS,
        "Fact": {"description": "What a monitor states.", **facts},
        "Opening": {
            "type": "object",
            "properties": {"pledge": _SLUG, "fact": ref("PledgeMade")},
            "required": ["fact"],
            "additionalProperties": False,
        },
        "BatchItem": {
            "description": '`event` and `of` of the fact may also be the `ref` of an earlier item: `{"ref": …}`.',
            "type": "object",
            "properties": {
                "pledge": _SLUG,
                "expected_version": {"type": "integer", "minimum": 0, "maximum": 2**53 - 1},
                "ref": _REF,
                "fact": {"anyOf": [ref("Fact"), _referring(models, referring)]},
            },
            "required": ["pledge", "fact"],
            "additionalProperties": False,
        },
    }
    whole["Quantity"] = {**whole["Quantity"], **_UPPER_OF_BETWEEN}
    return {
        name: _explained(name, {**schema, "examples": [example_of(schema, whole)]}, whole)
        for name, schema in whole.items()
    }


_UPPER_OF_BETWEEN: Schema = {
    "if": {"properties": {"op": {"const": "between"}}},
    "then": {"properties": {"upper": {"type": "string"}}, "required": ["upper"]},
    "else": {"properties": {"upper": {"type": "null"}}},
}
"""A `between` has an `upper`, and nothing else has."""


_VALUES = ("examples", "const", "enum", "if", "then", "else")
"""Keywords whose values have no members to describe."""


def _explained(of: str, schema: Any, whole: Mapping[str, Schema]) -> Any:
    """The schema `of` this name, with a description and an example for each of its members and theirs."""
    if isinstance(schema, list):
        return [_explained(of, one, whole) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: value if key in _VALUES else _explained(of, value, whole) for key, value in schema.items()}
    if "properties" in found:
        found["properties"] = {
            name: _with_example(name, _described(of, name, member), whole)
            for name, member in found["properties"].items()
        }
    return found


def _described(of: str, name: str, member: dict[str, Any]) -> dict[str, Any]:
    means = FIELD_MEANS.get(f"{of}.{name}") or FIELD_MEANS.get(name) or STATUS_MEANS.get(name)
    told = member if "description" in member or means is None else {"description": means, **member}
    return _without_default(told)


def _with_example(name: str, schema: dict[str, Any], whole: Mapping[str, Schema]) -> dict[str, Any]:
    """The schema with an example, unless it says its values or refers to a schema that has one."""
    if not {"$ref", "const", "enum", "examples"}.isdisjoint(schema):
        return schema
    return {**schema, "examples": [example_of(schema, whole, name)]}


def _without_default(member: dict[str, Any]) -> dict[str, Any]:
    """The member with its default in words: generators of types take what has one for a member that is always there."""
    if "default" not in member:
        return member
    told = {key: value for key, value in member.items() if key != "default"}
    default = member["default"]
    if default is None or default == []:
        return told
    return {**told, "description": f"{told.get('description', '')} `{to_json(default).decode()}` by default.".strip()}


_REF = {"type": "string", "minLength": 1, "maxLength": MAX_REF_CHARACTERS}


def _referring(models: dict[str, Any], to_item: dict[str, Any]) -> dict[str, Any]:
    """Facts about an event that an earlier item of the batch records."""
    of_event = [name for name, model in models.items() if {"type", "event"} <= model.get("properties", {}).keys()]
    variants = []
    for name, field in [*((name, "event") for name in of_event), ("ShareReported", "of")]:
        model = models[name]
        variants.append({**model, "title": f"{name} of an item", "properties": {**model["properties"], field: to_item}})
    return {"oneOf": variants}


def _security(contract: Contract) -> list[dict[str, list[str]]]:
    """Nothing, or a key and the role that it needs, which OpenAPI 3.1 has a place for; `{}` if reads may be public."""
    if contract.needs == "open":
        return []
    key = {"key": [str(contract.needs)]}
    return [{}, key] if contract.needs == "reader" and not contract.keyed else [key]


def _operation(contract: Contract, method: str, path: str, handler: Any, chapter: str) -> dict[str, Any]:
    function = getattr(handler.fn, "func", handler.fn)
    about = " ".join((function.__doc__ or "").split())
    operation: dict[str, Any] = {
        "operationId": name_of(method, path, function),
        "summary": about.partition(". ")[0].rstrip("."),
        "description": about,
        "tags": [chapter],
        "parameters": [
            *(_in_path(name) for name in re.findall(r"{(\w+)}", path)),
            *(_parameter(parameter, "query") for parameter in contract.query),
            *(_parameter(parameter, "header") for parameter in contract.headers),
        ],
        "responses": {str(status): _reply(reply) for status, reply in contract.replies.items()},
        "security": _security(contract),
    }
    if contract.body is not None:
        operation["requestBody"] = _request_body(contract.body)
    if any(parameter.name == "If-None-Match" for parameter in contract.headers):
        operation["responses"]["304"] = {"description": "The caller has it already."}
    if any(parameter.name == "Accept-Datetime" for parameter in contract.headers):
        operation["responses"]["302"] = {"description": "The address of the day that was asked for."}
    codes = (*contract.problems, *_PROBLEMS_OF_ALL, *(() if contract.needs == "open" else _PROBLEMS_OF_KEYS))
    operation["responses"] |= _problems(codes)
    return operation


def _in_path(name: str) -> dict[str, Any]:
    about, schema = _PATH_PARAMETERS[name]
    return {"name": name, "in": "path", "required": True, "description": about, "schema": dict(schema)}


def _parameter(parameter: Parameter, where: str) -> dict[str, Any]:
    schema = _with_example(parameter.name, dict(parameter.schema), {})
    if parameter.repeats != "once":
        schema = {"type": "array", "items": schema, "maxItems": MAX_REPEATED}
    return {
        "name": parameter.name,
        "in": where,
        "required": parameter.is_needed,
        "description": parameter.about,
        "schema": schema,
    }


def _is_generated(media: str) -> bool:
    """Whether generators of clients have a type for a media type. What has none is told in words: they would warn."""
    return media.startswith("text/") or media == "application/octet-stream" or media.endswith(("/json", "+json"))


def _as_media(media: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in media)


def _request_body(body: Mapping[str, Schema]) -> dict[str, Any]:
    # Generators make answers of plain text, and no bodies.
    known = {media for media in body if _is_generated(media) and not media.startswith("text/")}
    content = {media: {"schema": dict(schema)} for media, schema in body.items() if media in known}
    more = [media for media in body if media not in content]
    how = "too, an item a line" if more == [NDJSON] else "too"
    about = {"description": f"Taken as {_as_media(more)} {how}."} if more else {}
    return {**about, "required": True, "content": content}


def _reply(reply: Reply) -> dict[str, Any]:
    response: dict[str, Any] = {"description": reply.about}
    if any(map(_is_generated, reply.content)):
        schemas = components()
        response["content"] = {
            media: {"schema": _explained("", dict(schema), schemas)} for media, schema in reply.content.items()
        }
    elif reply.content:
        response["description"] += f" As {_as_media(reply.content)}."
    if reply.headers:
        response["headers"] = {
            name: {"description": about, "schema": {"type": "string"}} for name, about in reply.headers.items()
        }
    return response


def _problems(codes: tuple[str, ...]) -> dict[str, Any]:
    known = catalogue()
    by_status: dict[str, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(str(STATUS[code]), []).append(f"`{code}`: {known[code].title}.")
    content = {PROBLEM: {"schema": ref("Problem")}}
    return {status: {"description": " ".join(about), "content": content} for status, about in by_status.items()}
