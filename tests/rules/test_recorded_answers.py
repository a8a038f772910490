"""Under one version of the rules an answer is what it was: a page that was quoted is found again."""

import pytest

from tests.rules.recorded_answers import STREAMS, answers, digest, plain, recorded, stream

RECORDED = recorded()


@pytest.mark.parametrize("seed", range(STREAMS))
def test_every_answer_is_as_it_was_recorded(seed: int) -> None:
    found = answers(*stream(seed))
    for (asked, answer), was in zip(found.items(), RECORDED[seed], strict=True):
        now = answer()
        assert digest(now) == was, f"{asked} was another answer under this version of the rules: {plain(now)}"
