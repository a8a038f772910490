"""Faults that real processes are put through, and the table of what came of it; not part of the product."""
