"""Verifies a published log with none of its operator's code, from the specifications of C2SP alone.

    python verify_log.py https://pledges.example.org/ledger 'name+key id+base64'

It needs the package `cryptography` for Ed25519, and checks the signature, every entry against its leaf, and the root
over all leaves: c2sp.org/signed-note, tlog-checkpoint and tlog-tiles, RFC 6962 §2.1.
"""

import sys
from base64 import b64decode
from hashlib import sha256
from urllib.request import urlopen

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

prefix, vkey = sys.argv[1:]
name, key_id, encoded = vkey.split("+", 2)
public_key = b64decode(encoded)[1:]


def get(path: str) -> bytes:
    with urlopen(f"{prefix}/{path}") as answer:  # noqa: S310 - the address is the reader's own
        return answer.read()


def path_of(kind: str, index: int, width: int) -> str:
    elements = [f"{index % 1000:03d}"]
    while index := index // 1000:
        elements.insert(0, f"x{index % 1000:03d}")
    return f"tile/{kind}/" + "/".join(elements) + (f".p/{width}" if width < 256 else "")


def root_of(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + root_of(leaves[:half]) + root_of(leaves[half:])).digest()


text, signatures = get("checkpoint").decode().split("\n\n")
signed = f"{text}\n".encode()
for line in signatures.splitlines():
    _, signer, signature = line.split(" ")
    if signer == name and b64decode(signature)[:4].hex() == key_id:
        Ed25519PublicKey.from_public_bytes(public_key).verify(b64decode(signature)[4:], signed)
        break
else:
    sys.exit("the key has not signed the checkpoint")

origin, size, root = text.split("\n")[:3]
if origin != name:
    sys.exit(f"the checkpoint is of {origin}, and the key of {name}")
leaves: list[bytes] = []
for start in range(0, int(size), 256):
    width = min(256, int(size) - start)
    tile = get(path_of("0", start // 256, width))
    bundle = get(path_of("entries", start // 256, width))
    for number in range(width):
        leaf = tile[32 * number : 32 * number + 32]
        length = int.from_bytes(bundle[:2], "big")
        entry, bundle = bundle[2 : 2 + length], bundle[2 + length :]
        if entry and sha256(b"\x00" + entry).digest() != leaf:  # an empty entry: its line is withheld
            sys.exit(f"position {start + number + 1} is not the event that was signed")
        leaves.append(leaf)
if root_of(leaves) != b64decode(root):
    sys.exit("the leaves do not lead to the root that was signed")
print(f"{origin}: {size} events, as signed by {name}")
