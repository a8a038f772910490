"""`tracker replay` and `tracker rebuild`: the projection is compared with the log, and made anew from it."""

import re

from sqlalchemy import text

from projections.tables import open_engine, writing
from tests.support.shell import Shell


def test_a_replay_agrees_with_the_projection_at_any_clocks(shell: Shell) -> None:
    for clocks in ([], ["--as-of", "2024-12-31"], ["--at-position", "30"], ["--as-of", "2025-01-01"]):
        assert "no difference" in shell.run("replay", "--compare", *clocks).stderr
    lines = shell.run("replay", "--as-of", "2024-12-31").stdout.splitlines()
    exported = shell.run("export", "--format", "ndjson", "--as-of", "2024-12-31").stdout.splitlines()
    assert sorted(lines) == sorted(exported)


def test_a_projection_that_was_tampered_with_is_found_and_rebuilding_mends_it(shell: Shell) -> None:
    shell.run("status")
    engine = open_engine(shell.url)
    with writing(engine).begin() as conn:
        other = "(SELECT {} FROM timeline_1 AS o WHERE o.pledge = 'equal-burden-for-ukraine' LIMIT 1)"
        values = ", ".join(f"{name} = {other.format(name)}" for name in ("outline", "body"))
        conn.execute(text(f"UPDATE timeline_1 SET {values} WHERE pledge = 'nato-ukraine-2024'"))
        outlines = "SELECT 'nato-ukraine-2024', outline, body FROM outlines_1 WHERE pledge = 'equal-burden-for-ukraine'"
        conn.execute(text(f"INSERT INTO outlines_1 {outlines}"))
        conn.execute(text("DELETE FROM outlines_1 WHERE pledge = 'commercial-space-strategy'"))
        conn.execute(text("UPDATE timeline_1 SET body = :body WHERE pledge = 'nato-155mm-2024'"), {"body": b"?"})
        conn.execute(text("DELETE FROM timeline_1 WHERE pledge = 'jatec-poland'"))
        conn.execute(text("UPDATE timeline_1 SET pledge = 'ghost' WHERE pledge = 'nsatu-wiesbaden'"))
        conn.execute(text("UPDATE catalogue_1 SET pledge = 'ghost' WHERE pledge = 'nsatu-wiesbaden'"))
    engine.dispose()
    result = shell.run("replay", "--compare", code=1)

    found = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    assert "status" in found["nato-ukraine-2024"].split(", ")
    assert found["jatec-poland"] == "the log has it, the projection does not"
    assert found["nsatu-wiesbaden"] == "the log has it, the projection does not"
    assert found["nato-155mm-2024"] == "what the projection has cannot be read"
    assert found["commercial-space-strategy"] == "what the projection has cannot be read"
    assert found["ghost"] == "the projection has it, the log does not"
    assert re.search(
        r"^Error: \d of \d+ pledges differ between the log and the projection.$", result.stderr, flags=re.M
    )
    shell.run("rebuild")
    assert "12 pledges compared, no difference." in shell.run("replay", "--compare").stderr
