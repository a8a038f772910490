"""What the record adds up to: read models that can be thrown away and built again from the log.

A projection is a pure fold with a table under it (`fold`, `tables`), a runner that follows the log (`runner`), reads
(`timeline`) and a check of them against the log (`verify`). Nothing here knows HTTP or the time of day: clocks are
arguments.
"""
