"""How far each stream of NATS is, as the state directory remembers it: one small file for all logs and streams."""

from __future__ import annotations

from tracker.log.state_file import StateFile

STATE_FILE = "published.json"
"""The file in the state directory."""


def key_of(log: str, stream: str) -> str:
    """The name under which the position of a stream of a log is remembered."""
    return f"{log} {stream}"


def positions(file: StateFile) -> dict[str, int]:
    """All that is remembered, by `key_of`.

    Raises: OSError if the file cannot be read; ValueError if it is broken.
    """
    try:
        return {str(key): int(position) for key, position in (file.read() or {}).items()}
    except (TypeError, AttributeError) as broken:
        raise ValueError(f"{file.path} is broken") from broken
