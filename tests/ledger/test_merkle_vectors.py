"""The valid and broken proofs that transparency-dev publishes for implementations of RFC 6962."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import SHARED
from tracker.merkle import InvalidProof, verify_consistency, verify_inclusion

DATA = SHARED / "data" / "merkle" / "rfc6962"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the RFC 6962 vectors are not at {DATA}")


def vectors(kind: str) -> list[Any]:
    """The files of a kind, each named by its path."""
    return [pytest.param(path, id=str(path.relative_to(DATA / kind))) for path in sorted((DATA / kind).rglob("*.json"))]


def read(path: Path) -> tuple[dict[str, Any], list[bytes]]:
    """The vector, and the hashes of its proof."""
    vector: dict[str, Any] = json.loads(path.read_text())
    return vector, [b64decode(value) for value in vector["proof"] or []]


@pytest.mark.parametrize("path", vectors("inclusion"))
def test_an_inclusion_vector_is_accepted_or_refused_as_it_says(path: Path) -> None:
    vector, proof = read(path)

    def verify() -> None:
        verify_inclusion(
            index=vector["leafIdx"],
            size=vector["treeSize"],
            leaf=b64decode(vector["leafHash"]),
            proof=proof,
            root=b64decode(vector["root"]),
        )

    if not vector["wantErr"]:
        return verify()
    with pytest.raises(InvalidProof):
        verify()
    return None


@pytest.mark.parametrize("path", vectors("consistency"))
def test_a_consistency_vector_is_accepted_or_refused_as_it_says(path: Path) -> None:
    vector, proof = read(path)

    def verify() -> None:
        verify_consistency(
            first=vector["size1"],
            second=vector["size2"],
            first_root=b64decode(vector["root1"]),
            second_root=b64decode(vector["root2"]),
            proof=proof,
        )

    if not vector["wantErr"]:
        return verify()
    with pytest.raises(InvalidProof):
        verify()
    return None


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_no_vector_is_forgotten(kind: str) -> None:
    want_error = [read(path.values[0])[0]["wantErr"] for path in vectors(kind)]
    assert (want_error.count(False), want_error.count(True)) == (6, 92)
