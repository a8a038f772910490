"""What five public documents say about NATO's pledges, as batch items of `POST /v1/events` (see README.md)."""

from importlib.resources import files
from importlib.resources.abc import Traversable


def seed_files() -> tuple[Traversable, ...]:
    """The NDJSON files of the seed, by name: one batch item a line, UTF-8, in recording order."""
    return tuple(sorted((f for f in files(__name__).iterdir() if f.name.endswith(".ndjson")), key=lambda f: f.name))
