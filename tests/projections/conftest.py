"""Fixtures of the tests of the read models."""

from collections.abc import Iterator

import pytest

from tests.support.timelines import World, world


@pytest.fixture
def it(database_url: str) -> Iterator[World]:
    """A record and its read models, which are up to date with it."""
    with world(database_url) as made_world:
        made_world.runner.catch_up()
        yield made_world
