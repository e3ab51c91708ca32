"""Real names that are traded on the simulated market: tickers, coins and currencies.

Prices and sizes are plausible start values, not facts. The price process changes them.
"""

# ticker | name | exchange | price | market value in billions of dollars
STOCKS = """
AAPL|Apple Inc.|NMS|244.60|3674
MSFT|Microsoft Corporation|NMS|408.43|3036
NVDA|NVIDIA Corporation|NMS|138.85|3400
GOOGL|Alphabet Inc.|NMS|185.23|2270
GOOG|Alphabet Inc. Class C|NMS|186.87|2269
AMZN|Amazon.com, Inc.|NMS|228.68|2423
META|Meta Platforms, Inc.|NMS|736.67|1866
TSLA|Tesla, Inc.|NMS|355.84|1144
AVGO|Broadcom Inc.|NMS|233.04|1092
BRK.B|Berkshire Hathaway Inc. Class B|NYQ|479.59|1034
BABA|Alibaba Group Holding Limited|NYQ|124.73|296
JPM|JPMorgan Chase & Co.|NYQ|276.59|778
LLY|Eli Lilly and Company|NYQ|844.27|758
V|Visa Inc.|NYQ|353.78|700
WMT|Walmart Inc.|NYQ|104.04|835
ORCL|Oracle Corporation|NYQ|174.16|487
MA|Mastercard Incorporated|NYQ|563.15|514
XOM|Exxon Mobil Corporation|NYQ|108.45|476
UNH|UnitedHealth Group Incorporated|NYQ|523.51|482
COST|Costco Wholesale Corporation|NMS|1071.85|475
NFLX|Netflix, Inc.|NMS|1058.60|452
HD|The Home Depot, Inc.|NYQ|409.50|406
PG|The Procter & Gamble Company|NYQ|163.89|384
JNJ|Johnson & Johnson|NYQ|156.15|376
ABBV|AbbVie Inc.|NYQ|192.87|340
BAC|Bank of America Corporation|NYQ|46.96|357
CRM|Salesforce, Inc.|NYQ|326.54|312
KO|The Coca-Cola Company|NYQ|68.87|296
CVX|Chevron Corporation|NYQ|155.34|279
TMUS|T-Mobile US, Inc.|NMS|268.44|306
MRK|Merck & Co., Inc.|NYQ|82.99|209
CSCO|Cisco Systems, Inc.|NMS|64.87|258
WFC|Wells Fargo & Company|NYQ|79.98|263
ACN|Accenture plc|NYQ|387.75|242
NOW|ServiceNow, Inc.|NYQ|985.33|203
PEP|PepsiCo, Inc.|NMS|143.45|196
IBM|International Business Machines Corporation|NYQ|261.28|242
MCD|McDonald's Corporation|NYQ|308.43|221
AXP|American Express Company|NYQ|310.62|218
LIN|Linde plc|NMS|458.07|216
DIS|The Walt Disney Company|NYQ|110.48|200
ADBE|Adobe Inc.|NMS|460.16|200
AMD|Advanced Micro Devices, Inc.|NMS|113.10|183
GE|GE Aerospace|NYQ|208.27|223
PM|Philip Morris International Inc.|NYQ|150.42|233
MS|Morgan Stanley|NYQ|139.31|224
GS|The Goldman Sachs Group, Inc.|NYQ|660.55|206
TXN|Texas Instruments Incorporated|NMS|183.12|167
QCOM|QUALCOMM Incorporated|NMS|172.01|190
INTU|Intuit Inc.|NMS|586.38|164
CAT|Caterpillar Inc.|NYQ|351.52|168
T|AT&T Inc.|NYQ|25.87|185
VZ|Verizon Communications Inc.|NYQ|40.94|172
UBER|Uber Technologies, Inc.|NYQ|79.51|166
PFE|Pfizer Inc.|NYQ|25.46|144
INTC|Intel Corporation|NMS|23.60|102
BA|The Boeing Company|NYQ|184.42|138
NKE|NIKE, Inc.|NYQ|73.36|108
SBUX|Starbucks Corporation|NMS|112.66|128
PYPL|PayPal Holdings, Inc.|NMS|77.55|77
F|Ford Motor Company|NYQ|9.48|37
BF.B|Brown-Forman Corporation Class B|NYQ|31.77|15
"""

# symbol | name | exchange | price | market value in billions of dollars | swing
# Securities of American companies other than common shares. `swing` multiplies the volatility of an
# ordinary share.
OTHER_US_SECURITIES = """
ACHR|Archer Aviation Inc.|NYQ|7.42|5.1|2
ACHR.WS|Archer Aviation Inc. Warrants|NYQ|2.31|0.04|3
AAM.WS|AA Mission Acquisition Corp. Warrants|NYQ|0.212|0.01|2
AIIA|AI Infrastructure Acquisition Corp. Class A|NYQ|10.02|0.14|0.1
AIIA.U|AI Infrastructure Acquisition Corp. Units|NYQ|10.18|0.14|0.1
AIIA.RT|AI Infrastructure Acquisition Corp. Rights|NYQ|0.2|0.01|1
BAC.PR.L|Bank of America Corporation 7.25% Series L|NYQ|1215|3.8|0.3
JPM.PR.C|JPMorgan Chase & Co. 6.00% Series EE|NYQ|25.42|1.9|0.2
WFC.PR.L|Wells Fargo & Company 7.50% Series L|NYQ|1187|4.7|0.3
ABR.PR.D|Arbor Realty Trust, Inc. 6.375% Series D|NYQ|17.85|0.2|0.3
MOG.A|Moog Inc. Class A|NYQ|196.4|6.2|1
"""

# symbol | spelling of Yahoo | name | exchange | currency | price | billions of dollars | hours
# Shares that are listed outside of the United States. Prices are in `currency`.
OTHER_SHARES = """
HSBA.L|HSBA.L|HSBC Holdings plc|LSE|GBp|912.4|205|london
SHEL.L|SHEL.L|Shell plc|LSE|GBp|2684.5|203|london
BP.L|BP.L|BP p.l.c.|LSE|GBp|446.2|90|london
BT.A.L|BT-A.L|BT Group plc|LSE|GBp|147.9|18.2|london
VOD.L|VOD.L|Vodafone Group plc|LSE|GBp|67.14|22.1|london
OCDO.L|OCDO.L|Ocado Group plc|LSE|GBp|308.80|2.6|london
TSCO.L|TSCO.L|Tesco PLC|LSE|GBp|381.20|25.4|london
SAP.DE|SAP.DE|SAP SE|GER|EUR|262.45|330|xetra
RCI.B.TO|RCI-B.TO|Rogers Communications Inc. Class B|TOR|CAD|39.62|15.1|toronto
NPN.JO|NPN.JO|Naspers Limited|JNB|ZAc|421350|38|johannesburg
TEVA.TA|TEVA.TA|Teva Pharmaceutical Industries Limited|TLV|ILA|5874|18.4|tel aviv
NBK.KW|NBK.KW|National Bank of Kuwait S.A.K.P.|KUW|KWF|982|26.9|kuwait
KFH.KW|KFH.KW|Kuwait Finance House K.S.C.P.|KUW|KWF|761|42.3|kuwait
REI.UN.TO|REI-UN.TO|RioCan Real Estate Investment Trust|TOR|CAD|18.44|3.9|toronto
ALA.PR.A.TO|ALA-PA.TO|AltaGas Ltd. Series A|TOR|CAD|21.9|0.2|toronto
M&M.NS|M&M.NS|Mahindra & Mahindra Limited|NSI|INR|3027.1|43|india
RELIANCE.NS|RELIANCE.NS|Reliance Industries Limited|NSI|INR|1224.3|190|india
"""

# symbol | name | currency | value | hours | group | share in the group's movement | own swing
INDICES = """
^GSPC|S&P 500|USD|6114.63|us|us shares|1|0.1
^DJI|Dow Jones Industrial Average|USD|44546.08|us|us shares|0.9|0.2
^IXIC|NASDAQ Composite|USD|20026.77|us|us shares|1.3|0.3
^RUT|Russell 2000 Index|USD|2279.98|us|us shares|1.1|0.5
^VIX|CBOE Volatility Index|USD|14.77|us|us shares|-4|3
^TNX|CBOE Interest Rate 10 Year T No|USD|4.476|us|us shares|0.2|1
^FTSE|FTSE 100|GBP|8732.46|london|london shares|1|0.1
^GDAXI|DAX P|EUR|22513.42|xetra|xetra shares|1|0.1
^STOXX50E|EURO STOXX 50 I|EUR|5493.4|xetra|xetra shares|0.95|0.2
^N225|Nikkei 225|JPY|39149.43|tokyo|tokyo shares|1|0.1
"""

# symbol | name | currency | price | group | share in the group's movement | own swing
FUTURES = """
ES=F|E-Mini S&P 500|USD|6129.75|us shares|1|0.1
GC=F|Gold|USD|2893.7|metals|1|0.3
SI=F|Silver|USD|32.6|metals|1.6|0.7
HG=F|Copper|USD|4.61|metals|0.6|1
CL=F|Crude Oil|USD|70.74|energy|1|0.4
BZ=F|Brent Crude Oil Last Day Financial|USD|74.74|energy|0.95|0.4
NG=F|Natural Gas|USD|3.725|energy|0.7|2
ZC=F|Corn Futures|USX|496.25|grains|1|0.6
ZW=F|Chicago SRW Wheat Futures|USX|600|grains|1|0.8
KC=F|Coffee|USX|419.75|grains|0.2|1.6
"""

# ticker | id at CoinGecko | id at CoinMarketCap | name | price in dollars | swing
# `swing` multiplies the volatility of an ordinary coin.
COINS = """
BTC|bitcoin|1|Bitcoin|96077.45|1
ETH|ethereum|1027|Ethereum|2715.32|1
XRP|ripple|52|XRP|2.6543|1
USDT|tether|825|Tether|1.0001|0.02
BNB|binancecoin|1839|BNB|662.18|1
SOL|solana|5426|Solana|182.5|1
USDC|usd-coin|3408|USDC|0.9999|0.02
DOGE|dogecoin|74|Dogecoin|0.26114|1
ADA|cardano|2010|Cardano|0.78231|1
TRX|tron|1958|TRON|0.24012|1
LINK|chainlink|1975|Chainlink|18.42|1
AVAX|avalanche-2|5805|Avalanche|24.91|1
XLM|stellar|512|Stellar|0.33418|1
SUI|sui|20947|Sui|3.2871|1
LTC|litecoin|2|Litecoin|124.62|1
TON|the-open-network|11419|Toncoin|3.6812|1
SHIB|shiba-inu|5994|Shiba Inu|0.0000155123|1
HBAR|hedera-hashgraph|4642|Hedera|0.21934|1
DOT|polkadot|6636|Polkadot|4.9812|1
BCH|bitcoin-cash|1831|Bitcoin Cash|329.15|1
UNI|uniswap|7083|Uniswap|9.2714|1
PEPE|pepe|24478|Pepe|0.00000953128|1
NEAR|near|6535|NEAR Protocol|3.3219|1
APT|aptos|21794|Aptos|6.0312|1
AAVE|aave|7278|Aave|261.44|1
ICP|internet-computer|8916|Internet Computer|7.1423|1
ETC|ethereum-classic|1321|Ethereum Classic|20.61|1
ATOM|cosmos|3794|Cosmos|4.7713|1
POL|polygon-ecosystem-token|28321|POL (ex-MATIC)|0.31029|1
XMR|monero|328|Monero|231.77|1
VET|vechain|3077|VeChain|0.033912|1
ALGO|algorand|4030|Algorand|0.27771|1
FIL|filecoin|2280|Filecoin|3.3517|1
ARB|arbitrum|11841|Arbitrum|0.45531|1
OP|optimism|11840|Optimism|1.1093|1
ONDO|ondo-finance|21159|Ondo|1.3201|1
TRUMP|official-trump|35336|OFFICIAL TRUMP|16.87|1
MKR|maker|1518|Maker|1012.4|1
BONK|bonk|23095|Bonk|0.0000181774|1
INJ|injective-protocol|7226|Injective|15.22|1
XTZ|tezos|2011|Tezos|0.81277|1
DASH|dash|131|Dash|27.31|1
MNT|mantle|27075|Mantle|1.0712|1
HOT|holotoken|2682|Holo|0.0018312|1
SOS|opendao|16494|OpenDAO|0.00000000213|1.5
HOT|hydro-protocol|2430|Hydro Protocol|0.000743|1.5
"""

# code | name | sign | CoinMarketCap's id | value in dollars
CURRENCIES = """
USD|United States Dollar|$|2781|1
EUR|Euro|€|2790|1.04899
GBP|British Pound Sterling|£|2791|1.25934
JPY|Japanese Yen|¥|2797|0.0065951
CHF|Swiss Franc|Fr|2785|1.11071
CAD|Canadian Dollar|$|2784|0.70512
AUD|Australian Dollar|$|2782|0.63581
NZD|New Zealand Dollar|$|2802|0.57342
CNY|Chinese Yuan|¥|2787|0.13764
HKD|Hong Kong Dollar|$|2792|0.12853
SGD|Singapore Dollar|S$|2808|0.74611
SEK|Swedish Krona|kr|2807|0.093474
NOK|Norwegian Krone|kr|2801|0.090012
DKK|Danish Krone|kr|2789|0.140631
PLN|Polish Zloty|zł|2805|0.252012
CZK|Czech Koruna|Kč|2788|0.041871
HUF|Hungarian Forint|Ft|2793|0.0026091
TRY|Turkish Lira|₺|2810|0.027561
ZAR|South African Rand|R|2812|0.054382
MXN|Mexican Peso|$|2799|0.049271
BRL|Brazilian Real|R$|2783|0.175134
INR|Indian Rupee|₹|2796|0.011511
KRW|South Korean Won|₩|2798|0.00069412
THB|Thai Baht|฿|2809|0.029701
IDR|Indonesian Rupiah|Rp|2794|0.000061534
MYR|Malaysian Ringgit|RM|2800|0.225751
PHP|Philippine Peso|₱|2803|0.017273
ILS|Israeli New Shekel|₪|2795|0.281021
AED|United Arab Emirates Dirham|د.إ|2813|0.272294
SAR|Saudi Riyal|﷼|3566|0.266631
RON|Romanian Leu|lei|2817|0.210781
CNH|Chinese Yuan Offshore|¥|36720|0.13758
TWD|New Taiwan Dollar|NT$|2811|0.030524
KWD|Kuwaiti Dinar|د.ك|3537|3.24102
MNT|Mongolian Tugrik|₮|3542|0.00028921
SOS|Somali Shilling|Sh|3557|0.00175
"""

# The pairs that a broker lists; any other two currencies are priced all the same.
PAIRS = """
EUR/USD GBP/USD USD/JPY USD/CHF AUD/USD USD/CAD NZD/USD EUR/GBP EUR/JPY EUR/CHF EUR/AUD EUR/CAD
EUR/NZD GBP/JPY GBP/CHF GBP/AUD GBP/CAD GBP/NZD AUD/JPY AUD/CHF AUD/CAD AUD/NZD CAD/JPY CAD/CHF
CHF/JPY NZD/JPY NZD/CHF NZD/CAD USD/SEK USD/NOK USD/DKK USD/PLN USD/CZK USD/HUF USD/TRY USD/ZAR
USD/MXN USD/BRL USD/INR USD/KRW USD/THB USD/IDR USD/MYR USD/PHP USD/ILS USD/AED USD/SAR USD/RON
USD/CNY USD/CNH USD/TWD USD/KWD USD/HKD USD/SGD EUR/SEK EUR/NOK EUR/DKK EUR/PLN EUR/CZK EUR/HUF
EUR/TRY EUR/ZAR GBP/SEK
"""
