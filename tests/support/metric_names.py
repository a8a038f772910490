"""What Prometheus wants of names: what `promtool check metrics` looks at, and a few things more."""

import re
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

NOT_BASE_UNITS = {
    "ms", "milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days", "weeks", "kilobytes", "megabytes",
    "kb", "mb", "kib", "mib", "percent", "bits",
}  # fmt: skip
"""Units of which Prometheus wants the base: seconds, bytes, ratio."""

OF_HISTOGRAMS = ("_bucket", "_sum", "_count")


def faults_of_metrics(text: str) -> list[str]:
    """What is wrong with the names of a page of metrics; MUST be a page that has some of all kinds."""
    families = list(text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(set(names)) == len(names) > 15
    assert {family.type for family in families} >= {"counter", "gauge", "histogram"}
    return [f"{family.name}: {why}" for family in families for why in faults_of(family)]


def faults_of(family: Metric) -> Iterator[str]:
    """What is wrong with one name."""
    told = {sample.name for sample in family.samples}
    if not family.documentation.strip():
        yield "it has no help"
    if family.documentation == "Multiprocess metric":
        yield "its help says nothing"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", family.name):
        yield "it has letters that are not small, or signs"
    if NOT_BASE_UNITS & set(family.name.split("_")):
        yield "its unit is no base unit"
    if {"counter", "gauge", "histogram", "summary"} & set(family.name.split("_")):
        yield "its type is in its name"
    if family.type == "counter" and any(not name.endswith("_total") for name in told):
        yield "it is a counter and does not end in _total"
    if family.type != "counter" and any(name.endswith("_total") for name in told):
        yield "it ends in _total and is no counter"
    if family.type != "histogram" and family.name.endswith(OF_HISTOGRAMS):
        yield "it ends as parts of a histogram do"
    if family.type == "histogram" and not any("le" in sample.labels for sample in family.samples):
        yield "it has no buckets"
    if family.type == "unknown":
        yield "it has no type"
    if any(not re.fullmatch(r"[a-z][a-z0-9_]*", label) for sample in family.samples for label in sample.labels):
        yield "a label has letters that are not small, or signs"
