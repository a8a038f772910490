"""Words are read as they were read: under one version of the rules a phrasing is never another quantity."""

import pytest

from tests.rules.recorded_readings import digests, pairs, reading, recorded, variants

PAIRS, RECORDED = pairs(), recorded()


def test_every_phrasing_was_recorded() -> None:
    assert len(RECORDED) == len(PAIRS)


@pytest.mark.parametrize("first", range(0, len(PAIRS), 10))
def test_every_reading_is_as_it_was_recorded(first: int) -> None:
    for (words, beside), was in zip(PAIRS[first : first + 10], RECORDED[first : first + 10], strict=True):
        now = digests(words, beside)
        odd = [variant for variant, one, other in zip(variants(words, beside), now, was, strict=True) if one != other]
        assert not odd, f"{odd[0]!r} was read otherwise under this version of the rules; now: {reading(odd[0])}"
