"""The target that a status answers, where it is not the one that is promised now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def judged_target(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The target by which status and ratio of a status document were found; None if there is none.

    Terms that are changed after the close change no answer (DOMAIN, goalposts): then it is the target that stood
    when the window closed, the first of `past_targets` that was left after its own window.
    """
    target: Mapping[str, Any] | None = document["target"]
    if "revised_after_close" not in document["flags"]:
        return target
    for past in document["past_targets"]:
        window = past["window"] or {}
        close = window.get("latest") or window.get("end")
        if close is not None and past["until"] > close:
            return past["target"]  # type: ignore[no-any-return]
    return target
