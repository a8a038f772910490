"""The contract of a route, declared once: it guards the route, checks its parameters and documents it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Any, Literal

from litestar import Request, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.types import AnyCallable

from api.http.media import JSON_FORMAT, MediaFormat

AnyRequest = Request[Any, Any, Any]
"""A request whatever Litestar's type variables for user, key and state are."""

Needs = Literal["open", "reader", "contributor", "monitor", "auditor", "auditor or monitor"]
"""The role that a route needs; an open one asks for no key and reads none."""

Schema = Mapping[str, Any]
JSON = JSON_FORMAT.media_type
NDJSON = "application/x-ndjson"


Repeats = Literal["once", "twice", "commas"]

MAX_VALUE_CHARACTERS = 300
"""Characters of the value of a parameter, at most, where it does not say otherwise."""


def ref(name: str) -> Schema:
    """The reference to a schema among the components."""
    return {"$ref": f"#/components/schemas/{name}"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or a header, with its JSON schema."""

    name: str
    about: str
    schema: Schema
    is_needed: bool = False

    repeats: Repeats = "once"
    """How several values are given: not at all, as the parameter again, or also in one value with commas between."""

    most: int = MAX_VALUE_CHARACTERS
    """Characters of a value, at most."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The response of one status code: media types to schemas, and header names to what they mean."""

    about: str
    content: Mapping[str, Schema]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Contract:
    """What a route needs, takes and answers.

    `problems` are the codes of its problems, beside those that every route may answer.
    """

    needs: Needs
    replies: Mapping[int, Reply]
    query: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    body: Mapping[str, Schema] | None = None
    problems: tuple[str, ...] = ()
    tag: str = "Reading"
    writes: bool = False
    framed: bool = False
    """Whether other sites may show the response in a frame."""

    keyed: bool = False
    """Whether a key is needed even where reads are public: what is answered is for the operator."""

    formats: tuple[MediaFormat, ...] = (JSON_FORMAT,)
    """The formats that the route offers, the default first."""

    taken: Mapping[str, Parameter] = field(init=False)
    """The query parameters that the route takes, by name."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "taken", {parameter.name: parameter for parameter in self.query})


def read(path: str, contract: Contract, *, threaded: bool = True) -> Callable[[AnyCallable], HTTPRouteHandler]:
    """A route for GET and HEAD. A plain function runs in a thread; `threaded` is False if it asks no database."""

    def declared(fn: AnyCallable) -> HTTPRouteHandler:
        return route(
            path,
            http_method=[HttpMethod.GET, HttpMethod.HEAD],
            opt={"contract": contract},
            sync_to_thread=None if iscoroutinefunction(fn) else threaded,
            include_in_schema=False,
        )(fn)

    return declared


def write(path: str, contract: Contract, *, limit: int) -> Callable[[AnyCallable], HTTPRouteHandler]:
    """A route for POST that reads at most `limit` bytes of body, whatever Content-Length says."""
    return _with_body(HttpMethod.POST, path, contract, limit)


def put(path: str, contract: Contract, *, limit: int) -> Callable[[AnyCallable], HTTPRouteHandler]:
    """A route for PUT that reads at most `limit` bytes of body, whatever Content-Length says."""
    return _with_body(HttpMethod.PUT, path, contract, limit)


def _with_body(
    method: HttpMethod, path: str, contract: Contract, limit: int
) -> Callable[[AnyCallable], HTTPRouteHandler]:
    return route(
        path,
        http_method=[method],
        opt={"contract": contract},
        request_max_body_size=limit,
        include_in_schema=False,
        status_code=201,
    )
