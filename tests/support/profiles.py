"""How many examples a property is tried with."""

from hypothesis import settings

A_FEW = 15
"""What a property is tried with for each change of the rules: a change that matters shows in the first examples."""


def is_mutating() -> bool:
    """Whether the tests run once for each change of the rules (`make mutate`)."""
    return settings.get_current_profile_name() == "mutate"


def examples(number: int) -> int:
    """So many examples, or a few where the tests run once for each change of the rules."""
    return min(number, A_FEW) if is_mutating() else number
