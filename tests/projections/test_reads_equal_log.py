"""The reads over many pledges are what a fold of the log says, at points on both clocks."""

from __future__ import annotations

from datetime import date

from projections.queries import Clocks
from tests.support.folded_reads import assert_reads_equal_log
from tests.support.timelines import kept, made, many, progress, said, world


def test_reads_of_many_pledges_equal_the_log(database_url: str) -> None:
    with world(database_url) as it:
        it.runner.catch_up()
        many(it, 16)
        wrong = it.record("pledge-001", progress(7, "2024-04-01", figure={"quantity": "7 EUR"}, summary="Shells, 40."))
        it.record(
            "aid", made(tags=["nato"], joint=[{"party": {"name": "Belgium", "code": "BE"}}], stated_on="2024-02-01")
        )
        it.record("shells", made(part_of="aid", pledgor={"name": "Belgium", "code": "BE"}, stated_on="2024-03-01"))
        it.record("shells", progress(12, "2024-04-02"))
        it.record(
            "shells",
            {"type": "AssessmentIssued", "stated_on": "2024-04-03", "rating": "B", "rubric": "R", "rubric_version": "1",
             "reasoning": "x"},
        )  # fmt: skip
        it.record("pledge-001", kept("EventCorrected", "2024-05-01", wrong, changes={"summary": "Mended."}))
        it.record("aid", said("PledgeRevised", "2024-05-01", pledgor={"name": "Union"}, tags=["mended"], reason="x"))
        it.record("pledge-001", said("StatementRetracted", "2024-07-01", event=wrong, reason="x"))
        it.runner.catch_up()
        head = it.log.head()
        for day in (date(2024, 5, 2), date(2025, 1, 1)):
            for earlier in (Clocks(date(2024, 2, 10), head), Clocks(day, head - 3), Clocks(day, head // 2)):
                assert_reads_equal_log(it, earlier, Clocks(day, head))
        assert_reads_equal_log(it, Clocks(date(2024, 2, 1), 0), Clocks(date(2025, 1, 1), 0))
