"""The log of this package as lines of JSON."""

from __future__ import annotations

import json
import logging
from typing import Any

from tracker.visible_text import escaped

LOGGER_NAME = "tracker.api"

PACKAGE_LOGGERS = ("tracker", "projections")
"""The loggers above all of this package."""


class JsonLines(logging.Formatter):
    """One JSON object a line, with what is not seen escaped. Headers, bodies and query strings are never logged."""

    _FIELDS = ("request_id", "method", "path", "reason", "pid", "replaced_by")

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in self._FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return escaped(json.dumps(line, ensure_ascii=False))


def log_as_json() -> None:
    """Send the log of this package to standard error, one JSON object a line. A second call changes nothing."""
    for name in PACKAGE_LOGGERS:
        log = logging.getLogger(name)
        if not any(isinstance(handler.formatter, JsonLines) for handler in log.handlers):
            handler = logging.StreamHandler()
            handler.setFormatter(JsonLines())
            log.addHandler(handler)
