"""Words made to keep a regular expression busy: they begin like a quantity, repeat a piece of one, and end wrong."""

from collections.abc import Iterator

HOSTILE_PIECES = (
    *"1 a(-.,'$%~",
    "1,",
    "1 ",
    "1 1",
    "between ",
    "between 1 and ",
    " to ",
    "1 to ",
    "half ",
    "half of ",
    "a third of ",
    "of ",
    "EUR ",
    "over ",
    "1-",
    "1 a ",
    "1 (1",
    "rounds of 155",
    " \u00a0",
    "1’",
)


def hostile_texts(piece: str) -> Iterator[str]:
    """Texts of 200 characters that repeat the piece."""
    for start in ("", "1 ", "between ", "over 1"):
        yield (start + piece * 200)[:199] + "!"
