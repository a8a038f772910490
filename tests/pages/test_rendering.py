"""A page leaves nothing behind: what it showed is gone with it, before the collector of cycles looks."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from jinja2 import DictLoader, Environment, UndefinedError
from jinja2.runtime import Macro

from api.pages.rendering import PageContext, rendered
from tests.support.api import Api, statement


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def macros() -> int:
    return sum(isinstance(value, Macro) for value in gc.get_objects())


@pytest.mark.parametrize("path", ["/", "/pledges/aid-2024", "/pledges/aid-2024/record", "/parties", "/deadlines"])
@pytest.mark.usefixtures("uncollected")
def test_a_page_leaves_no_macros(lite: Api, path: str) -> None:
    lite.open()
    lite.add(statement())
    assert lite.get(path).status_code == 200  # what is kept for all pages is made once
    before = macros()
    for day in range(1, 4):
        assert lite.get(path, params={"as_of": f"2024-09-0{day}"}).status_code == 200
    assert macros() == before


TEMPLATES = {
    "shared": "{% macro bold(word) %}<b>{{ word }}</b>{% endmacro %}",
    "own": "{% macro said(word) %}{{ name }} says {{ word }}{% endmacro %}",
    "page": """{% from "shared" import bold %}{% from "own" import said with context %}{{ bold(said("yes")) }}""",
    "broken": """{% from "own" import said with context %}{{ said("yes").nothing.at_all }}""",
}


@pytest.fixture
def env() -> Environment:
    env = Environment(loader=DictLoader(TEMPLATES), autoescape=True)
    env.context_class = PageContext
    return env


@pytest.mark.usefixtures("uncollected")
def test_what_pages_share_stays_and_what_is_of_one_goes(env: Environment) -> None:
    page = env.get_template("page")
    assert rendered(page, {"name": "Ada"}) == "<b>Ada says yes</b>"
    before = macros()
    assert rendered(page, {"name": "Ben"}) == "<b>Ben says yes</b>"
    assert macros() == before


def test_an_error_of_a_template_is_raised(env: Environment) -> None:
    with pytest.raises(UndefinedError):
        rendered(env.get_template("broken"), {"name": "Ada"})
