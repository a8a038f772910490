"""Currency codes of ISO 4217, in force and withdrawn since 1990, and the rates at which the euro replaced some.

The table is part of the repository and of `rules_version`: a new release of a library never changes what an amount
may be in. A code that leaves ISO 4217 moves from `IN_FORCE` to `WITHDRAWN` and stays readable and recordable.
Sources: ISO 4217 list one (in force) and list three (historic denominations), as of 2026-11.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

TABLE_VERSION = "iso4217-2026.11"
"""The version of the table, part of `rules_version`: count it up with every change of the codes or rates."""

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

EURO_RATES: dict[str, tuple[Decimal, date]] = {
    code: (Decimal(rate), date.fromisoformat(since))
    for code, rate, since in (
        ("ATS", "13.7603", "1999-01-01"),
        ("BEF", "40.3399", "1999-01-01"),
        ("DEM", "1.95583", "1999-01-01"),
        ("ESP", "166.386", "1999-01-01"),
        ("FIM", "5.94573", "1999-01-01"),
        ("FRF", "6.55957", "1999-01-01"),
        ("IEP", "0.787564", "1999-01-01"),
        ("ITL", "1936.27", "1999-01-01"),
        ("LUF", "40.3399", "1999-01-01"),
        ("NLG", "2.20371", "1999-01-01"),
        ("PTE", "200.482", "1999-01-01"),
        ("GRD", "340.750", "2001-01-01"),
        ("SIT", "239.640", "2007-01-01"),
        ("CYP", "0.585274", "2008-01-01"),
        ("MTL", "0.429300", "2008-01-01"),
        ("SKK", "30.1260", "2009-01-01"),
        ("EEK", "15.6466", "2011-01-01"),
        ("LVL", "0.702804", "2014-01-01"),
        ("LTL", "3.45280", "2015-01-01"),
        ("HRK", "7.53450", "2023-01-01"),
        ("BGN", "1.95583", "2026-01-01"),
    )
}
"""The rates at which the euro replaced currencies, from which day on for ever: units of the currency per euro.

Source: the Council Regulations that fixed them.
"""
