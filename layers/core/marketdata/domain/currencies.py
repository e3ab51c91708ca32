"""The currency codes of ISO 4217, current and withdrawn, and the offshore yuan. Imports nothing."""

from __future__ import annotations

# ISO 4217, list one as of 2026, with its codes of funds, metals and tests.
CURRENT = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
    CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP
    GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR
    KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN
    MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
    USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD
    XPF XPT XSU XUA YER ZAR ZMW ZWG
    """.split()
)

# ISO 4217, list three: withdrawn codes. Providers still list some of them.
WITHDRAWN = frozenset(
    """
    ADP AFA ALK ANG AOK AON AOR ARA ARP ARY ATS AYM AZM BAD BEC BEF BEL BGJ BGK BGL BGN BOP BRB BRC
    BRE BRN BRR BUK BYB BYR CHC CSD CSJ CSK CUC CYP DDM DEM ECS ECV EEK ESA ESB ESP FIM FRF GEK GHC
    GHP GNE GNS GQE GRD GWE GWP HRD HRK IEP ILP ILR ISJ ITL LAJ LSM LTL LTT LUC LUF LUL LVL LVR MGF
    MLF MRO MTL MTP MVQ MXP MZE MZM NIC NLG PEH PEI PES PLZ PTE RHD ROK ROL RUR SDD SDP SIT SKK SLL
    SRG STD SUR TJR TMM TPE TRL UAK UGS UGW USS UYN UYP VEB VEF VNC XEU XFO XFU XRE YDD YUD YUM YUN
    ZAL ZMK ZRN ZRZ ZWC ZWD ZWL ZWN ZWR
    """.split()
)

# Traded as a currency without a code of ISO 4217: the yuan outside China.
NOT_ISO = frozenset({"CNH"})

# Codes of funds, bonds, accounts and tests, for which no provider has a rate.
NOT_QUOTED = frozenset("BOV CHE CHW COU MXV USN UYI UYW XAD XBA XBB XBC XBD XSU XUA".split())

CURRENCIES = CURRENT | WITHDRAWN | NOT_ISO
# Those that a provider can price.
PRICED = CURRENCIES - WITHDRAWN - NOT_QUOTED

# What people write for a currency that has another code.
COMMON_NAMES = {
    "RMB": "CNY", "YUAN": "CNY", "YEN": "JPY", "NTD": "TWD", "NIS": "ILS", "EURO": "EUR",
    "DOLLAR": "USD", "POUND": "GBP",
}  # fmt: skip

# Coins that follow a currency, by that currency. Exchanges quote other coins in them.
STABLE_COINS = {
    "USDT": "USD", "USDC": "USD", "BUSD": "USD", "FDUSD": "USD", "TUSD": "USD", "USDD": "USD",
    "USDE": "USD", "USDP": "USD", "PYUSD": "USD", "DAI": "USD", "EURC": "EUR", "EURT": "EUR",
    "EURS": "EUR", "EURI": "EUR",
}  # fmt: skip
