"""Reading a posted fact: the fact that a JSON value says, or a sentence for every problem with its place in it."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from tracker.errors import InvalidFact
from tracker.facts import FACT_ADAPTER, FACT_TYPES, AnyFact
from tracker.units import RECORDED


def read_fact(raw: Any, *, worded: bool = True) -> AnyFact:
    """The fact that a JSON value says.

    Raises: InvalidFact if it is no valid fact, with a JSON Pointer and a sentence for every problem in it, or with
    their number alone if they are not to be worded.
    """
    return _read(raw, {}, worded=worded)


def read_recorded_fact(raw: Any) -> AnyFact:
    """The fact that the record says after a correction: its shape is checked, its codes are not looked up in tables.

    Raises: InvalidFact as `read_fact` does.
    """
    return _read(raw, {RECORDED: True})


def _read(raw: Any, context: dict[str, bool], *, worded: bool = True) -> AnyFact:
    read = FACT_ADAPTER.validate_json if isinstance(raw, bytes) else FACT_ADAPTER.validate_python
    try:
        return read(raw, context=context)
    except ValidationError as error:
        if not worded:
            raise _counted(error.error_count()) from None
        problems = tuple(
            dict.fromkeys((_pointer(e["loc"], e["type"]), _message(dict(e))) for e in error.errors(include_url=False))
        )
        raise InvalidFact(problems[0][1], pointer=problems[0][0], problems=problems) from None


def _counted(number: int) -> InvalidFact:
    counted = InvalidFact("the fact is not valid")
    counted.problem_count = number
    return counted


def _pointer(loc: tuple[int | str, ...], kind: str) -> str:
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return "/type"
    parts = [str(p) for p in loc]
    if parts and parts[0] in FACT_TYPES:
        parts = parts[1:]
    parts = [p for p in parts if not p.startswith(("function-", "constrained-", "int", "Quantity"))]
    return "".join(f"/{p.replace('~', '~0').replace('/', '~1')}" for p in parts)


def _message(error: dict[str, Any]) -> str:
    match error["type"]:
        case "model_attributes_type" | "model_type" | "dict_type":
            return "a JSON object is wanted here"
        case "union_tag_not_found":
            return f"'type' is missing; it is one of {', '.join(FACT_TYPES)}"
        case "union_tag_invalid":
            return f"no fact is of type {error['ctx']['tag']!r}; it is one of {', '.join(FACT_TYPES)}"
        case "extra_forbidden":
            return "this type of fact has no such field"
        case "missing":
            return "this field is needed"
    return str(error["msg"])
