"""What is remembered of logs outside of their stores, so that a process which starts notices that a log went back.

One small file in the state directory: for each log's id the highest event that was known, and for each store the id
that was last seen there. Several processes share it: a lock file orders them, a position is never lowered.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tracker.log.identity import LogPoint
from tracker.log.state_file import StateFile

FILE_NAME = "logs.json"
"""The file in the state directory."""


class RememberedLogs:
    """The file in one state directory."""

    def __init__(self, directory: Path) -> None:
        self._file = StateFile(directory / FILE_NAME)

    def known(self, log: str) -> LogPoint | None:
        """The highest event that was known of a log; None if there is none.

        Raises: OSError if the file cannot be read; ValueError if it is not one of ours.
        """
        found = self._read()["logs"].get(log)
        return None if found is None else LogPoint(found["position"], found["event_id"], bytes.fromhex(found["leaf"]))

    def last_seen(self, store: str) -> str | None:
        """The id of the log that was last seen in a store; None if none was.

        Raises: OSError and ValueError, as `known` does.
        """
        found: str | None = self._read()["stores"].get(store)
        return found

    def note(self, store: str, log: str, known: LogPoint) -> None:
        """Remember the log that a store has, and its highest known event unless a higher one is remembered.

        The file is on the disk, whole, when this returns.

        Raises: OSError if it cannot be written; ValueError if what is there is not one of ours.
        """
        with self._file.locked():
            remembered = self._read()
            before = remembered["logs"].get(log)
            if before is None or before["position"] < known.position:
                remembered["logs"][log] = {
                    "position": known.position, "event_id": known.event_id, "leaf": known.leaf.hex(),
                }  # fmt: skip
            remembered["stores"][store] = log
            self._file.write(remembered)

    def _read(self) -> dict[str, dict[str, Any]]:
        found = self._file.read()
        if found is None:
            return {"logs": {}, "stores": {}}
        if not isinstance(found, dict) or not {"logs", "stores"} <= found.keys():
            raise ValueError(f"{self._file.path} is not a file of the tracker; move it away")
        return found
