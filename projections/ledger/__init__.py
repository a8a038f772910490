"""The log as a transparency log: tiles over the leaves of its events, and signed checkpoints (C2SP).

`reader.Ledger` is what is published, for whoever serves or exports it:

    ledger = Ledger(engine, log, settings.log_origin)
    ledger.checkpoint()                        the last signed checkpoint: size, root, note, signed_at; or None
    ledger.checkpoint_covering(position)       the first one that covers a position, or None
    ledger.tile(level, index, width)           bytes of a tile, full or partial
    ledger.entries(index, width)               bytes of an entry bundle; a withheld event's entry is empty
    ledger.fetch("tile/0/x001/067.p/5")        either of them by its path, for a `TileReader`
    ledger.tree(size)                          the `TileReader` of a tree; proofs and leaves by its methods
    ledger.inclusion_proof(position, size)     hashes, as ledger.consistency_proof(first, second)
    ledger.state()                             verifier keys, the last consistency proof, why nothing is signed

`signer.LedgerSigner` signs it, `keys` are those it signs with, `audit` shows at the start that the log is what was
published, `remembered` keeps the last checkpoint outside the store, `tables` and `tile_writer` know the tables.
"""
