"""Every party that a pledge has or had, which lists and summaries find it by."""

from datetime import date

from tests.support.facts import pledge, retracted, revised
from tests.support.given import given
from tracker.rules.status import StatusFold

OLD, NEW = {"name": "Old Agency", "code": "old"}, {"name": "New Ministry", "code": "new"}
NORWAY, UKRAINE, MOLDOVA = {"name": "Norway", "code": "NO"}, {"name": "Ukraine"}, {"name": "Moldova"}


def test_a_pledge_is_of_every_party_that_it_has_or_had_by_the_day() -> None:
    renamed = revised(pledgor=NEW, beneficiary=MOLDOVA, stated_on="2024-06-01")
    made = pledge(pledgor=OLD, beneficiary=UKRAINE, joint=[{"party": NORWAY}])
    record = given(made, renamed, retracted(renamed, stated_on="2024-09-01"))

    def named(day: str) -> tuple[set[str], set[str]]:
        status = StatusFold(record.events).status(date.fromisoformat(day))
        assert status is not None
        return {party.name for party in status.pledgors}, {party.name for party in status.beneficiaries}

    first = {"Old Agency", "Norway"}, {"Ukraine"}
    assert named("2024-05-31") == first
    assert named("2024-06-01") == (first[0] | {"New Ministry"}, {"Ukraine", "Moldova"})
    assert named("2024-09-01") == first


def test_a_joint_party_is_shown_with_its_share_where_one_is_given() -> None:
    joint = [{"party": NORWAY, "share": "40"}, {"party": UKRAINE}]
    document = given(pledge(pledgor=OLD, joint=joint)).document("2024-05-31")
    assert document is not None
    assert document["joint"] == joint


def test_whom_it_is_for_and_what_it_is_part_of_are_shown() -> None:
    record = given(pledge(beneficiary=UKRAINE, part_of="facility")).then(
        as_of="2024-05-31", beneficiary=UKRAINE, part_of="facility"
    )
    status = StatusFold(record.events).status(date(2024, 5, 31))
    assert status is not None
    assert status.part_of == "facility"
    document = given(pledge()).document("2024-05-31")
    assert document is not None
    assert (document["beneficiary"], document.get("part_of", "left out")) == (None, "left out")
