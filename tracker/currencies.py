"""Currency codes of ISO 4217, in force and withdrawn since 1990 (DOMAIN §3).

The table is part of the repository and of `rules_version`: a new release of a library never changes what an amount
may be in. A code that leaves ISO 4217 moves from `IN_FORCE` to `WITHDRAWN` and stays readable and recordable.
Sources: ISO 4217 list one (in force) and list three (historic denominations), as of 2026-11.
"""

from __future__ import annotations

TABLE_VERSION = "iso4217-2026.11"
"""The version of the table, part of `rules_version`: count it up with every change of the codes."""

IN_FORCE = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
    CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA
    MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD
    RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
    USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR
    ZMW ZWG
    """.split()
)
"""Without `XXX` ("no currency") and `XTS` ("for testing"): an amount in neither is none."""

WITHDRAWN = frozenset(
    """
    ADP AFA ANG AOK AON AOR ARA ATS AYM AZM BAD BEC BEF BEL BGL BGN BRE BRN BRR BUK BYB BYR CHC CSD CSK CUC CYP DDM DEM
    ECS ECV EEK ESB ESP FIM FRF GEK GHC GHP GRD GWP HRD HRK IEP ITL LTL LTT LUC LUF LUL LVL LVR MGF MRO MTL MXP MZM NIC
    NLG PEI PLZ PTE ROL RUR SDD SDP SIT SKK SLL SRG STD SUR TJR TMM TPE TRL UAK USS UYP VEB VEF XEU XFO XFU XRE YDD YUD
    YUM YUN ZAL ZMK ZRN ZRZ ZWD ZWL ZWN ZWR
    """.split()
)
"""Codes that ISO 4217 withdrew in 1990 or later."""

CODES = IN_FORCE | WITHDRAWN
"""Every code that an amount may be in."""
