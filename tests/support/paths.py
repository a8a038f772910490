"""Where the files are that tests read: the checkout, and the data sets that may lie beside it."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""

SHARED = ROOT.parent / "shared"
"""Third-party test vectors and data sets; tests that read them are skipped where it is absent."""
