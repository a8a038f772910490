"""An oracle of the rules: DOMAIN.md and POINTS.md once more, short and literal, without `tracker.rules`."""

from .law import oracle

__all__ = ["oracle"]
