"""Documents that are kept unpacked: the same as those unpacked anew, short ones alone, and no more than so many."""

import random
import string

from projections import document_codec
from projections.document_codec import KEPT_DOCUMENTS, MAX_KEPT_BYTES, StoredDocument, pack, pack_outline, unpack


def stored(title: str) -> StoredDocument:
    packed = pack({"title": title, "because": {}}, {"title": title}, {})
    return StoredDocument(packed.body, pack_outline(packed.outline_json))


def test_short_documents_are_kept_and_long_ones_are_not() -> None:
    words = random.Random(0)
    short, long = stored("Aid"), stored("".join(words.choices(string.printable, k=2 * MAX_KEPT_BYTES)))
    assert sum(map(len, short)) <= MAX_KEPT_BYTES < sum(map(len, long))
    before = document_codec._unpacked_before.cache_info()
    for _ in range(2):
        assert unpack(short) == b'{"title":"Aid","because":{}}'
        assert unpack(long).startswith(b'{"title":')
    after = document_codec._unpacked_before.cache_info()
    assert after.hits > before.hits
    assert after.hits + after.misses == before.hits + before.misses + 2


def test_no_more_are_kept_than_so_many() -> None:
    for number in range(KEPT_DOCUMENTS + 10):
        assert unpack(stored(f"No. {number}")).startswith(b'{"title":"No. ')
    assert document_codec._unpacked_before.cache_info().currsize == KEPT_DOCUMENTS
