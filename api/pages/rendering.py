"""Templates, rendered so that nothing of a page is left for the collector of cycles.

A macro and the context that it was made in know each other. So all that a page shows, and a hundred small values beside
it, would stay until the collector's next pass: some 60 kB for each page of a pledge, which is seldom looked at
(`api.http.collector`). Here they are parted once the page is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Template
from jinja2.runtime import Context, Macro

_OPENED = "_opened"
"""The name under which contexts that are made for one page find the list of all of them."""


class PageContext(Context):
    """A context that its page can end; those of templates that are shared between pages are none of a page's."""

    def __init__(self, environment: Any, parent: dict[str, Any], *rest: Any, **named: Any) -> None:
        super().__init__(environment, parent, *rest, **named)
        opened: list[PageContext] | None = parent.get(_OPENED)
        if opened is not None:
            opened.append(self)

    def end(self) -> None:
        """Let go of what the template was given, and of what it made."""
        for name, value in self.vars.items():
            is_own = name in self.exported_vars or name.startswith("_")  # what is imported is neither
            if is_own and isinstance(value, Macro):
                vars(value).clear()
        self.vars.clear()
        self.parent.clear()


def rendered(template: Template, values: Mapping[str, Any]) -> str:
    """The text of a template with these values; its environment's `context_class` is `PageContext`."""
    opened: list[PageContext] = []
    try:
        return template.render(values, **{_OPENED: opened})
    finally:
        for context in opened:
            context.end()
