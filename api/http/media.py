"""The formats of responses as negotiation sees them: a name for `?format=` and a media type, not the writer."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """A format that a response can have.

    `name` is its value of `?format=`, `media_type` its Content-Type with parameters. `library` is the module without
    which it cannot be written, from the extra of the format's name; None if every installation can write it.
    """

    name: str
    media_type: str
    library: str | None = None

    @property
    def essence(self) -> str:
        """The media type without its parameters."""
        return self.media_type.partition(";")[0]

    @property
    def is_installed(self) -> bool:
        """Whether this installation can write the format."""
        return self.library is None or find_spec(self.library) is not None

    @property
    def install_hint(self) -> str:
        """How an operator adds the library that the format needs."""
        return f"{self.name} needs: pip install 'commitments-tracker[{self.name}]'"


JSON_FORMAT = MediaFormat("json", "application/json")
CSV_FORMAT = MediaFormat("csv", "text/csv; charset=utf-8; header=present")
LINK_FORMAT = MediaFormat("link", "application/link-format")
HTML_FORMAT = MediaFormat("html", "text/html; charset=utf-8")
SSE_FORMAT = MediaFormat("sse", "text/event-stream")
