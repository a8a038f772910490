"""The parties of a pledge as one text: a line each, with what part it plays, its key, and its name.

    "\\nP\\tbe\\tBE\\tBelgium\\np\\tnl\\tNL\\tNetherlands\\nB\\tua\\tUA\\tUkraine\\n"

`P` is a pledgor in force and `p` one of before, `B` and `b` are beneficiaries. The key of a party is its code, else the
slug of its name, and stands twice: case-folded, to be looked for, and as written. No name has a tab or a line break.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from tracker.values import Party, slug_of

PartyRole = Literal["pledgor", "beneficiary"]
"""What part a party plays in a pledge."""

_LETTERS: dict[PartyRole, str] = {"pledgor": "p", "beneficiary": "b"}
_ROLES: dict[str, PartyRole] = {letter: role for role, letter in _LETTERS.items()}


class PartyLine(NamedTuple):
    """One party of a pledge; `is_in_force` is False for one that it had before."""

    role: PartyRole
    is_in_force: bool
    key: str
    name: str


def key_of(party: Party) -> str:
    """The code of a party, else the slug of its name."""
    return party.code or slug_of(party.name)


def lines_of(role: PartyRole, in_force: Iterable[Party], ever: Iterable[Party]) -> Iterator[PartyLine]:
    """The parties that play a role, one for each key: those in force, then those of before."""
    seen: set[str] = set()
    for is_in_force, parties in ((True, in_force), (False, ever)):
        for party in sorted(parties, key=lambda party: (key_of(party).casefold(), party.name)):
            if (key := key_of(party)).casefold() not in seen:
                seen.add(key.casefold())
                yield PartyLine(role, is_in_force, key, party.name)


def written(lines: Iterable[PartyLine]) -> str:
    """The lines as one text."""
    texts = [
        f"{letter.upper() if is_in_force else letter}\t{key.casefold()}\t{key}\t{name}"
        for role, is_in_force, key, name in lines
        for letter in (_LETTERS[role],)
    ]
    return "\n".join(("", *texts, "")) if texts else ""


def read(text: str) -> Iterator[PartyLine]:
    """The lines that `written` wrote."""
    for line in text.strip("\n").split("\n") if text else ():
        letter, _, key, name = line.split("\t")
        yield PartyLine(_ROLES[letter.lower()], letter.isupper(), key, name)


def in_force_pattern(role: PartyRole, key: str) -> str:
    """What the text of a pledge contains if the party of the key plays the role in force."""
    return f"\n{_LETTERS[role].upper()}\t{key.casefold()}\t"
