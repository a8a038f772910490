"""Documents as they are stored: compressed one by one, with the words that all of them share given in advance.

A status document of 1,800 bytes is stored in about 250; to unpack it takes some 6 µs, less than to read it unpacked.
"""

from __future__ import annotations

import zlib

# Never changed in place: what is packed with it can be read with it alone. With another one goes another ``VERSION``
# of the runner. zlib finds matches near the end cheapest, so that is where the commonest words stand.
_SHARED = (
    b'"members":{"eligible":,"met":,"not_met":,"not_applicable":,"opted_out":,"not_reported":,"total":,"projected":'
    b'"milestones":[{"milestone":"","due":"","first_due":"","state":"reached","late":false,"stated_on":"","event":"'
    b'"shares":[{"subset":"","share":{"op":"gt","value":"50","unit":"percent:"},"of":"","bound":{},"derived":true,'
    b'"conversion":{"from":"USD","to":"EUR","rate":"1.0","date":"2025-","provider":"ECB"},"original":{"target":'
    b'"projection":{"quantity":{"op":"approx","value":"000000000","unit":"EUR","text":"about billion"},"stage":"'
    b'"assessment":{"rating":"","rubric":"","rubric_version":"","reasoning":"","other_measures":[{"quantity":'
    b'"withdrawn" "superseded" "not_measurable" "exceeded" "met" "partly_met" "missed" "indeterminate" "overdue"'
    b'"disputed","suspected_unit_error","falling_total","overlap","assertion_conflict","unproven_claim","converted"'
    b'"tally_mismatch","late","revised_target","provisional","stale","allocated","disbursed","delivered","pledged"'
    b'{"pledge":"","title":"At least billion of assistance","pledgor":{"name":"","code":""},"beneficiary":null,'
    b'"beneficiary":{"name":"","code":""},"kind":"milestone" "qualitative" "count" "ratio","kind":"money","tags":["'
    b'"],"part_of":"","status":"announced","status":"in_progress","flags":["single_source"],"target":null,"actual":null,'
    b'"ratio":null,"stage":null,"period":null,"window":null,"target":{"op":"ge","value":"0000000000","unit":"EUR"},'
    b'"actual":{"op":"eq","value":"000000000","unit":"EUR"},"ratio":{"op":"eq","value":"0."},"stage":"committed",'
    b'"period":{"start":"2024-01-01","end":"2024-12-31"},"window":{"start":"2024-01-01","end":"2024-12-31"},'
    b'"latest":"2025-12-31","text":"this year"},"direction":"up","required_stage":null,"schedule":{"current":'
    b'"no_deadline","original":"due_soon","current":"overdue","original":"overdue"},"schedule":{"current":"open",'
    b'"original":"open"},"trajectory":"unknown","ahead","on_track","behind","claimed_trajectory":[],"evidence":"none",'
    b'"corroborated","retracted","evidence":"single_source","lifecycle":"active","past_targets":[],"because":{"status":["'
    b'"],"lifecycle":["","schedule":["","trajectory":["","evidence":["","target":["","actual":["","ratio":["'
    b'"],"single_source":["","stale":["0"]},"tolerance":"0.05","rules_version":"1+ecb-0.18.","last_stated_on":"2024-'
)


def pack(document: bytes) -> bytes:
    """The document as stored."""
    packer = zlib.compressobj(1, zdict=_SHARED)
    return packer.compress(document) + packer.flush()


def unpack(stored: bytes) -> bytes:
    """The document that was packed."""
    return zlib.decompressobj(zdict=_SHARED).decompress(stored)
