"""Signed notes and checkpoints, after c2sp.org/signed-note and c2sp.org/tlog-checkpoint, with their own examples and
those of Go's `sumdb/note`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.trees import flipped
from tracker.checkpoint import Checkpoint, MalformedCheckpoint, OtherOrigin, open_checkpoint
from tracker.merkle import EMPTY_ROOT, MAX_SIZE
from tracker.signed_note import (
    InvalidSignature,
    MalformedKey,
    MalformedNote,
    NoKnownSignature,
    NoteSignature,
    SignedNote,
    SigningKey,
    VerifierKey,
    decode_base64,
    sign_note,
)

PETER_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
NOTE = f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}".encode()

OLD, NEW = SigningKey("example.com/log", bytes(32)), SigningKey("example.com/log", bytes(range(32)))


def keys(*vkeys: str) -> list[VerifierKey]:
    return [VerifierKey.parse(vkey) for vkey in vkeys]


# --- keys


def test_a_signing_key_has_its_published_verifier_key() -> None:
    key = SigningKey.parse(PETER_SECRET)
    assert str(key.verifier) == PETER
    assert key.private_text() == PETER_SECRET


def test_a_new_key_can_be_stored_and_read_back() -> None:
    key = SigningKey.generate("example.com/log")
    assert SigningKey.parse(key.private_text()) == key
    assert VerifierKey.parse(str(key.verifier)) == key.verifier
    assert key != SigningKey.generate("example.com/log")


def test_a_signing_key_tells_its_secret_only_when_asked() -> None:
    key = SigningKey.parse(PETER_SECRET)
    for shown in (repr(key), str(key), f"{key}", repr([key])):
        assert "seed" not in shown
        assert repr(key.seed) not in shown
    with pytest.raises(MalformedKey) as refused:
        SigningKey.parse(PETER_SECRET[:-8] + "AAAAAAAA")
    assert PETER_SECRET[40:60] not in refused.value.detail


@pytest.mark.parametrize("vkey", [PETER, PETER_SECRET])
def test_a_mangled_key_is_refused(vkey: str) -> None:
    parse = SigningKey.parse if vkey.startswith("PRIVATE") else VerifierKey.parse
    mangled = {vkey[start:end] for start in range(0, len(vkey), 3) for end in range(start, len(vkey) + 1, 3)} - {vkey}
    mangled |= {vkey[:at] + chr(ord(vkey[at]) + 1) + vkey[at + 1 :] for at in range(len(vkey))}
    mangled |= {vkey + "\n", vkey + "=", " " + vkey, vkey.upper()}
    for broken in mangled:
        with pytest.raises(MalformedKey):
            parse(broken)


@pytest.mark.parametrize(
    "vkey",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",  # too long, with its key id
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # another algorithm, with its key id
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("PeterNeumann", "Peter Neumann"),
        PETER.replace("PeterNeumann", ""),
    ],
)
def test_a_key_in_another_spelling_or_of_another_algorithm_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedKey):
        VerifierKey.parse(vkey)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\u2028b", "a\nb", "a\x01b"])
def test_a_key_name_has_no_space_and_no_plus(name: str) -> None:
    with pytest.raises(MalformedKey):
        SigningKey(name, bytes(32))
    with pytest.raises(MalformedKey):
        VerifierKey(name, bytes(32))


# --- notes


def test_the_example_of_the_specification_verifies() -> None:
    note = SignedNote.parse(
        "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1E"
        "RYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n".encode()
    )
    (key,) = keys("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    assert note.verified_by([key]) == (key,)
    assert note.text == "This is an example message.\n"


def test_the_signature_is_the_published_one() -> None:
    assert bytes(sign_note(TEXT, [SigningKey.parse(PETER_SECRET)])) == f"{TEXT}\n{PETER_LINE}".encode()


def test_signatures_of_unknown_keys_are_ignored_and_those_of_known_keys_told() -> None:
    note, peter, enoch = SignedNote.parse(NOTE), *keys(PETER, ENOCH)
    assert bytes(note) == NOTE
    assert note.verified_by([peter]) == (peter,)
    assert note.verified_by([enoch]) == (enoch,)
    assert note.verified_by([enoch, peter, enoch]) == (peter, enoch)
    with pytest.raises(NoKnownSignature):
        note.verified_by([])
    with pytest.raises(NoKnownSignature):
        note.verified_by([OLD.verifier, VerifierKey("PeterNeumann", enoch.public)])


def test_a_wrong_signature_of_a_known_key_is_not_made_good_by_another() -> None:
    peter, enoch = keys(PETER, ENOCH)
    for broken in (PETER_LINE[:60] + "ABCD" + PETER_LINE[64:], PETER_LINE[:60] + "ABCD" + PETER_LINE[60:]):
        note = SignedNote.parse(f"{TEXT}\n{broken}{ENOCH_LINE}".encode())
        assert note.verified_by([enoch]) == (enoch,)
        with pytest.raises(InvalidSignature):
            note.verified_by([enoch, peter])
        doubled = SignedNote.parse(f"{TEXT}\n{PETER_LINE}{broken}".encode())
        with pytest.raises(InvalidSignature):
            doubled.verified_by([peter])
    assert SignedNote.parse(f"{TEXT}\n{PETER_LINE}{PETER_LINE}".encode()).verified_by([peter]) == (peter,)


@pytest.mark.parametrize(
    "note",
    [
        b"",
        TEXT.encode(),
        f"{TEXT}\n".encode(),
        f"{TEXT}{PETER_LINE}".encode(),
        f"\n{PETER_LINE}".encode(),
        f"{TEXT}\n{PETER_LINE}"[:-1].encode(),
        f"{TEXT}\n{PETER_LINE}\n".encode(),
        f"{TEXT}\n{PETER_LINE}Unexpected line.\n".encode(),
        f"{TEXT}\n{PETER_LINE}".replace("\n", "\r\n").encode(),
        f"\x01{TEXT}\n{PETER_LINE}".encode(),
        f"{TEXT}\t\n\n{PETER_LINE}".encode(),
        b"\xff" + f"{TEXT}\n{PETER_LINE}".encode(),
        f"{TEXT}\n{PETER_LINE}".replace("—", "-").encode(),
        f"{TEXT}\n{PETER_LINE}".replace("— ", "—").encode(),
        f"{TEXT}\n{PETER_LINE}".replace("PeterNeumann", "Peter Neumann").encode(),
        f"{TEXT}\n{PETER_LINE}".replace("PeterNeumann", "Peter+Neumann").encode(),
        f"{TEXT}\n{PETER_LINE}".replace("PeterNeumann", "").encode(),
        f"{TEXT}\n{PETER_LINE}".replace("JnAM=", "JnAM").encode(),
        f"{TEXT}\n{PETER_LINE}".replace("JnAM=", "JnAN=").encode(),
        f"{TEXT}\n{PETER_LINE}".replace("JnAM=", "JnAM= ").encode(),
        f"{TEXT}\n— PeterNeumann x08gow==\n".encode(),
        f"{TEXT}\n{PETER_LINE * 101}".encode(),
        b"a" * 1_000_000 + f"\n\n{PETER_LINE}".encode(),
    ],
)
def test_bytes_that_are_no_signed_note_are_refused(note: bytes) -> None:
    with pytest.raises(MalformedNote):
        SignedNote.parse(note)


def test_a_text_may_have_empty_lines_and_any_letters() -> None:
    text = "\n\ned è subito sera.\n\n— no signature\n"
    note = sign_note(text, [OLD])
    assert SignedNote.parse(bytes(note)) == note
    assert note.verified_by([OLD.verifier]) == (OLD.verifier,)


@pytest.mark.parametrize("text", ["", "\n", "no newline", "a tab\t\n"])
def test_a_text_that_would_be_no_note_is_not_signed(text: str) -> None:
    with pytest.raises(MalformedNote):
        sign_note(text, [OLD])


def test_a_note_without_a_key_is_not_made() -> None:
    with pytest.raises(MalformedNote):
        sign_note(TEXT, [])


@given(st.integers(0, 8 * len(NOTE) - 1))
@settings(max_examples=300, deadline=None)
def test_no_flipped_bit_leaves_a_note_of_both_keys(bit: int) -> None:
    both = keys(PETER, ENOCH)
    with suppress(MalformedNote, InvalidSignature):
        assert len(SignedNote.parse(flipped(NOTE, bit)).verified_by(both)) < 2


def test_while_a_key_is_changed_both_the_old_and_the_new_key_verify() -> None:
    checkpoint = Checkpoint("example.com/log", 0, EMPTY_ROOT)
    during, after = checkpoint.sign([NEW, OLD]), checkpoint.sign([NEW])
    for known in ([OLD.verifier], [NEW.verifier], [OLD.verifier, NEW.verifier]):
        assert open_checkpoint(during, known) == checkpoint
    assert open_checkpoint(after, [NEW.verifier, OLD.verifier]) == checkpoint
    with pytest.raises(NoKnownSignature):
        open_checkpoint(after, [OLD.verifier])


def test_two_keys_of_one_name_and_id_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VerifierKey, "key_id", property(lambda key: b"same"))
    note = SignedNote(TEXT, (NoteSignature("example.com/log", b"same", bytes(64)),))
    with pytest.raises(MalformedKey):
        note.verified_by([VerifierKey("example.com/log", bytes(32)), VerifierKey("example.com/log", bytes(range(32)))])


# --- checkpoints


ROOT = b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")


def test_a_checkpoint_is_written_as_the_specification_shows_it() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = Checkpoint("example.com/behind-the-sofa", 20_852_163, ROOT)
    assert checkpoint.text == text
    assert Checkpoint.parse(text) == checkpoint
    extended = Checkpoint.parse(text + "an extension\nanother one\n")
    assert extended.extensions == ("an extension", "another one")
    assert Checkpoint.parse(extended.text) == extended


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "origin\n",
        "origin\n7\n",
        "origin\n7\nROOT",
        "origin\n7\nROOT\nextension",
        "\n7\nROOT\n",
        "origin\n\nROOT\n",
        "origin\n07\nROOT\n",
        "origin\n+7\nROOT\n",
        "origin\n-7\nROOT\n",
        "origin\n 7\nROOT\n",
        "origin\n7 \nROOT\n",
        "origin\n7_0\nROOT\n",
        "origin\n٧\nROOT\n",
        "origin\n0x7\nROOT\n",
        "origin\n7\nROOT\n\n",
        "origin\n7\nROOT\n\nextension\n",
        "origin\n7\n ROOT\n",
        "origin\n7\nROOT=\n",
        "origin\n7\nAAAA\n",
        "origin\n7\n\n",
        "origin\n0\nROOT\n",
        f"origin\n{MAX_SIZE + 1}\nROOT\n",
        f"origin\n{'9' * 5000}\nROOT\n",
        "ori\tgin\n7\nROOT\n",
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedCheckpoint):
        Checkpoint.parse(text.replace("ROOT", b64encode(ROOT).decode()))


def test_a_checkpoint_that_nobody_could_read_is_not_made() -> None:
    for origin, size, root, extensions in (
        ("", 7, ROOT, ()),
        ("two\nlines", 7, ROOT, ()),
        ("origin", -1, ROOT, ()),
        ("origin", 7, ROOT[:-1], ()),
        ("origin", 0, ROOT, ()),
        ("origin", 7, ROOT, ("",)),
        ("origin", 7, ROOT, ("two\nlines",)),
    ):
        with pytest.raises(MalformedCheckpoint):
            Checkpoint(origin, size, root, extensions)


def test_a_checkpoint_is_believed_only_of_the_log_that_was_asked() -> None:
    signed = Checkpoint("example.com/log", 7, ROOT).sign([NEW])
    assert open_checkpoint(signed, [NEW.verifier], origin="example.com/log").size == 7
    with pytest.raises(OtherOrigin):
        open_checkpoint(signed, [NEW.verifier], origin="example.com/other")
    with pytest.raises(MalformedCheckpoint):
        open_checkpoint(bytes(sign_note("a letter\n", [NEW])), [NEW.verifier])


@pytest.mark.parametrize("text", ["A", "AA", "AAA", "AA=", "AB==", "AAB=", "AA==\n", " AA==", "AA==AA==", "A-_A", "Ä"])
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        decode_base64(text)
