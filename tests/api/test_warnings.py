"""`warnings[]` of receipts and dry runs: what is odd is told, and recorded all the same."""

from tests.support.api import Api, made, progress, statement

GERMANY = {"name": "Germany", "code": "GER"}


def test_a_receipt_and_its_dry_run_warn_alike(api: Api) -> None:
    api.open()
    api.add(progress())
    tenfold = progress("209bn EUR", stated_on="2024-11-01")
    tried = api.post("/v1/pledges/aid-2024/events?dry_run=true", tenfold)
    assert tried.status_code == 200
    receipt = api.post("/v1/pledges/aid-2024/events", tenfold).json()
    (warning,) = receipt["warnings"]
    assert warning["code"] == "tenfold"
    assert warning["pointer"] == "/figure/quantity"
    assert tried.json()["warnings"] == receipt["warnings"]
    assert receipt["event"]["version"] == 3


def test_what_is_sound_has_no_warnings(api: Api) -> None:
    assert api.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()}).json()["warnings"] == []
    assert api.post("/v1/pledges/aid-2024/events", progress()).json()["warnings"] == []


def test_an_opening_is_warned_of_below_its_fact(api: Api) -> None:
    opening = {"pledge": "aid-2024", "fact": made(pledgor=GERMANY)}
    for address in ("/v1/pledges?dry_run=true", "/v1/pledges"):
        (warning,) = api.post(address, opening).json()["warnings"]
        assert (warning["code"], warning["pointer"]) == ("party_code", "/fact/pledgor/code")
        assert warning["message"] == '"GER" is no code of ISO 3166 alpha-2: is it DE?'


def test_a_replayed_receipt_has_the_warnings_of_the_first(api: Api) -> None:
    api.open()
    headers = {"Idempotency-Key": "k"}
    first = api.post("/v1/pledges/aid-2024/events", statement(speaker=GERMANY), headers=headers).json()
    assert [each["code"] for each in first["warnings"]] == ["party_code"]
    api.add(progress())
    assert api.post("/v1/pledges/aid-2024/events", statement(speaker=GERMANY), headers=headers).json() == first | {
        "replayed": True
    }


def test_a_batch_is_warned_of_by_its_dry_run(api: Api) -> None:
    items = [
        {"pledge": "aid-2024", "fact": made()},
        {"pledge": "aid-2024", "fact": progress()},
        {"pledge": "aid-2024", "fact": progress("209bn EUR", stated_on="2024-11-01")},
    ]
    tried = api.post("/v1/events?dry_run=true", items).json()
    assert [(each["code"], each["pointer"]) for each in tried["warnings"]] == [("tenfold", "/2/fact/figure/quantity")]
    assert tried["warnings"][0]["event"] == tried["events"][1]["id"]


def test_a_dry_run_tells_a_hundred_warnings_at_most(lite: Api) -> None:
    odd = [statement(speaker=GERMANY, summary=f"Talk {number}.") for number in range(150)]
    items = [{"pledge": "aid-2024", "fact": fact} for fact in [made(), *odd]]
    assert len(lite.post("/v1/events?dry_run=true", items).json()["warnings"]) == 1  # the code is known from then on
    items = [{"pledge": f"aid-{number}", "fact": made(pledgor=GERMANY, title=f"Aid {number}")} for number in range(150)]
    assert len(lite.post("/v1/events?dry_run=true", items).json()["warnings"]) == 100
