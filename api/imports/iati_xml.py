"""IATI activity files (2.0x) one activity at a time, in bounded memory; a file that declares entities is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLPullParser
from xml.parsers.expat import ExpatError, ParserCreate

from api.imports.bounds import MAX_PART_ELEMENTS, MAX_ROWS, check_file_size
from api.imports.items import UnreadableFile

_CHUNK_BYTES = 65_536
_MAX_DEPTH = 50
"""Elements within each other, at most; IATI has ten."""
_XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def activities_of(path: Path) -> Iterator[Element]:
    """The activities of a file, each let go before the next one is read.

    Raises: UnreadableFile if the file is no IATI activity file, or a bound is passed.
    """
    check_file_size(path)
    _check(path)
    parser: Any = XMLPullParser(("start", "end"))
    root: Element | None = None
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                parser.feed(chunk)
                for happened, element in parser.read_events():
                    if root is None:
                        root = element
                    elif happened == "end" and element.tag == "iati-activity":
                        yield element
                        root.clear()
        parser.close()
    except ParseError as wrong:
        raise UnreadableFile(f"this is not XML: {wrong}") from None


def _check(path: Path) -> None:
    """Read the whole file once, and refuse what would take more memory or time than its size says."""
    parser = ParserCreate()
    depth = elements = activities = 0

    def open_element(tag: str, _: object) -> None:
        nonlocal depth, elements, activities
        if depth == 0 and tag != "iati-activities":
            raise UnreadableFile(f"this is XML of <{tag}>; an IATI file has <iati-activities>")
        depth, elements = depth + 1, elements + 1
        if tag == "iati-activity":
            activities, elements = activities + 1, 0
        if depth > _MAX_DEPTH:
            raise UnreadableFile(f"elements lie deeper than {_MAX_DEPTH} in each other, which none of IATI does")
        if elements > MAX_PART_ELEMENTS:
            raise UnreadableFile(f"an activity has more than {MAX_PART_ELEMENTS:,} elements")
        if activities > MAX_ROWS:
            raise UnreadableFile(f"the file has more than {MAX_ROWS:,} activities; split it into several")

    def close_element(_: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: object) -> None:
        raise UnreadableFile("the file declares a DOCTYPE, which no IATI file does")

    parser.StartElementHandler, parser.EndElementHandler = open_element, close_element
    parser.StartDoctypeDeclHandler = refuse
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except ExpatError as wrong:
        raise UnreadableFile(f"this is not XML: {wrong}") from None


def narrative(element: Element | None, language: str | None = None) -> str:
    """The text of an element: its narrative in the language of the activity, else the first one."""
    if element is None:
        return ""
    found = element.findall("narrative")
    own = [one for one in found if one.get(_XML_LANGUAGE) in (None, language)]
    texts = [" ".join((one.text or "").split()) for one in (*own, *found)]
    return next(filter(None, texts), "")


def language_of(activity: Element) -> str | None:
    """The language in which an activity is written, if it says so."""
    return activity.get(_XML_LANGUAGE)


def day_of(element: Element | None, name: str = "iso-date") -> date | None:
    """The day in an attribute, of an instant too; None if there is none, or none that reads."""
    text = "" if element is None else element.get(name) or ""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
